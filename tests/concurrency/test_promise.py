"""Two workers serve the clocks at once: everybody is asked once, and nobody twice within the days of rest."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection
from django.utils import timezone
from taggit.models import Tag

from discussions.models import AskedToAnswer, OwedReply
from discussions.services import promise
from kmnet.core.models import Activity
from tests.factories import make_member
from tests.factories.discussions import make_thread

pytestmark = pytest.mark.django_db(transaction=True)


def two_workers(work):
    def run(number):
        with closing(connection):  # a thread's connection is its own to close
            return work(number)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, range(2)))


@pytest.fixture
def due_threads():
    """Two questions whose time has come, and three members who could answer both."""
    tag, _new = Tag.objects.get_or_create(name="boards")
    for _number in range(3):
        make_member().profile.can_help.add(tag)
    threads = [make_thread(tags=["boards"]) for _number in range(2)]
    OwedReply.objects.update(ask_at=timezone.now() - timedelta(minutes=1))
    return threads


@pytest.fixture
def both_choose_at_once(monkeypatch):
    """Neither worker writes until both have chosen (or a second has passed: the lock lets only one choose)."""
    barrier, choose = Barrier(2), promise.who_could_answer

    def chosen(*args, **kwargs):
        found = choose(*args, **kwargs)
        with suppress(BrokenBarrierError):
            barrier.wait(timeout=1)
        return found

    monkeypatch.setattr(promise, "who_could_answer", chosen)


def ask(clocks):
    now = timezone.now()
    return lambda number: promise.ask_members(owed_id=clocks[number].pk, now=now)


def test_two_workers_at_one_clock_ask_once(due_threads, both_choose_at_once):
    clock = due_threads[0].owed_reply
    assert sorted(two_workers(ask([clock, clock]))) == [0, 3]
    assert AskedToAnswer.objects.count() == 3
    assert Activity.objects.filter(verb="discussions.could_answer").count() == 1


def test_two_clocks_at_once_ask_nobody_twice(due_threads, both_choose_at_once):
    clocks = [thread.owed_reply for thread in due_threads]
    assert sorted(two_workers(ask(clocks))) == [0, 3]
    assert AskedToAnswer.objects.count() == 3


def test_without_the_lock_of_choosing_two_clocks_ask_the_same_members(
    due_threads, both_choose_at_once, monkeypatch
):
    """The control: what the lock is for."""
    monkeypatch.setattr(promise, "lock_choosing", lambda: None)
    clocks = [thread.owed_reply for thread in due_threads]
    assert two_workers(ask(clocks)) == [3, 3]
