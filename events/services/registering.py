"""Coming: who may, and what they get: a place, a place in the queue, or the recording."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core import rows
from members.models import Member
from members.services.groups import is_held_in_group

from .. import mails
from ..models import ADDED_BY_HAND, Event, Occupancy, Registration, Status
from ..permissions import can_be_named, can_organise_event, can_register
from . import answering, persons, places
from .organising import log_admin
from .refusals import RegistrationClosed, WayUnknown


@dataclass(frozen=True)
class Arrival:
    """What became of a press of Register."""

    registration: Registration | None
    occupancies: dict[str, Occupancy] | None = None  # of each list, with it; None: not counted since
    position: int | None = None  # where they were put in the queue


def register_member(*, event: Event, member: Member, **wanted) -> Registration:
    """As arrive(); the registration alone."""
    return arrive(event=event, member=member, **wanted).registration


@transaction.atomic
def arrive(
    *,
    event: Event,
    member: Member,
    way: str = "",
    answers: dict | None = None,
    access_needs: str = "",
    recording_only: bool = False,
    by: Member | None = None,
) -> Arrival:
    """Give the member a place, or one in the queue when all are held or somebody waits already; where the organisers
    approve each registration, first ask them; with `recording_only` neither.

    Pressed twice it returns the same registration; who had the recording only comes in anew. Locks the event first, or
    two people both read one free place. `by` is an organiser who adds them by hand: approved, without answers, also
    before and after registration is open, never past the queue. `way`: of a hybrid event, how they come. Raises
    RegistrationClosed, WayUnknown, AnswersMissing, PermissionDenied.
    """
    event = places.lock_event(event.pk)  # for which a thousand may wait: from here on few questions are asked
    now = timezone.now()
    occupancies, newcomer = event.occupancies_for(member, now)
    occupancies = places.settle(event, now, occupancies)
    theirs = persons.all_of(event, member, "") if newcomer.was_here else []
    mine = live_of(theirs)
    if mine is not None and mine.member_id is None:
        persons.adopt(mine, member)
        places.note(mine, why="booked as a guest, with the same address", actor=member, at=now)
    if mine is not None and (mine.status != Status.RECORDING or recording_only):
        return Arrival(mine, occupancies)
    check_may_register(event, member, by, now)
    registration = mine or Registration(pk=newcomer.next_key, event=event, member=member)
    why = set_way(event, registration, way, recording_only, why=ADDED_BY_HAND if by else "registered")
    asked = answering.asked_by(event=event.pk) if newcomer.is_asked else []
    checked = answering.check_answers(event, answers, required=by is None and not recording_only, asked=asked)
    enter_line(
        event,
        registration,
        occupancies,
        at=now,
        actor=by or member,
        why=why,
        access_needs=access_needs,
        recording_only=recording_only,
        approved=by is not None,
        left_before=had_place(theirs),
    )
    answering.write_answers(registration, checked)
    if by is not None:
        log_admin(by, event, "events.person_added", data={"registration": registration.pk})
    if mine is not None:
        return Arrival(registration)
    occupancies |= {registration.way: occupancies[registration.way].and_one(registration.status)}
    return Arrival(registration, occupancies, registration.told_position)


def live_of(registrations: list[Registration]) -> Registration | None:
    return next((one for one in registrations if one.is_live), None)


def had_place(registrations: list[Registration]) -> bool:
    """And gave it up: its end is in their calendar."""
    return any(one.confirmed_at and (one.ended_at or one.status == Status.RECORDING) for one in registrations)


def check_way(event: Event, way: str, recording_only: bool = False) -> str:
    """The list that this names; who wants the recording only need not say. Raises WayUnknown."""
    if recording_only and not way:
        return event.ways[-1]
    if way not in event.ways:
        raise WayUnknown(way)
    return way


def set_way(
    event: Event, registration: Registration, way: str, recording_only: bool = False, *, why: str
) -> str:
    """Put them on that list; return the reason for the log, which tells of a change. Raises WayUnknown."""
    before, registration.way = registration.way, check_way(event, way, recording_only)
    return why if before in ("", registration.way) else f"{why}, from {before} to {registration.way}"


def check_may_register(
    event: Event, member: Member | AnonymousUser, by: Member | None, now: datetime
) -> None:
    if by is not None:
        if not can_organise_event(by, event) or not can_be_named(by, member):
            raise PermissionDenied
        if not places.is_on(event) or event.has_started(now):
            raise RegistrationClosed
    elif not event.takes_registrations(now):
        raise RegistrationClosed
    elif not can_register(member, event):
        raise PermissionDenied
    # held until the commit: whoever leaves the group meanwhile finds this place, and gives it up
    if event.is_of_a_group and not is_held_in_group(member=member, group_id=event.group_id):
        raise PermissionDenied


def enter_line(
    event: Event,
    registration: Registration,
    occupancies: dict[str, Occupancy],
    *,
    at: datetime,
    actor: Member | None,
    why: str,
    access_needs: str = "",
    recording_only: bool = False,
    approved: bool = False,
    left_before: bool | None = None,
) -> None:
    """Somebody who may comes in: as one who wants the recording, one who asks, or one who takes their turn. Needs the
    event's lock; `occupancies` as settle() returned them. Raises RegistrationClosed."""
    if recording_only and not event.offers_recording:
        raise RegistrationClosed
    if access_needs.strip():
        registration.access_needs = access_needs.strip()
        if not registration.is_new:
            registration.save(update_fields=["access_needs"])
    registration.joined_at = at
    with rows.together():  # registration, log and mail
        if recording_only:
            places.change(registration, Status.RECORDING, why=why, actor=actor, at=at)
            mails.queue_recording(registration)
        elif event.needs_approval and not approved:
            places.change(registration, Status.REQUESTED, why=why, actor=actor, at=at)
            mails.queue_requested(registration)
        else:
            take_turn(event, registration, occupancies, at=at, actor=actor, why=why, left_before=left_before)


def take_turn(
    event: Event,
    registration: Registration,
    occupancies: dict[str, Occupancy],
    *,
    at: datetime,
    actor: Member | None,
    why: str,
    left_before: bool | None = None,
) -> None:
    """The place or the queue, with the priority that was set before registration opened. Needs the event's lock."""
    member = registration.member
    priority = persons.priority_of(event, member, registration.guest_address)
    places.take_place_or_queue(
        event,
        registration,
        occupancies,
        at=at,
        priority=priority,
        left_before=left_before,
        actor=actor,
        why=why,
    )
