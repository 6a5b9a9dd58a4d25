"""The other ways in: a provider's webhook, and the demo's mailbox; and what admins see of it all."""

from base64 import b64encode
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from kmnet.core import inbound, mail
from kmnet.core.inbound.working import work_on_received
from kmnet.core.models import AuditEntry, DevMail, ReceivedMail, ReplyAddress
from tests.factories import make_member
from tests.factories.discussions import make_thread
from tests.inbound import message, receive
from tests.mail_kinds import mail_kind, queue_test_mail

pytestmark = pytest.mark.django_db
SECRET = "me:secret"


@pytest.fixture
def ana():
    return make_member(joined_at=timezone.now() - timedelta(days=400))


@pytest.fixture
def thread():
    return make_thread()


@pytest.fixture
def address(ana, thread):
    return inbound.reply_address(member=ana, purpose="discussions.thread", target=thread)


# --- webhook ---------------------------------------------------------------------------------------------------------
def hand_over(client, raw, to, *, secret=SECRET):
    """As Postmark does, with the raw message."""
    key = b64encode(secret.encode()).decode()
    given = {
        "RawEmail": raw.decode(),
        "OriginalRecipient": to,
        "Headers": [{"Name": "Return-Path", "Value": "<ana@example.org>"}],
    }
    return client.post(
        "/mail/in/postmark/",
        given,
        content_type="application/json",
        headers={"Authorization": f"Basic {key}"},
    )


def test_a_providers_webhook_is_another_way_in(client, ana, thread, address, settings):
    raw = message(ana, address, "By webhook.\n")
    assert hand_over(client, raw, address).status_code == 404  # nothing is set up
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET]}
    assert hand_over(client, raw, address, secret="me:guess").status_code == 400
    assert client.post("/mail/in/nobody/").status_code == 404
    assert not ReceivedMail.objects.exists()

    for _twice in range(2):  # a provider that did not hear the answer comes again
        assert hand_over(client, raw, address).status_code == 200

    received = ReceivedMail.objects.get()
    assert (received.via, received.recipient, received.sender) == ("postmark", address, ana.email)
    work_on_received()
    assert thread.posts.get(number=2).source == "By webhook."


def test_the_webhook_leaves_spam_and_what_is_to_nobody_here(client, ana, address, settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET]}
    spam = message(ana, address, headers=[("X-Spam-Status", "Yes")])
    assert hand_over(client, spam, address).status_code == 200
    other = "ana@kmnet.example"
    assert hand_over(client, message(ana, other), other).status_code == 200
    assert not ReceivedMail.objects.exists()
    settings.INBOUND_MAIL = False
    assert hand_over(client, message(ana, address), address).status_code == 404


# --- the demo's mailbox ----------------------------------------------------------------------------------------------
def test_in_the_demo_a_mail_is_answered_from_the_mailbox(client, ana, thread, address, settings):
    settings.EMAIL_BACKEND = "kmnet.core.mailbox.MailboxBackend"

    def compose(row):
        return mail.MailContent(
            {"title": "A title", "sentence": "Hello.", "at": row.created_at}, reply_to=address
        )

    with mail_kind(compose=compose):
        queue_test_mail(member=ana)
        mail.send_due_mail()
    row = DevMail.objects.get()
    page = reverse("mailbox:message", args=[row.pk])
    assert "Answer this mail" in client.get(page).content.decode()

    done = client.post(reverse("mailbox:reply", args=[row.pk]), {"words": "From the mailbox."}, follow=True)
    assert "Your answer was taken in, and acted upon." in done.content.decode()
    assert thread.posts.get(number=2).source == "From the mailbox."

    refused = client.post(reverse("mailbox:reply", args=[row.pk]), {"words": " "}, follow=True)
    assert "We found only the mail that you answered" in refused.content.decode()
    assert client.get(page, {"answered": "x\x00"}).status_code == 200

    with mail_kind():
        queue_test_mail(member=ana)
        mail.send_due_mail()
    plain = DevMail.objects.latest("pk")
    assert "Answer this mail" not in client.get(reverse("mailbox:message", args=[plain.pk])).content.decode()
    assert client.post(reverse("mailbox:reply", args=[plain.pk]), {"words": "x"}).status_code == 404
    settings.KMNET_DEMO = False
    assert client.post(reverse("mailbox:reply", args=[row.pk]), {"words": "x"}).status_code == 404


# --- admin -----------------------------------------------------------------------------------------------------------
def test_admins_see_what_became_of_it_and_neither_words_nor_addresses_that_act(client, ana, address):
    silent = make_member()
    receive(silent, address, "My secret words.\n")
    client.force_login(make_member(is_superuser=True, is_staff=True))
    received, reply = ReceivedMail.objects.get(), ReplyAddress.objects.get()
    for url in (
        reverse("admin:core_receivedmail_changelist"),
        reverse("admin:core_receivedmail_change", args=[received.pk]),
        reverse("admin:core_replyaddress_changelist"),
        reverse("admin:core_replyaddress_change", args=[reply.pk]),
    ):
        content = client.get(url).content.decode()
        assert "secret words" not in content
        assert reply.token not in content
    listed = client.get(reverse("admin:core_receivedmail_changelist")).content.decode()
    assert silent.email in listed
    assert "not_yours" in listed


def test_admins_have_one_worked_on_again_and_end_addresses(client, ana, thread, address):
    admin = make_member(is_superuser=True, is_staff=True)
    client.force_login(admin)
    received = receive(ana, address, "Given up.\n")
    raw = message(ana, address, "Given up.\n")
    ReceivedMail.objects.update(state="rejected", reason="error", raw=raw, attempts=6)
    thread.posts.filter(author=ana).update(submit_key=None)
    url = reverse("admin:core_receivedmail_changelist")
    action = {"action": "work_again", "_selected_action": [received.pk]}
    assert "1 is worked on again." in client.post(url, action, follow=True).content.decode()
    received.refresh_from_db()
    assert (received.state, received.attempts) == ("waiting", 0)
    ReceivedMail.objects.update(state="done", reason="")
    assert "What was answered or posted is not." in client.post(url, action, follow=True).content.decode()

    url = reverse("admin:core_replyaddress_changelist")
    client.post(url, {"action": "end", "_selected_action": [ReplyAddress.objects.get().pk]})
    assert ReplyAddress.objects.get().revoked_for == "ended by an admin"
    verbs = AuditEntry.objects.filter(actor=admin).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["core.received_mail_tried_again", "core.reply_addresses_ended"]
