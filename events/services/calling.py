"""While people wait: where they stand, and near the start the call to all of them, where the first one wins."""

from datetime import datetime, timedelta

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from .. import mails
from ..models import Event, Registration, Status
from ..models.event import LAST_OFFER_BEFORE
from . import places, sweeping

FIRST_TEN = 10


def _on(rows):
    return rows.filter(
        event__published_at__isnull=False, event__cancelled_at__isnull=True, event__postponed_at__isnull=True
    )


# --- the last call -------------------------------------------------------------------------------------------------------
def to_call(now: datetime):
    """Who waits, or let an offer pass, in the last three hours and has not been called. (Whether a place is free is
    counted under the lock. Those who were given a place by somebody have not waited for one.)"""
    not_called = Q(called_at__isnull=True) | Q(called_at__lt=F("event__moved_at"))
    rows = Registration.objects.filter(
        not_called,
        status__in=(Status.WAITING, Status.EXPIRED),
        given_by__isnull=True,
        event__starts_at__gt=now,
        event__starts_at__lte=now + LAST_OFFER_BEFORE,
    )
    return _on(rows).filter(Q(member__isnull=False) | ~Q(guest_address=""))


def call_everyone(now: datetime) -> int:
    """From three hours before the start, when a place is free: tell all who would take it, once each; return how many.
    The first who comes has it. Each event in a transaction and under a lock of its own."""
    return sweeping.each_event(to_call(now), _call, now)


def _call(event: Event, now: datetime) -> int:
    free = [way for way, occupancy in places.settle(event, now).items() if not occupancy.is_full]
    if not free or not places.is_first_come(event, now):
        return 0
    due = to_call(now).filter(event=event, way__in=free).select_related("member").in_queue_order()
    called = [registration for registration in due if not _came_back(event, registration)]
    for registration in called:
        places.note(registration, why="called: a place is free near the start", at=now, called_at=now)
        mails.queue_all_hands(registration)
    return len(called)


def _came_back(event: Event, registration: Registration) -> bool:
    """Registered anew since the offer passed."""
    if registration.status != Status.EXPIRED:
        return False
    live = event.registrations.live()
    if registration.member_id:
        return live.for_member(registration.member).exists()
    return live.for_address(registration.guest_address).exists()


# --- the position --------------------------------------------------------------------------------------------------------
def to_tell(now: datetime):
    """Whose position has halved since they were told, or is now among the first ten; with `place`, the position."""
    waiting = Registration.objects.filter(
        status=Status.WAITING, event__starts_at__gt=now + LAST_OFFER_BEFORE + timedelta(minutes=1)
    )
    placed = _on(waiting).annotate(
        place=Window(
            RowNumber(),
            partition_by=[F("event_id"), F("way")],
            order_by=[F("priority").desc(), F("joined_at").asc(), F("pk").asc()],
        )
    )
    return placed.filter(
        Q(told_position__isnull=True)
        | Q(place__lte=F("told_position") / 2)
        | Q(place__lte=FIRST_TEN, told_position__gt=FIRST_TEN)
    )


def tell_positions(now: datetime) -> int:
    """Tell whom to_tell() names where they stand now; return how many. Each event in a transaction and under a lock of
    its own. Whoever went back into the line without being told (told_position is empty) begins to be counted here."""
    return sweeping.each_event(to_tell(now), _tell, now)


def _tell(event: Event, now: datetime) -> int:
    told = 0
    for registration in list(to_tell(now).filter(event=event).select_related("member")):
        before, registration.told_position = registration.told_position, registration.place
        registration.save(update_fields=["told_position"])
        if before is not None:
            mails.queue_position(registration, registration.place, before)
            told += 1
    return told
