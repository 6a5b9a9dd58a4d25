"""Coming and going: register, answer an offer, leave."""

from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core import activity
from members.models import Member
from members.permissions import is_full_member
from members.services.groups import is_held_in_group

from .. import mails
from ..models import Answer, Event, Occupancy, Registration, RegistrationLog, Status, Visibility
from ..permissions import can_cancel_registration, can_organise_event, can_register
from . import places
from .organising import log_admin

UNPROVEN_KEPT = timedelta(days=4)  # the link lasts three


class RegistrationClosed(Exception):
    """Nobody can register now: not open yet, closed, started or cancelled."""


class OfferOver(Exception):
    """The offer has been answered before, or its time is up. `registration` tells which."""

    def __init__(self, registration: Registration):
        super().__init__(registration.status)
        self.registration = registration


class WayUnknown(Exception):
    """A hybrid event needs to know: in the room or online. All others have one list."""


class TooLate(Exception):
    """The event is over; nothing about places changes any more."""


class NotYourTurn(Exception):
    """No place is free for somebody who waits, or the last hours have not begun."""


@transaction.atomic
def register_member(*, event: Event, member: Member, way: str = "", by: Member | None = None) -> Registration:
    """Give the member a place, or one in the queue when all are held or somebody waits already.

    Pressed twice it returns the same registration. Locks the event first, or two people both read one free place.
    `by` is an organiser who adds them by hand: also before and after registration is open, never past the queue.
    `way`: of a hybrid event, how they come. Raises RegistrationClosed, WayUnknown, PermissionDenied.
    """
    event = places.lock_event(event.pk)
    now = timezone.now()
    occupancies = places.settle(event, now)
    mine = event.registrations.live().for_member(member).first()
    if mine is not None:
        _adopt(mine, member)
        return mine
    _check_may_register(event, member, by, now)
    registration = Registration(event=event, member=member, joined_at=now, way=check_way(event, way))
    _take_place_or_queue(registration, occupancies, now=now, actor=by or member, why=_why(by))
    activity.record("events.registered", actor=member, target=event, data={"status": registration.status})
    if by is not None:
        log_admin(by, event, "events.person_added", data={"registration": registration.pk})
    return registration


def check_way(event: Event, way: str) -> str:
    """The list that this names. Raises WayUnknown."""
    if way not in event.ways:
        raise WayUnknown(way)
    return way


def _why(by: Member | None) -> str:
    return "added by hand" if by else "registered"


def _check_may_register(
    event: Event, member: Member | AnonymousUser, by: Member | None, now: datetime
) -> None:
    if by is not None:
        if not can_organise_event(by, event) or not is_full_member(member):
            raise PermissionDenied
        if event.cancelled_at is not None or event.has_started(now):
            raise RegistrationClosed
    elif not event.takes_registrations(now):
        raise RegistrationClosed
    elif not can_register(member, event):
        raise PermissionDenied
    # held until the commit: whoever leaves the group meanwhile finds this place, and gives it up
    if event.is_of_a_group and not is_held_in_group(member=member, group_id=event.group_id):
        raise PermissionDenied


def _adopt(registration: Registration, member: Member) -> None:
    """What somebody booked as a guest is theirs once they are a member with that address."""
    if registration.member_id is None:
        registration.member, registration.guest_address, registration.guest_name = member, "", ""
        registration.save(update_fields=["member", "guest_address", "guest_name"])


def _take_place_or_queue(
    registration: Registration, occupancies: dict[str, Occupancy], *, now: datetime, actor, why: str
) -> None:
    """The newcomer's turn: a place only if one is free on their list and nobody waits for it."""
    occupancy = occupancies[registration.way]
    if occupancy.is_full or occupancy.waiting:
        places.change(registration, Status.WAITING, why=why, actor=actor, at=now)
        mails.queue_waiting(registration)
    else:
        places.change(registration, Status.CONFIRMED, why=why, actor=actor, at=now)
        mails.queue_confirmed(registration)


@transaction.atomic
def request_guest_place(*, event: Event, name: str, address: str, time_zone: str = "", way: str = "") -> None:
    """A guest typed an address: a mail goes there, and nothing else happens.

    Returns nothing in every case, so that the page cannot tell whether the address is known. Locks the event.
    """
    event = places.lock_event(event.pk)
    now = timezone.now()
    _check_may_register(event, AnonymousUser(), None, now)
    member = find_member(address)
    mine = event.registrations.live()
    mine = (mine.for_member(member) if member else mine.for_address(address)).first()
    if mine is not None:
        mails.queue_known(mine, now)
        return
    way = check_way(event, way)
    unproven = event.registrations.filter(status=Status.UNPROVEN).for_address(address).first()
    if unproven is None:
        unproven = Registration(event=event, guest_address=address, joined_at=now, way=way)
        unproven.guest_name, unproven.guest_time_zone = name, time_zone
        places.change(unproven, Status.UNPROVEN, why="asked as a guest", at=now)
    else:
        unproven.guest_name, unproven.guest_time_zone, unproven.joined_at = name, time_zone, now
        unproven.way = way
        unproven.save(update_fields=["guest_name", "guest_time_zone", "joined_at", "way"])
    mails.queue_prove(unproven, now)


def find_member(address: str) -> Member | None:
    """The member whose proven address this is, whatever its case."""
    found = Member.objects.filter(email__iexact=address).exclude(status="erased").first()
    return (
        found
        or Member.objects.filter(emailaddress__email__iexact=address, emailaddress__verified=True)
        .exclude(status="erased")
        .first()
    )


@transaction.atomic
def prove_guest(*, registration: Registration) -> Registration:
    """The button in the mail was pressed: now the place, or the place in the queue, counts.

    A guest with a member's address is that member. Pressed again it returns the same registration. Locks the event.
    """
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if registration.status != Status.UNPROVEN:
        return registration
    member = find_member(registration.guest_address)
    _check_may_register(event, member or AnonymousUser(), None, now)
    occupancies = places.settle(event, now)
    if member is not None:
        mine = event.registrations.live().for_member(member).first()
        if mine is not None:
            places.change(registration, Status.CANCELLED, why="the same person had registered", at=now)
            return mine
        _adopt(registration, member)
    registration.joined_at = now  # their turn begins with the press, not with the typing
    _take_place_or_queue(registration, occupancies, now=now, actor=member, why="address confirmed")
    if member is not None:
        activity.record("events.registered", actor=member, target=event, data={"status": registration.status})
    return registration


@transaction.atomic
def accept_offer(*, registration: Registration, actor: Member | None = None) -> Registration:
    """Yes, I take it. Twice is once. OfferOver when it was answered otherwise or its time is up. Locks the event."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = _own(event, registration, actor)
    if registration.status == Status.CONFIRMED:
        return registration
    if not registration.has_open_offer(now) or event.cancelled_at is not None:
        raise OfferOver(registration)
    places.change(registration, Status.CONFIRMED, why="took the offered place", actor=actor, at=now)
    mails.queue_confirmed(registration)
    return registration


@transaction.atomic
def decline_offer(*, registration: Registration, actor: Member | None = None) -> Registration:
    """No: the place goes to the next person in this same transaction. Twice is once. Locks the event."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = _own(event, registration, actor)
    if registration.status == Status.DECLINED:
        return registration
    if not registration.has_open_offer(now):
        raise OfferOver(registration)
    places.change(registration, Status.DECLINED, why="passed the place on", actor=actor, at=now)
    places.settle(event, now)
    return registration


@transaction.atomic
def claim_place(*, registration: Registration, actor: Member | None = None) -> Registration:
    """In the last hours, when nothing is held any more: the first of those waiting takes a free place."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = _own(event, registration, actor)
    if registration.status == Status.CONFIRMED:
        return registration
    occupancy = places.settle(event, now)[registration.way]
    if registration.status != Status.WAITING or occupancy.is_full or not places.is_first_come(event, now):
        raise NotYourTurn
    places.change(registration, Status.CONFIRMED, why="took a free place near the start", actor=actor, at=now)
    mails.queue_confirmed(registration)
    return registration


@transaction.atomic
def cancel_registration(*, registration: Registration, actor: Member | None = None) -> Registration:
    """Give up a place, or leave the list. Twice is once. Locks the event; the next in line is offered the place.

    Without an actor: somebody holding the link from their mail.
    """
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = _own(event, registration, actor)
    if registration.status not in Status.unsettled():
        return registration
    if event.is_over(now):
        raise TooLate
    leave(event, registration, Status.CANCELLED, why="gave it up", actor=actor, at=now)
    mails.queue_left(registration)
    return registration


@transaction.atomic
def remove_registration(*, registration: Registration, by: Member, reason: str) -> Registration:
    """An organiser takes somebody off, and they are told why. Locks the event."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    if not can_organise_event(by, event):
        raise PermissionDenied
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if registration.status not in Status.unsettled():
        return registration
    if event.is_over(now):
        raise TooLate
    leave(event, registration, Status.REMOVED, why=reason or "removed", actor=by, at=now)
    mails.queue_removed(registration)
    log_admin(by, event, "events.person_removed", reason=reason, data={"registration": registration.pk})
    return registration


def leave(event: Event, registration: Registration, status: Status, *, why: str, actor, at: datetime) -> None:
    """Needs the event's lock. Whoever had a place has a calendar entry: its end must have the higher SEQUENCE."""
    if registration.confirmed_at is not None:
        event.sequence += 1
        event.save(update_fields=["sequence"])
    places.change(registration, status, why=why[:200], actor=actor, at=at)
    places.settle(event, at)


@transaction.atomic
def release_member(*, member: Member, why: str, forget: bool = False) -> int:
    """A suspended or deleted member leaves every coming event at once; return how many. Locks the events, by id.

    With `forget` their person is taken off all their registrations; what remains is the count of who came.
    """
    mine = Registration.objects.filter(member=member)
    left = _leave_coming(mine, why=why)
    if forget:
        RegistrationLog.objects.filter(actor=member).update(actor=None)
        mine.filter(status__in=(Status.REQUESTED, Status.WAITING, Status.OFFERED, Status.UNPROVEN)).update(
            status=Status.EXPIRED, offer_expires_at=None
        )  # of events that are over: they hold nothing, and live rows need a person
        Answer.objects.filter(registration__in=mine).delete()
        mine.update(member=None, guest_name="", guest_time_zone="", access_needs="")
    return left


@transaction.atomic
def release_from_group(*, member: Member, group_id: int) -> int:
    """Who is no longer in a group gives up their places at its coming events, unless they organise them; return how
    many. Locks the events, by id. Its rehearsals go by invitation, and stay."""
    mine = Registration.objects.filter(
        member=member, event__group=group_id, event__visibility=Visibility.GROUP, event__rehearsal_of=None
    )
    return _leave_coming(mine.exclude(event__organisers=member), why="no longer in the group")


def _leave_coming(mine, *, why: str) -> int:
    event_ids = (
        mine.filter(status__in=Status.unsettled()).order_by("event_id").values_list("event_id", flat=True)
    )
    left = 0
    for event_id in list(dict.fromkeys(event_ids)):
        event = places.lock_event(event_id)
        now = timezone.now()
        if event.is_over(now):
            continue
        for registration in mine.filter(event=event, status__in=Status.unsettled()).select_related("member"):
            leave(event, registration, Status.CANCELLED, why=why, actor=None, at=now)
            left += 1
    return left


def forget_unproven(now: datetime) -> int:
    """What was typed and never proven is nobody's business once the link in the mail has ended; return how many."""
    old = Registration.objects.filter(status=Status.UNPROVEN, joined_at__lt=now - UNPROVEN_KEPT)
    return old.delete()[1].get("events.Registration", 0)


def _own(event: Event, registration: Registration, actor: Member | None) -> Registration:
    """The row afresh, under the event's lock; only its own person may act on it."""
    registration = event.registrations.select_related("member").get(pk=registration.pk)
    if actor is not None and not _is_theirs(registration, actor):
        raise PermissionDenied
    return registration


def _is_theirs(registration: Registration, actor: Member) -> bool:
    if registration.status in Status.unsettled():
        return can_cancel_registration(actor, registration)
    return registration.member_id == actor.pk
