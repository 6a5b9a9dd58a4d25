"""Votes at the same moment: real commits, real locks; and the race itself, seen without them."""

import pytest

from discussions import services
from discussions.models import Poll, Vote
from tests.concurrency.test_posts import at_once
from tests.factories import make_member
from tests.factories.discussions import make_thread
from tests.together import meet_before

pytestmark = pytest.mark.django_db(transaction=True)


def make_poll(way):
    wanted = services.PollWanted(options=["Monday", "Tuesday", "Wednesday"], way=way)
    return make_thread(kind="poll", poll=wanted).poll


@pytest.fixture
def wait_before_writing(monkeypatch):
    """Nobody writes until both have taken their earlier votes away (or one waits for the lock)."""
    meet_before(monkeypatch, Vote.objects, "bulk_create")


@pytest.fixture
def without_lock(monkeypatch):
    monkeypatch.setattr(
        services.polls, "lock_poll", lambda pk: Poll.objects.select_related("thread__space").get(pk=pk)
    )


def ballot(poll, member, *places):
    options = list(poll.options.values_list("pk", flat=True))
    return lambda: services.vote(member=member, poll=poll, choices=[options[place] for place in places])


def chosen(poll, member):
    return tuple(
        Vote.objects.filter(poll=poll, member=member)
        .order_by("option")
        .values_list("option__position", flat=True)
    )


@pytest.mark.parametrize("way", ["single", "multiple", "ranked"])
def test_two_ballots_of_one_member_at_once_are_one(way, wait_before_writing):
    poll, member = make_poll(way), make_member()
    first, second = ((0,), (2,)) if way == "single" else ((0, 1), (2,))
    assert at_once(ballot(poll, member, *first), ballot(poll, member, *second)) == [None, None]
    assert chosen(poll, member) in {tuple(place + 1 for place in places) for places in (first, second)}


def test_without_the_lock_one_member_would_have_voted_for_all(wait_before_writing, without_lock):
    """The control: the race is real."""
    poll, member = make_poll("multiple"), make_member()
    at_once(ballot(poll, member, 0, 1), ballot(poll, member, 2))
    assert chosen(poll, member) == (1, 2, 3)


def test_without_the_lock_the_constraint_still_keeps_a_single_vote_single(wait_before_writing, without_lock):
    poll, member = make_poll("single"), make_member()
    results = at_once(ballot(poll, member, 0), ballot(poll, member, 2))
    assert set(map(str, results)) == {"None", "one_vote_where_one_is_asked"}
    assert len(chosen(poll, member)) == 1


def test_vote_while_the_poll_closes_is_counted_or_refused(wait_before_writing):
    poll, member = make_poll("single"), make_member()

    def vote():
        try:
            ballot(poll, member, 0)()
        except services.PollClosed:
            return "late"
        return "in time"

    answer, _closed = at_once(vote, lambda: services.close_poll(actor=poll.thread.author, poll=poll))
    poll.refresh_from_db()
    assert poll.outcome["voters"] == (answer == "in time")
    assert not Vote.objects.filter(poll=poll).exists()  # anonymous: nobody's choice is left behind
