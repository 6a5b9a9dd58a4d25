"""What all mails about events share: the row afresh, the words about the event, the calendar entry."""

import zoneinfo
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from kmnet.core.mail import Attachment, Withhold
from kmnet.core.models import OutgoingMail

from ... import calendar, times
from ...models import Event, Registration, Status, Way
from ...permissions import can_view_event
from ..links import place_url


def load(mail: OutgoingMail, *wanted: Status, coming: bool = True, postponed: bool = False) -> Registration:
    """The registration, if it is still in one of the states that this mail speaks of; else Withhold says why.

    `coming`: only while the event is still to come. `postponed`: also while it waits for its new day."""
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
    check_event(found.event, coming=coming, postponed=postponed)
    if found.member_id and not can_view_event(found.member, found.event):
        raise Withhold("the member may no longer see the event")
    return found


def check_event(event: Event, *, coming: bool = True, postponed: bool = False) -> None:
    """Withhold what would mislead by now."""
    if coming and event.cancelled_at is not None:
        raise Withhold("the event is cancelled")
    if coming and event.is_over():
        raise Withhold("the event is over")
    if event.is_postponed and not postponed:
        raise Withhold("the event waits for its new day")


def context_of(registration: Registration, **more) -> dict:
    """What the templates of a mail to somebody registered count on."""
    context = event_context(registration.event, name=registration.name, way=registration.way)
    context["registration"] = registration
    if registration.status in Status.unsettled():
        context["place_url"] = place_url(registration)
    return context | more


def event_context(event: Event, *, name: str = "", way: str = "") -> dict:
    """The event in words: when for this reader and where, for their way of coming."""
    reader = times.when(event)
    own = times.when(event, event.zone)
    words = name.split()
    return {
        "event": event,
        "first_name": words[0] if words else "",
        "when": reader,
        "when_there": own if own.city != reader.city else None,
        "where": _("Online") if way == Way.ONLINE else event.venue or _("Online"),
        "event_url": settings.SITE_URL + event.get_absolute_url(),
        "why": _("You get this because you registered for this event."),
    }


def invitation(registration: Registration) -> Attachment:
    """The entry for their calendar, or its update."""
    content = calendar.invitation(registration.event, name=registration.name, address=registration.address)
    return Attachment("invite.ics", content, "text/calendar; method=REQUEST")


def withdrawal(registration: Registration) -> list[Attachment]:
    """Only for those who had a place, and so an entry in their calendar."""
    if registration.confirmed_at is None:
        return []
    content = calendar.withdrawal(registration.event, name=registration.name, address=registration.address)
    return [Attachment("cancel.ics", content, "text/calendar; method=CANCEL")]


def came_back(registration: Registration) -> bool:
    """Have they registered again since?"""
    live = Registration.objects.live().filter(event=registration.event)
    if registration.member_id:
        return live.for_member(registration.member).exists()
    return live.for_address(registration.guest_address).exists()


def withhold_if_back(registration: Registration) -> None:
    if came_back(registration):
        raise Withhold("the person has registered again")


def comes_online(registration: Registration) -> bool:
    """Is there a way in for them on our pages?"""
    return registration.event.is_online and registration.way != Way.ROOM


def last_why(registration: Registration) -> str:
    """What stands in the log about the step that led to where it is now."""
    steps = registration.log.filter(to_status=registration.status)
    return steps.order_by("-at", "-pk").values_list("why", flat=True).first() or ""


def waiting_words(registration: Registration) -> str:
    """“31 people are waiting for a place.” on this person's list; empty where nobody does."""
    event = registration.event
    way = registration.way if registration.way in event.ways else event.ways[0]
    others = event.occupancy(way=way).waiting
    if not others:
        return ""
    return ngettext(
        "%(count)d person is waiting for a place.", "%(count)d people are waiting for a place.", others
    ) % {"count": others}


def held_until(ends: datetime) -> str:
    """“Wednesday 25 November, 12:00, Amman time (UTC+3)”: never to be misread, also next week."""
    zone = timezone.get_current_timezone()
    zone = zone if isinstance(zone, zoneinfo.ZoneInfo) else zoneinfo.ZoneInfo("UTC")
    return _("%(moment)s, %(city)s time (%(offset)s)") % {
        "moment": date_format(timezone.localtime(ends), pgettext("the end of an offer", "l j F, H:i")),
        "city": times.city(zone),
        "offset": times.offset(ends, zone),
    }
