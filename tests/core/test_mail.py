"""The outbox: what goes in, what comes out on the wire, and what does not."""

import uuid
import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail as django_mail
from django.db import IntegrityError, transaction
from django.template.loader import get_template
from django.utils import timezone

from kmnet.core import mail, tasks
from kmnet.core.mail import secrets
from kmnet.core.mail.choices import choices_of, choose
from kmnet.core.mail.message import harmless, sender
from kmnet.core.models import MailChoice, OutgoingMail
from tests.factories import make_member
from tests.mail_kinds import mail_kind, plain_content, queue_test_mail
from tests.mailbox import html_of, send_due, sent, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kinds():
    with mail_kind(), mail_kind("test.reply", category="reply"):
        yield


def outcome(row):
    row.refresh_from_db()
    return row.state, row.reason


# --- the row ---------------------------------------------------------------------------------------------------------
def test_same_dedupe_key_twice_is_one_mail():
    first = queue_test_mail(dedupe_key="reply:1:2", refs={"title": "first"})
    again = queue_test_mail(dedupe_key="reply:1:2", refs={"title": "again"})

    assert again == first
    assert [message["Subject"] for message in send_due()] == ["first"]


def test_mail_goes_with_the_deed_that_causes_it():
    def deed_that_fails():
        with transaction.atomic():
            queue_test_mail()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deed_that_fails()

    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("receiver", [{"member": None}, {"member": "both", "address": "a@example.org"}])
def test_mail_goes_to_a_member_or_an_address(receiver):
    if receiver["member"]:
        receiver["member"] = make_member()

    with pytest.raises(ValueError, match="member or"):
        mail.queue("test.kind", dedupe_key="x", **receiver)


def test_database_knows_what_a_mail_row_may_be():
    row = queue_test_mail()
    rows = OutgoingMail.objects.filter(pk=row.pk)
    for nonsense in (
        {"member": make_member()},
        {"address": ""},
        {"state": "sending"},
        {"state": "sent"},
        {"sent_at": timezone.now()},
        {"state": "withheld"},
        {"state": "failed"},
        {"state": "failed", "reason": "no", "secret": "kept"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**nonsense)


def test_kind_that_no_app_registered_is_refused_at_once():
    with pytest.raises(LookupError):
        queue_test_mail("test.unheard")
    with pytest.raises(ValueError, match="no category"):
        mail.register(mail.MailKind("test.other", "", "x", plain_content, category="gossip"))


def test_sender_is_woken_once_per_transaction(monkeypatch, django_capture_on_commit_callbacks):
    woken = []
    monkeypatch.setattr(tasks, "SENDER_IS_CALLED", f"test-{uuid.uuid4()}")
    monkeypatch.setattr(tasks.send_due_mail, "apply_async", lambda **call: woken.append(call))
    with django_capture_on_commit_callbacks(execute=True):
        for _number in range(3):
            queue_test_mail()
        queue_test_mail(due_at=timezone.now() + timedelta(hours=1))

    assert len(woken) == 1


def test_broker_away_costs_nothing(monkeypatch, django_capture_on_commit_callbacks):
    def away(**call):
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks.send_due_mail, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True):
        queue_test_mail()

    assert len(send_due()) == 1


def test_withdrawn_mail_is_not_sent_and_says_why():
    one, two = (
        queue_test_mail(dedupe_key="seat:7:1"),
        queue_test_mail(dedupe_key="seat:7:2", secrets={"a": "b"}),
    )
    other = queue_test_mail(dedupe_key="seat:71:1")

    assert mail.withdraw(dedupe_key_prefix="seat:7:", reason="the event is cancelled") == 2

    assert len(send_due()) == 1
    assert outcome(one) == outcome(two) == ("withheld", "the event is cancelled")
    assert (two.secret, one.wiped_at, two.wiped_at is not None) == ("", None, True)
    assert outcome(other)[0] == "sent"
    assert mail.withdraw(dedupe_key_prefix="seat:7", reason="too late") == 0


# --- one-time secrets ------------------------------------------------------------------------------------------------
def test_secret_is_encrypted_and_wiped_when_sent():
    def compose(row):
        return mail.MailContent({"title": "t", "sentence": row.secrets["code"], "at": row.created_at})

    with mail_kind("test.secret", compose=compose):
        row = queue_test_mail("test.secret", secrets={"code": "WXYZ-1234"})
        assert "WXYZ" not in row.secret
        [message] = send_due()

    assert "WXYZ-1234" in text_of(message)
    row.refresh_from_db()
    assert (row.secret, row.secrets, row.wiped_at is not None) == ("", {}, True)


def test_secret_outlives_a_change_of_the_secret_key(settings):
    kept, lost = secrets.encrypt({"code": "A"}), secrets.encrypt({"code": "B"})
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-that-is-long-enough-0123456789"

    settings.SECRET_KEY_FALLBACKS = [old]
    assert secrets.decrypt(kept) == {"code": "A"}
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(mail.Withhold, match="secret key has changed"):
        secrets.decrypt(lost)


# --- what is not sent ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", ["suspended", "erased"])
def test_member_who_is_out_gets_nothing(status):
    member = make_member()
    row = queue_test_mail(member=member)
    member.status, member.is_active = status, False
    member.save()

    assert send_due() == []
    assert outcome(row) == ("withheld", f"the member is {status}")


def test_what_is_switched_off_is_withheld_and_the_rest_is_sent():
    member = make_member()
    choose("reply", "never", member_id=member.pk)
    reply = queue_test_mail("test.reply", member=member)
    needed = queue_test_mail(member=member)
    others = queue_test_mail("test.reply", member=make_member())

    assert len(send_due()) == 2
    assert outcome(reply) == ("withheld", "switched off by the receiver: reply")
    assert outcome(needed)[0] == outcome(others)[0] == "sent"


def test_fixed_categories_cannot_be_switched_off():
    member = make_member()
    fixed = {key for key, category in mail.CATEGORIES.items() if category.fixed}
    assert fixed == {"offers", "event_changes", "sign_in"}
    assert fixed.isdisjoint(choices_of(member_id=member.pk))
    for key in fixed:
        with pytest.raises(ValueError, match="to choose of"):
            choose(key, "never", member_id=member.pk)
        MailChoice.objects.create(
            member=member, category=key, how="never"
        )  # whoever wrote it: it holds for nothing
        with mail_kind("test.fixed", category=key):
            queue_test_mail("test.fixed", member=member)
            message = send_due()[-1]
        assert (message["List-Unsubscribe"], message["List-Id"]) == (None, None)
        assert message["To"] == member.email


def test_who_chose_nothing_gets_what_is_usual():
    member = make_member()
    chosen = choices_of(member_id=member.pk)
    assert (chosen["reply"], chosen["watched"], chosen["every_post"]) == ("at_once", "bundled", "bundled")
    assert set(choices_of(address="guest@example.org").values()) == {"at_once"}  # guests have no bundles


def test_guest_switches_off_whatever_the_case_of_the_address():
    choose("reply", "never", address="Guest@Example.org")
    row = queue_test_mail("test.reply", address="guest@example.org")

    assert send_due() == []
    assert outcome(row)[0] == "withheld"

    choose("reply", "at_once", address="GUEST@example.org")
    queue_test_mail("test.reply", address="guest@example.org")
    assert len(send_due()) == 1


def test_list_mail_needs_a_proven_address():
    member = make_member()
    member.emailaddress_set.update(verified=False)
    row, needed = queue_test_mail("test.reply", member=member), queue_test_mail(member=member)

    assert len(send_due()) == 1
    assert outcome(row) == ("withheld", "the member has not proven their address")
    assert outcome(needed)[0] == "sent"


def test_kind_withholds_with_its_reason():
    def compose(row):
        raise mail.Withhold("the post was hidden")

    with mail_kind("test.hidden", compose=compose):
        row = queue_test_mail("test.hidden", secrets={"code": "A"})
        assert send_due() == []

    assert outcome(row) == ("withheld", "the post was hidden")
    assert row.secret == ""


def test_member_s_rows_go_with_the_account():
    member, other = make_member(email="ana@example.org"), make_member()
    queue_test_mail(member=member)
    queue_test_mail(address="Ana@example.org")
    queue_test_mail(address="old@example.org", refs={"member": member.pk})
    kept = queue_test_mail(member=other)

    assert mail.forget_person(member=member, addresses=["ana@example.org"]) == 3
    assert list(OutgoingMail.objects.all()) == [kept]


# --- the message -----------------------------------------------------------------------------------------------------
def test_message_has_the_form_that_mail_servers_want():
    member = make_member(email="ana@example.org")
    row = queue_test_mail("test.reply", member=member, refs={"title": "Maren answered"})

    [message] = send_due()

    for header in (
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "List-Id",
        "List-Unsubscribe",
    ):
        assert len(message.get_all(header)) == 1, header
    assert message["To"] == "ana@example.org"
    assert message["Subject"] == "Maren answered"
    assert message["Message-ID"] == row.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "reply <reply.kmnet.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Cc"] is message["Bcc"] is None
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert '<html lang="en" dir="ltr">' in html_of(message)
    assert "<style" in html_of(message)  # only the rules for dark and narrow screens
    assert 'class="letter" style="max-width: 560px' in html_of(message)
    raw = message.as_bytes()
    assert len(raw) < 100_000
    assert max(len(line) for line in raw.splitlines()) <= 998


def test_needed_mail_cannot_be_unsubscribed():
    queue_test_mail()

    [message] = send_due()

    assert message["List-Unsubscribe"] is message["List-Id"] is None


def test_every_receiver_gets_a_message_of_their_own():
    members = [make_member() for _number in range(3)]
    for member in members:
        queue_test_mail(member=member)

    messages = send_due()

    assert sorted(message["To"] for message in messages) == sorted(member.email for member in members)
    assert len({message["Message-ID"] for message in messages}) == 3
    for message, other in ((m, o) for m in messages for o in members if o.email != m["To"]):
        assert other.email.encode() not in message.as_bytes()


def test_words_that_look_encoded_are_read_as_they_stand():
    """Else a name could hold an address, or a line break, in every inbox."""
    title = "=?utf-8?q?hello=40kmnet.example=0aBcc=3a_x?="

    def compose(row):
        return mail.MailContent(
            {"title": title, "sentence": title, "at": row.created_at}, from_name=f"Eve {title}"
        )

    with mail_kind("test.named", compose=compose):
        queue_test_mail("test.named")
        [message] = send_due()
    assert title in message["Subject"]
    assert (message["From"].addresses[0].addr_spec, message["Bcc"]) == ("hello@kmnet.example", None)
    assert "q?hello=40" in message["From"].addresses[0].display_name


@pytest.mark.parametrize(
    "title",
    [
        "VT \x0b FF \x0c FS \x1c",
        "CR\r\nBcc: all@example.org",
        "Null \x00",
        "Sep \u2028 \u2029",
        "Lone \ud800",
    ],
)
def test_control_characters_break_no_mail_and_add_no_header(title):
    def compose(row):
        return mail.MailContent(
            {"title": title, "sentence": title, "at": row.created_at},
            from_name=title,
            headers={"X-Of": title},
        )

    with mail_kind("test.control", compose=compose):
        row = queue_test_mail("test.control")
        [message] = send_due()

    assert outcome(row)[0] == "sent"
    assert message["Bcc"] is None
    assert len(message.get_all("Subject")) == 1
    assert message["Subject"].split()[0] in ("VT", "CR", "Null", "Sep", "Lone")


def test_long_subject_is_cut_at_a_word_and_survives_its_accents():
    queue_test_mail(refs={"title": "Évaluation à mi-parcours " * 30})

    [message] = send_due()

    assert len(message["Subject"]) <= 180
    assert message["Subject"].endswith("…")
    assert message["Subject"].startswith("Évaluation à mi-parcours Évaluation")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "kmnet <hello@kmnet.example>"),
        ("Maren de Wit", "Maren de Wit (kmnet)"),
        ('Eve <eve@evil.example>, "x": y;', "Eve eve evil.example x y (kmnet)"),
        ("Zoë Łuczak", "Zoë Łuczak (kmnet)"),
    ],
)
def test_sender_is_us_with_a_harmless_name(name, shown):
    def compose(row):
        return mail.MailContent({"title": "t", "sentence": "s", "at": row.created_at}, from_name=name)

    with mail_kind("test.named", compose=compose):
        queue_test_mail("test.named")
        [message] = send_due()

    [address] = message["From"].addresses
    assert address.addr_spec == "hello@kmnet.example"
    assert address.display_name == (shown if name else "kmnet")
    assert sender(name)


def test_words_are_in_the_receivers_language_and_zone(settings):
    seen = {}

    def compose(row):
        seen[row.member_id or row.address] = timezone.get_current_timezone_name()
        return plain_content(row)

    member = make_member(time_zone="Asia/Amman")
    with mail_kind("test.zone", compose=compose):
        queue_test_mail("test.zone", member=member)
        queue_test_mail("test.zone", address="tokyo@example.org", refs={"time_zone": "Asia/Tokyo"})
        queue_test_mail("test.zone", address="home@example.org")
        queue_test_mail("test.zone", address="odd@example.org", refs={"time_zone": "Mars/Crater"})
        messages = send_due()

    assert seen == {
        member.pk: "Asia/Amman",
        "tokyo@example.org": "Asia/Tokyo",
        "home@example.org": "Europe/London",
        "odd@example.org": "UTC",
    }
    moment = OutgoingMail.objects.get(member=member).created_at.astimezone(zoneinfo.ZoneInfo("Asia/Amman"))
    assert f"{moment:%H:%M}" in text_of(messages[0])
    assert messages[0]["Content-Language"] == "en"


def test_text_is_not_escaped_and_html_is():
    queue_test_mail(refs={"title": "R&D <b>& you</b>"})

    [message] = send_due()

    assert message["Subject"] == "R&D <b>& you</b>"
    assert "R&D <b>& you</b>" in text_of(message)
    assert "R&amp;D &lt;b&gt;&amp; you&lt;/b&gt;" in html_of(message)


def test_attachment_and_reply_address():
    def compose(row):
        ics = mail.Attachment(
            "invite.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar; method=REQUEST"
        )
        return mail.MailContent(
            {"title": "t", "sentence": "s", "at": row.created_at},
            attachments=[ics],
            reply_to="priya@example.org",
        )

    with mail_kind("test.invite", compose=compose):
        queue_test_mail("test.invite")
        [message] = send_due()

    [attached] = message.iter_attachments()
    assert message["Reply-To"] == "priya@example.org"
    assert (attached.get_filename(), attached.get_content_type()) == ("invite.ics", "text/calendar")
    assert attached.get_param("method") == "REQUEST"
    assert attached.get_payload(decode=True) == b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def test_no_picture_is_fetched_and_our_links_are_whole():
    html = '<img src="https://spy.example/x.gif" alt="a cat"><a href="/library/1/">x</a><a href="//o.example">y</a>'
    kept = '<img src="cid:logo" alt="">'

    assert (
        harmless(html + kept)
        == f'a cat<a href="http://testserver/library/1/">x</a><a href="//o.example">y</a>{kept}'
    )


def test_mail_row_is_composed_from_what_is_true_now():
    member = make_member(email="before@example.org")
    queue_test_mail(member=member)
    member.email = "after@example.org"
    member.save()

    send_due()

    assert [message["To"] for message in sent()] == ["after@example.org"]


def test_date_is_the_moment_of_sending(time_machine):
    time_machine.move_to(datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
    row = queue_test_mail()
    time_machine.move_to(datetime(2026, 11, 20, 11, 0, tzinfo=UTC))

    [message] = send_due()

    row.refresh_from_db()
    assert (
        message["Date"].datetime
        == row.sent_at.replace(microsecond=0)
        == datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    )


def test_no_header_starts_with_an_empty_line():
    queue_test_mail("test.reply", member=make_member(), refs={"title": "Évaluation à mi-parcours " * 30})

    send_due()

    raw = django_mail.outbox[0].message().as_bytes(linesep="\r\n")
    head = raw.partition(b"\r\n\r\n")[0]
    assert b": \r\n" not in head
    assert b"\r\nList-Unsubscribe: <http://testserver/mail/unsubscribe/" in head
    assert all(len(line) <= 78 for line in head.split(b"\r\n") if b"=?utf-8?" in line)


@pytest.mark.parametrize("kind", mail.all_kinds(), ids=lambda kind: kind.key)
def test_every_registered_kind_has_its_three_templates(kind):
    for ending in ("_subject.txt", "_message.txt", "_message.html"):
        assert get_template(f"{kind.template}{ending}")
    assert str(kind.label)


@pytest.mark.django_db(transaction=True)  # the call goes out after a real commit
def test_one_call_is_enough_until_the_sender_hears_it(monkeypatch):
    """A thousand mails of a minute need no thousand wake-ups; the next one after the sender began does."""
    called = []
    monkeypatch.setattr(tasks, "SENDER_IS_CALLED", f"test-{timezone.now():%s%f}")
    monkeypatch.setattr(tasks, "enqueue", lambda task, **ids: called.append(task))
    queue_test_mail()
    queue_test_mail()
    assert called == [tasks.send_due_mail]
    tasks.send_due_mail()
    queue_test_mail()
    assert called == [tasks.send_due_mail] * 2
