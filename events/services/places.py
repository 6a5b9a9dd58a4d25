"""Giving out places: the lock, the count, the offers. Everything that holds or frees a place comes through here.

The order of locks is always the event first, then its registrations; whoever needs several events takes them by id.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from kmnet.core import rows
from kmnet.core.fixed import fixed

from .. import mails
from ..models import Event, Occupancy, Registration, RegistrationLog, Status, Way

OFFER_LASTS = timedelta(hours=24)
BECAME_FREE = "a place became free"  # in the log; other words say that the organisers offered more
SHORTEST_OFFER = timedelta(hours=1)
LEFT = (
    Status.CANCELLED,
    Status.DECLINED,
    Status.REMOVED,
)  # not EXPIRED: they may come back in the last hours
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
    "asked_at",
    "said_yes_at",
    "told_position",
    "given_by",
]


def lock_event(event_id: int) -> Event:
    """The event's row, ours until the commit. Whoever counts places without it gives two people the last one."""
    if found := _locked(pk=event_id):
        return found[0]
    raise Event.DoesNotExist(event_id)


@fixed
def _locked(*, pk):
    return Event.objects.select_for_update(of=("self",)).filter(pk=pk)


def change(
    registration: Registration, status: Status, *, why: str, actor=None, at: datetime, **fields
) -> None:
    """The one line that moves a registration from state to state; the log row goes with it. Needs the event's lock."""
    is_new = registration.is_new
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
    if is_new:
        rows.insert(registration)
    else:
        registration.save(update_fields=WRITTEN)
    if status in LEFT:
        forget_details(registration)
    _log(registration, before, why=why, actor=actor, at=at)


def forget_details(registration: Registration) -> None:
    """Who does not come needs nothing, and what they answered is nobody's business any more."""
    if registration.access_needs:
        registration.access_needs = ""
        registration.save(update_fields=["access_needs"])
    registration.answers.all().delete()


def note(registration: Registration, *, why: str, actor=None, at: datetime, **fields) -> None:
    """Something about a registration changes, and its state does not; the log row goes with it. Needs the event's
    lock."""
    for name, value in fields.items():
        setattr(registration, name, value)
    if fields:
        registration.save(update_fields=list(fields))
    _log(registration, registration.status, why=why, actor=actor, at=at)


def _log(registration: Registration, before: str, *, why: str, actor, at: datetime) -> None:
    rows.insert(
        RegistrationLog(
            registration=registration,
            at=at,
            actor=actor,
            from_status=before,
            to_status=registration.status,
            why=why[:200],
        ),
        needs_key=False,
    )


# --- what the hour allows ------------------------------------------------------------------------------------------------
def offer_end(event: Event, now: datetime) -> datetime:
    """A day, but not into the last three hours; and never less than an hour, or nobody could answer."""
    return max(min(now + OFFER_LASTS, event.last_offer_at), now + SHORTEST_OFFER)


def is_on(event: Event) -> bool:
    """Neither called off nor without a day."""
    return event.cancelled_at is None and event.postponed_at is None


def holds_offers(event: Event, now: datetime) -> bool:
    """May a free place be held for one person now? Near the start it is anybody's of those who wait."""
    return is_on(event) and event.published_at is not None and now < event.last_offer_at


def is_first_come(event: Event, now: datetime) -> bool:
    """The last three hours: a free place goes to whoever of those waiting takes it first."""
    return is_on(event) and event.last_offer_at <= now < event.starts_at


# --- taking a place ------------------------------------------------------------------------------------------------------
def is_free_for_newcomers(occupancy: Occupancy) -> bool:
    """No passer-by takes a place while somebody waits for it."""
    return not occupancy.is_full and not occupancy.waiting


def take_place_or_queue(
    event: Event,
    registration: Registration,
    occupancies: dict[str, Occupancy],
    *,
    at: datetime,
    priority: int = 0,
    left_before: bool | None = None,
    **deed,
) -> None:
    """A newcomer’s turn: a place if one is free on their list and nobody waits for it, else the end of the line. Mails
    them which. `occupancies`: as settle() returned them. Needs the event's lock."""
    occupancy = occupancies[registration.way]
    if is_free_for_newcomers(occupancy):
        give_place(event, registration, at=at, left_before=left_before, **deed)
        mails.queue_confirmed(registration)
    else:
        queue_up(event, registration, occupancy, at=at, priority=priority, **deed)


def give_place(
    event: Event, registration: Registration, *, at: datetime, left_before: bool | None = None, **deed
) -> None:
    """Confirmed. Whoever had a place here before, and gave it up (`left_before`; None: it is looked up), has the end
    of it in their calendar: the new entry must have the higher SEQUENCE. Needs the event's lock; the caller has
    counted."""
    if _left_before(event, registration) if left_before is None else left_before:
        event.sequence += 1
        event.save(update_fields=["sequence"])
    change(registration, Status.CONFIRMED, at=at, **deed)


def end_entry(event: Event, registration: Registration) -> None:
    """Whoever had a place has a calendar entry: its end must have the higher SEQUENCE. Before the state changes; needs the
    event's lock."""
    if registration.confirmed_at is not None and registration.status != Status.RECORDING:
        event.sequence += 1
        event.save(update_fields=["sequence"])


def _left_before(event: Event, registration: Registration) -> bool:
    if not registration.is_new and registration.status == Status.RECORDING:
        return registration.confirmed_at is not None
    theirs = event.registrations.filter(confirmed_at__isnull=False, ended_at__isnull=False)
    if registration.member_id:
        return theirs.filter(member=registration.member_id).exists()
    return theirs.for_address(registration.guest_address).exists()


def queue_up(
    event: Event, registration: Registration, occupancy: Occupancy, *, at: datetime, priority: int = 0, **deed
) -> None:
    """On to the waiting list, behind all of the same priority; the mail says at which position."""
    ahead = occupancy.waiting
    if priority:
        waiting = event.registrations.filter(status=Status.WAITING, way=registration.way)
        ahead = waiting.filter(priority__gte=priority).count()
    change(
        registration,
        Status.WAITING,
        at=at,
        priority=priority,
        joined_at=at,
        told_position=ahead + 1,
        given_by=None,  # whoever gave them a place before: for this one they wait like everybody
        **deed,
    )
    mails.queue_waiting(registration)


# --- passing places on ---------------------------------------------------------------------------------------------------
def end_lapsed_offers(event: Event, now: datetime) -> None:
    """Their time is up. They stopped counting by themselves; this tells them, and writes it down. Needs the lock."""
    for lapsed in _lapsed(event=event.pk, now=now):
        end_entry(event, lapsed)
        change(lapsed, Status.EXPIRED, why="the offer was not answered in time", at=now)
        if lapsed.given_by_id is None:  # who was given a place unasked has not waited for it
            mails.queue_offer_passed(lapsed)


@fixed
def _lapsed(*, event, now):
    return Registration.objects.filter(event=event).lapsed(now).select_related("member").in_queue_order()


def offer_free_places(
    event: Event,
    now: datetime,
    occupancies: dict[str, Occupancy] | None = None,
    *,
    actor=None,
    why: str = BECAME_FREE,
) -> dict[str, Occupancy]:
    """Every free place of each list to the next in its line. Idempotent; returns the counts after it. `occupancies`:
    as counted a moment ago. Needs the event's lock."""
    occupancies = occupancies or event.occupancies(now)
    if not holds_offers(event, now):
        return occupancies
    offered = [
        _offer_on(event, way, occupancy, now, actor=actor, why=why) for way, occupancy in occupancies.items()
    ]
    return event.occupancies(now) if any(offered) else occupancies


def _offer_on(event: Event, way: str, occupancy: Occupancy, now: datetime, *, actor, why: str) -> int:
    if not occupancy.waiting or occupancy.is_full:
        return 0
    waiting = event.registrations.filter(status=Status.WAITING, way=way)
    queue = waiting.select_related("member").in_queue_order()
    offered = 0
    for registration in queue if occupancy.free is None else queue[: occupancy.free]:
        ends = offer_end(event, now)
        change(registration, Status.OFFERED, why=why, actor=actor, at=now, offer_expires_at=ends)
        mails.queue_offer(registration)
        offered += 1
    return offered


def settle(
    event: Event, now: datetime, occupancies: dict[str, Occupancy] | None = None
) -> dict[str, Occupancy]:
    """End the offers whose time is up, and offer what is free; the counts of each list after it. Called twice, the
    second call finds nothing to do. `occupancies`: as counted a moment ago. Needs the event's lock."""
    occupancies = occupancies or event.occupancies(now)
    if not is_on(event):
        return occupancies  # nothing to offer, and nobody is told that an offer of it has passed
    if any(occupancy.lapsed for occupancy in occupancies.values()):
        end_lapsed_offers(event, now)
        occupancies = event.occupancies(now)
    return offer_free_places(event, now, occupancies)


@transaction.atomic
def promote_waiting(*, event: Event) -> dict[str, Occupancy]:
    """The one way from the waiting list to a place. Every path that frees one ends here, and so does the sweep."""
    return settle(lock_event(event.pk), timezone.now())


# --- while an event has no day -------------------------------------------------------------------------------------------
def take_offers_back(event: Event, now: datetime, *, actor=None) -> None:
    """The event is postponed: whoever was offered a place goes back to where they stood in the line, so that no offer
    runs out while it cannot be answered. Needs the event's lock."""
    end_lapsed_offers(event, now)
    for registration in event.registrations.filter(status=Status.OFFERED).select_related("member"):
        change(
            registration, Status.WAITING, why="the event was postponed", actor=actor, at=now, given_by=None
        )


def shorten_offers(event: Event, now: datetime) -> None:
    """An event moved forward: no offer may reach into its last hours (and none gets longer). Needs the event's lock."""
    latest = min(max(event.last_offer_at, now + SHORTEST_OFFER), event.starts_at)
    event.registrations.filter(status=Status.OFFERED, offer_expires_at__gt=latest).update(
        offer_expires_at=latest
    )


def raise_overbooking(event: Event, way: str, count: int) -> None:
    """So many more may hold a place on this list than were accepted before. Needs the event's lock."""
    name = "online_overbooking" if way == Way.ONLINE else "overbooking"
    setattr(event, name, getattr(event, name) + count)
    event.save(update_fields=[name])
