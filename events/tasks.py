"""Periodic work of events. Doubled or missed beats do no harm."""

from datetime import timedelta

from django.db.models import BigIntegerField, CharField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Coalesce, Concat, Extract, Floor, Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs
from kmnet.core.jobs import Job
from kmnet.core.models import OutgoingMail
from members.models import Member

from . import mails
from .models import Event, Registration, Status
from .reminders import REMINDERS

CATCH_UP = timedelta(days=1)  # so far back, a reminder that nobody queued gets its row and its reason


def sweep_promotions() -> None:
    """End lapsed offers and offer what is free, wherever a path has missed it: nobody waits beside an empty place."""
    jobs.steps(forget_unproven, release_gone, promote)


def forget_unproven() -> int:
    """What was typed and never proven."""
    from . import services  # they import what registers with core

    return services.forget_unproven(timezone.now())


def release_gone() -> int:
    """The places of members who were suspended, or left, in the very moment in which they registered."""
    from . import services

    gone = Registration.objects.filter(
        Q(member__is_active=False) | Q(member__status="leaving"), status__in=Status.unsettled()
    ).exclude(Event.over_at(timezone.now(), "event__"))

    def release(member):
        services.release_member(member=member, why="the member may not sign in any more")

    return jobs.each(Member.objects.filter(pk__in=gone.values("member")), release, what="places of")


def promote() -> int:
    """Every event with an offer whose time is up, or with somebody in line."""
    now = timezone.now()
    lapsed = Registration.objects.lapsed(now).filter(event=OuterRef("pk"))
    waiting = Registration.objects.filter(event=OuterRef("pk"), status=Status.WAITING)
    return _promote(Event.objects.filter(Exists(lapsed) | (Q(starts_at__gt=now) & Exists(waiting))))


def nudge_all() -> None:
    """Every hour, every coming event, whatever the other sweeps believe: so no fault of theirs lasts."""
    now = timezone.now()
    _promote(Event.objects.coming(now).filter(published_at__isnull=False))
    sweep_registrations()


def _promote(events) -> int:
    from . import services

    def settle(event):
        services.promote_waiting(event=event)

    on = events.filter(cancelled_at__isnull=True, postponed_at__isnull=True)
    return jobs.each(on.order_by("pk"), settle, what="promotion,")


def sweep_registrations() -> None:
    """What the clock asks and tells: do you still come, who was silent, the call near the start, positions."""
    from . import services

    now = timezone.now()
    sweeps = (
        services.ask_reconfirmations,
        services.soften_silent,
        services.call_everyone,
        services.tell_positions,
    )
    for sweep in sweeps:
        jobs.attempt(sweep.__name__, lambda sweep=sweep: sweep(now))


def queue_due_reminders() -> None:
    """One outbox row per registration, kind and start. What is too late gets its row too, and the reason stands there."""
    now = timezone.now()
    for reminder in REMINDERS:
        ids = list(due_registrations(reminder, now).values_list("pk", flat=True))
        jobs.each(
            ids,
            lambda pk, reminder=reminder: _queue_reminder(reminder, pk),
            what=f"{reminder.kind}, registration",
        )


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


def _queue_reminder(reminder, pk: int) -> bool:
    registration = Registration.objects.select_related("event", "member").get(pk=pk)
    if registration.status != Status.CONFIRMED:
        return False
    mails.queue_reminder(reminder.kind, registration)
    return True


def lapsed_offers(now):
    return Registration.objects.lapsed(now).filter(
        event__cancelled_at__isnull=True, event__postponed_at__isnull=True
    )


jobs.register(
    Job(
        "events.places",
        _("Offers that have lapsed end, and free places are offered to those who wait"),
        60,
        sweep_promotions,
        lapsed_offers,
        "offer_expires_at",
    )
)
jobs.register(
    Job(
        "events.asking",
        _("Do you still come, the call near the start, and where people stand in line"),
        60,
        sweep_registrations,
    )
)
jobs.register(Job("events.nudge", _("Every coming event is looked through"), 3600, nudge_all))
jobs.register(
    Job("events.reminders", _("Reminders of events are written into the outbox"), 60, queue_due_reminders)
)
