"""A series is made by two organisers at once: one series. Without the event's lock there are two."""

from functools import partial

import pytest
from django.db import IntegrityError

from events import services
from events.models import Event, Series
from events.services import places
from events.services import series as making
from tests import together
from tests.factories import make_member
from tests.factories.events import make_event
from tests.together import meet_before

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works) -> list:
    """What each came to: a value, or the exception that it ended with."""

    def ended(error):
        if not isinstance(error, IntegrityError | services.EventOver):
            raise error
        return error

    return together.at_once(*works, errors=ended)


@pytest.fixture
def organisers():
    return [make_member(is_organiser=True) for _each in range(2)]


@pytest.fixture
def event(organisers):
    return make_event(organisers=organisers)


@pytest.fixture
def both_have_looked(monkeypatch):
    """Each begins to count dates when both have seen that there is no series yet (or one waits for the lock)."""
    meet_before(monkeypatch, making, "slots")


def make(event, organisers):
    deeds = [
        partial(services.make_series, event=event, actor=actor, rule="FREQ=WEEKLY;COUNT=3")
        for actor in organisers
    ]
    return at_once(*deeds)


def test_two_who_make_a_series_make_one(event, organisers, both_have_looked):
    made = make(event, organisers)
    assert made[0] == made[1]
    assert (Series.objects.count(), Event.objects.count()) == (1, 3)


def test_without_the_lock_there_is_another_outcome(event, organisers, both_have_looked, monkeypatch):
    monkeypatch.setattr(places, "lock_event", lambda pk: Event.objects.get(pk=pk))
    made = make(event, organisers)
    assert made[0] != made[1]


def test_changing_and_calling_off_from_different_dates_does_not_block_for_good(event, organisers):
    services.make_series(event=event, actor=organisers[0], rule="FREQ=WEEKLY;COUNT=4")
    dates = list(Event.objects.order_by("slot"))
    Event.objects.filter(pk=dates[0].pk).update(
        slot=dates[3].slot, series=None
    )  # numbers against the order of days
    Event.objects.filter(pk=dates[3].pk).update(slot=dates[0].slot)
    Event.objects.filter(pk=dates[0].pk).update(series=dates[3].series_id)
    dates = list(Event.objects.order_by("slot"))
    for number in range(5):
        at_once(
            partial(services.update_following, event=dates[0], actor=organisers[0], title=f"Title {number}"),
            partial(services.update_following, event=dates[1], actor=organisers[1], venue=f"Room {number}"),
        )
    assert {one.venue for one in Event.objects.filter(slot__gte=dates[1].slot)} == {"Room 4"}
    assert {one.title for one in Event.objects.all()} == {"Title 4"}
