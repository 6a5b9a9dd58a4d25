"""What comes back: read, counted, acted upon, told, and undone by a proof."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from kmnet.core import activity, bounces, mail, notices, retention
from kmnet.core.inbound import working
from kmnet.core.inbound.receiving import store
from kmnet.core.known_address import hash_of_address
from kmnet.core.mail import verp
from kmnet.core.models import Activity, MailReturn, Notification, OutgoingMail, SuppressedAddress
from kmnet.core.notices import COMPLAINT, HARD, SOFT, Notice, parse_notices
from tests.factories import make_member
from tests.mail_kinds import faulty_server, mail_kind, queue_test_mail
from tests.mailbox import links_in, send_due

OURS = "<0123456789abcdef0123456789abcdef@kmnet.example>"


def crlf(text: str) -> bytes:
    return text.strip("\n").replace("\n", "\r\n").encode()


def report(
    *, status="5.1.1", said="smtp; 550 5.1.1 <ana@example.org>: User unknown", action="failed", original=OURS
):
    """As Postfix writes it."""
    return crlf(f"""
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: bounces@kmnet.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <notice-1@mx.example.org>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Sun, 22 Nov 2026 09:00:00 +0000

Final-Recipient: rfc822; ana@example.org
Action: {action}
Status: {status}
Diagnostic-Code: {said}

--B
Content-Type: text/rfc822-headers

From: kmnet <hello@kmnet.example>
Message-ID: {original}
Subject: A post for you

--B--
""")


QMAIL = crlf(f"""
From: MAILER-DAEMON@mx.example.org
To: bounces@kmnet.example
Subject: failure notice
Return-Path: <>
Message-ID: <notice-2@mx.example.org>

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.

<ana@example.org>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 No such user

--- Below this line is a copy of the message.

Return-Path: <hello@kmnet.example>
Message-ID: {OURS}
""")
EXCHANGE = crlf("""
From: postmaster@example.org
Subject: Unzustellbar: Ein Beitrag
Message-ID: <notice-3@example.org>
Content-Type: text/html; charset=utf-8

<html><body><p>Fehler bei der Nachrichtenzustellung an folgende Empfänger:</p>
<p>ana@example.org</p><p>Das Postfach des Empfängers ist voll: quota exceeded.</p></body></html>
""")
COMPLAINT_REPORT = crlf(f"""
From: <feedback@isp.example>
To: abuse@kmnet.example
Subject: FW: A post for you
Message-ID: <notice-4@isp.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an email abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <ana@example.org>

--B
Content-Type: message/rfc822

From: kmnet <hello@kmnet.example>
Message-ID: {OURS}
Subject: A post for you

Words.
--B--
""")
AWAY = crlf("""
From: Ana Silva <ana@example.org>
Subject: Out of office: A post for you
Auto-Submitted: auto-replied
Message-ID: <notice-5@example.org>

I am away until Monday. My mailbox is full of sand.
""")
DELAYED_IN_WORDS = crlf("""
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
Subject: Warning: message 1abc delayed 24 hours
Message-ID: <notice-6@example.org>

A message that you sent has not yet been delivered: 451 4.7.1 try again later. No action is required.
""")


# --- reading ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (
            report(),
            [Notice(HARD, "ana@example.org", OURS, "5.1.1 550 5.1.1 <ana@example.org>: User unknown")],
        ),
        (report(action="delayed", status="4.4.1"), []),
        (report(action="delivered", status="2.0.0"), []),
        (QMAIL, [Notice(HARD, "ana@example.org", OURS, "Remote host said: 550 5.1.1 No such user")]),
        (
            EXCHANGE,
            [Notice(SOFT, "ana@example.org", "", "Das Postfach des Empfängers ist voll: quota exceeded.")],
        ),
        (COMPLAINT_REPORT, [Notice(COMPLAINT, "ana@example.org", OURS, "abuse")]),
        (COMPLAINT_REPORT.replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam"), []),
        (AWAY, []),
        (DELAYED_IN_WORDS, []),
        (
            crlf("From: ana@example.org\nSubject: Re: A post\n\nIt was undelivered: 550 5.1.1 no such user"),
            [],
        ),
        (b"", []),
        (b"\xff\xfe\x00" * 50, []),
        (b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\nnothing of it", []),
    ],
    ids=lambda value: None,
)
def test_notices_are_read(raw, found):
    assert parse_notices(raw) == found


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        ("5.1.1", "", HARD),
        ("5.1.2", "host not found", HARD),
        ("5.2.1", "account disabled", HARD),
        ("5.2.2", "mailbox full", SOFT),
        ("5.7.1", "blocked for spam", SOFT),  # it says nothing against the address
        ("5.0.0", "550 User unknown", HARD),
        ("5.0.0", "552 over quota", SOFT),
        ("5.4.4", "domain not found", HARD),
        ("4.4.7", "delivery time expired", SOFT),
        ("", "the mail server refused the receiver: 550 no such person", HARD),
        ("", "550 5.7.26 DMARC", SOFT),
        (
            "",
            "the mail server refused the receiver: 550 relaying denied",
            SOFT,
        ),  # our set-up, not the address
        ("", "550 5.4.1 Recipient address rejected: Access denied", HARD),  # as Microsoft says it
        ("", "451 try again", SOFT),
        ("", "nothing known", SOFT),
    ],
)
def test_only_an_address_that_is_none_is_hard(status, said, kind):
    assert notices.kind_of(status, said) == kind


# --- whose mail it is ------------------------------------------------------------------------------------------------
def test_the_envelope_sender_tells_which_mail(settings):
    address = verp.bounce_address(77)
    assert verp.mail_id_of(address) == verp.mail_id_of(address.upper()) == 77
    assert len(address.partition("@")[0]) <= 64
    forged = address.replace("77.", "78.")
    assert (verp.mail_id_of(forged), verp.is_bounce_address(forged)) == (None, True)
    assert verp.mail_id_of("bounces+77@kmnet.example") is None
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 9
    assert verp.mail_id_of(address) == 77  # a new key: what is on its way back still counts
    settings.INBOUND_MAIL = False
    assert verp.bounce_address(77) == ""  # nobody would read it
    assert verp.bounce_address(None) == ""


@pytest.mark.django_db
def test_mail_goes_out_under_its_own_envelope_sender(settings):
    with mail_kind(), faulty_server(settings) as server:
        row = queue_test_mail()
        mail.send_due_mail()
        assert server.senders == [verp.bounce_address(row.pk)]
        assert b"From: kmnet <hello@kmnet.example>" in server.accepted[0][1]
        settings.INBOUND_MAIL = False
        queue_test_mail()
        mail.send_due_mail()
        assert server.senders[1:] == ["hello@kmnet.example"]


# --- counting --------------------------------------------------------------------------------------------------------
numbers = iter(range(10_000))


def come_back(address="ana@example.org", kind=HARD, **fields) -> bool:
    fields.setdefault("told_by", f"notice-{next(numbers)}")
    return bounces.note_return(kind=kind, address=address, **fields)


def suppressed(address="ana@example.org") -> bool:
    return SuppressedAddress.objects.filter(
        address_hash=hash_of_address(address), suppressed_at__isnull=False
    ).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "enough"), [(SOFT, 4), (HARD, 2), (COMPLAINT, 1)])
def test_so_many_are_enough(kind, enough):
    for _one in range(enough):
        assert not suppressed()
        come_back(kind=kind)
    assert suppressed("ANA@example.org")
    assert not suppressed("ben@example.org")
    assert SuppressedAddress.objects.get().reason == ("complaint" if kind == COMPLAINT else "bounces")


@pytest.mark.django_db
def test_the_same_notice_counts_once_and_about_one_mail_one_bounce():
    with mail_kind():
        row = queue_test_mail(address="ana@example.org")
    assert [come_back(told_by="one"), come_back(told_by="one")] == [True, False]
    assert [come_back(mail=row), come_back(mail=row, kind=SOFT)] == [True, False]
    assert come_back(mail=row, kind=COMPLAINT)
    assert MailReturn.objects.count() == 3


@pytest.mark.django_db
def test_thirty_days_without_a_return_are_a_new_beginning():
    come_back(at=timezone.now() - timedelta(days=32))
    come_back(at=timezone.now() - timedelta(days=1))
    assert not suppressed()
    come_back()
    assert suppressed()


@pytest.mark.django_db
def test_good_mails_take_a_tenth_each(mailbox):
    come_back()
    come_back(kind=SOFT)
    with mail_kind():
        for _one in range(4):
            queue_test_mail(address="ana@example.org")
        queue_test_mail(address="ben@example.org")
        assert len(mailbox()) == 5
    assert SuppressedAddress.objects.get().score == pytest.approx(2.6)
    come_back(kind=SOFT)
    assert not suppressed()
    SuppressedAddress.objects.update(score=0.05)
    with mail_kind():
        queue_test_mail(address="ana@example.org")
        mailbox()
    assert SuppressedAddress.objects.get().score == 0


# --- what follows ----------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "reason"),
    [(HARD, "the address returns mail"), (COMPLAINT, "the address returns mail: a mail was marked as spam")],
)
def test_no_mail_goes_there_but_about_signing_in(kind, reason):
    member = make_member(email="ana@example.org")
    come_back(kind=kind)
    come_back(kind=kind)
    for category in ("reply", "offers", None, "sign_in"):
        with mail_kind(category=category):
            row = queue_test_mail(member=member)
            send_due()
            row.refresh_from_db()
            expected = ("sent", "") if category == "sign_in" else ("withheld", reason)
            assert (row.state, row.reason) == expected


@pytest.mark.django_db
def test_a_server_that_refuses_the_receiver_counts_too(settings):
    with mail_kind(), faulty_server(settings) as server:
        server.at_rcpt = True
        server.answers |= {"ana": "550 5.1.1 no such person", "ben": "450 later", "cy": "550 5.7.1 spam"}
        for number in range(3):
            for name in ("ana", "ben", "cy"):
                queue_test_mail(address=f"{name}@example.org", dedupe_key=f"{name}{number}")
            mail.send_due_mail()
    assert suppressed()
    states = (
        OutgoingMail.objects.filter(address="ana@example.org").order_by("pk").values_list("state", "reason")
    )
    assert [state for state, _reason in states] == ["failed", "failed", "withheld"]
    assert states[2][1] == "the address returns mail"
    assert dict(MailReturn.objects.values_list("address_hash", "kind")) == {
        hash_of_address("ana@example.org"): HARD,
        hash_of_address("cy@example.org"): SOFT,
    }


def received(raw, recipient, message_id="<n@mx>"):
    return SimpleNamespace(pk=1, raw=raw, recipient=recipient, message_id=message_id)


@pytest.mark.django_db
def test_a_notice_that_comes_in_is_counted_for_the_mail_it_is_about():
    member = make_member(email="ana@example.org")
    with mail_kind():
        row = queue_test_mail(member=member)
    bounces_here = verp.bounce_address(row.pk)
    assert bounces.handle_notice(received(report(original="<unknown@x>"), bounces_here))
    assert bounces.handle_notice(received(report(original="<unknown@x>"), bounces_here))  # delivered twice
    told = MailReturn.objects.get()
    assert (told.mail, told.kind, told.address_hash) == (row, HARD, hash_of_address(member.email))

    other = queue_in_kind(make_member(email="ben@example.org"))
    assert bounces.handle_notice(received(report(original=other.message_id), "hello@kmnet.example", "<o@mx>"))
    # Forwarded on: the notice names an address that we never wrote to.
    assert MailReturn.objects.get(mail=other).address_hash == hash_of_address("ben@example.org")

    assert bounces.handle_notice(received(report(), "hello@kmnet.example", "<p@mx>"))  # about no mail of ours
    forged = bounces_here.replace("bounces+", "bounces+9")
    assert bounces.handle_notice(received(report(original="<x@y>"), forged, "<q@mx>"))
    assert MailReturn.objects.count() == 2
    assert bounces.handle_notice(received(AWAY, bounces_here, "<r@mx>"))  # ours, and nothing to count
    assert not bounces.handle_notice(received(AWAY, "reply+x@kmnet.example", "<s@mx>"))


def queue_in_kind(member):
    with mail_kind():
        return queue_test_mail(member=member)


@pytest.mark.django_db
def test_a_new_address_does_not_inherit_what_the_old_one_did():
    member = make_member(email="ana@old.example")
    row = queue_in_kind(member)
    member.email = "ana@new.example"
    member.save()
    raw = report().replace(b"ana@example.org", b"ana@old.example")
    bounces.handle_notice(received(raw, verp.bounce_address(row.pk)))
    assert MailReturn.objects.get().address_hash == hash_of_address("ana@old.example")


@pytest.mark.django_db
def test_whoever_got_a_mail_cannot_accuse_somebody_elses_address():
    """They know its envelope sender; and their own address is another one by now."""
    victim, mallory = make_member(email="victim@other.example"), make_member(email="mallory@old.example")
    rows = [queue_in_kind(mallory) for _mail in range(3)]
    mallory.email = "mallory@new.example"
    mallory.save()
    for number, row in enumerate(rows):
        raw = report().replace(b"ana@example.org", victim.email.encode())
        assert bounces.handle_notice(received(raw, verp.bounce_address(row.pk), f"<accused{number}@mx>"))
    assert not SuppressedAddress.objects.filter(address_hash=hash_of_address(victim.email)).exists()
    assert not MailReturn.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"event_type": "bounced", "reject_reason": "bounced", "mta_response": "550 5.1.1 no user"}, HARD),
        ({"event_type": "bounced", "reject_reason": "bounced", "mta_response": "552 5.2.2 full"}, SOFT),
        ({"event_type": "bounced", "reject_reason": "invalid"}, HARD),
        ({"event_type": "bounced", "reject_reason": "timed_out"}, SOFT),
        ({"event_type": "bounced", "reject_reason": "blocked"}, SOFT),
        ({"event_type": "complained"}, COMPLAINT),
        ({"event_type": "delivered"}, None),
        ({"event_type": "deferred", "mta_response": "451 later"}, None),
    ],
)
def test_what_a_provider_tells(event, kind):
    from anymail.signals import AnymailTrackingEvent, tracking

    made = AnymailTrackingEvent(
        timestamp=datetime(2026, 11, 22, tzinfo=UTC), event_id="e1", recipient="ana@example.org", **event
    )
    for _twice in range(2):
        tracking.send(sender=None, event=made, esp_name="Mailgun")
    assert list(MailReturn.objects.values_list("kind", flat=True)) == ([kind] if kind else [])


@pytest.mark.django_db
def test_a_provider_is_known_by_its_secret(client, settings):
    from base64 import b64encode

    event = {
        "RecordType": "Bounce",
        "ID": 9,
        "Type": "HardBounce",
        "Email": "ana@example.org",
        "Details": "550 5.1.1 no user",
        "BouncedAt": "2026-11-22T09:00:00Z",
        "MessageID": "b7bc2f4a",
    }
    url = "/mail/events/postmark/"

    def tell(secret):
        pass_ = b64encode(secret.encode()).decode()
        return client.post(
            url, event, content_type="application/json", headers={"Authorization": f"Basic {pass_}"}
        )

    assert tell("me:secret").status_code == 404  # nothing is set up
    settings.ANYMAIL = {"WEBHOOK_SECRET": ["me:secret"]}
    assert tell("me:guess").status_code == 400
    assert not MailReturn.objects.exists()
    assert tell("me:secret").status_code == 200
    assert (MailReturn.objects.get().kind, client.get("/mail/events/nobody/").status_code) == (HARD, 404)


# --- the member's side -----------------------------------------------------------------------------------------------
@pytest.fixture
def ana(client):
    member = make_member(email="ana@example.org")
    client.force_login(member)
    return member


@pytest.mark.django_db
def test_the_member_is_told_on_the_site_and_proves_the_address_anew(client, ana, mailbox):
    banner = "It works again: send me a proof"
    come_back()
    assert banner not in client.get("/settings/mail/").content.decode()
    come_back()
    assert banner in client.get("/settings/mail/").content.decode()
    assert banner in client.get("/discussions/").content.decode()
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    assert Notification.objects.get(recipient=ana).activity.verb == "core.mail_returned"
    assert "came back, so we have stopped" in client.get("/notifications/").content.decode()

    assert client.get("/settings/mail/works-again/").status_code == 405
    for _twice in range(2):
        client.post("/settings/mail/works-again/")
    [letter] = mailbox()
    assert letter["To"] == "ana@example.org"
    [link] = [link for link in links_in(letter) if "/works-again/" in link]
    client.logout()
    for _look in range(2):
        assert "Yes, it works again" in client.get(link).content.decode()
    assert suppressed()  # a scanner has only looked
    assert "Mail goes to this address" in client.post(link).content.decode()
    assert not suppressed()
    assert client.post(link).status_code == 200  # pressed twice
    assert "Mail goes to this address" in client.get(link).content.decode()

    client.force_login(ana)
    assert banner not in client.get("/settings/mail/").content.decode()
    with mail_kind(category="reply"):
        row = queue_test_mail(member=ana)
        mailbox()
    row.refresh_from_db()
    assert row.state == "sent"


@pytest.mark.django_db
def test_a_proof_of_the_old_address_says_nothing_of_the_new_one(client, ana):
    come_back()
    come_back()
    token = bounces.proof_token(ana)
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        assert client.post(f"/mail/works-again/{token}/").status_code == 404  # too late
    ana.email = "ana@new.example"
    ana.save()
    come_back("ana@new.example", COMPLAINT)
    client.post(f"/mail/works-again/{token}/")
    assert (suppressed("ana@example.org"), suppressed("ana@new.example")) == (False, True)


@pytest.mark.django_db
def test_another_address_ends_the_banner(client, ana):
    come_back(kind=COMPLAINT)
    ana.refresh_from_db()
    assert bounces.returns_mail(ana)
    ana.email = "ana@new.example"
    assert not bounces.returns_mail(ana)


# --- import and restore ----------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_what_is_known_survives_the_account_and_a_restored_backup(tmp_path, capsys):
    member = make_member(email="ana@example.org")
    come_back(kind=COMPLAINT)
    call_command("list_returning_addresses")
    lines = tmp_path / "returning"
    lines.write_text(capsys.readouterr().out)
    assert "ana" not in lines.read_text()

    member.delete()
    again = make_member(email="Ana@example.org")  # brought in by another list
    with mail_kind(category="reply"):
        row = queue_test_mail(member=again)
        send_due()
    row.refresh_from_db()
    assert row.state == "withheld"

    SuppressedAddress.objects.all().delete()  # the backup is older
    for _twice in range(2):
        call_command("replay_returning_addresses", str(lines))
    assert "1 addresses get no mail" in capsys.readouterr().out
    assert suppressed()
    again.refresh_from_db()
    assert bounces.returns_mail(again)
    lines.write_text("ana@example.org\n")
    with pytest.raises(CommandError, match="line 1"):
        call_command("replay_returning_addresses", str(lines))


@pytest.mark.django_db
def test_admins_find_it_by_the_address(client):
    client.force_login(make_member(is_staff=True, is_superuser=True))
    come_back(text="550 no such person")
    for page in ("mailreturn", "suppressedaddress"):
        found = client.get(f"/admin/core/{page}/", {"q": "ana@example.org"}).content.decode()
        other = client.get(f"/admin/core/{page}/", {"q": "ben@example.org"}).content.decode()
        assert ("1 " in found, "0 " in other) == (True, True)
    assert "550 no such person" in client.get("/admin/core/mailreturn/").content.decode()


@pytest.mark.django_db
def test_what_servers_said_goes_after_a_time_and_its_effect_stays():
    for days in (100, 99, 5):
        come_back(at=timezone.now() - timedelta(days=days))
    assert suppressed()
    assert (retention.run(dry_run=True)["mail_returns"], retention.run()["mail_returns"]) == (2, 2)
    assert (MailReturn.objects.count(), suppressed()) == (1, True)


@pytest.mark.django_db
def test_a_notice_comes_in_by_the_same_door_as_replies_and_nobody_answers_it():
    row = queue_in_kind(make_member(email="ana@example.org"))
    sender = verp.bounce_address(row.pk)
    arrived = store(report(), recipient=sender, via="test", envelope_sender="")
    assert arrived is not None
    working.work_on_received()
    arrived.refresh_from_db()
    assert (arrived.state, MailReturn.objects.get().mail) == ("done", row)
    assert OutgoingMail.objects.count() == 1
