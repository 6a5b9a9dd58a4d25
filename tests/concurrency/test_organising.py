"""Organisers at one event in the same moment, on real commits: one always stays, and a letter goes out once."""

import uuid

import pytest
from django.db import IntegrityError

from events.models import Event, EventMessage
from events.services import LastOrganiser, hosting, letters, places
from kmnet.core.models import OutgoingMail
from tests.factories.events import make_event, make_registration
from tests.factories.members import make_member
from tests.together import meet_after

from .test_registration import at_once

pytestmark = pytest.mark.django_db(transaction=True)  # real commits, so real locks


def unlock(monkeypatch):
    monkeypatch.setattr(places, "lock_event", lambda event_id: Event.objects.get(pk=event_id))


@pytest.mark.parametrize("locked", [True, False])
def test_of_two_organisers_who_step_down_at_once_one_stays(monkeypatch, locked):
    pair = [make_member(), make_member()]
    event = make_event(organisers=pair)
    meet_after(monkeypatch, hosting, "_has_others")
    if not locked:
        unlock(monkeypatch)
    results = at_once(
        [lambda who=who: hosting.remove_organiser(event=event, by=who, member=who) for who in pair]
    )
    refused = [result for result in results if isinstance(result, LastOrganiser)]
    # without the lock the race is there: both have gone
    assert (len(refused), event.organisers.count()) == ((1, 1) if locked else (0, 0))


@pytest.mark.parametrize("locked", [True, False])
def test_letter_that_is_sent_twice_at_once_goes_out_once(monkeypatch, locked):
    organiser = make_member()
    event = make_event(organisers=[organiser])
    for _number in range(3):
        make_registration(event=event)
    meet_after(monkeypatch, letters, "people_of")
    if not locked:
        unlock(monkeypatch)
    typed = {"audience": "places", "subject": "Hello", "body": "Hello.", "submit_key": uuid.uuid4()}
    results = at_once(
        [lambda: letters.write_to_people(event=event, actor=organiser, **typed) for _press in range(2)]
    )
    assert (EventMessage.objects.count(), OutgoingMail.objects.filter(kind="events.letter").count()) == (1, 3)
    # without the lock the second press fails at the database instead of meeting its letter
    assert [type(result) for result in results].count(IntegrityError) == (0 if locked else 1)
