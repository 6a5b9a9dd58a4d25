"""Two who press at the same moment: one of them wins, the other reads why not; the same button twice is once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from events import services, tasks
from events.models import Status
from kmnet.core.models import OutgoingMail
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .test_registration import at_once

pytestmark = pytest.mark.django_db(transaction=True)  # real commits, so real locks
LONG_AGO = timedelta(days=9)


def fill(event, count, status, **fields):
    people = [make_member(password=None) for _number in range(count)]
    return [make_registration(event=event, member=who, status=status, **fields) for who in people]


def mails(kind) -> int:
    return OutgoingMail.objects.filter(kind=f"events.{kind}").count()


def test_near_the_start_one_of_all_who_wait_takes_the_place():
    event = make_event(capacity=1, starts_in=timedelta(hours=2))
    rows = fill(event, 3, Status.WAITING) + fill(event, 3, Status.EXPIRED) + fill(event, 2, Status.SOFT)
    answers = at_once([lambda row=row: services.claim_place(registration=row).status for row in rows])
    assert sum(answer == "confirmed" for answer in answers) == 1
    assert sum(isinstance(answer, services.NotYourTurn) for answer in answers) == 7


def test_those_who_were_silent_fill_the_room_and_no_more():
    event = make_event(capacity=3, starts_in=timedelta(minutes=-2))
    fill(event, 3, Status.CONFIRMED)  # none of whom came
    soft = fill(event, 8, Status.SOFT, confirmed_at=timezone.now() - LONG_AGO)
    answers = at_once([lambda row=row: services.enter(registration=row) for row in soft])
    assert sum(answer == event.meeting_url for answer in answers) == 3
    assert sum(isinstance(answer, services.NoRoomYet) for answer in answers) == 5
    assert event.occupancy().attended == 3


def test_a_place_given_away_many_times_at_once_goes_to_one_person():
    event = make_event(capacity=2, allows_transfer=True)
    giver = fill(event, 1, Status.CONFIRMED)[0]
    friends = [make_member(password=None) for _number in range(4)]
    deeds = [
        lambda to=to: services.transfer_place(registration=giver, to_member=to).status for to in friends * 2
    ]
    assert at_once(deeds) == ["cancelled"] * 8
    assert (event.registrations.count(), event.occupancy().held, mails("place_given")) == (2, 1, 1)


def test_two_organisers_decide_at_once_and_one_answer_goes_out():
    organisers = [make_member(is_organiser=True) for _number in range(2)]
    event = make_event(capacity=5, needs_approval=True, organisers=organisers)
    asked = fill(event, 3, Status.REQUESTED)
    deeds = []
    for row in asked:
        deeds += [
            lambda row=row: services.approve_registration(registration=row, by=organisers[0]).status,
            lambda row=row: (
                services.refuse_registration(registration=row, by=organisers[1], reason="Full.").status
            ),
        ]
    answers = at_once(deeds)
    assert [answers[at] for at in (0, 2, 4)] == [answers[at] for at in (1, 3, 5)]
    assert mails("confirmed") + mails("refused") == 3


def test_more_places_from_one_page_pressed_many_times_are_accepted_once():
    organiser = make_member(is_organiser=True)
    event = make_event(capacity=1, organisers=[organiser])
    fill(event, 1, Status.CONFIRMED)
    fill(event, 5, Status.WAITING)
    more = {"event": event, "count": 2, "by": organiser, "seen_places": 1}
    assert sorted(at_once([lambda: services.offer_more_places(**more)] * 6)) == [0, 0, 0, 0, 0, 2]
    event.refresh_from_db()
    assert event.overbooking == 2


def test_many_workers_ask_soften_call_and_tell_once():
    asked = make_event(capacity=9, starts_in=timedelta(hours=50))
    fill(asked, 4, Status.CONFIRMED, confirmed_at=timezone.now() - LONG_AGO)
    silent = make_event(capacity=9, starts_in=timedelta(hours=20))
    fill(
        silent,
        4,
        Status.CONFIRMED,
        confirmed_at=timezone.now() - LONG_AGO,
        asked_at=timezone.now() - timedelta(hours=40),
    )
    near = make_event(capacity=9, starts_in=timedelta(hours=2))
    fill(near, 4, Status.WAITING)
    full = make_event(capacity=1)
    fill(full, 1, Status.CONFIRMED)
    fill(full, 4, Status.WAITING, told_position=20)
    answers = at_once([tasks.sweep_registrations] * 6 + [tasks.nudge_all] * 2)
    assert answers == [None] * 8
    assert [mails(kind) for kind in ("reconfirm", "soft", "all_hands", "position")] == [4, 4, 4, 4]
