"""The outbox in the admin."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from kmnet.core import mail
from kmnet.core.known_address import hash_of_address
from kmnet.core.models import AuditEntry, MailChoice, OutgoingMail
from kmnet.core.models.mail import MailHabits, SuppressedAddress
from tests.factories import make_member
from tests.mail_kinds import mail_kind, queue_test_mail
from tests.mailbox import make_bundles_due, send_due

pytestmark = pytest.mark.django_db


def compose(row):
    return mail.MailContent(
        {"title": "A title", "sentence": f"code {row.secrets.get('code')}", "at": row.created_at}
    )


def compose_news(row):
    title = row.refs.get("title", "News")
    line = mail.Line(title, f"Words of {title}", "https://kmnet.example/")
    return mail.MailContent({"title": title, "sentence": "s", "at": row.created_at}, line=line)


@pytest.fixture(autouse=True)
def kind():
    with (
        mail_kind(compose=compose),
        mail_kind("test.reply", category="reply"),
        mail_kind("test.news", compose=compose_news, category="watched", bundles=True),
    ):
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


# --- why did Ana not get a mail? -------------------------------------------------------------------------------------
@pytest.fixture
def noon(time_machine):
    time_machine.move_to("2026-11-23 12:00:00+00:00", tick=False)


def why(admin, **query):
    response = admin.get(reverse("admin:core_outgoingmail_why"), query)
    assert response.status_code == 200
    return response.context["answer"], response.content.decode()


def test_why_ana_did_not_get_a_mail_stands_in_plain_words(noon, admin):
    ana = make_member(name="Ana Silva", email="ana@example.org")
    MailHabits.objects.create(member=ana, bundle_minutes=30, quiet_from=22, quiet_until=7)
    queue_test_mail("test.reply", member=ana)
    send_due()
    MailChoice.objects.create(member=ana, category="reply", how="never", site=False)
    queue_test_mail("test.reply", member=ana)
    queue_test_mail("test.news", member=ana)
    queue_test_mail(member=ana, due_at=timezone.now() + timedelta(hours=2))
    failed = queue_test_mail(member=ana)
    OutgoingMail.objects.filter(pk=failed.pk).update(state="failed", reason="550 no")

    answer, page = why(admin, q="ana silva")

    assert [told.words for told in answer.mails if told.row.kind != "core.bundle"] == [
        "Given up: 550 no",
        "Waits until 23 November 2026, 14:00.",
        "Waits in a bundle that goes out on 23 November 2026, 12:30.",
        "Not sent: switched off by the receiver: reply.",
        "Went out on 23 November 2026, 12:00.",
    ]
    assert answer.hindrances == []
    assert answer.habits == [
        "What they want bundled is gathered for 30 minutes.",
        "Quiet from 22:00 until 07:00 in UTC: what can wait goes out afterwards.",
        "1 piece of news waits in a bundle that goes out on 23 November 2026, 12:30.",
    ]
    assert ("Replies to what I wrote", "never", False, False) in answer.choices
    assert ("The digest", "as often as they chose", None, True) in answer.choices
    assert "Not sent: switched off by the receiver: reply." in page


def test_why_names_what_keeps_all_mail_back(noon, admin):
    ana = make_member(name="Ana Silva", email="ana@example.org", status="leaving")
    ana.emailaddress_set.update(verified=False)
    MailHabits.objects.create(member=ana, paused_until="2026-12-01")
    SuppressedAddress.objects.create(
        address_hash=hash_of_address("ana@example.org"), score=4, scored_at=timezone.now(),
        suppressed_at=timezone.now(), reason="bounces",
    )  # fmt: skip
    answer, _page = why(admin, q="ANA@example.org")
    assert [line.partition(":")[0] for line in answer.hindrances] == [
        "They are leaving",
        "They have not proven their address",
        "The address returned our mail (bounces)",
        "They have paused mail until 1 December 2026",
    ]


def test_why_asks_whom_is_meant_and_answers_for_guests(admin):
    one, _two = make_member(name="Ana Silva"), make_member(name="Ana Costa")
    answer, page = why(admin, q="ana")
    assert answer is None
    assert page.count("?member=") == 2
    assert why(admin, q="ana", member=one.pk)[0].name == "Ana Silva"

    MailChoice.objects.create(address="guest@example.org", category="event_reminders", how="never")
    queue_test_mail(address="guest@example.org")
    answer, _page = why(admin, q="Guest@example.org")
    assert (len(answer.mails), answer.mails[0].words) == (1, "Is about to go out.")
    assert ("Reminders before an event", "never", None, False) in answer.choices
    for nobody in ("nobody", "nobody@example.org"):
        answer, page = why(admin, q=nobody)
        assert answer is None
        assert "Nobody of that name, and no mail to such an address." in page
    assert why(admin, q="")[0] is None


def test_bundle_shows_its_pieces_and_is_previewed_as_one_mail(admin):
    ana = make_member()
    first, second = (
        queue_test_mail("test.news", member=ana, refs={"title": title}) for title in ("one", "two")
    )
    page = admin.get(reverse("admin:core_outgoingmail_change", args=[first.lead_id])).content.decode()
    assert all(f"test.news {row.pk}" in page for row in (first, second))
    page = admin.get(reverse("admin:core_outgoingmail_preview", args=[first.lead_id])).content.decode()
    assert all(word in page for word in ("2 new: one (and more)", "Words of one", "Words of two"))
    assert OutgoingMail.objects.waiting().count() == 3  # looking changes nothing
    page = admin.get(reverse("admin:core_outgoingmail_change", args=[second.pk])).content.decode()
    assert f"core.bundle {first.lead_id}" in page

    make_bundles_due()
    send_due()
    page = admin.get(reverse("admin:core_outgoingmail_preview", args=[first.lead_id])).content.decode()
    assert "2 new: one (and more)" in page


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"category": "watched"}, {"test.news"}),
        ({"category": "none"}, {"test.kind", "core.bundle"}),
        ({"to": "member"}, {"test.news", "core.bundle"}),
        ({"to": "address"}, {"test.kind", "test.reply"}),
        ({"kind": "test.reply"}, {"test.reply"}),
        ({"state": "sent"}, set()),
    ],
)
def test_list_is_filtered(admin, query, kinds):
    queue_test_mail("test.news", member=make_member(), refs={"title": "one"})
    queue_test_mail()
    queue_test_mail("test.reply")
    page = admin.get(reverse("admin:core_outgoingmail_changelist"), query)
    assert {row.kind for row in page.context["cl"].result_list} == kinds
