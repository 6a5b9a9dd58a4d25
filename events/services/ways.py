"""Of a hybrid event: from the room to the screen, or back. And from the recording to a place after all."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member, is_in_group
from members.permissions import can_write

from .. import mails
from ..models import Registration, Status
from . import answering, persons, places
from .refusals import NotYourTurn, RegistrationClosed, TooLate
from .registering import check_way, enter_line, set_way

KEEPS_WHAT_IT_HAS = (Status.CONFIRMED, Status.OFFERED, Status.SOFT)


@transaction.atomic
def change_way(*, registration: Registration, way: str, actor: Member | None = None) -> Registration:
    """Come the other way. Where a place is free there, and nobody waits for it, it is theirs, and the old one goes to
    the next in line. Else whoever waits goes to the end of that line, and whoever has a place, an offer or a soft place
    keeps it: NotYourTurn. Twice is once. Locks the event.

    Raises WayUnknown, NotYourTurn, RegistrationClosed (called off or postponed), TooLate (begun, or not live),
    PermissionDenied."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    occupancies = places.settle(event, now)
    registration = persons.own(event, registration, actor)
    before = registration.way
    if check_way(event, way) == before:
        return registration
    if not places.is_on(event):
        raise RegistrationClosed
    if event.has_started(now) or registration.status not in Status.unsettled():
        raise TooLate
    why = f"from {before} to {way}"
    if registration.status in (Status.UNPROVEN, Status.REQUESTED, Status.RECORDING):
        places.note(registration, why=why, actor=actor, at=now, way=way)
        return registration
    is_free = places.is_free_for_newcomers(occupancies[way])
    if not is_free and registration.status in KEEPS_WHAT_IT_HAS:
        raise NotYourTurn
    registration.way = way
    if is_free:
        places.give_place(event, registration, why=why, actor=actor, at=now)
        mails.queue_confirmed(registration)
    else:
        priority = persons.priority_of(event, registration.member, registration.guest_address)
        occupancy = occupancies[way]
        places.queue_up(event, registration, occupancy, priority=priority, why=why, actor=actor, at=now)
    places.settle(event, now)
    return registration


@transaction.atomic
def come_after_all(
    *,
    registration: Registration,
    way: str = "",
    answers: dict | None = None,
    access_needs: str = "",
    actor: Member | None = None,
) -> Registration:
    """Who wanted the recording only registers again, and takes a place or the queue anew. Twice is once: whoever does
    not have the recording only stays as they are. Locks the event. Raises RegistrationClosed, WayUnknown,
    AnswersMissing, PermissionDenied."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    occupancies = places.settle(event, now)
    registration = persons.own(event, registration, actor)
    if registration.status != Status.RECORDING:
        return registration
    if not event.takes_registrations(now):
        raise RegistrationClosed
    member = registration.member
    if member is not None and not can_write(member):
        raise PermissionDenied
    if event.is_of_a_group and not (member and is_in_group(member, event.group_id)):
        raise PermissionDenied
    why = set_way(event, registration, way or registration.way, why="comes after all")
    checked = answering.check_answers(event, answers, required=answers is not None)
    enter_line(
        event,
        registration,
        occupancies,
        at=now,
        actor=actor,
        why=why,
        access_needs=access_needs,
        left_before=registration.confirmed_at is not None,
    )
    if answers is not None:
        answering.write_answers(registration, checked)
    return registration
