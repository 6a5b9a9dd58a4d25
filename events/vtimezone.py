"""VTIMEZONE (RFC 5545, 3.6.5) of an IANA zone, from the very data that Python counts with.

The onset of an observance stands on the clock as it was before (TZOFFSETFROM). Libraries write the clock after it where
the clocks go forward; nobody meets that hour, but a strict reader may stumble over it.
"""

import functools
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@functools.lru_cache(maxsize=200)
def vtimezone(name: str, first_year: int, last_year: int) -> bytes:
    """What the clocks of this zone do in these years, from the first of January to the last of December."""
    zone = zoneinfo.ZoneInfo(name)
    found = Timezone()
    found.add("tzid", name)
    start, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    before = start.astimezone(zone)
    found.add_component(_observance(start.replace(tzinfo=None), before.utcoffset(), before))
    for moment in transitions(zone, start, end):
        old, new = (moment - SECOND).astimezone(zone), moment.astimezone(zone)
        onset = (moment + old.utcoffset()).replace(tzinfo=None)
        found.add_component(_observance(onset, old.utcoffset(), new))
    return found.to_ical()


def _observance(onset: datetime, offset_before: timedelta, new: datetime):
    kind = TimezoneDaylight if new.dst() else TimezoneStandard
    part = kind()
    part.add("dtstart", onset)
    part.add("tzoffsetfrom", offset_before)
    part.add("tzoffsetto", new.utcoffset())
    part.add("tzname", new.tzname())
    return part


def transitions(zone: zoneinfo.ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The moments, in UTC, at which the clocks of this zone are set."""

    def offset(moment):
        return moment.astimezone(zone).utcoffset()

    day = start
    while day < end:
        low, high = day, min(day + DAY, end)
        if offset(low) != offset(high):
            while high - low > SECOND:
                middle = low + ((high - low) // SECOND // 2) * SECOND
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            yield high
        day += DAY
