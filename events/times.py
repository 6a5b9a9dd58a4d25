"""An event's time in words: in a reader's zone and in its own, each with the offset of the event's date."""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext

from kmnet.core import moments


@dataclass(frozen=True)
class When:
    """“Thursday 3 December”, “13:00 to 14:15”, “London”, “UTC+0”."""

    day: str
    hours: str
    city: str
    offset: str
    starts_at: datetime

    def __str__(self):
        return gettext("%(day)s, %(hours)s (%(city)s, %(offset)s)") % {
            "day": self.day,
            "hours": self.hours,
            "city": self.city,
            "offset": self.offset,
        }


def city(zone: zoneinfo.ZoneInfo) -> str:
    """“Europe/London” is London to people."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def offset(moment: datetime, zone: zoneinfo.ZoneInfo) -> str:
    """UTC+2, UTC-3:30; UTC alone for none. Abbreviations such as CST mean several zones, so they are not used."""
    minutes = int(moment.astimezone(zone).utcoffset().total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return "UTC" + (f"{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "+0")


def when(event, zone: zoneinfo.ZoneInfo | None = None) -> When:
    """The event's time in `zone`; without one, in the reader's."""
    zone = zone or timezone.get_current_timezone()
    zone = zone if isinstance(zone, zoneinfo.ZoneInfo) else zoneinfo.ZoneInfo("UTC")
    return _when(event.starts_at.astimezone(UTC), event.ends_at.astimezone(UTC), zone, *_words_hold_for())


def _words_hold_for() -> tuple[str | None, int]:
    """The language, and the quarter of an hour: years, which days name or leave out, begin at one in every zone."""
    return get_language(), int(timezone.now().timestamp() // 900)


@lru_cache(maxsize=5_000)  # a thousand people look at the same event
def _when(starts_at: datetime, ends_at: datetime, zone: zoneinfo.ZoneInfo, _language, _quarter) -> When:
    with timezone.override(zone):
        ends = moments.clock(ends_at)
        if timezone.localtime(ends_at).date() != timezone.localtime(starts_at).date():
            ends = gettext("%(day)s, %(time)s") % {"day": moments.day(ends_at), "time": ends}
        hours = gettext("%(start)s to %(end)s") % {"start": moments.clock(starts_at), "end": ends}
        return When(moments.day(starts_at), hours, city(zone), offset(starts_at, zone), starts_at)


# Where the community's members live, from west to east; a page says the hour there too.
ELSEWHERE = (
    *("America/Vancouver", "America/Toronto", "America/Recife", "Europe/London", "Europe/Amsterdam"),
    *("Africa/Nairobi", "Asia/Kolkata", "Asia/Tokyo", "Australia/Melbourne"),
)


def elsewhere(event, shown: When) -> list[tuple[str, str]]:
    """[("Vancouver", "05:00"), ("Melbourne", "00:00, Friday 4 December")]: the start on other clocks, with the day
    where it is not the one `shown`."""
    starts_at, ends_at = event.starts_at.astimezone(UTC), event.ends_at.astimezone(UTC)
    return [*_elsewhere(starts_at, ends_at, shown.city, shown.day, *_words_hold_for())]


@lru_cache(maxsize=5_000)
def _elsewhere(starts_at, ends_at, city_shown: str, day_shown: str, *words_hold_for) -> tuple:
    found = []
    for name in ELSEWHERE:
        zone = zoneinfo.ZoneInfo(name)
        there = _when(starts_at, ends_at, zone, *words_hold_for)
        if there.city == city_shown:
            continue
        with timezone.override(zone):
            start = moments.clock(starts_at)
        if there.day != day_shown:
            start = gettext("%(time)s, %(day)s") % {"time": start, "day": there.day}
        found.append((there.city, start))
    return tuple(found)


def until(moment: datetime, zone: zoneinfo.ZoneInfo | None = None) -> str:
    """“12:00 tomorrow”, “Wednesday 25 November, 12:00”: the end of an offer."""
    zone = zone or timezone.get_current_timezone()
    with timezone.override(zone):
        days = (timezone.localtime(moment).date() - timezone.localtime().date()).days
        words = {0: gettext("%(time)s today"), 1: gettext("%(time)s tomorrow")}
        pattern = words.get(days, gettext("%(day)s, %(time)s"))
        return pattern % {"time": moments.clock(moment), "day": moments.day(moment)}


def countdown(moment: datetime, now: datetime | None = None) -> list[tuple[int, str]]:
    """[(21, "hours"), (14, "minutes")]: the two largest parts; it stands still between page loads."""
    left = max(timedelta(0), moment - (now or timezone.now()))
    hours, rest = divmod(int(left.total_seconds()), 3600)
    minutes = rest // 60
    parts = [(minutes, ngettext("minute", "minutes", minutes))]
    return [(hours, ngettext("hour", "hours", hours)), *parts] if hours else parts
