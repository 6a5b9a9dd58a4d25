"""Many people at once, on real commits: the event's lock keeps the places, and without it they are oversold.

What must never be false of places and mails is asked of the database itself after each storm.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from events import services, tasks
from events.models import Event, Registration, Status
from events.services import places
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

pytestmark = pytest.mark.django_db(transaction=True)  # real commits, so real locks
WORKERS = 8


def at_once(deeds, workers=WORKERS) -> list:
    """Run the deeds on so many threads, which start together; return the results (an error is a result)."""
    start = Barrier(min(workers, len(deeds)))

    def run(deed):
        with closing(connection):  # a thread's connection is its own to close
            with suppress(BrokenBarrierError):
                start.wait(timeout=2)
            try:
                return deed()
            except Exception as error:
                return error
            finally:
                connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, deeds))


def broken_rules(event: Event) -> list[str]:
    """What must never be so, asked in SQL; empty where all is well."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 'oversold' FROM events_event e WHERE e.id = %(id)s AND e.capacity + e.overbooking <
                (SELECT count(*) FROM events_registration r WHERE r.event_id = e.id AND (r.status = 'confirmed'
                    OR r.status = 'offered' AND r.offer_expires_at > %(now)s))
            UNION ALL SELECT 'two live registrations of one person' FROM events_registration
                WHERE event_id = %(id)s AND status IN ('confirmed', 'waiting', 'offered', 'requested')
                GROUP BY coalesce(member_id::text, lower(guest_address)) HAVING count(*) > 1
            UNION ALL SELECT 'a free place while somebody waits' FROM events_event e WHERE e.id = %(id)s
                AND EXISTS (SELECT 1 FROM events_registration r WHERE r.event_id = e.id AND r.status = 'waiting')
                AND e.capacity + e.overbooking > (SELECT count(*) FROM events_registration r
                    WHERE r.event_id = e.id AND r.status IN ('confirmed', 'offered'))
            UNION ALL SELECT 'somebody was overtaken' FROM events_registration w JOIN events_registration o
                ON o.event_id = w.event_id WHERE w.event_id = %(id)s AND w.status = 'waiting'
                AND o.offered_at IS NOT NULL AND (o.joined_at, o.id) > (w.joined_at, w.id)
            UNION ALL SELECT 'the log does not end in the state' FROM events_registration r
                WHERE r.event_id = %(id)s AND r.status IS DISTINCT FROM (SELECT l.to_status
                    FROM events_registrationlog l WHERE l.registration_id = r.id ORDER BY l.id DESC LIMIT 1)
            UNION ALL SELECT 'a change without its mail: ' || r.status FROM events_registration r
                WHERE r.event_id = %(id)s AND r.status IN ('confirmed', 'waiting', 'offered', 'cancelled', 'expired')
                AND NOT EXISTS (SELECT 1 FROM core_outgoingmail m WHERE m.dedupe_key LIKE CASE r.status
                    WHEN 'confirmed' THEN 'events.confirmed:' WHEN 'waiting' THEN 'events.waiting:'
                    WHEN 'offered' THEN 'events.offer:' WHEN 'expired' THEN 'events.offer_passed:'
                    ELSE 'events.cancelled_by_you:' END || r.event_id || '.' || r.id || ':%%')
            """,
            {"id": event.pk, "now": timezone.now()},
        )
        return [row[0] for row in cursor.fetchall()]


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


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.fault) for seed in range(2, 12))]
)
def test_storm_of_joining_leaving_answering_and_changing_capacity(seed):
    chance = random.Random(seed)
    organiser = make_member(is_organiser=True)
    event = make_event(capacity=8, organisers=[organiser])
    members = [make_member(password=None) for _number in range(24)]
    for member in members[:14]:
        services.register_member(event=event, member=member)

    def mine(member):
        return Registration.objects.filter(event=event, member=member).order_by("-pk").first()

    def leave(member):
        return lambda: mine(member) and services.cancel_registration(registration=mine(member), actor=member)

    def answer(member, deed):
        return lambda: mine(member) and deed(registration=mine(member), actor=member)

    def resize(capacity):
        return lambda: services.change_capacity(event=event, actor=organiser, capacity=capacity)

    def lapse():
        """Somebody's time is up. (Under the lock: a service reads the clock once, so nothing lapses within it.)"""
        with transaction.atomic():
            places.lock_event(event.pk)
            Registration.objects.filter(event=event, status=Status.OFFERED).update(
                offer_expires_at=timezone.now() - timedelta(seconds=1)
            )

    deeds = [register(event, member) for member in members]
    deeds += [leave(member) for member in chance.sample(members[:14], 8)]
    deeds += [answer(member, services.accept_offer) for member in members[8:14]]
    deeds += [answer(member, services.decline_offer) for member in members[8:14]]
    deeds += [resize(size) for size in (9, 12, 7, 10)]
    deeds += [lapse, lapse, tasks.sweep_promotions, tasks.sweep_promotions]
    chance.shuffle(deeds)
    expected = (
        services.OfferOver,
        services.CapacityTooLow,
        services.RegistrationClosed,
    )
    answers = at_once(deeds)
    assert [
        found for found in answers if isinstance(found, Exception) and not isinstance(found, expected)
    ] == []
    tasks.sweep_promotions()
    assert broken_rules(event) == []


def hold_until_both_have_counted(monkeypatch) -> None:
    """Both threads count the free places before either takes one; with the lock the second cannot get there."""
    both_counted, occupancies = Barrier(2), Event.occupancies

    def occupancies_then_wait(self, now=None):
        counted = occupancies(self, now)
        with suppress(BrokenBarrierError):
            both_counted.wait(timeout=1)
        return counted

    monkeypatch.setattr(Event, "occupancies", occupancies_then_wait)


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
    assert "oversold" in broken_rules(event)


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
