"""Choosing what mail to get, from the mail itself."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kmnet.core import tokens
from kmnet.core.mail.choices import choices_of
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


@pytest.mark.parametrize("name", ["mail:unsubscribe", "mail:settings"])
def test_broken_link_says_so(client, name):
    for token in ("x", tokens.make("offer", m=1), tokens.make("unsubscribe", m=0, c="reply"), "a:b:c"):
        response = client.post(reverse(name, args=[token]))
        assert response.status_code == 404
    assert not MailChoice.objects.exists()


def test_settings_page_switches_categories_without_signing_in(strict_client):
    member = make_member()
    message = mail_to(member=member)
    [path] = [link for link in links_in(message) if "/mail/settings/" in link]
    assert path in html_of(message)

    page = strict_client.get(path)
    assert page.context["form"].initial["on"] == list(choices_of(member_id=member.pk))
    saved = strict_client.post(path, {"on": ["reply", "digest"]})

    assert (saved.status_code, saved.cookies) == (200, {})
    chosen = {category for category, how in choices_of(member_id=member.pk).items() if how == "at_once"}
    assert chosen == {"reply", "digest"}
    assert strict_client.post(path, {"on": ["gossip"]}).status_code == 422
    assert strict_client.get(path).context["form"].initial["on"] == ["reply", "digest"]


def test_guest_s_settings_hold_for_the_address(strict_client):
    message = mail_to(address="Guest@example.org")
    [path] = [link for link in links_in(message) if "/mail/settings/" in link]

    strict_client.post(path, {"on": ["digest"]})

    assert choices_of(address="guest@EXAMPLE.org")["reply"] == "never"
