"""What becomes of the event: it is near, changed, postponed or called off; and what its organisers write."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core.mail import MailContent, Withhold
from kmnet.core.models import OutgoingMail

from ... import times
from ...models import EventMessage, Registration, Status
from ...reminders import REMINDERS
from ..links import cancel_url, join_url
from ..queue import key_prefix
from .sharing import comes_online, context_of, invitation, load, waiting_words, withdrawal


def event_cancelled(mail: OutgoingMail) -> MailContent:
    registration = load(mail, *Status.live(), coming=False)
    if registration.event.cancelled_at is None:
        raise Withhold("the event takes place after all")
    return MailContent(context_of(registration), withdrawal(registration))


def postponed(mail: OutgoingMail) -> MailContent:
    """The old day is off and there is no new one yet: everybody keeps what they have."""
    registration = load(mail, *Status.live(), postponed=True)
    if not registration.event.is_postponed:
        raise Withhold("the event has its day")
    return MailContent(
        context_of(
            registration,
            has_place=registration.status in (Status.CONFIRMED, Status.SOFT),
            has_entry=registration.confirmed_at is not None and registration.status != Status.RECORDING,
            cancel_url=cancel_url(registration),
        ),
        [] if registration.status == Status.RECORDING else withdrawal(registration),
    )


def event_changed(mail: OutgoingMail) -> MailContent:
    registration = load(mail, *Status.live())
    event, before = registration.event, mail.refs.get("before", {})
    if event.sequence > mail.refs["sequence"] and _newer_change_waits(mail, registration):
        raise Withhold("a later change tells it all")
    old_title = before.get("title", event.title)
    old_when = None
    if {"starts_at", "ends_at", "time_zone"} & set(before):
        then = _as_before(event, before)
        old_when = times.when(then)
    # Who was silent, or waits again after that, still has the entry in their calendar.
    has_entry = registration.confirmed_at is not None and registration.status != Status.RECORDING
    return MailContent(
        context_of(
            registration,
            old_title=old_title if old_title != event.title else "",
            old_when=old_when,
            new_venue="venue" in before,
            has_place=registration.status == Status.CONFIRMED,
            had_no_day="postponed_at" in before,
            until=times.until(registration.offer_expires_at) if registration.has_open_offer() else "",
            cancel_url=cancel_url(registration),
        ),
        [invitation(registration)] if has_entry else [],
    )


def _as_before(event, before: dict):
    """A copy of the event with the times that it had."""
    then = type(event)(starts_at=event.starts_at, ends_at=event.ends_at, time_zone=event.time_zone)
    for name in ("starts_at", "ends_at"):
        if name in before:
            setattr(then, name, datetime.fromisoformat(before[name]))
    return then


def _newer_change_waits(mail: OutgoingMail, registration: Registration) -> bool:
    prefix = key_prefix("events.event_changed", registration)
    return OutgoingMail.objects.filter(dedupe_key__startswith=prefix, pk__gt=mail.pk).exists()


def _reminder(mail: OutgoingMail, kind: str) -> MailContent:
    reminder = next(reminder for reminder in REMINDERS if reminder.kind == kind)
    registration = load(mail, Status.CONFIRMED)
    event, now = registration.event, timezone.now()
    if mail.refs["starts_at"] != event.starts_at.isoformat():
        raise Withhold("the event has been moved; another reminder comes")
    if registration.attended_at is not None:
        raise Withhold("the person is there already")
    if now < reminder.due_at(event.starts_at):
        raise Withhold("not due yet")
    if now >= reminder.too_late_at(event.starts_at):
        raise Withhold(f"too late: it was due at {reminder.due_at(event.starts_at).isoformat()}")
    return MailContent(
        context_of(
            registration,
            starts=times.until(event.starts_at),
            doors=times.until(event.doors_open_at),
            waiting_words=waiting_words(registration),
            join_url=join_url(registration) if comes_online(registration) else "",
            cancel_url=cancel_url(registration),
            why=_("You get this because you have a place. Reminders come a day and an hour before."),
        )
    )


def reminder_24h(mail: OutgoingMail) -> MailContent:
    return _reminder(mail, "events.reminder_24h")


def reminder_1h(mail: OutgoingMail) -> MailContent:
    return _reminder(mail, "events.reminder_1h")


def letter(mail: OutgoingMail) -> MailContent:
    """What the organisers wrote, in the name of the one who wrote it."""
    registration = load(mail, *Status.live(), coming=False, postponed=True)
    message = EventMessage.objects.select_related("author").filter(pk=mail.refs.get("message")).first()
    if message is None:
        raise Withhold("the letter is gone")
    author = message.author.name if message.author else ""
    context = context_of(
        registration,
        letter=message,
        author=author,
        why=_("You get this because you registered for this event; its organisers wrote to %(whom)s.")
        % {"whom": message.get_audience_display()},
    )
    return MailContent(context, from_name=author)
