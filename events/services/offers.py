"""A place for somebody who waits: the answer to an offer, and the last hours, in which the first who comes has it."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member, is_in_group
from members.permissions import can_write

from .. import mails
from ..models import Event, Registration, Status
from ..permissions import can_view_event
from . import persons, places
from .refusals import NotYourTurn, OfferOver


@transaction.atomic
def accept_offer(*, registration: Registration, actor: Member | None = None) -> Registration:
    """Yes, I take it. Twice is once. OfferOver when it was answered otherwise or its time is up. Locks the event."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = persons.own(event, registration, actor)
    if registration.status == Status.CONFIRMED:
        return registration
    take_offer(event, registration, actor=actor, at=now)
    return registration


def take_offer(event: Event, registration: Registration, *, actor: Member | None, at) -> None:
    """Needs the event's lock. Raises OfferOver."""
    if not registration.has_open_offer(at) or not places.is_on(event):
        raise OfferOver(registration)
    places.give_place(event, registration, why="accepted the offer", actor=actor, at=at)
    mails.queue_confirmed(registration)


@transaction.atomic
def decline_offer(*, registration: Registration, actor: Member | None = None) -> Registration:
    """No, give it to the next person. Who was silent, and so lost the place that they had, has an entry in their calendar:
    that ends. Twice is once. OfferOver when it was answered otherwise. Locks the event."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = persons.own(event, registration, actor)
    if registration.status == Status.DECLINED:
        return registration
    if not registration.has_open_offer(now):
        raise OfferOver(registration)
    places.end_entry(event, registration)
    places.change(registration, Status.DECLINED, why="passed the place on", actor=actor, at=now)
    if registration.confirmed_at is not None:
        mails.queue_left(registration)
    places.settle(event, now)
    return registration


@transaction.atomic
def claim_place(*, registration: Registration, actor: Member | None = None) -> Registration:
    """In the last hours, when nothing is held any more: the first of those who wait, let an offer pass, or were silent
    takes a free place. Twice is once. Locks the event. Raises NotYourTurn, PermissionDenied."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    occupancies = places.settle(event, now)
    registration = persons.own(event, registration, actor)
    if registration.status == Status.CONFIRMED:
        return registration
    may = registration.status in (Status.WAITING, Status.EXPIRED, Status.SOFT)
    occupancy = occupancies.get(registration.way)  # of an offer that passed the list may be gone by now
    if not may or occupancy is None or occupancy.is_full or not places.is_first_come(event, now):
        raise NotYourTurn
    if registration.status == Status.EXPIRED:
        _check_comes_back(event, registration)
    why = "took a free place near the start"
    places.give_place(event, registration, why=why, actor=actor, at=now)
    mails.queue_confirmed(registration)
    return registration


def _check_comes_back(event: Event, registration: Registration) -> None:
    """Not live since the offer passed: so whoever has registered anew goes by that, and whoever may not come any more
    was not taken off."""
    member = registration.member
    if member is None and not registration.guest_address:
        raise PermissionDenied
    again = persons.all_of(event, member, registration.guest_address)
    if any(one.is_live for one in again):
        raise NotYourTurn
    if member is not None and not (can_write(member) and can_view_event(member, event)):
        raise PermissionDenied
    if event.is_of_a_group and not (member and is_in_group(member, event.group_id)):
        raise PermissionDenied
