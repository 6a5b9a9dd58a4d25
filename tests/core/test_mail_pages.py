"""Choosing what mail to get, from the mail itself."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kmnet.core import tokens
from kmnet.core.mail.choices import choices_of, choose
from kmnet.core.models import MailChoice
from tests.factories import make_member
from tests.mail_kinds import mail_kind, queue_test_mail
from tests.mailbox import html_of, links_in, send_due

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kind():
    with mail_kind("test.reply", category="reply"):
        yield


@pytest.fixture
def strict_client():
    """As a mail program: no cookies, no CSRF token."""
    return Client(enforce_csrf_checks=True)


def unsubscribe_path(message) -> str:
    return message["List-Unsubscribe"].strip("<>").removeprefix("http://testserver")


def mail_to(**receiver):
    queue_test_mail("test.reply", **receiver)
    return send_due()[-1]


@pytest.mark.parametrize("who", ["member", "guest"])
def test_one_click_needs_nothing_and_acts_at_once(strict_client, who):
    receiver = {"member": make_member()} if who == "member" else {"address": "guest@example.org"}
    path = unsubscribe_path(mail_to(**receiver))

    for _again in range(2):
        response = strict_client.post(path, {"List-Unsubscribe": "One-Click"})
        assert (response.status_code, response.cookies) == (200, {})

    assert MailChoice.objects.get().how == "never"
    queue_test_mail("test.reply", **receiver)
    assert len(send_due()) == 1  # the first one alone


@pytest.mark.parametrize("method", ["get", "head"])
def test_scanner_that_opens_the_link_changes_nothing(strict_client, method):
    member = make_member()
    path = unsubscribe_path(mail_to(member=member))

    for _time in range(3):
        response = getattr(strict_client, method)(path)
        assert (response.status_code, response.cookies) == (200, {})

    assert not MailChoice.objects.exists()
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]


def test_page_has_a_button_a_way_back_and_a_link_to_all_choices(client):
    member = make_member()
    path = unsubscribe_path(mail_to(member=member))

    page = client.get(path)
    assert "Replies to what I wrote" in page.content.decode()
    assert "csrfmiddlewaretoken" not in page.content.decode()

    done = client.post(path)
    assert (done.status_code, choices_of(member_id=member.pk)["reply"]) == (200, "never")
    assert client.get(done.context["settings_path"]).status_code == 200
    client.post(path, {"again": "1"})
    assert choices_of(member_id=member.pk)["reply"] == "at_once"


def test_link_works_for_two_years_and_after_other_changes(client, time_machine):
    member = make_member()
    path = unsubscribe_path(mail_to(member=member))
    member.email, member.handle = "new@example.org", "new-handle"
    member.set_password("something else entirely")
    member.save()

    time_machine.move_to(timezone.now() + timedelta(days=729))
    assert client.post(path).status_code == 200
    time_machine.move_to(timezone.now() + timedelta(days=2))
    assert client.post(path).status_code == 404


def test_one_person_s_link_leaves_the_others_alone(client):
    ana, ben = make_member(), make_member()

    client.post(unsubscribe_path(mail_to(member=ana)))

    assert (choices_of(member_id=ana.pk)["reply"], choices_of(member_id=ben.pk)["reply"]) == (
        "never",
        "at_once",
    )


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("application/x-www-form-urlencoded; charset=latin-1", b"List-Unsubscribe=One-Click"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(2000))),
        ("application/x-www-form-urlencoded", b"\x00\xff%ff%00"),
        ("text/plain", b"List-Unsubscribe=One-Click"),
    ],
)
def test_one_click_acts_whatever_form_a_mail_program_gives_its_body(strict_client, content_type, body):
    member = make_member()
    path = unsubscribe_path(mail_to(member=member))
    assert strict_client.post(path, body, content_type=content_type).status_code == 200
    assert MailChoice.objects.get(member=member).how == "never"


@pytest.mark.parametrize("name", ["mail:unsubscribe", "mail:settings"])
def test_broken_link_says_so(client, name):
    for token in ("x", tokens.make("offer", m=1), tokens.make("unsubscribe", m=0, c="reply"), "a:b:c"):
        response = client.post(reverse(name, args=[token]))
        assert response.status_code == 404
    assert not MailChoice.objects.exists()


@pytest.mark.parametrize("who", ["member", "guest"])
def test_one_link_stops_all_that_can_be_stopped_and_brings_back_what_was(strict_client, who):
    person = {"member_id": make_member().pk} if who == "member" else {"address": "guest@example.org"}
    choose("reply", "never", **person)
    if who == "member":
        choose("mention", "digest", **person)
    before = choices_of(**person)
    data = {"m": person["member_id"]} if who == "member" else {"a": person["address"]}
    path = reverse("mail:unsubscribe", args=[tokens.make("unsubscribe", c="*", **data)])
    strict_client.get(path)
    assert choices_of(**person) == before
    done = strict_client.post(path, {"List-Unsubscribe": "One-Click"})
    assert (done.status_code, done.cookies, set(choices_of(**person).values())) == (200, {}, {"never"})
    strict_client.post(path, {"again": "1", "before": done.context["before"]})
    assert choices_of(**person) == before
    strict_client.post(path)
    strict_client.post(path, {"again": "1", "before": "x"})  # as usual, where nobody knows how it was
    usual = {"member_id": make_member().pk} if who == "member" else {"address": "another@example.org"}
    assert choices_of(**person) == choices_of(**usual)


def test_what_was_before_is_worth_nothing_for_somebody_else(strict_client):
    ana, ben = make_member(), make_member()
    choose("reply", "digest", member_id=ana.pk)
    paths = [
        reverse("mail:unsubscribe", args=[tokens.make("unsubscribe", c="reply", m=one.pk)])
        for one in (ana, ben)
    ]
    [anas, _bens] = [strict_client.post(path).context["before"] for path in paths]
    strict_client.post(paths[1], {"again": "1", "before": anas})
    assert choices_of(member_id=ben.pk)["reply"] == "at_once"
    strict_client.post(paths[0], {"again": "1", "before": anas})
    assert choices_of(member_id=ana.pk)["reply"] == "digest"


@pytest.mark.parametrize("category", ["offers", "sign_in", "gossip", ""])
def test_what_is_fixed_has_no_link_to_stop_it(strict_client, category):
    token = tokens.make("unsubscribe", c=category, m=make_member().pk)
    assert strict_client.post(reverse("mail:unsubscribe", args=[token])).status_code == 404
    assert not MailChoice.objects.exists()


def test_mail_of_a_member_leads_to_their_settings_without_signing_in(strict_client):
    message = mail_to(member=make_member())
    link = next(link for link in links_in(message) if "/mail/settings/" in link)
    assert link in html_of(message)
    page = strict_client.get(link)
    assert (page.status_code, page.cookies) == (200, {})
    assert 'id="mail-form"' in page.content.decode()


def test_guests_have_a_short_list_that_holds_for_the_address(strict_client):
    message = mail_to(address="Guest@example.org")
    path = next(link for link in links_in(message) if "/mail/settings/" in link)
    page = strict_client.get(path)
    assert [key for key, _label in page.context["form"].fields["on"].choices] == ["event_reminders"]
    saved = strict_client.post(path, {"on": []})
    assert (saved.status_code, saved.cookies) == (200, {})
    assert choices_of(address="guest@EXAMPLE.org")["event_reminders"] == "never"
    assert strict_client.get(path).context["form"].initial["on"] == []
    strict_client.post(path, {"on": ["event_reminders"]})
    assert choices_of(address="guest@EXAMPLE.org")["event_reminders"] == "at_once"
    assert strict_client.post(path, {"on": ["gossip"]}).status_code == 422
