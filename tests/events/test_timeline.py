"""What goes to the people of an event by itself, as its organisers see it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from events import lists, services
from events.models import Event, Status
from events.tasks import queue_due_reminders
from events.timeline import message_counts, timeline
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

pytestmark = pytest.mark.django_db


def steps(event):
    event.refresh_from_db()
    told = timeline(event, lists.counts_of(event), message_counts(event), timezone.now())
    return [(step.label, step.words, step.state) for step in told]


def test_what_comes_stands_in_its_order_and_the_next_is_marked():
    event = make_event(capacity=2)
    assert steps(event) == [
        ("You have a place", "At once", "done"),
        ("Are you still coming?", "To all who have had their place for longer", "now"),
        ("Silent places are offered on", "To those who did not answer", "later"),
        ("Tomorrow it is", "To everyone with a place", "later"),
        ("Last call", "If a place is free, to all who still wait: the first one has it", "later"),
        ("It starts in an hour", "To everyone with a place", "later"),
    ]
    Event.objects.update(capacity=None)
    labels = [label for label, _words, _state in steps(event)]
    assert labels == ["You have a place", "Tomorrow it is", "It starts in an hour"]


def test_what_went_says_to_how_many_and_what_went_to_nobody_is_left_out(clock):
    event = make_event(capacity=5, asks_reconfirmation=True)
    for _number in range(2):
        services.register_member(event=event, member=make_member())
    make_registration(event=event, status=Status.CANCELLED)
    clock.shift(event.starts_at - timedelta(hours=71) - timezone.now())
    services.ask_reconfirmations(timezone.now())
    assert steps(event)[:3] == [
        ("You have a place", "At once, to 2 people", "done"),
        ("Are you still coming?", "To 2 people", "done"),
        ("Silent places are offered on", "2 people have not answered yet", "now"),
    ]
    clock.shift(timedelta(hours=48))
    queue_due_reminders()
    assert ("Tomorrow it is", "To 2 people", "done") in steps(event)
    clock.shift(timedelta(days=3))
    assert [label for label, _words, _state in steps(event)] == [
        "You have a place",
        "Are you still coming?",
        "Tomorrow it is",
    ]


def test_letters_stand_among_the_others_and_a_postponed_event_has_nothing_to_come():
    organiser = make_member()
    event = make_event(capacity=5, organisers=[organiser])
    services.register_member(event=event, member=make_member())
    services.write_to_people(
        event=event,
        actor=organiser,
        audience="places",
        subject="Hello",
        body="Hello.",
        submit_key="5b2c8d1e-1111-4222-8333-444455556666",
    )
    services.postpone_event(event=event, actor=organiser)
    assert steps(event) == [
        ("You have a place", "At once, to 1 person", "done"),
        ("Hello", "Your letter, to 1 person", "done"),
    ]
