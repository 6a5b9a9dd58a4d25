"""Celery entry points. The schedule wakes them every minute, one every hour; doubled or missed beats do no harm."""

import logging
from datetime import timedelta

from celery import shared_task
from django.db import transaction
from django.db.models import BigIntegerField, CharField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Coalesce, Concat, Extract, Floor, Greatest
from django.utils import timezone

from kmnet.core.models import OutgoingMail
from members.models import Member

from . import mails
from .models import Event, Registration, Status
from .reminders import REMINDERS

logger = logging.getLogger(__name__)
CATCH_UP = timedelta(days=1)  # so far back, a reminder that nobody queued gets its row and its reason


@shared_task
def sweep_promotions() -> None:
    """End lapsed offers and offer what is free, wherever a path has missed it: nobody waits beside an empty place."""
    from . import services  # a task imports what it wakes

    now = timezone.now()
    services.forget_unproven(now)
    gone = Registration.objects.filter(
        Q(member__is_active=False) | Q(member__status="leaving"), status__in=Status.unsettled()
    )
    for member in Member.objects.filter(pk__in=gone.exclude(Event.over_at(now, "event__")).values("member")):
        # Suspended, or gone, in the very moment in which they registered.
        services.release_member(member=member, why="the member may not sign in any more")
    lapsed = Registration.objects.lapsed(now).filter(event=OuterRef("pk"))
    waiting = Registration.objects.filter(event=OuterRef("pk"), status=Status.WAITING)
    _promote(Event.objects.filter(Exists(lapsed) | (Q(starts_at__gt=now) & Exists(waiting))))


@shared_task
def nudge_all() -> None:
    """Every hour, every coming event, whatever the other sweeps believe: so no fault of theirs lasts."""
    now = timezone.now()
    _promote(Event.objects.coming(now).filter(published_at__isnull=False))
    sweep_registrations()


def _promote(events) -> None:
    from . import services  # a task imports what it wakes

    for event in events.filter(cancelled_at__isnull=True, postponed_at__isnull=True).order_by("pk"):
        try:
            services.promote_waiting(event=event)
        except Exception:  # one event that fails must not keep the others waiting
            logger.exception("promotion for event %s failed", event.pk)


@shared_task
def sweep_registrations() -> None:
    """What the clock asks and tells: do you still come, who was silent, the call near the start, positions."""
    from . import services  # a task imports what it wakes

    for sweep in (
        services.ask_reconfirmations,
        services.soften_silent,
        services.call_everyone,
        services.tell_positions,
    ):
        try:
            sweep(timezone.now())
        except Exception:  # one that fails must not keep the others
            logger.exception("%s failed", sweep.__name__)


@shared_task
def queue_due_reminders() -> None:
    """One outbox row per registration, kind and start. What is too late gets its row too, and the reason stands there."""
    now = timezone.now()
    for reminder in REMINDERS:
        for pk in due_registrations(reminder, now).values_list("pk", flat=True):
            try:
                _queue_reminder(reminder, pk)
            except Exception:  # one that fails must not keep the others' reminders
                logger.exception("%s for registration %s failed", reminder.kind, pk)


def due_registrations(reminder, now):
    """Places whose reminder is due and has no row yet.

    Not for those who got their place, or heard of the new time, only after it was due: they know.
    """
    key = Concat(
        Value(f"{reminder.kind}:"),
        Cast(OuterRef("event_id"), CharField()),
        Value("."),
        Cast(OuterRef("pk"), CharField()),
        Value(":"),
        Cast(Cast(Floor(Extract(OuterRef("event__starts_at"), "epoch")), BigIntegerField()), CharField()),
        output_field=CharField(),
    )
    told_at = Greatest(F("confirmed_at"), Coalesce(F("event__moved_at"), F("confirmed_at")))
    return (
        Registration.objects.filter(
            status=Status.CONFIRMED,
            event__published_at__isnull=False,
            event__cancelled_at__isnull=True,
            event__postponed_at__isnull=True,
            event__starts_at__lte=now + reminder.before,
            event__starts_at__gt=now - CATCH_UP,
        )
        .annotate(told_at=told_at)
        .filter(told_at__lte=F("event__starts_at") - reminder.before)
        .exclude(Exists(OutgoingMail.objects.filter(dedupe_key=key)))
        .order_by("pk")
    )


@transaction.atomic
def _queue_reminder(reminder, pk: int) -> None:
    registration = Registration.objects.select_related("event", "member").get(pk=pk)
    if registration.status == Status.CONFIRMED:
        mails.queue_reminder(reminder.kind, registration)
