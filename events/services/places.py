"""Giving out places: the lock, the count, the offers. Everything that holds or frees a place comes through here.

The order of locks is always the event first, then its registrations; whoever needs several events takes them by id.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from .. import mails
from ..models import Event, Occupancy, Registration, RegistrationLog, Status

OFFER_LASTS = timedelta(hours=24)
SHORTEST_OFFER = timedelta(hours=1)
# Not `attended_at`: that is noted without the event's lock, and must not be overwritten by an older reading.
WRITTEN = [
    "status",
    "way",
    "priority",
    "member",
    "guest_name",
    "guest_address",
    "joined_at",
    "confirmed_at",
    "offered_at",
    "offer_expires_at",
    "ended_at",
]


def lock_event(event_id: int) -> Event:
    """The event's row, ours until the commit. Whoever counts places without it gives two people the last one."""
    return Event.objects.select_for_update(of=("self",)).get(pk=event_id)


def change(
    registration: Registration, status: Status, *, why: str, actor=None, at: datetime, **fields
) -> None:
    """The one line that moves a registration from state to state; the log row goes with it. Needs the event's lock."""
    is_new = registration.pk is None
    before = "" if is_new else registration.status
    registration.status = status
    if status == Status.OFFERED:
        registration.offered_at = at
    else:
        registration.offer_expires_at = None
    if status == Status.CONFIRMED:
        registration.confirmed_at = at
    registration.ended_at = None if status in Status.unsettled() else at
    for name, value in fields.items():
        setattr(registration, name, value)
    registration.save(force_insert=is_new, update_fields=None if is_new else WRITTEN)
    RegistrationLog.objects.create(
        registration=registration, at=at, actor=actor, from_status=before, to_status=status, why=why
    )


def offer_end(event: Event, now: datetime) -> datetime:
    """A day, but not into the last three hours; and never less than an hour, or nobody could answer."""
    return max(min(now + OFFER_LASTS, event.last_offer_at), now + SHORTEST_OFFER)


def holds_offers(event: Event, now: datetime) -> bool:
    """May a free place be held for one person now? Near the start it is anybody's of those who wait."""
    return is_on(event) and event.published_at is not None and now < event.last_offer_at


def is_on(event: Event) -> bool:
    """Neither called off nor without a day."""
    return event.cancelled_at is None and event.postponed_at is None


def is_first_come(event: Event, now: datetime) -> bool:
    """The last three hours: a free place goes to whoever of those waiting takes it first."""
    return is_on(event) and event.last_offer_at <= now < event.starts_at


def end_lapsed_offers(event: Event, now: datetime) -> None:
    """Their time is up. They stopped counting by themselves; this tells them, and writes it down. Needs the lock."""
    for lapsed in event.registrations.lapsed(now).select_related("member").in_queue_order():
        change(lapsed, Status.EXPIRED, why="the offer was not answered in time", at=now)
        mails.queue_offer_passed(lapsed)


def offer_free_places(event: Event, now: datetime) -> dict[str, Occupancy]:
    """Every free place of each list to the next in its line. Idempotent; returns the counts after it. Needs the
    event's lock."""
    occupancies = event.occupancies(now)
    if not holds_offers(event, now):
        return occupancies
    offered = [_offer_on(event, way, occupancy, now) for way, occupancy in occupancies.items()]
    return event.occupancies(now) if any(offered) else occupancies


def _offer_on(event: Event, way: str, occupancy: Occupancy, now: datetime) -> int:
    if not occupancy.waiting or occupancy.is_full:
        return 0
    waiting = event.registrations.filter(status=Status.WAITING, way=way)
    queue = waiting.select_related("member").in_queue_order()
    offered = 0
    for registration in queue if occupancy.free is None else queue[: occupancy.free]:
        ends = offer_end(event, now)
        change(registration, Status.OFFERED, why="a place became free", at=now, offer_expires_at=ends)
        mails.queue_offer(registration)
        offered += 1
    return offered


def settle(event: Event, now: datetime) -> dict[str, Occupancy]:
    """End the offers whose time is up, and offer what is free; the counts of each list after it. Called twice, the
    second call finds nothing to do. Needs the event's lock."""
    if not is_on(event):
        return event.occupancies(now)  # nothing to offer, and nobody is told that an offer of it has passed
    end_lapsed_offers(event, now)
    return offer_free_places(event, now)


@transaction.atomic
def promote_waiting(*, event: Event) -> dict[str, Occupancy]:
    """The one way from the waiting list to a place. Every path that frees one ends here, and so does the sweep."""
    return settle(lock_event(event.pk), timezone.now())
