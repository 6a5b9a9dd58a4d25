"""When a mail goes out, and with which others: at once, bundled, in the digest, never; quiet hours and pauses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kmnet.core import mail
from kmnet.core.mail import bundles, holding
from kmnet.core.models import MailChoice, MailHabits, OutgoingMail
from kmnet.core.models.mail import BUNDLE
from tests.factories import make_member
from tests.mail_kinds import faulty_server, mail_kind, queue_test_mail
from tests.mailbox import html_of, make_bundles_due, send_due, sent, text_of

pytestmark = pytest.mark.django_db
NINE = "2026-11-23 09:00:00+00:00"


def compose(row):
    title = row.refs["title"]
    if row.refs.get("gone") or title in GONE:
        raise mail.Withhold("it was hidden")
    if title == "broken":
        raise ZeroDivisionError("a bug")
    line = mail.Line(
        title, f"Words about {title} <b>", f"https://kmnet.example/{title}", row.refs.get("about", "")
    )
    return mail.MailContent({"title": title, "sentence": "By itself.", "at": row.created_at}, line=line)


GONE: set[str] = set()


@pytest.fixture(autouse=True)
def kinds():
    GONE.clear()
    with (
        mail_kind("test.news", compose=compose, category="watched", bundles=True),
        mail_kind("test.reply", compose=compose, category="reply", bundles=True),
        mail_kind("test.lineless", category="watched"),
        mail_kind("test.reminder", category="event_reminders"),
        mail_kind("test.needed", category="offers"),
    ):
        yield


@pytest.fixture
def member():
    return make_member(time_zone="Europe/Berlin")


def queue(member, title, kind="test.news", **refs):
    return queue_test_mail(kind, member=member, refs={"title": title, **refs})


def outcome(row):
    row.refresh_from_db()
    return row.state, row.reason


def bundle_of(member):
    return OutgoingMail.objects.waiting().get(kind=BUNDLE, member=member)


# --- one mail for several pieces -------------------------------------------------------------------------------------
def test_first_piece_opens_a_bundle_and_later_ones_join_it(member, time_machine):
    time_machine.move_to(NINE, tick=False)
    rows = [queue(member, "one", about="a")]
    opened = bundle_of(member)
    assert opened.due_at == timezone.now() + timedelta(minutes=10)
    time_machine.shift(timedelta(minutes=9))
    rows += [queue(member, "two", about="b"), queue(member, "three", about="a")]
    assert send_due() == []
    assert bundle_of(member) == opened
    assert bundle_of(member).due_at == opened.due_at  # a stream of news does not put it off for ever
    time_machine.shift(timedelta(minutes=1))

    [message] = send_due()
    assert (message["Subject"], message["Message-ID"]) == ("3 new: one (and more)", opened.message_id)
    assert message["List-Id"] == "watched <watched.kmnet.example>"
    text = text_of(message)
    assert "Three pieces of news for you." in text
    assert text.index("Words about one") < text.index("Words about three") < text.index("Words about two")
    assert "Words about one &lt;b&gt;" in html_of(message)
    assert all(f"https://kmnet.example/{title}" in text for title in ("one", "two", "three"))
    assert [outcome(row) for row in [*rows, opened]] == [("sent", "")] * 4
    assert len({row.sent_at for row in rows}) == 1


def test_only_piece_goes_as_if_by_itself(member):
    row = queue(member, "one")
    opened = bundle_of(member)
    make_bundles_due()
    [message] = send_due()
    assert (message["Subject"], message["Message-ID"]) == ("one", opened.message_id)
    assert "By itself." in text_of(message)
    assert outcome(row) == outcome(opened) == ("sent", "")


def test_what_has_gone_meanwhile_is_left_out_and_says_why(member):
    one, two, three = (queue(member, title) for title in ("one", "two", "three"))
    GONE.add("two")
    make_bundles_due()
    [message] = send_due()
    assert "two" not in text_of(message)
    assert [outcome(row) for row in (one, two, three)] == [
        ("sent", ""),
        ("withheld", "it was hidden"),
        ("sent", ""),
    ]


def test_bundle_of_which_nothing_is_left_is_not_sent(member):
    row, opened = queue(member, "one", gone=True), bundle_of(member)
    make_bundles_due()
    assert send_due() == []
    assert outcome(row) == ("withheld", "it was hidden")
    assert outcome(opened) == ("withheld", "nothing of it was left to be told: it was hidden")


def test_one_bad_piece_stops_no_other_and_is_tried_in_the_next_bundle(member, monkeypatch):
    bad, good = queue(member, "broken"), queue(member, "good")
    opened = bundle_of(member)
    make_bundles_due()
    [message] = send_due()
    assert message["Subject"] == "good"
    assert outcome(bad) == ("waiting", "could not be composed: ZeroDivisionError: a bug")
    assert (bad.attempts, bad.lead == opened, bad.lead) == (1, False, bundle_of(member))
    assert outcome(good)[0] == "sent"

    monkeypatch.setattr(bundles, "TRIES", 2)
    make_bundles_due()
    assert len(send_due()) == 1
    assert outcome(bad) == ("failed", "could not be composed: ZeroDivisionError: a bug")
    assert not OutgoingMail.objects.waiting().exists()


def test_piece_whose_grace_is_not_over_waits_for_the_next_bundle(member, time_machine):
    time_machine.move_to(NINE, tick=False)
    queue(member, "old")
    time_machine.shift(timedelta(minutes=8))
    young = queue_test_mail(
        "test.news", member=member, refs={"title": "young"}, due_at=timezone.now() + timedelta(minutes=5)
    )
    time_machine.shift(timedelta(minutes=2))
    assert [message["Subject"] for message in send_due()] == ["old"]
    assert outcome(young)[0] == "waiting"
    assert young.lead == bundle_of(member)
    time_machine.shift(timedelta(minutes=10))
    assert [message["Subject"] for message in send_due()] == ["old", "young"]


def test_bundle_refused_for_good_fails_with_its_pieces_and_a_deferred_one_keeps_them(member, settings):
    with faulty_server(settings) as server:
        server.answers[member.email.partition("@")[0]] = "451 later"
        rows, opened = [queue(member, "one"), queue(member, "two")], bundle_of(member)
        make_bundles_due()
        mail.send_due_mail()
        assert [outcome(row)[0] for row in (*rows, opened)] == ["waiting"] * 3
        assert [row.lead for row in rows] == [opened, opened]

        server.answers[member.email.partition("@")[0]] = "550 no such person"
        make_bundles_due()
        mail.send_due_mail()
    assert {outcome(row)[0] for row in (*rows, opened)} == {"failed"}
    assert "550 no such person" in rows[0].reason


def test_piece_of_a_bundle_that_has_gone_gets_the_next_one(member):
    gone = queue(member, "one").lead
    make_bundles_due()
    send_due()
    late = queue(member, "two")
    OutgoingMail.objects.filter(
        kind=BUNDLE, state="waiting"
    ).delete()  # as if it had met the one that was on the wire
    late = OutgoingMail.objects.create(
        kind="test.news", member=member, lead=gone, dedupe_key="late", refs={"title": "two"},
        due_at=timezone.now(), next_try_at=timezone.now(),
    )  # fmt: skip
    assert send_due()[1:] == []
    late.refresh_from_db()
    assert late.lead == bundle_of(member)
    make_bundles_due()
    assert [message["Subject"] for message in send_due()] == ["one", "two"]


def test_who_gets_no_mail_at_all_gets_no_next_bundle_either(member):
    rows, opened = [queue(member, "one"), queue(member, "two")], bundle_of(member)
    member.status, member.is_active = "suspended", False
    member.save()
    make_bundles_due()
    assert send_due() == []
    assert {outcome(row) for row in (*rows, opened)} == {("withheld", "the member is suspended")}
    assert OutgoingMail.objects.count() == 3


def test_member_has_one_open_bundle_at_most(member):
    queue(member, "one")
    bundle = bundle_of(member)
    bundle.pk, bundle.dedupe_key, bundle.message_id = None, "another", "<another@kmnet.example>"
    bundle._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        bundle.save()


def test_forty_pieces_are_told_and_the_rest_is_counted(member):
    for number in range(45):
        queue(member, f"t{number}")
    make_bundles_due()
    [message] = send_due()
    assert "And 5 more" in text_of(message)
    assert len(message.as_bytes()) < 100_000
    assert set(OutgoingMail.objects.values_list("state", flat=True)) == {"sent"}


# --- how --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("how", "outcome_"),
    [
        ("at_once", ("waiting", "")),
        ("never", ("withheld", "switched off by the receiver: watched")),
        ("digest", ("withheld", "left to the digest: watched")),
    ],
)
def test_choice_holds_from_the_moment_it_is_written(member, how, outcome_):
    MailChoice.objects.create(member=member, category="watched", how=how)
    row = queue(member, "one")
    assert (outcome(row), row.lead) == (outcome_, None)
    assert len(send_due()) == (how == "at_once")


@pytest.mark.parametrize(
    ("how", "word"), [("never", "switched off by the receiver"), ("digest", "left to the digest")]
)
def test_choice_made_before_sending_holds(member, how, word):
    rows = [queue(member, "one"), queue(member, "two", kind="test.reply")]
    for category in ("watched", "reply"):
        MailChoice.objects.create(member=member, category=category, how=how)
    make_bundles_due()
    assert send_due() == []
    assert [outcome(row) for row in rows] == [
        ("withheld", f"{word}: watched"),
        ("withheld", f"{word}: reply"),
    ]


def test_what_can_not_be_told_in_a_line_goes_at_once(member):
    row = queue(member, "one", kind="test.lineless")
    assert row.lead is None
    assert len(send_due()) == 1


def test_guest_gets_no_bundle_and_what_they_switched_off_says_so_at_once():
    queue_test_mail("test.news", address="guest@example.org", refs={"title": "one"})
    assert len(send_due()) == 1
    MailChoice.objects.create(address="guest@example.org", category="watched", how="never")
    row = queue_test_mail("test.news", address="Guest@example.org", refs={"title": "two"})
    assert outcome(row) == ("withheld", "switched off by the receiver: watched")


@pytest.mark.parametrize("how", ["at_once", "bundled", "digest"])
def test_many_are_queued_with_as_many_queries_as_one(how):
    members = [make_member() for _number in range(60)]
    for member in members:
        MailChoice.objects.create(member=member, category="watched", how=how)
        MailHabits.objects.create(member=member, bundle_minutes=30)
    counted = []
    for some in (members[:1], members[1:]):
        with CaptureQueriesContext(connection) as queries:
            written = mail.queue_many(
                "test.news", some, dedupe_key=lambda m: f"k:{m.pk}", refs=lambda m: {"title": str(m.pk)}
            )
        counted.append(len(queries))
        assert written == len(some)
    assert counted[0] == counted[1] <= 10
    assert OutgoingMail.objects.filter(kind="test.news").count() == 60
    assert mail.queue_many("test.news", members, dedupe_key=lambda m: f"k:{m.pk}", refs=lambda m: {}) == 0


# --- quiet hours and pauses ------------------------------------------------------------------------------------------
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("begins", "ends", "at", "until"),
    [
        (22, 7, "2026-11-23 21:59", None),
        (22, 7, "2026-11-23 22:00", "2026-11-24 07:00"),
        (22, 7, "2026-11-24 06:59", "2026-11-24 07:00"),
        (22, 7, "2026-11-24 07:00", None),
        (0, 6, "2026-11-24 00:00", "2026-11-24 06:00"),
        (9, 17, "2026-11-24 12:30", "2026-11-24 17:00"),
        (9, 17, "2026-11-24 18:00", None),
        (22, 2, "2026-03-28 23:00", "2026-03-29 03:00"),  # two o’clock does not exist on that morning
        (22, 7, "2026-10-24 23:00", "2026-10-25 07:00"),  # a night of one hour more
        (18, 0, "2026-11-24 20:00", "2026-11-25 00:00"),
    ],
)
def test_quiet_hours_are_hours_of_the_member_s_clock(begins, ends, at, until):
    wish = holding.Wish("watched", mail.How.AT_ONCE, BERLIN, quiet_from=begins, quiet_until=ends)
    moment = datetime.fromisoformat(at).replace(tzinfo=BERLIN)
    expected = moment if until is None else datetime.fromisoformat(until).replace(tzinfo=BERLIN)
    assert wish.not_before(moment) == expected.astimezone(UTC)


def test_mail_waits_for_the_end_of_the_quiet_hours(member, time_machine):
    time_machine.move_to("2026-11-23 22:30:00+00:00", tick=False)  # half past eleven in the evening
    MailHabits.objects.create(member=member, quiet_from=22, quiet_until=7)
    reply, news = queue(member, "a reply", kind="test.reply"), queue(member, "news")
    needed, reminder = (
        queue_test_mail("test.needed", member=member),
        queue_test_mail("test.reminder", member=member),
    )
    morning = datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert (reply.due_at, news.lead.due_at) == (morning, morning)
    assert len(send_due()) == 2
    assert {outcome(needed)[0], outcome(reminder)[0]} == {"sent"}
    time_machine.move_to(morning, tick=False)
    assert [message["Subject"] for message in send_due()[2:]] == ["a reply", "news"]


def test_quiet_hours_chosen_after_it_was_written_hold_and_are_no_try(member, time_machine):
    time_machine.move_to("2026-11-23 20:55:00+00:00", tick=False)
    reply, news = queue(member, "a reply", kind="test.reply"), queue(member, "news")
    MailHabits.objects.create(member=member, quiet_from=22, quiet_until=7)
    time_machine.shift(timedelta(minutes=15))
    assert send_due() == []
    for row in (reply, news.lead):
        row.refresh_from_db()
        assert (row.due_at, row.attempts, row.state) == (datetime(2026, 11, 24, 6, tzinfo=UTC), 0, "waiting")


def test_pause_keeps_mail_back_until_that_morning_and_not_what_is_needed(member, time_machine):
    time_machine.move_to("2026-11-23 12:00:00+00:00", tick=False)
    before = queue(member, "before", kind="test.reply")
    bundled = queue(member, "bundled")
    MailHabits.objects.create(member=member, paused_until="2026-12-01")
    during, needed = queue(member, "during", kind="test.reply"), queue_test_mail("test.needed", member=member)
    assert outcome(during) == ("withheld", "mail is paused until 2026-12-01")
    make_bundles_due()
    assert len(send_due()) == 1
    assert outcome(needed)[0] == "sent"
    assert outcome(before) == outcome(bundled) == ("withheld", "mail is paused until 2026-12-01")
    time_machine.move_to("2026-11-30 23:00:01+00:00", tick=False)  # midnight in Berlin
    assert outcome(queue(member, "after", kind="test.reply")) == ("waiting", "")
    assert len(send_due()) == 2


# --- what an admin does ----------------------------------------------------------------------------------------------
def test_cancelled_bundle_takes_its_pieces_along_and_sent_again_brings_them_back(member):
    rows, admin = [queue(member, "one"), queue(member, "two")], make_member()
    opened = bundle_of(member)
    assert mail.cancel(opened, actor=admin, reason="a mistake")
    assert {outcome(row) for row in (*rows, opened)} == {("withheld", "cancelled by an admin: a mistake")}

    again = mail.resend(opened, actor=admin, reason="no mistake")
    assert again.pk == bundle_of(member).pk
    assert [message["Subject"] for message in send_due()] == ["2 new: one (and more)"]

    mail.resend(again, actor=admin, reason="it did not arrive")
    [first, second] = send_due()
    assert (second["Subject"], first["Message-ID"] == second["Message-ID"]) == (first["Subject"], False)


def test_piece_sent_again_goes_by_itself(member):
    row = queue(member, "one", gone=True)
    make_bundles_due()
    send_due()
    OutgoingMail.objects.filter(pk=row.pk).update(refs={"title": "one"})
    mail.resend(row, actor=make_member(), reason="it is shown again")
    assert [message["Subject"] for message in send_due()] == ["one"]
    assert len(sent()) == 1


def test_piece_taken_back_is_not_told(member):
    queue_test_mail("test.news", member=member, refs={"title": "one"}, dedupe_key="seat:1")
    kept = queue(member, "two")
    assert mail.withdraw(dedupe_key_prefix="seat:", reason="the event is cancelled") == 1
    make_bundles_due()
    assert [message["Subject"] for message in send_due()] == ["two"]
    assert outcome(kept)[0] == "sent"
