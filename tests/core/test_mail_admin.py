"""The outbox in the admin."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kmnet.core import mail
from kmnet.core.models import AuditEntry, OutgoingMail
from tests.factories import make_member
from tests.mail_kinds import mail_kind, queue_test_mail
from tests.mailbox import send_due

pytestmark = pytest.mark.django_db


def compose(row):
    return mail.MailContent(
        {"title": "A title", "sentence": f"code {row.secrets.get('code')}", "at": row.created_at}
    )


@pytest.fixture(autouse=True)
def kind():
    with mail_kind(compose=compose), mail_kind("test.reply", category="reply"):
        yield


@pytest.fixture
def admin(client):
    client.force_login(make_member(name="Priya", is_staff=True, is_superuser=True))
    return client


def act(admin, action, *rows, reason="Ana asked for it"):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    if reason:
        data["reason"] = reason
    return admin.post(reverse("admin:core_outgoingmail_changelist"), data)


def test_list_answers_why_ana_did_not_get_a_mail(admin):
    ana = make_member(name="Ana Silva", email="ana@example.org")
    ana.status, ana.is_active = "suspended", False
    ana.save()
    queue_test_mail(member=ana)
    queue_test_mail()
    send_due()

    page = admin.get(reverse("admin:core_outgoingmail_changelist"), {"q": "ana silva"}).content.decode()

    assert "the member is suspended" in page
    assert page.count("@example.org") == 1  # and nobody else


@pytest.mark.parametrize("count", [1, 50])
def test_list_costs_the_same_at_any_length(admin, count):
    for _number in range(count):
        queue_test_mail(member=make_member())
    admin.get(reverse("admin:core_outgoingmail_changelist"))

    with CaptureQueriesContext(connection) as queries:
        admin.get(reverse("admin:core_outgoingmail_changelist"))
    about_mail = [query["sql"] for query in queries if "core_outgoingmail" in query["sql"]]
    assert len(about_mail) == 4  # at 1 row as at 50


def test_secret_is_shown_nowhere(admin):
    row = queue_test_mail(secrets={"code": "WXYZ-1234"})

    urls = [
        reverse(f"admin:core_outgoingmail_{name}", args=[row.pk])
        for name in ("change", "preview", "preview_html")
    ]
    for url in (reverse("admin:core_outgoingmail_changelist"), *urls):
        page = admin.get(url)
        assert page.status_code == 200
        assert "WXYZ" not in page.content.decode()
        assert row.secret not in page.content.decode()
    assert "code •••" in page.content.decode()


def test_preview_shows_no_link_that_acts_for_the_receiver(admin):
    row = queue_test_mail("test.reply", member=make_member())

    page = admin.get(reverse("admin:core_outgoingmail_preview", args=[row.pk])).content.decode()

    assert "/mail/unsubscribe/hidden/" in page
    assert OutgoingMail.objects.get().state == "waiting"


def test_preview_says_why_it_would_not_be_sent(admin):
    member = make_member()
    member.emailaddress_set.update(verified=False)
    row = queue_test_mail("test.reply", member=member)

    page = admin.get(reverse("admin:core_outgoingmail_preview", args=[row.pk])).content.decode()

    assert "the member has not proven their address" in page
    assert admin.get(reverse("admin:core_outgoingmail_preview_html", args=[row.pk])).status_code == 404


def test_failed_mail_is_sent_again_and_logged(admin):
    row = queue_test_mail()
    OutgoingMail.objects.update(state="failed", reason="550 full", attempts=4)

    assert "Why" in act(admin, "send_again", row, reason="").content.decode()
    assert send_due() == []
    act(admin, "send_again", row)

    assert len(send_due()) == 1
    row.refresh_from_db()
    assert (row.state, row.attempts, row.reason) == ("sent", 1, "")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.reason, entry.target_id) == ("core.mail_resent", "Ana asked for it", row.pk)


def test_sent_mail_goes_again_as_a_copy(admin):
    row = queue_test_mail()
    send_due()

    act(admin, "send_again", row)

    assert len({message["Message-ID"] for message in send_due()}) == 2


def test_mail_whose_secret_is_wiped_cannot_go_again(admin):
    row = queue_test_mail(secrets={"code": "A"})
    send_due()

    act(admin, "send_again", row)

    assert len(send_due()) == 1
    assert not AuditEntry.objects.exists()


def test_waiting_mail_is_kept_back_and_sent_mail_cannot_be(admin):
    sent_row = queue_test_mail()
    send_due()
    row = queue_test_mail(secrets={"code": "A"})

    act(admin, "keep_back", row, sent_row, reason="sent by mistake")

    assert len(send_due()) == 1
    row.refresh_from_db()
    assert (row.state, row.reason, row.secret) == ("withheld", "cancelled by an admin: sent by mistake", "")
    assert AuditEntry.objects.get().verb == "core.mail_cancelled"


def test_outbox_is_not_edited_by_hand(admin):
    row = queue_test_mail()

    for name in ("add", "change", "delete"):
        args = [] if name == "add" else [row.pk]
        assert admin.post(reverse(f"admin:core_outgoingmail_{name}", args=args), {}).status_code == 403


def test_outbox_is_for_admins(client):
    row = queue_test_mail()
    client.force_login(make_member(is_staff=True))

    for name, args in (("changelist", []), ("preview", [row.pk]), ("preview_html", [row.pk])):
        assert client.get(reverse(f"admin:core_outgoingmail_{name}", args=args)).status_code == 403
