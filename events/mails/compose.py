"""The words of each mail, made at the moment of sending from the registration as it then is.

Whoever may no longer get it, or whom it would mislead by now, does not: Withhold says why, and the row keeps it.
"""

import zoneinfo
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from kmnet.core.mail import Attachment, MailContent, MailKind, Withhold
from kmnet.core.models import OutgoingMail
from members.models import Member

from .. import calendar, times
from ..models import Registration, Status
from ..permissions import can_view_event
from ..reminders import REMINDERS
from .links import cancel_url, join_url, offer_url, prove_url
from .queue import key_prefix


# --- what all of them share --------------------------------------------------------------------------------------------
def _load(mail: OutgoingMail, *wanted: Status, coming: bool = True) -> Registration:
    """The registration, if it is still in one of the states that this mail speaks of."""
    found = (
        Registration.objects.select_related("event", "member")
        .filter(pk=mail.refs.get("registration"))
        .first()
    )
    if found is None:
        raise Withhold("the registration is gone")
    if found.member_id is None and not found.guest_address:
        raise Withhold("the person is gone")
    if found.member_id and not found.member.is_active:
        raise Withhold("the member may not sign in any more")
    if found.status not in wanted:
        raise Withhold(f"the registration is {found.status} by now")
    if coming and found.event.cancelled_at is not None:
        raise Withhold("the event is cancelled")
    if coming and found.event.is_over():
        raise Withhold("the event is over")
    if found.member_id and not can_view_event(found.member, found.event):
        raise Withhold("the member may no longer see the event")
    return found


def _context(registration: Registration, **more) -> dict:
    event = registration.event
    reader = times.when(event)
    own = times.when(event, event.zone)
    words = registration.name.split()
    return {
        "registration": registration,
        "event": event,
        "first_name": words[0] if words else "",
        "when": reader,
        "when_there": own if own.city != reader.city else None,
        "where": event.venue or _("Online"),
        "event_url": settings.SITE_URL + event.get_absolute_url(),
        "why": _("You get this because you registered for this event."),
        **more,
    }


def _invitation(registration: Registration) -> Attachment:
    content = calendar.invitation(registration.event, name=registration.name, address=registration.address)
    return Attachment("invite.ics", content, "text/calendar; method=REQUEST")


def _withdrawal(registration: Registration) -> list[Attachment]:
    """Only for those who had a place, and so an entry in their calendar."""
    if registration.confirmed_at is None:
        return []
    content = calendar.withdrawal(registration.event, name=registration.name, address=registration.address)
    return [Attachment("cancel.ics", content, "text/calendar; method=CANCEL")]


def _came_back(registration: Registration) -> bool:
    live = Registration.objects.live().filter(event=registration.event)
    if registration.member_id:
        return live.for_member(registration.member).exists()
    return live.for_address(registration.guest_address).exists()


# --- places ------------------------------------------------------------------------------------------------------------
def confirmed(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, Status.CONFIRMED)
    context = _context(registration, cancel_url=cancel_url(registration))
    return MailContent(context, [_invitation(registration)])


def waiting(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, Status.WAITING)
    occupancy = registration.event.occupancy()
    return MailContent(
        _context(
            registration,
            position=registration.position(),
            waiting_count=occupancy.waiting,
            cancel_url=cancel_url(registration),
            why=_("You get this because you joined the waiting list."),
        )
    )


def offer(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, Status.OFFERED)
    if not registration.has_open_offer():
        raise Withhold("the offer has ended")
    zone = timezone.get_current_timezone()
    zone = zone if isinstance(zone, zoneinfo.ZoneInfo) else zoneinfo.ZoneInfo("UTC")
    ends = registration.offer_expires_at
    held_until = _("%(moment)s, %(city)s time (%(offset)s)") % {
        "moment": date_format(timezone.localtime(ends), pgettext("the end of an offer", "l j F, H:i")),
        "city": times.city(zone),
        "offset": times.offset(ends, zone),
    }
    return MailContent(
        _context(
            registration,
            until=times.until(ends),
            held_until=held_until,
            offer_url=offer_url(registration),
            cancel_url=cancel_url(registration),
            why=_("You get this because you joined the waiting list on %(day)s.")
            % {"day": date_format(timezone.localtime(registration.joined_at), "j F")},
        )
    )


def offer_passed(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, Status.EXPIRED)
    if _came_back(registration):
        raise Withhold("the person has registered again")
    why = _("You get this because you were on the waiting list.")
    return MailContent(_context(registration, why=why, is_open=registration.event.takes_registrations()))


def cancelled_by_you(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, Status.CANCELLED)
    if _came_back(registration):
        raise Withhold("the person has registered again")
    why = _("You get this because you gave up your place or your turn.")
    had_place = registration.confirmed_at is not None
    return MailContent(_context(registration, why=why, had_place=had_place), _withdrawal(registration))


def removed(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, Status.REMOVED)
    if _came_back(registration):
        raise Withhold("the person has registered again")
    reason = registration.log.filter(to_status=Status.REMOVED).values_list("why", flat=True).last()
    return MailContent(
        _context(registration, reason="" if reason == "removed" else reason), _withdrawal(registration)
    )


# --- the event ---------------------------------------------------------------------------------------------------------
def event_cancelled(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, *Status.live(), coming=False)
    if registration.event.cancelled_at is None:
        raise Withhold("the event takes place after all")
    return MailContent(_context(registration), _withdrawal(registration))


def event_changed(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, *Status.live())
    event, before = registration.event, mail.refs.get("before", {})
    if event.sequence > mail.refs["sequence"] and _newer_change_waits(mail, registration):
        raise Withhold("a later change tells it all")
    old_title = before.get("title", event.title)
    old_when = None
    if {"starts_at", "ends_at", "time_zone"} & set(before):
        then = _as_before(event, before)
        old_when = times.when(then)
    confirmed_place = registration.status == Status.CONFIRMED
    return MailContent(
        _context(
            registration,
            old_title=old_title if old_title != event.title else "",
            old_when=old_when,
            new_venue="venue" in before,
            has_place=confirmed_place,
            until=times.until(registration.offer_expires_at) if registration.has_open_offer() else "",
            cancel_url=cancel_url(registration),
        ),
        [_invitation(registration)] if confirmed_place else [],
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
    registration = _load(mail, Status.CONFIRMED)
    event, now = registration.event, timezone.now()
    if mail.refs["starts_at"] != event.starts_at.isoformat():
        raise Withhold("the event has been moved; another reminder comes")
    if registration.attended_at is not None:
        raise Withhold("the person is there already")
    if now < reminder.due_at(event.starts_at):
        raise Withhold("not due yet")
    if now >= reminder.too_late_at(event.starts_at):
        raise Withhold(f"too late: it was due at {reminder.due_at(event.starts_at).isoformat()}")
    others = event.occupancy(now).waiting
    waiting_words = ngettext(
        "%(count)d person is waiting for a place.", "%(count)d people are waiting for a place.", others
    ) % {"count": others}
    return MailContent(
        _context(
            registration,
            starts=times.until(event.starts_at),
            doors=times.until(event.doors_open_at),
            waiting_words=waiting_words if others else "",
            join_url=join_url(registration) if event.is_online else "",
            cancel_url=cancel_url(registration),
            why=_("You get this because you have a place. Reminders come a day and an hour before."),
        )
    )


def reminder_24h(mail: OutgoingMail) -> MailContent:
    return _reminder(mail, "events.reminder_24h")


def reminder_1h(mail: OutgoingMail) -> MailContent:
    return _reminder(mail, "events.reminder_1h")


# --- guests ------------------------------------------------------------------------------------------------------------
def prove(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, Status.UNPROVEN)
    owner = Member.objects.filter(email__iexact=registration.guest_address).first()
    if owner is not None and not owner.is_active:
        raise Withhold("the address belongs to a member who may not sign in")
    if not registration.event.takes_registrations():
        raise Withhold("registration is closed")
    why = _("You get this because somebody, we hope you, typed this address to register.")
    return MailContent(_context(registration, prove_url=prove_url(registration), why=why))


def known(mail: OutgoingMail) -> MailContent:
    registration = _load(mail, *Status.live())
    position = registration.position() if registration.status == Status.WAITING else None
    why = _("You get this because somebody, we hope you, typed this address to register.")
    open_offer = registration.has_open_offer()
    return MailContent(
        _context(
            registration,
            position=position,
            offer_url=offer_url(registration) if open_offer else "",
            cancel_url=cancel_url(registration),
            why=why,
        )
    )


def _kind(key: str, label, compose, category: str | None = None) -> MailKind:
    name = key.partition(".")[2]
    return MailKind(key=key, label=label, template=f"events/email/{name}", compose=compose, category=category)


KINDS = (
    _kind("events.confirmed", gettext_lazy("Event: you have a place"), confirmed),
    _kind("events.waiting", gettext_lazy("Event: you are on the waiting list"), waiting),
    _kind("events.offer", gettext_lazy("Event: a place is yours until a time"), offer),
    _kind("events.offer_passed", gettext_lazy("Event: an offer has passed"), offer_passed),
    _kind("events.cancelled_by_you", gettext_lazy("Event: you gave up your place"), cancelled_by_you),
    _kind("events.removed", gettext_lazy("Event: taken off by the organisers"), removed),
    _kind("events.event_cancelled", gettext_lazy("Event: cancelled"), event_cancelled),
    _kind("events.event_changed", gettext_lazy("Event: changed"), event_changed),
    _kind(
        "events.reminder_24h", gettext_lazy("Event: reminder a day before"), reminder_24h, "event_reminders"
    ),
    _kind(
        "events.reminder_1h", gettext_lazy("Event: reminder an hour before"), reminder_1h, "event_reminders"
    ),
    _kind("events.prove", gettext_lazy("Event: a guest proves their address"), prove),
    _kind("events.known", gettext_lazy("Event: already registered"), known),
)
