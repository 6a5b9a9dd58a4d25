"""Two workers serve the clocks at once: everybody is asked once, and nobody twice within the days of rest."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from taggit.models import Tag

from discussions.models import AskedToAnswer, OwedReply
from discussions.services import promise
from kmnet.core.models import Activity
from tests.factories import make_member
from tests.factories.discussions import make_thread
from tests.together import at_once, meet_after

pytestmark = pytest.mark.django_db(transaction=True)


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
    """Neither worker writes until both have chosen (or one waits for the lock)."""
    meet_after(monkeypatch, promise, "who_could_answer")


def ask(clocks):
    now = timezone.now()
    return [partial(promise.ask_members, owed_id=clock.pk, now=now) for clock in clocks]


def test_two_workers_at_one_clock_ask_once(due_threads, both_choose_at_once):
    clock = due_threads[0].clocks.get()
    assert sorted(at_once(*ask([clock, clock]))) == [0, 3]
    assert AskedToAnswer.objects.count() == 3
    assert Activity.objects.filter(verb="discussions.could_answer").count() == 1


def test_two_clocks_at_once_ask_nobody_twice(due_threads, both_choose_at_once):
    clocks = [thread.clocks.get() for thread in due_threads]
    assert sorted(at_once(*ask(clocks))) == [0, 3]
    assert AskedToAnswer.objects.count() == 3


def test_without_the_lock_of_choosing_two_clocks_ask_the_same_members(
    due_threads, both_choose_at_once, monkeypatch
):
    """The control: what the lock is for."""
    monkeypatch.setattr(promise, "lock_choosing", lambda: None)
    clocks = [thread.clocks.get() for thread in due_threads]
    assert at_once(*ask(clocks)) == [3, 3]
