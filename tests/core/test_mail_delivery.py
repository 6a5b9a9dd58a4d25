"""Delivery, against a mail server that refuses, defers, hangs and breaks off."""

import email
import smtplib
from datetime import timedelta

import pytest
from django.utils import timezone

from kmnet.core import mail
from kmnet.core.mail import delivery
from kmnet.core.models import OutgoingMail
from tests.mail_kinds import faulty_server, mail_kind, queue_test_mail
from tests.mailbox import send_due, sent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kind():
    with mail_kind():
        yield


@pytest.fixture
def server(settings):
    with faulty_server(settings) as server:
        yield server


def outcome(row):
    row.refresh_from_db()
    return row.state, row.attempts, row.reason


def test_batch_goes_through_one_connection(server):
    for _number in range(5):
        queue_test_mail()

    assert mail.send_due_mail() == 5

    assert (len(server.accepted), server.connections) == (5, 1)
    assert set(OutgoingMail.objects.values_list("state", flat=True)) == {"sent"}


@pytest.mark.parametrize("at_rcpt", [True, False])
def test_refusal_is_final_and_the_others_go_out(server, at_rcpt):
    server.at_rcpt, server.answers["nobody"] = at_rcpt, "550 5.1.1 no such person"
    before, refused, after = (
        queue_test_mail(),
        queue_test_mail(address="nobody@example.org"),
        queue_test_mail(),
    )

    mail.send_due_mail()

    state, attempts, reason = outcome(refused)
    assert (state, attempts) == ("failed", 1)
    assert "550 5.1.1 no such person" in reason
    assert [outcome(row)[0] for row in (before, after)] == ["sent", "sent"]


@pytest.mark.parametrize("at_rcpt", [True, False])
def test_deferred_mail_is_tried_again_with_growing_gaps(server, at_rcpt):
    server.at_rcpt, server.answers["busy"] = at_rcpt, "451 4.7.1 come back later"
    row = queue_test_mail(address="busy@example.org")

    gaps = []
    for _try in range(4):
        OutgoingMail.objects.update(next_try_at=timezone.now())
        mail.send_due_mail()
        row.refresh_from_db()
        gaps.append((row.next_try_at - timezone.now()).total_seconds())

    assert [round(gap, -1) for gap in gaps] == [10, 30, 60, 120]
    assert "451 4.7.1 come back later" in row.reason
    assert mail.send_due_mail() == 0  # not before its time

    server.answers.clear()
    OutgoingMail.objects.update(next_try_at=timezone.now())
    mail.send_due_mail()
    assert outcome(row) == ("sent", 5, "")


@pytest.mark.parametrize("gaps", [delivery.SOON, delivery.BULK])
def test_gaps_grow_and_end_after_a_day(gaps):
    assert gaps == sorted(gaps)
    assert 23 * 3600 <= sum(gaps) <= 25 * 3600


def test_mail_that_stays_deferred_is_given_up_with_its_reason(server):
    server.answers["busy"] = "451 come back later"
    row = queue_test_mail(address="busy@example.org", secrets={"code": "ABC"})
    OutgoingMail.objects.update(attempts=len(delivery.SOON))

    mail.send_due_mail()

    state, attempts, reason = outcome(row)
    assert (state, attempts) == ("failed", len(delivery.SOON) + 1)
    assert reason.startswith("given up after 13 tries: the mail server said: 451")
    assert (row.secret, row.secrets) == ("", {})


@pytest.mark.parametrize("fault", ["hang", "drop"])
def test_server_that_hangs_or_breaks_off_costs_a_later_try_and_nobody_else(server, settings, fault):
    settings.EMAIL_TIMEOUT = 0.3
    server.answers["slow"] = fault
    slow, other = queue_test_mail(address="slow@example.org"), queue_test_mail()

    mail.send_due_mail()

    assert outcome(slow)[:2] == ("waiting", 1)
    assert outcome(other)[0] == "sent"
    assert server.connections == 2  # opened again after the trouble


def test_batch_does_not_wait_for_a_server_that_hangs_for_everybody(server, settings):
    settings.EMAIL_TIMEOUT = 0.2
    rows = [queue_test_mail() for _number in range(5)]
    server.answers |= {row.address.partition("@")[0]: "hang" for row in rows}

    assert mail.send_due_mail() == delivery.PATIENCE

    assert [outcome(row)[1] for row in rows] == [1, 1, 1, 0, 0]


def test_server_that_accepts_and_breaks_off_may_get_it_twice_with_one_message_id(server):
    server.answers["once"] = "accept and drop"
    row = queue_test_mail(address="once@example.org")
    mail.send_due_mail()
    assert outcome(row)[0] == "waiting"

    server.answers.clear()
    OutgoingMail.objects.update(next_try_at=timezone.now())
    mail.send_due_mail()

    ids = [email.message_from_bytes(content)["Message-ID"] for _receiver, content in server.accepted]
    assert ids == [row.message_id, row.message_id]


def test_server_away_says_nothing_about_the_mail(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    rows = [queue_test_mail() for _number in range(5)]

    assert mail.send_due_mail() == delivery.PATIENCE  # then it leaves the rest for the next wake-up

    assert outcome(rows[0])[:2] == ("waiting", 1)
    assert "could not be reached" in rows[0].reason
    assert outcome(rows[4]) == ("waiting", 0, "")


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (
            smtplib.SMTPAuthenticationError(535, b"wrong password"),
            False,
        ),  # ours to mend; costs nobody their mail
        (smtplib.SMTPSenderRefused(530, b"sign in first", "us"), False),
        (smtplib.SMTPConnectError(554, b"go away"), False),
        (smtplib.SMTPServerDisconnected("gone"), False),
        (TimeoutError(), False),
        (smtplib.SMTPDataError(554, b"spam"), True),
        (smtplib.SMTPDataError(421, b"closing"), False),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no")}), True),
        (smtplib.SMTPRecipientsRefused({"a": (450, b"later")}), False),
        (smtplib.SMTPNotSupportedError("no SMTPUTF8"), True),
    ],
)
def test_what_is_final(error, is_final):
    assert delivery.is_final(error) is is_final


def test_one_row_that_cannot_be_composed_stops_nobody(caplog):
    def broken(row):
        raise ZeroDivisionError("a bug")

    with mail_kind("test.broken", compose=broken):
        bad = queue_test_mail("test.broken")
        good = queue_test_mail()
        assert len(send_due()) == 1

    assert outcome(bad) == ("waiting", 1, "could not be composed: ZeroDivisionError: a bug")
    assert outcome(good)[0] == "sent"
    assert "a bug" in caplog.text  # with its traceback
    assert "Traceback" in caplog.text


def test_query_that_fails_in_compose_stops_nobody():
    def broken(row):
        OutgoingMail.objects.filter(pk=row.pk).update(kind=None)

    with mail_kind("test.broken", compose=broken):
        bad, good = queue_test_mail("test.broken"), queue_test_mail()
        assert len(send_due()) == 1

    assert outcome(bad)[:2] == ("waiting", 1)
    assert outcome(good)[0] == "sent"


def test_kind_that_is_no_more_is_tried_later():
    with mail_kind("test.gone"):
        row = queue_test_mail("test.gone")

    assert send_due() == []

    assert outcome(row)[:2] == ("waiting", 1)
    assert "test.gone" in row.reason


def test_person_s_mail_overtakes_bulk():
    with mail_kind("test.bulk", bulk=True):
        queue_test_mail("test.bulk", refs={"title": "bulk 1"}, due_at=timezone.now() - timedelta(hours=2))
        queue_test_mail("test.bulk", refs={"title": "bulk 2"}, due_at=timezone.now() - timedelta(hours=1))
        queue_test_mail(refs={"title": "person 1"}, due_at=timezone.now() - timedelta(minutes=2))
        queue_test_mail(refs={"title": "person 2"}, due_at=timezone.now() - timedelta(minutes=1))

        assert [message["Subject"] for message in send_due()] == ["person 1", "person 2", "bulk 1", "bulk 2"]


def test_mail_is_not_sent_before_it_is_due():
    row = queue_test_mail(due_at=timezone.now() + timedelta(minutes=5))

    assert send_due() == []

    OutgoingMail.objects.update(next_try_at=timezone.now())
    assert len(send_due()) == 1
    assert outcome(row)[0] == "sent"


def test_batch_stops_at_its_limit():
    for _number in range(3):
        queue_test_mail()

    assert [mail.send_due_mail(limit=2), mail.send_due_mail(limit=2)] == [2, 1]


# --- prepared together -----------------------------------------------------------------------------------------------
def prepared_kind(calls, prepare=None):
    """A bulk kind whose mails say what was prepared for them."""

    def compose(row):
        return mail.MailContent({"title": f"got {row.prepared}", "sentence": "s", "at": row.created_at})

    def by_pk(rows):
        calls.append([row.pk for row in rows])
        return {row.pk: f"{row.refs['title']} for {row.address or row.member.email}" for row in rows}

    return mail_kind("test.prepared", bulk=True, compose=compose, prepare=prepare or by_pk)


def test_bulk_is_prepared_together_and_each_row_finds_its_own(django_assert_max_num_queries):
    calls = []
    with prepared_kind(calls):
        rows = [queue_test_mail("test.prepared", refs={"title": f"t{n}"}) for n in range(5)]
        single = queue_test_mail()  # of another kind: has nothing to do with it
        subjects = [message["Subject"] for message in send_due()]

    assert (len(calls), sorted(calls[0])) == (1, sorted(row.pk for row in rows))
    assert sorted(subjects[1:]) == [f"got t{n} for {row.address}" for n, row in enumerate(rows)]
    assert (subjects[0], single.prepared) == ("A title", None)


def test_what_was_prepared_is_used_once_and_not_in_the_next_batch():
    calls = []
    with prepared_kind(calls):
        for _number in range(3):
            queue_test_mail("test.prepared", refs={"title": "t"})
        assert [mail.send_due_mail(limit=2), mail.send_due_mail(limit=2)] == [2, 1]
    assert [len(call) for call in calls] == [2, 1]


@pytest.mark.parametrize("fault", ["raises", "spoils the transaction", "leaves out"])
def test_where_nothing_could_be_prepared_each_is_composed_by_itself(fault):
    def prepare(rows):
        if fault == "raises":
            raise ZeroDivisionError("a bug")
        if fault == "spoils the transaction":
            OutgoingMail.objects.filter(pk=rows[0].pk).update(kind=None)
        return {}

    with prepared_kind([], prepare=prepare):
        for _number in range(3):
            queue_test_mail("test.prepared")
        assert [message["Subject"] for message in send_due()] == ["got None"] * 3


# --- the pace --------------------------------------------------------------------------------------------------------
def test_bulk_is_paced_and_the_rest_follows_a_minute_later(settings, time_machine):
    settings.MAIL_PER_MINUTE, settings.MAIL_PER_MINUTE_PER_DOMAIN = 4, 0
    time_machine.move_to("2026-11-23 09:00:00+00:00", tick=False)
    with mail_kind("test.bulk", bulk=True):
        for _number in range(6):
            queue_test_mail("test.bulk")
        assert len(send_due()) == 4
        time_machine.shift(30)
        queue_test_mail()  # somebody waits for it
        assert len(send_due()) == 5
        time_machine.shift(31)
        assert len(send_due()) == 7


def test_bulk_is_paced_by_receiving_domain(settings, time_machine):
    settings.MAIL_PER_MINUTE, settings.MAIL_PER_MINUTE_PER_DOMAIN = 0, 2
    time_machine.move_to("2026-11-23 09:00:00+00:00", tick=False)
    with mail_kind("test.bulk", bulk=True):
        for number in range(4):
            queue_test_mail("test.bulk", address=f"{number}@Big.example")
            queue_test_mail("test.bulk", address=f"{number}@small{number}.example")
        assert sorted(message["To"].partition("@")[2].lower() for message in send_due()) == [
            "big.example", "big.example", "small0.example", "small1.example", "small2.example", "small3.example",
        ]  # fmt: skip
        time_machine.shift(61)
        assert len(send_due()) == 8


def test_who_waits_for_a_mail_overtakes_five_thousand_of_bulk():
    with mail_kind("test.bulk", bulk=True):
        now = timezone.now() - timedelta(hours=1)
        OutgoingMail.objects.bulk_create(
            OutgoingMail(
                kind="test.bulk", address=f"{n}@example.org", dedupe_key=f"bulk:{n}", bulk=True, domain="example.org",
                due_at=now, next_try_at=now,
            )
            for n in range(5000)
        )  # fmt: skip
        assert mail.send_due_mail(limit=3) == 3
        queue_test_mail(refs={"title": "your new password"})
        assert mail.send_due_mail(limit=1) == 1
    assert sent()[-1]["Subject"] == "your new password"


def test_code_overtakes_the_news_of_a_thread_that_many_follow():
    with mail_kind("test.news", category="reply"), mail_kind("test.code", category="sign_in"):
        for _number in range(3):
            queue_test_mail("test.news", due_at=timezone.now() - timedelta(minutes=5))
        queue_test_mail("test.code", refs={"title": "your code"})
        assert [message["Subject"] for message in send_due()] == ["your code"] + ["A title"] * 3
