"""Three days before: do you still come? Who says nothing becomes soft a day before, and the place is offered on."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from members.models import Member

from .. import mails
from ..models import BACK, Event, Registration, Status
from ..reminders import ASKED_BEFORE, SILENT_BEFORE, TIME_TO_ANSWER
from . import offers, persons, places, sweeping
from .refusals import OfferOver, TooLate


@transaction.atomic
def confirm_coming(*, registration: Registration, actor: Member | None = None) -> Registration:
    """“Yes, I come.” Who has a place keeps it; who was silent has it back if one is free, and else is the first in
    line; an open offer is accepted. Twice is once. Locks the event.

    Raises TooLate (over or called off), OfferOver (the place was given up, or the offer has passed),
    PermissionDenied."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    occupancies = places.settle(event, now)
    registration = persons.own(event, registration, actor)
    if registration.status == Status.WAITING:
        return registration  # pressed before: first in line
    if event.is_over(now) or event.cancelled_at is not None:
        raise TooLate
    if registration.status == Status.CONFIRMED:
        if not has_said_yes(event, registration):
            places.note(registration, why="says that they come", actor=actor, at=now, said_yes_at=now)
    elif registration.status == Status.SOFT:
        registration.said_yes_at = now
        occupancy = occupancies[registration.way]
        why = "was silent, and comes"
        if occupancy.is_full or not places.is_on(event):
            places.queue_up(event, registration, occupancy, priority=BACK, why=why, actor=actor, at=now)
        else:
            places.give_place(event, registration, why=why, actor=actor, at=now)
            mails.queue_confirmed(registration)
    elif registration.status == Status.OFFERED:
        offers.take_offer(event, registration, actor=actor, at=now)
    else:
        raise OfferOver(registration)
    return registration


def has_said_yes(event: Event, registration: Registration) -> bool:
    """To the day that the event has now."""
    said = registration.said_yes_at
    return said is not None and (event.moved_at is None or said >= event.moved_at)


ASKED = Q(asked_at__isnull=False) & (Q(event__moved_at__isnull=True) | Q(asked_at__gte=F("event__moved_at")))
SAID_YES = Q(said_yes_at__isnull=False) & (
    Q(event__moved_at__isnull=True) | Q(said_yes_at__gte=F("event__moved_at"))
)


def to_ask(now: datetime):
    """Whose place is to be confirmed anew: they got it more than three days before the start, on a list that has an
    end, and were not asked since the event has this day. Not in the last day: no time would be left to answer."""
    return _in_question().filter(
        ~ASKED,
        ~SAID_YES,
        event__starts_at__lte=now + ASKED_BEFORE,
        event__starts_at__gt=now + SILENT_BEFORE,
        confirmed_at__lt=F("event__starts_at") - ASKED_BEFORE,
    )


def to_soften(now: datetime):
    """Who was asked at least twelve hours ago, and said nothing, a day before the start."""
    return _in_question().filter(
        ASKED,
        ~SAID_YES,
        event__starts_at__lte=now + SILENT_BEFORE,
        event__starts_at__gt=now,
        asked_at__lte=now - TIME_TO_ANSWER,
        confirmed_at__lte=F("asked_at"),
        attended_at__isnull=True,
    )


def _in_question():
    has_end = Q(way="online", event__online_capacity__isnull=False) | ~Q(way="online") & Q(
        event__capacity__isnull=False
    )
    return Registration.objects.filter(
        has_end,
        status=Status.CONFIRMED,
        event__asks_reconfirmation=True,
        event__published_at__isnull=False,
        event__cancelled_at__isnull=True,
        event__postponed_at__isnull=True,
    )


def ask_reconfirmations(now: datetime) -> int:
    """Ask whom to_ask() names, once each; return how many. Each event in a transaction and under a lock of its own."""
    return sweeping.each_event(to_ask(now), _ask, now)


def _ask(event: Event, now: datetime) -> int:
    due = list(to_ask(now).filter(event=event).select_related("member").order_by("pk"))
    for registration in due:
        why = "asked whether they still come"
        places.note(
            registration, why=why, at=now, asked_at=now, said_yes_at=None
        )  # a yes to the old day is none
        mails.queue_reconfirm(registration)
    return len(due)


def soften_silent(now: datetime) -> int:
    """Whom to_soften() names keep a soft place, which counts no more and is offered on; return how many. Each event in
    a transaction and under a lock of its own."""
    return sweeping.each_event(to_soften(now), _soften, now)


def _soften(event: Event, now: datetime) -> int:
    due = list(to_soften(now).filter(event=event).select_related("member").order_by("pk"))
    for registration in due:
        places.change(registration, Status.SOFT, why="did not say whether they come", at=now)
        mails.queue_soft(registration)
    places.settle(event, now)
    return len(due)
