"""Who came. A fact of its own, not a state of the registration."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member

from ..models import Registration, RegistrationLog, Status
from ..permissions import can_enter, can_organise_event
from . import places
from .organising import log_admin


class DoorsClosed(Exception):
    """Too early, too late, cancelled, or the organisers have not given the meeting's address."""


class NoRoomYet(DoorsClosed):
    """All places are held, and who was silent before has none: from the start on they come in while there is room."""


@transaction.atomic
def enter(*, registration: Registration) -> str:
    """Through the join gate: note that they came, and tell where the meeting is. The first time counts.

    Who was silent when asked takes a place if one is free; if not, they come in from the start on, while fewer people
    came than fit in, and stay soft. (Locks the event for those.) Raises DoorsClosed, NoRoomYet, PermissionDenied.
    """
    registration = Registration.objects.select_related("event", "member").get(pk=registration.pk)
    if not can_enter(registration):
        raise PermissionDenied
    event = registration.event
    if not event.doors_are_open() or not event.meeting_url:
        raise DoorsClosed
    if registration.status != Status.CONFIRMED:
        registration = _let_in_soft(registration)
    if not _note(registration, True, actor=registration.member, why="came in through the join page"):
        registration.refresh_from_db(fields=["status", "attended_at"])
        if registration.attended_at is None or not can_enter(registration):
            raise PermissionDenied  # the place was given up, or taken away, in this very moment
    return event.meeting_url


def _let_in_soft(registration: Registration) -> Registration:
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if not can_enter(registration):
        raise PermissionDenied
    if registration.status == Status.CONFIRMED or registration.attended_at is not None:
        return registration
    occupancies = places.settle(event, now)  # an offer that has lapsed holds no place, and is ended first
    registration.refresh_from_db(fields=["status"])
    occupancy = occupancies.get(registration.way) or event.occupancy(now, registration.way)
    if not occupancy.is_full:
        why = "came while a place was free"
        places.change(registration, Status.CONFIRMED, why=why, actor=registration.member, at=now)
        return registration
    fits = event.capacity_of(registration.way)
    if not event.has_started(now) or (fits is not None and occupancy.attended >= fits):
        raise NoRoomYet
    return registration


@transaction.atomic
def mark_attendance(*, registration: Registration, came: bool, by: Member) -> Registration:
    """An organiser ticks somebody by hand, or takes the tick away, from the opening of the doors on. Raises DoorsClosed
    (before that, or while the event has no day), PermissionDenied."""
    registration = Registration.objects.select_related("event").get(pk=registration.pk)
    if not can_organise_event(by, registration.event) or registration.confirmed_at is None:
        raise PermissionDenied
    if not places.is_on(registration.event) or timezone.now() < registration.event.doors_open_at:
        raise DoorsClosed
    _note(registration, came, actor=by, why="ticked by hand" if came else "tick taken away")
    log_admin(
        by, registration.event, "events.attendance", data={"registration": registration.pk, "came": came}
    )
    registration.refresh_from_db(fields=["attended_at"])
    return registration


def _note(registration: Registration, came: bool, *, actor, why: str) -> bool:
    """Whether anything changed. Without the event's lock, or a thousand people at the door would wait for each other."""
    now = timezone.now()
    # One conditional UPDATE: two tabs at once note one arrival, and nobody's whose state has just changed.
    rows = Registration.objects.filter(
        pk=registration.pk, attended_at__isnull=came, status=registration.status
    )
    noted = rows.update(attended_at=now if came else None)
    if noted:
        RegistrationLog.objects.create(
            registration=registration,
            at=now,
            actor=actor,
            from_status=registration.status,
            to_status=registration.status,
            why=why,
        )
    return bool(noted)
