"""Pages behind links in mails, in a real browser: with `no-referrer` it posts "Origin: null", which a test client never
does, and which Django's CSRF check refuses. And the mailbox, whose mails are shut in a frame that links lead out of."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from discussions.mails import mute_url
from discussions.models import ThreadWatch
from events.mails import links
from events.models import Status
from kmnet.core.mail.choices import choices_of
from kmnet.core.models import DevMail
from tests.factories import make_member
from tests.factories.discussions import make_thread
from tests.factories.events import make_event, make_registration
from tests.mail_kinds import mail_kind, queue_test_mail

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_unsubscribe_from_the_mailbox(site, page: Page):
    member = make_member()
    with mail_kind("test.reply", category="reply"):
        queue_test_mail("test.reply", member=member, refs={"title": "Maren answered"})
        site.work()

    page.goto(f"{site.url}/dev/mail/")
    page.get_by_role("link", name="Maren answered").click()
    page.frame_locator("iframe").get_by_role("link", name="Stop mails of this kind").click()
    expect(page).to_have_title("Stop these mails? · kmnet")  # in the whole window, not in the frame
    page.get_by_role("button", name="Stop these mails").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You get no more of these mails")
    assert choices_of(member_id=member.pk)["reply"] == "never"
    assert page.context.cookies() == []

    page.get_by_role("link", name="Choose what else").click()
    page.get_by_label("Replies to what I wrote, by e-mail").select_option("digest")
    expect(page.get_by_role("status").get_by_text("Saved")).to_be_visible()
    page.get_by_label("Never", exact=True).check()
    send(page, page.get_by_role("button", name="Save"))
    chosen = choices_of(member_id=member.pk)
    assert (chosen["reply"], chosen["digest"]) == ("digest", "never")


def test_mail_in_the_mailbox_runs_and_fetches_nothing(site, page: Page):
    said = []
    page.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
    html = '<head></head><p id="x">Hello</p><script>alert(1)</script><img src="/static/img/favicon.svg" onerror="alert(2)">'
    raw = f"From: a@b.example\r\nSubject: Hostile\r\nContent-Type: text/html\r\n\r\n{html}".encode()
    row = DevMail.objects.create(recipient="a@b.example", subject="Hostile", raw=raw)

    page.goto(f"{site.url}/dev/mail/{row.pk}/")

    expect(page.frame_locator("iframe").locator("#x")).to_have_text("Hello")
    assert said == []


def send(page: Page, button) -> None:
    with page.expect_navigation(wait_until="load"):
        button.click()


def press(page: Page, url: str, button: str) -> None:
    page.goto(url)
    send(page, page.get_by_role("button", name=button))
    assert page.context.cookies() == []


def test_place_is_given_up_from_the_mail(site, page: Page):
    registration = make_registration(event=make_event(capacity=5), member=make_member())

    press(page, links.cancel_url(registration), "Give up my place")

    registration.refresh_from_db()
    assert registration.status == Status.CANCELLED


def test_offer_is_taken_from_the_mail(site, page: Page):
    registration = make_registration(
        event=make_event(capacity=5),
        member=make_member(),
        status=Status.OFFERED,
        offer_expires_at=timezone.now() + timedelta(hours=5),
    )
    page.goto(links.offer_url(registration))
    send(page, page.locator("main form button").first)

    registration.refresh_from_db()
    assert registration.status == Status.CONFIRMED


def test_thread_is_muted_from_the_mail(site, page: Page):
    thread = make_thread()

    press(page, mute_url(thread, thread.author_id), "Mute this thread")

    expect(page.get_by_role("heading", level=1)).to_have_text("You hear nothing more of it")
    assert ThreadWatch.objects.get(thread=thread, member=thread.author).level == ThreadWatch.Level.MUTED
