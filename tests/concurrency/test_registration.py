"""Many people at once, on real commits: the event's lock keeps the places, and without it they are oversold.

What must never be false of places and mails is asked of the database itself after each storm.
"""

import pytest
from django.db import connection

from events import services, tasks
from events.models import Event, Status
from events.services import places
from tests import together
from tests.factories import make_member
from tests.factories.events import make_event, make_registration
from tests.rules import broken_rules
from tests.together import meet_after

pytestmark = pytest.mark.django_db(transaction=True)  # real commits, so real locks
WORKERS = 8


def at_once(deeds, workers=WORKERS) -> list:
    """Run the deeds on so many threads, which start together; return the results (an error is a result)."""
    return together.at_once(*deeds, threads=workers, errors=lambda error: error)


def register(event, member):
    return lambda: services.register_member(event=event, member=member).status


def test_hundred_and_thirty_people_at_once_for_a_hundred_places():
    event = make_event(capacity=100)
    members = [make_member(password=None) for _number in range(130)]
    answers = at_once([register(event, member) for member in members])
    assert (answers.count("confirmed"), answers.count("waiting")) == (100, 30)
    waiting = event.registrations.filter(status=Status.WAITING).in_queue_order()
    assert [registration.position() for registration in waiting] == list(range(1, 31))
    assert broken_rules(event) == []


def test_thirty_at_once_for_three_places_and_everybody_presses_twice():
    event = make_event(capacity=3)
    members = [make_member(password=None) for _number in range(30)]
    answers = at_once([register(event, member) for member in members * 2], workers=15)
    assert (answers.count("confirmed"), answers.count("waiting")) == (6, 54)
    assert event.registrations.count() == 30
    assert broken_rules(event) == []


def hold_until_both_have_counted(monkeypatch) -> None:
    """Both threads count the free places before either takes one; with the lock the second cannot get there."""
    meet_after(monkeypatch, Event, "occupancies_for")


def no_lock(event_id):
    return Event.objects.get(pk=event_id)


@pytest.fixture
def no_guard(transactional_db):
    """The database's own guard off, so that the services stand alone."""
    triggers = [
        ("events_registration", "events_places_guard_insert"),
        ("events_registration", "events_places_guard_update"),
    ]

    def switch(how):
        with connection.cursor() as cursor:
            for table, trigger in triggers:
                cursor.execute(f"ALTER TABLE {table} {how} TRIGGER {trigger}")

    switch("DISABLE")
    yield
    switch("ENABLE")


def test_last_place_goes_to_one_person_only(monkeypatch, no_guard):
    event, members = make_event(capacity=1), [make_member(), make_member()]
    hold_until_both_have_counted(monkeypatch)
    assert sorted(at_once([register(event, member) for member in members])) == ["confirmed", "waiting"]


def test_control_without_the_lock_the_last_place_is_sold_twice(monkeypatch, no_guard):
    """This test shows that the one above can fail."""
    event, members = make_event(capacity=1), [make_member(), make_member()]
    hold_until_both_have_counted(monkeypatch)
    monkeypatch.setattr(places, "lock_event", no_lock)
    assert at_once([register(event, member) for member in members]) == ["confirmed", "confirmed"]
    monkeypatch.undo()
    assert "more places are held than there are: : 2 of 1" in broken_rules(event)


def test_without_the_lock_the_database_itself_still_refuses(monkeypatch):
    event, members = make_event(capacity=1), [make_member(), make_member()]
    hold_until_both_have_counted(monkeypatch)
    monkeypatch.setattr(places, "lock_event", no_lock)
    answers = at_once([register(event, member) for member in members])
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "Status"]
    monkeypatch.undo()
    assert event.occupancy().held == 1


def test_one_offer_is_answered_once(monkeypatch):
    """Accepting and declining at the same moment: one of them wins, and the place is held by one person."""
    event = make_event(capacity=1)
    offered = make_registration(event=event, status=Status.OFFERED)
    make_registration(event=event, status=Status.WAITING)
    answers = at_once(
        [
            lambda: services.accept_offer(registration=offered).status,
            lambda: services.decline_offer(registration=offered).status,
        ]
    )
    assert sum(isinstance(answer, services.OfferOver) for answer in answers) == 1
    assert event.occupancy().held == 1


def test_one_guest_asking_many_times_at_once_is_one_registration():
    event = make_event(capacity=5)
    ask = [
        lambda: services.request_guest_place(event=event, name="Ada", address="ada@example.com")
        for _number in range(6)
    ]
    assert at_once(ask) == [None] * 6
    unproven = event.registrations.get()
    assert at_once([lambda: services.prove_guest(registration=unproven).status] * 4) == ["confirmed"] * 4
    assert event.registrations.count() == 1


def test_suspending_and_registering_at_once_neither_deadlocks_nor_leaves_a_place():
    from members.services import suspend_member

    moderator, event = make_member(is_moderator=True), make_event(capacity=50)
    members = [make_member(password=None) for _number in range(12)]
    deeds = []
    for member in members:
        deeds += [
            register(event, member),
            lambda member=member: suspend_member(member=member, actor=moderator, reason="a test").status,
        ]
    assert [answer for answer in at_once(deeds) if isinstance(answer, Exception)] == []
    tasks.sweep_promotions()
    assert event.occupancy().held == 0
