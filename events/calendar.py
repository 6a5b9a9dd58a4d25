"""iCalendar (RFC 5545, 5546, 7986): invitations, updates, cancellations, and the files and feeds that people subscribe to.

One UID per event for life. A REQUEST or CANCEL has exactly one ATTENDEE, its receiver; what is published has none.
Nothing personal stands in any of it: people share their calendars, so neither the meeting's address nor anybody's own
links are here. The same entry is the same bytes until something in it changes: a feed that was fetched before is a 304.
"""

import zoneinfo
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from icalendar import Alarm, Calendar, vCalAddress, vText
from icalendar import Event as CalendarEvent

from kmnet.core.models import CommunitySettings
from kmnet.core.pure import pure

from .models import Event, Visibility
from .vtimezone import vtimezone

CONFIRMED, TENTATIVE, CANCELLED = "CONFIRMED", "TENTATIVE", "CANCELLED"
ASK_AGAIN = timedelta(hours=1)
END = b"END:VCALENDAR\r\n"


class Entry(NamedTuple):
    """All that an entry shows, as plain values."""

    pk: int
    slug: str
    uid: str
    sequence: int
    title: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    where: str
    is_online: bool
    is_private: bool
    made_at: datetime
    revised_at: datetime
    organiser: str

    @property
    def page(self) -> str:
        return settings.SITE_URL + reverse("events:detail", args=[self.pk, self.slug])


# The columns that an entry is made of.
COLUMNS = (
    *("slug", "uid", "sequence", "title", "summary", "kind", "venue", "visibility", "rehearsal_of"),
    *("starts_at", "ends_at", "time_zone", "cancelled_at", "postponed_at", "created_at", "revised_at"),
)


# --- mails -------------------------------------------------------------------------------------------------------------
def invitation(event: Event, *, name: str, address: str) -> bytes:
    """METHOD:REQUEST for one person who has a place; sent again with a higher SEQUENCE it is the update."""
    entry = _component(entry_of(event), CONFIRMED, stamp=timezone.now())
    entry.add("attendee", _attendee(name, address, accepted=True), encode=0)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", event.title)
    alarm.add("trigger", timedelta(minutes=-15))
    entry.add_component(alarm)
    return _file("REQUEST", [event], [entry.to_ical()])


def withdrawal(event: Event, *, name: str, address: str) -> bytes:
    """METHOD:CANCEL. With STATUS where the event is called off or has lost its day; without where this person leaves it.

    Programs that know the method take the entry away. For those that do not, the title says what has happened.
    """
    mark = mark_of(event) or gettext("You no longer have a place: %(title)s")
    status = CANCELLED if event.cancelled_at or event.is_postponed else ""
    entry = _component(entry_of(event, mark), status, stamp=timezone.now(), is_free=True)
    entry.add("attendee", _attendee(name, address), encode=0)
    return _file("CANCEL", [event], [entry.to_ical()])


# --- what is published -------------------------------------------------------------------------------------------------
def public_file(event: Event) -> bytes:
    """METHOD:PUBLISH, for “Add to calendar”; a cancelled event stays in it, marked."""
    return _file("PUBLISH", [event], [_published(event)])


def feed(
    events: Iterable[tuple[Event, str, str]], *, name: str, description: str = "", zone: str = "UTC"
) -> bytes:
    """METHOD:PUBLISH of many: (event, its STATUS, a pattern for its title or ""). The same events, the same bytes.

    `zone`: of the reader; it stands in a feed without events, since an empty calendar is none.
    """
    community = CommunitySettings.load().name
    rows = list(events)
    parts = [_published(event, status, mark, community) for event, status, mark in rows]
    return _file(
        "PUBLISH", [event for event, *_rest in rows], parts, name=name, description=description, zone=zone
    )


def _published(event: Event, status: str = CONFIRMED, mark: str = "", community: str | None = None) -> bytes:
    """What is called off or without a day says so, whatever it is to the reader."""
    off = mark_of(event)
    is_free = bool(off) or status == TENTATIVE
    return _written(entry_of(event, off or mark, community), CANCELLED if off else status, is_free)


def mark_of(event: Event) -> str:
    """What the title of an event that does not take place then becomes; "" for all others."""
    if event.cancelled_at is not None:
        return gettext("Cancelled: %(title)s")
    return gettext("Postponed: %(title)s") if event.is_postponed else ""


@pure(maxsize=4000)
def _written(entry: Entry, status: str, is_free: bool) -> bytes:
    """Kept by its values: writing one takes longer than all the rest of its line in a feed."""
    return _component(entry, status, stamp=entry.revised_at, is_free=is_free).to_ical()


# --- the parts ---------------------------------------------------------------------------------------------------------
def entry_of(event: Event, mark: str = "", community: str | None = None) -> Entry:
    """`mark`: a pattern for the title; the community's name is looked up unless it is given."""
    return Entry(
        pk=event.pk,
        slug=event.slug,
        uid=event.uid,
        sequence=event.sequence,
        title=mark % {"title": event.title} if mark else event.title,
        summary=event.summary,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        zone=event.time_zone,
        where=where(event),
        is_online=event.is_online,
        is_private=event.visibility != Visibility.PUBLIC or event.rehearsal_of_id is not None,
        made_at=event.created_at,
        revised_at=event.revised_at,
        organiser=community or CommunitySettings.load().name,
    )


def where(event: Event) -> str:
    """For LOCATION, and for the links to others' calendars; never the meeting's address."""
    if event.venue and event.kind == "hybrid":
        return gettext("%(venue)s, and online") % {"venue": event.venue}
    return event.venue or gettext("Online")


def words(entry: Entry) -> str:
    """For DESCRIPTION: the sentence about it, and where its page is."""
    way_in = gettext("Your way in opens 15 minutes before the start: %(page)s") % {"page": entry.page}
    return "\n\n".join([*filter(None, [entry.summary]), way_in if entry.is_online else entry.page])


def _component(entry: Entry, status: str, *, stamp: datetime, is_free: bool = False) -> CalendarEvent:
    found = CalendarEvent()
    found.add("uid", entry.uid)
    found.add("dtstamp", stamp)
    found.add("created", entry.made_at)
    found.add("last-modified", entry.revised_at)
    found.add("sequence", entry.sequence)
    if status:
        found.add("status", status)
    found.add("summary", entry.title)
    starts, ends = on_clock(entry)
    found.add("dtstart", starts)
    found.add("dtend", ends)
    found.add("description", words(entry))
    found.add("location", entry.where)
    found.add("url", entry.page)
    if entry.is_private:
        found.add("class", "PRIVATE")
    if is_free:
        found.add("transp", "TRANSPARENT")
    organizer = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = vText(entry.organiser)
    found.add("organizer", organizer, encode=0)
    return found


def in_utc(event: Event) -> tuple[datetime, datetime]:
    """Start and end."""
    return event.starts_at.astimezone(UTC), event.ends_at.astimezone(UTC)


def on_clock(entry: Entry) -> tuple[datetime, datetime]:
    """Start and end on the event's clock; in UTC where the clock shows that time twice and the second is meant.

    RFC 5545, 3.3.5: a local time that comes twice is the first of the two, so the second cannot be written in it.
    """
    zone = zoneinfo.ZoneInfo(entry.zone)
    local = entry.starts_at.astimezone(zone), entry.ends_at.astimezone(zone)
    if any(moment.fold for moment in local):
        return entry.starts_at.astimezone(UTC), entry.ends_at.astimezone(UTC)
    return local


def _attendee(name: str, address: str, *, accepted: bool = False) -> vCalAddress:
    attendee = vCalAddress(f"mailto:{address}")
    attendee.params["CN"] = vText(name.replace('"', "") or address)
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["RSVP"] = vText("FALSE")
    if accepted:
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
    return attendee


def _file(
    method: str, events: list[Event], parts: list[bytes], *, name: str = "", description="", zone="UTC"
) -> bytes:
    """The calendar around its entries, with what the clocks of their zones do."""
    calendar = Calendar()
    calendar.add("prodid", "-//kmnet//events//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    if name:
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", ASK_AGAIN, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", "PT1H")
    if description:
        calendar.add("description", description)
        calendar.add("x-wr-caldesc", description)
    years: dict[str, set[int]] = {}
    for event in events:
        if event.time_zone != "UTC":
            years.setdefault(event.time_zone, set()).update((event.starts_at.year, event.ends_at.year))
    if not events:
        years[zone] = {timezone.now().year}
    zones = [vtimezone(zone, min(of) - 1, max(of) + 1) for zone, of in sorted(years.items())]
    return b"".join([calendar.to_ical().removesuffix(END), *zones, *parts, END])
