"""The three first steps: led to, left, taken up again; nothing typed is lost."""

import pytest
from django.urls import reverse

from kmnet.core.models import OutgoingMail, Term
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
        (1, {"roles": "four", "job_title": "Kept"}, "roles"),
        (1, {"roles": ["999999"], "job_title": "Kept"}, "roles"),
        (1, {"team_size": "huge", "job_title": "Kept"}, "team_size"),
        (2, {"can_help_more": ",".join("abcdefghijk"), "can_help_text": "Kept"}, "can_help_more"),
        (2, {"can_help_more": "x" * 61, "can_help_text": "Kept"}, "can_help_more"),
        (2, {"languages_more": "Klingonese", "can_help_text": "Kept"}, "languages_more"),
        (2, {"country": "XX", "can_help_text": "Kept"}, "country"),
        (3, {"digest": "hourly", "time_zone": "Europe/London"}, "digest"),
        (3, {"digest": "weekly", "time_zone": "Mars/Base"}, "time_zone"),
        (2, {"looking_for_text": "y" * 301, "can_help_text": "Kept"}, "looking_for_text"),
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
    assert ("Kept" in content) == ("Kept" in answers.values())
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
