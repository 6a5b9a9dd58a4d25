"""iCalendar (RFC 5545, 5546): invitations, updates, cancellations and the public file.

One UID per event for life. A REQUEST or CANCEL has exactly one ATTENDEE, its receiver. Nothing personal stands in it:
people share their calendars, so neither the meeting's address nor anybody's own links are here.
"""

from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from icalendar import Alarm, Calendar, vCalAddress, vText
from icalendar import Event as CalendarEvent

from kmnet.core.models import CommunitySettings

from .models import Event


def invitation(event: Event, *, name: str, address: str) -> bytes:
    """METHOD:REQUEST for one person who has a place; sent again with a higher SEQUENCE it is the update."""
    entry = _entry(event)
    entry.add("attendee", _attendee(name, address, accepted=True), encode=0)
    entry.add("status", "CONFIRMED")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", event.title)
    alarm.add("trigger", timedelta(minutes=-15))
    entry.add_component(alarm)
    return _file("REQUEST", entry)


def withdrawal(event: Event, *, name: str, address: str) -> bytes:
    """METHOD:CANCEL. With STATUS where the event is called off; without where this person leaves it."""
    entry = _entry(event)
    entry.add("attendee", _attendee(name, address), encode=0)
    if event.cancelled_at is not None:
        entry.add("status", "CANCELLED")
    return _file("CANCEL", entry)


def public_file(event: Event) -> bytes:
    """METHOD:PUBLISH, for “Add to calendar”; a cancelled event stays in it, marked."""
    entry = _entry(event)
    entry.add("status", "CANCELLED" if event.cancelled_at else "CONFIRMED")
    return _file("PUBLISH", entry)


def _entry(event: Event) -> CalendarEvent:
    page = settings.SITE_URL + event.get_absolute_url()
    entry = CalendarEvent()
    entry.add("uid", event.uid)
    entry.add("dtstamp", timezone.now())
    entry.add("sequence", event.sequence)
    entry.add("summary", event.title)
    entry.add("dtstart", event.starts_at.astimezone(event.zone))
    entry.add("dtend", event.ends_at.astimezone(event.zone))
    words = [event.summary] if event.summary else []
    if event.is_online:
        words.append(gettext("Your way in opens 15 minutes before the start: %(page)s") % {"page": page})
    else:
        words.append(page)
    entry.add("description", "\n\n".join(words))
    entry.add("location", event.venue or gettext("Online"))
    entry.add("url", page)
    community = CommunitySettings.load()
    organizer = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = vText(community.name)
    entry.add("organizer", organizer, encode=0)
    return entry


def _attendee(name: str, address: str, *, accepted: bool = False) -> vCalAddress:
    attendee = vCalAddress(f"mailto:{address}")
    attendee.params["CN"] = vText(name.replace('"', "") or address)
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["RSVP"] = vText("FALSE")
    if accepted:
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
    return attendee


def _file(method: str, entry: CalendarEvent) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//kmnet//events//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(entry)
    day = entry.decoded("dtstart").date()
    calendar.add_missing_timezones(day - timedelta(days=400), day + timedelta(days=400))
    return calendar.to_ical()
