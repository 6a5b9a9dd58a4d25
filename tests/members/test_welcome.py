"""The three first steps: led to, left, taken up again; nothing typed is lost."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from kmnet.core import placeholders
from kmnet.core.models import CommunitySettings, OutgoingMail, Term
from members import services
from tests.factories import make_member
from tests.mailbox import html_of, send_due, text_of

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def step(number: int) -> str:
    return reverse("members:welcome_step", args=[number])


@pytest.fixture
def newcomer(vocabulary):
    return make_member(name="Iris Vandermeulen", onboarded_at=None, email="iris@example.org")


@pytest.fixture
def visitor(newcomer, signed_in):
    return signed_in(newcomer)


def role_ids(count: int) -> list[int]:
    return list(Term.objects.filter(facet__key="role").values_list("pk", flat=True)[:count])


def test_three_steps_are_saved_one_by_one_and_end_with_a_welcome(visitor, newcomer):
    roles = role_ids(2)
    response = visitor.post(step(1), {"roles": roles, "job_title": "Clinical librarian", "team_size": "solo"})
    assert response["Location"] == step(2)
    response = visitor.post(
        step(2),
        {
            "can_help": ["policy brief"],
            "can_help_more": "searching, Journal clubs; searching",
            "can_help_text": "I know where everything is.",
            "looking_for": ["working alone"],
            "country": "GB",
            "languages_work": ["en"],
            "languages_more": "Yorùbá, dholuo",
        },
    )
    assert response["Location"] == step(3)
    response = visitor.post(step(3), {"digest": "daily", "time_zone": "Africa/Nairobi", "show_clock": "on"})
    assert response["Location"] == reverse("hub:welcome_done")

    newcomer.refresh_from_db()
    profile = newcomer.profile
    assert sorted(profile.roles.values_list("pk", flat=True)) == sorted(roles)
    assert (profile.job_title, profile.team_size, profile.country.code) == (
        "Clinical librarian",
        "solo",
        "GB",
    )
    assert sorted(profile.can_help.values_list("name", flat=True)) == [
        "Journal clubs",
        "policy brief",
        "searching",
    ]
    assert list(profile.looking_for.values_list("name", flat=True)) == ["working alone"]
    assert profile.languages_work == ["en", "yo", "luo"]
    assert (profile.digest, newcomer.time_zone, profile.is_listed) == ("daily", "Africa/Nairobi", False)
    assert (profile.clock_seen_by, profile.welcome_step) == (20, 3)
    assert newcomer.onboarded_at is not None
    page = visitor.get(reverse("hub:welcome_done")).content.decode()
    assert "Welcome, Iris." in page
    assert page.count("<li><a href=") >= 3


def test_welcome_mail_comes_once(visitor):
    for _time in range(2):
        visitor.post(step(3), {"digest": "weekly", "time_zone": "UTC"})
    [message] = send_due(to="iris@example.org")
    assert message["Subject"] == "Welcome to kmnet, Iris"
    for part in (text_of(message), html_of(message)):
        assert "http://testserver/members/" in part
        assert "{{" not in part
    assert OutgoingMail.objects.count() == 1


def test_steps_are_taken_up_where_they_were_left(visitor):
    assert visitor.get("/", follow=True).redirect_chain == [("/welcome/", 302), (step(1), 302)]
    visitor.post(step(1), {"job_title": "Librarian"})
    assert visitor.get(reverse("members:welcome"))["Location"] == step(2)
    assert (
        visitor.get(step(1)).context["form"]["job_title"].value() == "Librarian"
    )  # Back shows what was saved


def test_steps_can_be_put_off_until_the_next_sign_in(visitor, newcomer, signed_in):
    assert visitor.post(reverse("members:welcome_later"))["Location"] == "/"
    assert visitor.get("/").status_code == 200
    assert signed_in(newcomer).get("/")["Location"] == reverse("members:welcome")


def test_nobody_is_locked_in(visitor):
    for page in (reverse("members:directory"), reverse("members:settings"), "/events/"):
        assert visitor.get(page).status_code == 200


def test_member_who_has_finished_is_not_led_anywhere(member, signed_in):
    visitor = signed_in(member)
    assert visitor.get("/").status_code == 200
    assert visitor.get(reverse("members:welcome"))["Location"] == reverse("hub:welcome_done")


def test_who_has_not_agreed_is_asked_in_the_first_step(vocabulary, signed_in):
    newcomer = make_member(agreed_at=None, onboarded_at=None)
    visitor = signed_in(newcomer)
    refused = visitor.post(step(1), {"job_title": "Librarian"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["agree"])
    visitor.post(step(1), {"job_title": "Librarian", "agree": "on"})
    newcomer.refresh_from_db()
    assert newcomer.agreed_at is not None


@pytest.mark.parametrize(
    ("number", "answers", "field"),
    [
        (1, {"roles": "four", "job_title": "Zq kept"}, "roles"),
        (1, {"roles": ["999999"], "job_title": "Zq kept"}, "roles"),
        (1, {"team_size": "huge", "job_title": "Zq kept"}, "team_size"),
        (2, {"can_help_more": ",".join("abcdefghijk"), "can_help_text": "Zq kept"}, "can_help_more"),
        (2, {"can_help_more": "x" * 61, "can_help_text": "Zq kept"}, "can_help_more"),
        (2, {"languages_more": "Klingonese", "can_help_text": "Zq kept"}, "languages_more"),
        (2, {"country": "XX", "can_help_text": "Zq kept"}, "country"),
        (3, {"digest": "hourly", "time_zone": "Europe/London"}, "digest"),
        (3, {"digest": "weekly", "time_zone": "Mars/Base"}, "time_zone"),
        (2, {"looking_for_text": "y" * 301, "can_help_text": "Zq kept"}, "looking_for_text"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_refused_comes_back_with_what_was_typed(number, answers, field, headers, visitor, newcomer):
    if answers.get("roles") == "four":
        answers = {**answers, "roles": role_ids(4)}
    response = visitor.post(step(number), answers, headers=headers)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert (b"<html" in response.content) == (not headers)
    content = response.content.decode()
    assert ("Zq kept" in content) == ("Zq kept" in answers.values())
    assert 'role="alert"' in content
    newcomer.profile.refresh_from_db()
    assert newcomer.profile.welcome_step == 0


def test_htmx_is_sent_on_by_a_header(visitor):
    response = visitor.post(step(1), {}, headers=HTMX)
    assert (response.status_code, response["HX-Redirect"]) == (200, step(2))


def test_a_synonym_becomes_the_word_of_the_vocabulary(visitor, newcomer):
    visitor.post(step(2), {"can_help_more": "COPRODUCTION, Policy Brief"})
    assert sorted(newcomer.profile.can_help.values_list("name", flat=True)) == [
        "co-production",
        "policy brief",
    ]


def test_unproven_member_is_told_what_to_do_first(signed_in, vocabulary):
    visitor = signed_in(make_member(address_proven=False, onboarded_at=None))
    assert visitor.get(reverse("members:welcome"))["Location"] == reverse("members:waiting")
    assert visitor.get(step(1))["Location"] == reverse("members:waiting")
    assert "is the address yours" in visitor.get(reverse("members:waiting")).content.decode()


# --- the welcome mail ------------------------------------------------------------------------------------------------
WORDS = "Dear {first_name} ({name}), **welcome** to {community}. [Ask]({ask}), or see {profile}.\n\n{host}"


def welcomed(name: str, **settings) -> EmailMessage:
    CommunitySettings(**{"welcome_text": WORDS, **settings}).save()
    newcomer = make_member(name=name, email="new@example.org", onboarded_at=None)
    services.finish_welcome(member=newcomer)
    [letter] = send_due(to="new@example.org")
    return letter


def test_it_comes_in_the_name_of_a_host_and_answers_reach_the_community():
    host = make_member(name="Rosalind Achebe", email="rosalind@example.org", is_host=True)
    letter = welcomed("Ana Silva", welcome_host=host, welcome_subject="Hello {first_name}, says {host}")
    assert letter["Subject"] == "Hello Ana, says Rosalind Achebe"
    assert letter["From"] == '"Rosalind Achebe (kmnet)" <hello@kmnet.example>'
    assert letter["Reply-To"] == "hello@kmnet.example"
    assert "rosalind@example.org" not in letter.as_string()
    assert "Dear Ana (Ana Silva), " in text_of(letter)
    assert "<strong>welcome</strong> to kmnet" in html_of(letter)
    assert 'href="http://testserver/discussions/ask/"' in html_of(letter)


@pytest.mark.parametrize("gone", ["no host", "suspended", "nobody"])
def test_without_such_a_host_it_comes_from_the_community(gone):
    host = make_member(name="Rosalind Achebe", is_host=True)
    if gone == "no host":
        type(host).objects.filter(pk=host.pk).update(is_host=False)
    elif gone == "suspended":
        type(host).objects.filter(pk=host.pk).update(status="suspended", is_active=False)
    letter = welcomed("Ana Silva", welcome_host=None if gone == "nobody" else host)
    assert letter["From"] == "kmnet <hello@kmnet.example>"
    assert "Rosalind" not in text_of(letter)


@pytest.mark.parametrize(
    "name",
    [
        "{{7*7}} Ana", "{a.__class__} Ana", "{name} {host} {ask} Ana", "{% load x %} Ana", "**Ana** _Silva_",
        "[Ana](javascript:alert(1))", "Ana & \"Silva\" 'x'", "`Ana` | # Silva", "{0} {} Ana", "Ana \\1 \\g0",
    ],
)  # fmt: skip
def test_a_name_is_a_name_whatever_it_looks_like(name):
    letter = welcomed(name, welcome_subject="Hello {name}")
    assert letter["Subject"] == f"Hello {name}"
    assert f"({name})" in text_of(letter)
    assert f"({escape(name)})".replace("&#x27;", "'").replace("&quot;", '"') in html_of(letter).replace(
        "&#x27;", "'"
    ).replace("&quot;", '"')
    assert "49" not in letter["Subject"]
    for part in (text_of(letter), html_of(letter)):
        assert "<class" not in part


def test_unknown_placeholders_are_refused_in_the_admin_and_known_ones_are_listed(signed_in):
    admin = make_member(is_staff=True, is_superuser=True)
    CommunitySettings().save()
    visitor = signed_in(admin)
    for text in ("{a.__class__}", "{name.password}", "{settings}", "Hello {}", "{0}"):
        with pytest.raises(ValidationError):
            placeholders.check_words(text)
    placeholders.check_words(
        "{name} {first_name} {host} {community} {ask} {people} {events} {profile} { not closed"
    )
    page = visitor.get(reverse("admin:core_communitysettings_change", args=[1])).content.decode()
    assert "{first_name}" in page
    assert reverse("admin:core_communitysettings_welcome") in page


def test_admins_see_it_before_anybody_gets_it(signed_in):
    CommunitySettings(welcome_text=WORDS).save()
    admin = signed_in(make_member(name="Ngozi Adeyemi", is_staff=True, is_superuser=True))
    page = admin.get(reverse("admin:core_communitysettings_welcome")).content.decode()
    assert "Dear Ngozi (Ngozi Adeyemi)" in page
    html = admin.get(reverse("admin:core_communitysettings_welcome_html"))
    assert "sandbox" in html["Content-Security-Policy"]
    assert not OutgoingMail.objects.exists()
    other = signed_in(make_member())
    assert other.get(reverse("admin:core_communitysettings_welcome")).status_code in (302, 403, 404)


def test_whoever_leaves_the_steps_is_welcomed_a_day_later_and_who_ends_them_at_once():
    newcomer = make_member(email="new@example.org", onboarded_at=None, address_proven=False)
    services.prove_address(member=newcomer)
    assert send_due(to="new@example.org") == []
    OutgoingMail.objects.get(kind="members.welcome")
    services.finish_welcome(member=newcomer)
    services.finish_welcome(member=newcomer)
    assert len(send_due(to="new@example.org")) == 1

    left = make_member(email="left@example.org", onboarded_at=None, address_proven=False)
    services.prove_address(member=left)
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        assert len(send_due(to="left@example.org")) == 1
    services.finish_welcome(member=left)
    assert len(send_due(to="left@example.org")) == 1


def test_the_third_step_asks_what_one_may_be_asked_for(visitor, newcomer):
    visitor.post(step(3), {"digest": "weekly", "time_zone": "UTC", "availability": ["coffee", "mentor"]})
    newcomer.profile.refresh_from_db()
    assert newcomer.profile.availability == ["coffee", "mentor"]
    refused = visitor.post(step(3), {"digest": "weekly", "time_zone": "UTC", "availability": ["money"]})
    assert list(refused.context["form"].errors) == ["availability"]
