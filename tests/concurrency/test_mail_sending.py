"""Several senders at once: every mail goes out once, and without the lock it does not."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kmnet.core import mail
from kmnet.core.mail import delivery
from kmnet.core.mail.choices import choose
from kmnet.core.models import MailChoice, OutgoingMail
from kmnet.core.models.mail import BUNDLE
from tests.factories import make_member
from tests.mail_kinds import mail_kind, queue_test_mail
from tests.mailbox import make_bundles_due, sent
from tests.together import LONG, Meeting, at_once

pytestmark = pytest.mark.django_db(transaction=True)  # real commits, so real locks

SENDERS, MAILS = 3, 12


@pytest.fixture(autouse=True)
def kind():
    with mail_kind():
        yield


def claim_without_lock(turn=None):
    return OutgoingMail.objects.due(timezone.now()).filter(bulk=False).first()


def send_from_many_at_once(monkeypatch) -> Counter:
    """Each sender claims, then waits for the others before it sends: without a lock all have claimed the same row."""
    all_have_claimed, build = Meeting(SENDERS, again=True), delivery.build_message

    def build_when_all_have_claimed(row):
        all_have_claimed.come()
        return build(row)

    monkeypatch.setattr(delivery, "build_message", build_when_all_have_claimed)
    rows = [queue_test_mail() for _number in range(MAILS)]
    at_once(*[mail.send_due_mail] * SENDERS)
    assert {row.message_id for row in rows} == {message["Message-ID"] for message in sent()}
    return Counter(message["Message-ID"] for message in sent())


def test_every_mail_goes_out_once(monkeypatch):
    assert set(send_from_many_at_once(monkeypatch).values()) == {1}
    assert list(OutgoingMail.objects.values_list("state", "attempts").distinct()) == [("sent", 1)]


def test_without_the_lock_mails_go_out_twice(monkeypatch):
    monkeypatch.setattr(delivery, "claim_next", claim_without_lock)

    assert max(send_from_many_at_once(monkeypatch).values()) > 1


def test_sender_passes_over_what_another_one_has():
    """Without SKIP LOCKED the second would wait as long as the first one's mail server takes, and then find nothing."""
    first, second = queue_test_mail(), queue_test_mail()

    def claim():
        with closing(connection), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '9s'")  # rather than wait for the other for ever
            return delivery.claim_next()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        assert delivery.claim_next() == first
        assert pool.submit(claim).result() == second


def test_page_does_not_wait_for_a_mail_that_is_on_the_wire():
    """Withdrawing skips a row that a sender holds: its lock lasts as long as the mail server takes to answer."""
    row = queue_test_mail(dedupe_key="seat:1")
    reached, answered = Barrier(2), Barrier(2)

    class SlowPost:
        def send(self, message):
            reached.wait(timeout=LONG)
            answered.wait(timeout=LONG)

    def send():
        with closing(connection), transaction.atomic():
            delivery.deliver(delivery.claim_next(), SlowPost())

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        reached.wait(timeout=LONG)
        withdrawn = mail.withdraw(dedupe_key_prefix="seat:", reason="cancelled")
        answered.wait(timeout=LONG)
        sending.result()

    row.refresh_from_db()
    assert (withdrawn, row.state) == (0, "sent")


def test_two_deeds_with_one_key_make_one_mail():
    def queue():
        return queue_test_mail(address="a@example.org", dedupe_key="the one key").pk

    assert len(set(at_once(queue, queue))) == 1


def test_two_clicks_on_unsubscribe_make_one_choice():
    def click():
        choose("reply", "never", address="guest@example.org")

    at_once(click, click)
    assert MailChoice.objects.get().how == "never"


# --- bundles ---------------------------------------------------------------------------------------------------------
def news(row):
    return mail.MailContent(
        {"title": row.refs["title"], "sentence": "s", "at": row.created_at},
        line=mail.Line(row.refs["title"], "words", "https://kmnet.example/"),
    )


@pytest.fixture
def news_kind():
    with mail_kind("test.news", compose=news, category="watched", bundles=True):
        yield


class SlowPost:
    """A mail server that takes its time: it says when it has a mail, and answers when told to."""

    def __init__(self):
        self.reached, self.answered = Barrier(2), Barrier(2)

    def send(self, message):
        message.send()
        self.reached.wait(timeout=10)
        self.answered.wait(timeout=10)


def queue_news(member, title):
    with closing(connection):
        return queue_test_mail("test.news", member=member, refs={"title": title})


def test_news_that_comes_while_its_bundle_is_on_the_wire_waits_for_nobody_and_goes_out_with_the_next(
    news_kind,
):
    member, post = make_member(), SlowPost()
    queue_test_mail("test.news", member=member, refs={"title": "early"})
    make_bundles_due()

    def send():
        with closing(connection), transaction.atomic():
            delivery.deliver(delivery.claim_next(), post)

    with ThreadPoolExecutor(2) as pool:
        sending = pool.submit(send)
        post.reached.wait(timeout=10)
        late = pool.submit(queue_news, member, "late").result(timeout=5)  # a page that does not wait
        post.answered.wait(timeout=10)
        sending.result()

    late.refresh_from_db()
    assert (late.state, late.lead.state) == ("waiting", "waiting")
    make_bundles_due()
    mail.send_due_mail()
    assert [message["Subject"] for message in sent()] == ["early", "late"]


def test_news_that_is_committed_after_its_bundle_is_found_by_the_sweep(news_kind, monkeypatch):
    """The finish cannot see it: the transaction that wrote it is not over. Control: without the sweep it waits for ever."""
    member, written, gone = make_member(), Barrier(2), Barrier(2)
    queue_test_mail("test.news", member=member, refs={"title": "early"})
    make_bundles_due()

    def queue_slowly():
        with closing(connection), transaction.atomic():
            queue_test_mail("test.news", member=member, refs={"title": "late"})
            written.wait(timeout=10)
            gone.wait(timeout=10)

    with ThreadPoolExecutor(1) as pool:
        queueing = pool.submit(queue_slowly)
        written.wait(timeout=10)
        mail.send_due_mail()
        gone.wait(timeout=10)
        queueing.result()

    with monkeypatch.context() as patched:
        patched.setattr(delivery.bundles, "gather_strays", lambda: 0)
        make_bundles_due()
        mail.send_due_mail()
        assert len(sent()) == 1
    mail.send_due_mail()
    make_bundles_due()
    mail.send_due_mail()
    assert [message["Subject"] for message in sent()] == ["early", "late"]


def test_many_deeds_at_once_open_one_bundle(news_kind):
    member, together = make_member(), Barrier(4)

    def queue(number):
        together.wait(timeout=10)
        return queue_news(member, f"t{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(queue, range(4)))

    assert OutgoingMail.objects.filter(lead__kind=BUNDLE, lead__member=member).count() == 4
    assert OutgoingMail.objects.filter(kind=BUNDLE).count() == 1
    make_bundles_due()
    mail.send_due_mail()
    assert [message["Subject"] for message in sent()] == [f"4 new: {sent()[0]['Subject'][7:9]} (and more)"]


def test_bundle_goes_out_once_whoever_sends(news_kind):
    members = [make_member() for _number in range(4)]
    for member in members:
        for title in ("one", "two"):
            queue_test_mail("test.news", member=member, refs={"title": title})
    make_bundles_due()

    def send(_sender):
        with closing(connection):
            return mail.send_due_mail()

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(send, range(SENDERS)))
    assert Counter(message["To"] for message in sent()) == {member.email: 1 for member in members}
    assert set(OutgoingMail.objects.values_list("state", flat=True)) == {"sent"}
