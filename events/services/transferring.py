"""Giving one's place to somebody by name. Only while nobody waits, or it would be a way past the queue."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from members.models import Member, has_blocked, is_in_group
from members.permissions import can_write

from .. import mails
from ..models import Event, Registration, Status, Visibility
from ..permissions import can_view_event
from . import persons, places, unasked
from .refusals import TransferRefused

WHY = "gave it to somebody"


def check_transfer(event: Event, registration: Registration, now: datetime, waiting: int) -> None:
    """May this place be given on now, whoever gets it? Raises TransferRefused. For pages, too; `waiting`: how many wait
    on this list. Needs `member`."""
    if not event.allows_transfer or event.needs_approval or not places.is_on(event):
        raise TransferRefused("off")
    if registration.status != Status.CONFIRMED:
        raise TransferRefused("place")
    if registration.member is not None and not can_write(registration.member):
        raise TransferRefused("silenced")  # a place that is given is a mail to somebody
    if not places.holds_offers(event, now):
        raise TransferRefused("late")
    if waiting:
        raise TransferRefused("waiting")


@transaction.atomic
def transfer_place(
    *,
    registration: Registration,
    to_member: Member | None = None,
    to_name: str = "",
    to_address: str = "",
    actor: Member | None = None,
) -> Registration:
    """Give one's place to a member, or to somebody by name and address: it is offered to them, and held until they
    answer. Returns the giver's registration, which ends here. Twice is once. Locks the event.

    Whether an address is a member's, registered already, or was given several places today, the giver does not learn:
    where it cannot be offered to that person the place is free again, and the giver gets the same answer. Raises
    TransferRefused, PermissionDenied.
    """
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    occupancies = places.settle(event, now)
    registration = persons.own(event, registration, actor)
    if registration.status == Status.CANCELLED and registration.log.filter(why=WHY).exists():
        return registration
    occupancy = occupancies.get(registration.way)
    check_transfer(event, registration, now, occupancy.waiting if occupancy else 0)
    to_address = to_address.strip()
    if (to_member is None) == (not to_address):
        raise TransferRefused("person")
    _check_person(event, registration, to_member, to_address)
    receiver = to_member or persons.find_member(to_address)
    if receiver is not None and receiver.pk == registration.member_id:
        raise TransferRefused("self")
    if unasked.gave_often(registration, WHY):
        raise TransferRefused("often")
    is_spared = unasked.was_given_often(receiver, to_address)
    event.sequence += 1
    event.save(update_fields=["sequence"])
    places.change(registration, Status.CANCELLED, why=WHY, actor=actor, at=now)
    mails.queue_place_passed_on(registration)
    if not is_spared and (receiver is None or _may_be_offered(event, registration, receiver)):
        _offer(event, registration, receiver, to_name.strip(), to_address, now)
    places.settle(event, now)
    return registration


def _check_person(event: Event, giver: Registration, member: Member | None, address: str) -> None:
    """What the giver may be told: by address only where guests may come, by handle only who may come."""
    if address:
        if address.lower() == giver.address.lower():
            raise TransferRefused("self")
        if event.visibility != Visibility.PUBLIC or event.rehearsal_of_id is not None:
            raise TransferRefused("person")
    elif not _may_come(event, member):
        raise TransferRefused("person")


def _may_come(event: Event, member: Member) -> bool:
    if event.is_of_a_group and not is_in_group(member, event.group_id):
        return False
    return can_write(member) and can_view_event(member, event)


def _may_be_offered(event: Event, giver: Registration, receiver: Member) -> bool:
    """What the giver may not be told."""
    apart = giver.member is not None and has_blocked(receiver, giver.member)
    return _may_come(event, receiver) and not apart


def _offer(
    event: Event, giver: Registration, receiver: Member | None, name: str, address: str, now: datetime
) -> None:
    theirs = persons.all_of(event, receiver, address)
    live = next((one for one in theirs if one.is_live), None)
    if live is not None and live.status != Status.RECORDING:
        mails.queue_known(live, now)
        return
    unproven = next((one for one in theirs if one.status == Status.UNPROVEN), None)
    offered = live or (unproven if receiver is None else None) or Registration(event=event)
    if receiver is not None:
        persons.adopt(offered, receiver)
    elif offered.pk is None:
        offered.guest_address, offered.guest_name = address, name
    offered.way = giver.way
    offered.joined_at, offered.priority = now, 0  # what they were served by before is over
    places.change(
        offered,
        Status.OFFERED,
        why="somebody gave them their place",
        at=now,
        offer_expires_at=places.offer_end(event, now),
        given_by=giver,
    )
    mails.queue_place_given(offered)
