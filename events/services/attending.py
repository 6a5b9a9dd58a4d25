"""Who came. A fact of its own, not a state of the registration."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member

from ..models import Registration, RegistrationLog
from ..permissions import can_enter, can_organise_event
from .organising import log_admin


class DoorsClosed(Exception):
    """Too early, too late, cancelled, or the organisers have not given the meeting's address."""


@transaction.atomic
def enter(*, registration: Registration) -> str:
    """Through the join gate: note that they came, and tell where the meeting is. The first time counts."""
    registration = Registration.objects.select_related("event").get(pk=registration.pk)
    if not can_enter(registration):
        raise PermissionDenied
    event = registration.event
    if not event.doors_are_open() or not event.meeting_url:
        raise DoorsClosed
    _note(registration, True, actor=registration.member, why="came in through the join page")
    return event.meeting_url


@transaction.atomic
def mark_attendance(*, registration: Registration, came: bool, by: Member) -> Registration:
    """An organiser ticks somebody by hand, or takes the tick away."""
    registration = Registration.objects.select_related("event").get(pk=registration.pk)
    if not can_organise_event(by, registration.event) or registration.confirmed_at is None:
        raise PermissionDenied
    _note(registration, came, actor=by, why="ticked by hand" if came else "tick taken away")
    log_admin(
        by, registration.event, "events.attendance", data={"registration": registration.pk, "came": came}
    )
    registration.refresh_from_db(fields=["attended_at"])
    return registration


def _note(registration: Registration, came: bool, *, actor, why: str) -> None:
    now = timezone.now()
    # One conditional UPDATE: two tabs at once note one arrival.
    rows = Registration.objects.filter(pk=registration.pk, attended_at__isnull=came)
    if rows.update(attended_at=now if came else None):
        RegistrationLog.objects.create(
            registration=registration,
            at=now,
            actor=actor,
            from_status=registration.status,
            to_status=registration.status,
            why=why,
        )
