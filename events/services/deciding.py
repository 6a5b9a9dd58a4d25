"""What organisers decide about single registrations: approve, refuse, offer further than there are places."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member

from .. import mails
from ..models import Event, Registration, Status
from ..permissions import can_organise_event
from . import places
from .giving_up import leave
from .organising import log_admin
from .refusals import RegistrationClosed, TooLate, WayUnknown
from .registering import take_turn


def _lock_own(event_id: int, by: Member) -> Event:
    event = places.lock_event(event_id)
    if not can_organise_event(by, event):
        raise PermissionDenied
    return event


@transaction.atomic
def approve_registration(*, registration: Registration, by: Member) -> Registration:
    """Yes: they take their turn now, behind everybody who waits already. Twice is once; what was answered otherwise
    stays. Locks the event. Raises RegistrationClosed (begun, called off or postponed), PermissionDenied."""
    event = _lock_own(registration.event_id, by)
    now = timezone.now()
    occupancies = places.settle(event, now)
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if registration.status != Status.REQUESTED:
        return registration
    if not places.is_on(event) or event.has_started(now):
        raise RegistrationClosed
    take_turn(event, registration, occupancies, at=now, actor=by, why="approved")
    log_admin(by, event, "events.person_approved", data={"registration": registration.pk})
    return registration


@transaction.atomic
def refuse_registration(*, registration: Registration, by: Member, reason: str) -> Registration:
    """No; they are told, with the reason if there is one. Twice is once; what was answered otherwise stays. Locks the
    event. Raises TooLate, PermissionDenied."""
    event = _lock_own(registration.event_id, by)
    now = timezone.now()
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if registration.status != Status.REQUESTED:
        return registration
    if event.is_over(now):
        raise TooLate
    leave(event, registration, Status.REMOVED, why=reason or "not approved", actor=by, at=now)
    mails.queue_refused(registration)
    log_admin(by, event, "events.person_refused", reason=reason, data={"registration": registration.pk})
    return registration


@transaction.atomic
def promote_up_to(*, registration: Registration, by: Member) -> Registration:
    """Offer places to all who wait, from the head of the line to this person, and accept as many beyond the capacity as
    that needs: nobody is overtaken. Twice is once (who is not waiting any more stays as they are). Locks the event.

    Raises TooLate (in the last three hours places are not held for one person), RegistrationClosed (called off or
    postponed), PermissionDenied."""
    event = _lock_own(registration.event_id, by)
    now = timezone.now()
    occupancies = places.settle(event, now)
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if registration.status != Status.WAITING:
        return registration
    _check_offers_are_made(event, now)
    more = registration.position() - (occupancies[registration.way].free or 0)
    _accept_more(
        event, registration.way, more, by, now, why=f"offered up to number {registration.position()}"
    )
    registration.refresh_from_db()
    return registration


@transaction.atomic
def offer_more_places(
    *, event: Event, count: int, by: Member, way: str = "", seen_places: int | None = None
) -> int:
    """Accept so many more people than before on this list, and offer what that frees; return how many offers went out.

    `seen_places`: how many places the list had (event.places_of(way)) on the page with the button; if it is another
    number by now the button was pressed before, and nothing happens. Locks the event. Raises WayUnknown, ValueError
    (less than one), TooLate, RegistrationClosed, PermissionDenied."""
    event = _lock_own(event.pk, by)
    now = timezone.now()
    if way not in event.ways:
        raise WayUnknown(way)
    if count < 1:
        raise ValueError("at least one place")
    places.settle(event, now)
    limit = event.places_of(way)
    if limit is None or (seen_places is not None and seen_places != limit):
        return 0
    _check_offers_are_made(event, now)
    return _accept_more(event, way, count, by, now, why="more places were accepted than fit in")


def _check_offers_are_made(event: Event, now: datetime) -> None:
    if not places.is_on(event) or event.published_at is None:
        raise RegistrationClosed
    if not places.holds_offers(event, now):
        raise TooLate


def _accept_more(event: Event, way: str, count: int, by: Member, now: datetime, *, why: str) -> int:
    before = event.occupancy(now, way).offered
    places.raise_overbooking(event, way, count)
    after = places.offer_free_places(event, now, actor=by, why=why)
    log_admin(by, event, "events.overbooked", data={"way": way, "count": count})
    return after[way].offered - before
