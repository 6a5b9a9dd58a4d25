"""Mail that comes in: taken in once, worked on once, machines not answered, and strangers once a day."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kmnet.core import inbound, jobs
from kmnet.core.inbound import registry, working
from kmnet.core.inbound.receiving import is_taken, store
from kmnet.core.inbound.refusals import REFUSALS
from kmnet.core.models import OutgoingMail, ReceivedMail, ReplyAddress
from tests.factories import make_member
from tests.factories.discussions import make_thread
from tests.factories.events import make_event, make_registration
from tests.inbound import message, passed, receive
from tests.mailbox import send_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return make_member(joined_at=timezone.now() - timedelta(days=400))


@pytest.fixture
def thread():
    return make_thread()


@pytest.fixture
def address(ana, thread):
    return inbound.reply_address(member=ana, purpose="discussions.thread", target=thread)


def answers() -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(kind__startswith="core.inbound").order_by("pk"))


# --- whose address it is ---------------------------------------------------------------------------------------------
def test_only_its_owner_may_use_an_address_and_a_forwarded_one_ends(ana, thread, address):
    per = make_member()
    assert [receive(per, address).reason for _time in range(2)] == ["not_yours"] * 2
    assert ReplyAddress.objects.get().revoked_at is None
    assert receive(ana, address).state == "done"

    assert receive("stranger@example.org", address).reason == "not_yours"

    row = ReplyAddress.objects.get()
    assert (row.revoked_for, row.revoked_at is not None) == ("forwarded", True)
    assert receive(ana, address).reason == "address_ended"
    assert thread.posts.filter(author__in=(per, ana)).count() == 1
    fresh = inbound.reply_address(member=ana, purpose="discussions.thread", target=thread)
    assert receive(ana, fresh).state == "done"


def test_a_stranger_is_answered_once_a_day_and_only_if_the_address_may_be_theirs(address, settings):
    settings.INBOUND_AUTHSERV_ID = "mx.kmnet.example"
    stranger = "stranger@example.org"
    for _time in range(3):
        receive(stranger, address)
    assert [(mail.address, mail.member) for mail in answers()] == [(stranger, None)]

    receive("forged@example.org", "ask@kmnet.example", subject="Buy this now")
    assert len(answers()) == 1
    other = "other@example.org"
    receive(other, "ask@kmnet.example", subject="How do I join?", headers=[passed(other)])
    assert [mail.address for mail in answers()] == [stranger, other]


def test_a_mail_that_the_provider_disowns_is_not_used_and_the_member_hears_of_it(
    ana, thread, address, settings
):
    settings.INBOUND_AUTHSERV_ID = "mx.kmnet.example"
    header = ("Authentication-Results", "mx.kmnet.example; dmarc=fail header.from=example.org")
    assert receive(ana, address, headers=[header]).reason == "forged"
    assert thread.posts.count() == 1
    assert [mail.member for mail in answers()] == [ana]


# --- machines --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "fields",
    [
        {"headers": [("Auto-Submitted", "auto-replied")]},
        {"headers": [("Precedence", "bulk")]},
        {"headers": [("X-Autoreply", "yes")]},
        {"headers": [("List-Id", "<all.example.org>")]},
        {"envelope_sender": ""},
        {"subject": "Out of office: back on Monday"},
        {"subject": "Automatic reply: Maren answered"},
        {"subject": "Réponse automatique : absence"},
        {"subject": "Abwesenheitsnotiz: Urlaub"},
        {"subject": "Automatische Antwort: Urlaub"},
        {"subject": "Respuesta automática: vacaciones"},
        {"subject": "Risposta automatica: ferie"},
        {"subject": "Automatisch antwoord: vakantie"},
        {"subject": "Resposta automática: férias"},
        {"subject": "Autosvar: semester"},
        {"subject": "Read: Maren answered"},
    ],
    ids=str,
)
def test_what_a_machine_wrote_is_dropped_and_never_answered(ana, thread, address, fields):
    received = receive(ana, address, **fields)
    assert (received.state, received.reason, bytes(received.raw)) == ("dropped", "automatic", b"")
    assert thread.posts.count() == 1
    assert answers() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": [("Auto-Submitted", "no")]},
        {"subject": "Re: Out of office replies: how do you handle them?"},
        {"subject": "Absence of evidence and what to say"},
        {"headers": [("X-Auto-Response-Suppress", "OOF")]},
    ],
    ids=str,
)
def test_what_a_person_wrote_is_not_taken_for_a_machines(ana, address, fields):
    assert receive(ana, address, **fields).state == "done"


def test_notices_go_to_whoever_handles_them(monkeypatch):
    seen = []
    monkeypatch.setattr(registry, "_notice_handlers", [lambda received: not seen.append(received.recipient)])
    received = receive("mailer-daemon@example.org", "bounces+7.abc@kmnet.example", envelope_sender="")
    assert (received.state, seen) == ("done", ["bounces+7.abc@kmnet.example"])
    monkeypatch.setattr(registry, "_notice_handlers", [])
    received = receive("mailer-daemon@example.org", "bounces+7.abc@kmnet.example", envelope_sender="")
    assert (received.state, received.reason) == ("dropped", "automatic")


def test_an_answer_to_what_takes_none_gets_a_reason(ana):
    assert receive(ana, inbound.no_reply_address()).reason == "no_reply"
    assert [mail.member for mail in answers()] == [ana]
    [told] = send_due(to=ana.email)
    assert told["Reply-To"] == "hello@kmnet.example"


def test_nobody_has_words_of_their_own_delivered_by_us(ana, thread, address, settings):
    """Anybody can write ana's address into From; and with a reply address of one's own, anybody's."""
    settings.INBOUND_AUTHSERV_ID = "mx.kmnet.example"
    per = make_member()
    forged = {"subject": "Your account ends today", "text": "Go to https://evil.example/ now."}
    theirs = inbound.reply_address(member=per, purpose="discussions.thread", target=thread)
    receive(ana, inbound.no_reply_address(), **forged)
    receive(ana, theirs, **forged)
    receive("victim@example.net", theirs, **forged)
    told = send_due()
    assert sorted(mail["To"] for mail in told) == sorted([ana.email, ana.email, "victim@example.net"])
    assert not any(word in mail.as_string() for mail in told for word in ("evil.example", "ends today"))

    receive(ana, inbound.no_reply_address(), headers=[passed(ana)], **forged)
    *_before, told = send_due()
    assert "evil.example" in told.get_body(("plain",)).get_content()


def test_through_a_reply_address_that_went_round_no_more_strangers_are_written_to(ana, address, settings):
    settings.INBOUND_AUTHSERV_ID = "mx.kmnet.example"
    for number in range(6):
        receive(f"stranger{number}@example.org", address)
    assert [mail.address for mail in answers()] == [f"stranger{number}@example.org" for number in range(3)]


# --- once ------------------------------------------------------------------------------------------------------------
def test_every_refusal_has_its_words():
    assert len(REFUSALS) >= 20
    assert all(str(one.sentence) and str(one.advice) for one in REFUSALS.values())


def test_one_that_fails_is_tried_again_and_holds_up_no_other(ana, thread, address, monkeypatch):
    known, broken = registry.get_purpose("discussions.thread"), []
    handle = known.handle

    def break_once(reply):
        if reply.text == "First." and len(broken) < 1:
            broken.append(1)
            handle(reply)  # what was done before it broke is undone
            raise RuntimeError("ana@example.org")
        return handle(reply)

    registry.register_purpose(inbound.ReplyPurpose("discussions.thread", break_once))
    try:
        for text in ("First.", "Second."):
            store(message(ana, address, text), recipient=address, via="test")
        working.work_on_received()
        first, second = ReceivedMail.objects.order_by("pk")
        assert (first.state, first.attempts, first.note) == ("waiting", 1, "RuntimeError")
        assert first.next_try_at > timezone.now() + timedelta(seconds=50)
        assert second.state == "done"
        ReceivedMail.objects.update(next_try_at=timezone.now())
        working.work_on_received()
    finally:
        registry.register_purpose(known)
    assert list(thread.posts.filter(author=ana).order_by("number").values_list("source", flat=True)) == [
        "Second.",
        "First.",
    ]


def test_one_that_always_fails_goes_back_to_its_sender(ana, thread, address, monkeypatch):
    def always(reply):
        raise RuntimeError

    known = registry.get_purpose("discussions.thread")
    registry.register_purpose(inbound.ReplyPurpose("discussions.thread", always))
    try:
        store(message(ana, address, "My careful words."), recipient=address, via="test")
        for _try in range(working.MOST_TRIES):
            ReceivedMail.objects.update(next_try_at=timezone.now())
            working.work_on_received()
    finally:
        registry.register_purpose(known)
    received = ReceivedMail.objects.get()
    assert (received.state, received.reason) == ("rejected", "error")
    [told] = send_due(to=ana.email)
    assert "My careful words." in told.get_body(("plain",)).get_content()


def test_the_periodic_job_works_on_what_a_lost_wake_up_left(ana, thread, address):
    store(message(ana, address), recipient=address, via="test")
    assert jobs.run("core.received-mail").served == 1
    assert thread.posts.filter(author=ana).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_post_one_mail_once(ana, thread, address):
    for number in range(6):
        store(message(ana, address, f"Reply {number}."), recipient=address, via="test")

    def work(_number):
        with closing(connection):
            return working.work_on_received()

    with ThreadPoolExecutor(3) as pool:
        done = sum(pool.map(work, range(3)))

    assert done == 6
    assert sorted(thread.posts.filter(author=ana).values_list("source", flat=True)) == [
        f"Reply {number}." for number in range(6)
    ]


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_before_the_end_has_done_nothing_and_the_next_posts_once(ana, thread, address):
    store(message(ana, address), recipient=address, via="test")

    class Killed(BaseException):
        pass

    def work_and_die():
        with transaction.atomic():
            working.work_on(ReceivedMail.objects.select_for_update().get())
            assert thread.posts.filter(author=ana).count() == 1
            raise Killed

    with pytest.raises(Killed):
        work_and_die()

    assert thread.posts.filter(author=ana).count() == 0
    working.work_on_received()
    assert thread.posts.filter(author=ana).count() == 1


def test_the_deed_itself_knows_the_mail_it_came_from(ana, thread, address):
    """Were the row ever to be worked on again, the post would still be one."""
    store(message(ana, address), recipient=address, via="test")
    received = ReceivedMail.objects.get()
    raw = bytes(received.raw)
    working.work_on_received()
    ReceivedMail.objects.update(state="waiting", raw=raw, next_try_at=timezone.now())
    working.work_on_received()
    assert thread.posts.filter(author=ana).count() == 1


# --- what is taken in ------------------------------------------------------------------------------------------------
def test_which_addresses_are_ours(ana, address):
    ours = (
        address,
        address.upper(),
        "ask@kmnet.example",
        "no-reply@kmnet.example",
        "bounces+1.x@kmnet.example",
    )
    assert all(is_taken(one) for one in ours)
    others = (
        "reply+abc@kmnet.example",
        "ana@kmnet.example",
        address.replace("kmnet", "other"),
        "",
        "ask",
        "a\nb@x",
    )
    assert not any(is_taken(one) for one in others)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"From: a\r\n b\r\n\r\n",
        b"From: x@y.z\r\nFrom: q@r.s\r\n\r\nhello",
        b"From: =?utf-8?b?!!!?= <ana@example.org>\r\nSubject: =?x-nothing?q?a?=\r\n"
        b"Content-Type: text/plain; charset=x\r\n\r\n\xe4",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n--",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 300,
        b"Message-ID: " + b"<" * 5000 + b"\r\nFrom: " + b"a" * 9000 + b"\r\n\r\n\x00",
        b"From: ana@example.org\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 30_000,
        b"From: " + b"(" * 50_000 + b"ana@example.org\r\n\r\nx",
        b"From: " + b"a:" * 50_000 + b"ana@example.org\r\n\r\nx",
        b"From: ana@example.org\r\nAuto-Submitted: auto-replied\r\n"
        + b"Content-Type: message/rfc822\r\n\r\n" * 3000
        + b"x",
        b"From: ana@example.org\r\nAuto-Submitted: auto-replied\r\n"
        b"Content-Type: text/plain; charset*=utf-8''%FF%00x; charset*1=b\r\n\r\nhi",
    ],
)
def test_odd_messages_stop_nothing(address, raw):
    store(raw, recipient=address, via="test", envelope_sender="a\r\nb")
    working.work_on_received()
    assert ReceivedMail.objects.get().state in ("dropped", "rejected")


def test_who_is_suspended_answers_nothing_by_an_address_that_was_made_meanwhile(ana):
    """One that a sender had not committed yet when theirs were revoked."""
    event = make_event(capacity=1)
    registration = make_registration(event=event, member=ana, status="offered")
    ana.status, ana.is_active = "suspended", False
    ana.save()
    late = inbound.reply_address(member=ana, purpose="events.offer", target=registration)
    assert receive(ana, late, "no").reason == "account"
    registration.refresh_from_db()
    assert registration.status == "offered"


def test_whoever_suspends_or_leaves_answers_no_more(ana, thread, address):
    from members import services as members

    members.suspend_member(member=ana, actor=make_member(is_moderator=True), reason="Spam.")
    assert ReplyAddress.objects.get().revoked_for == "suspended or leaving"
    assert receive(ana, address).reason == "address_ended"
    assert thread.posts.count() == 1
