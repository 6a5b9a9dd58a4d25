"""The dates of a rule (RFC 5545, RRULE), on the clock of its zone. Reads and writes nothing.

The rule is followed on the clock, so that a meeting at 13:00 stays at 13:00 when the clocks change. A time that the
clocks skip moves forward by what they skip; of one that comes twice, the first is meant (RFC 5545, 3.3.5 and 3.8.5.3).
"""

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from dateutil.rrule import rrulestr

from .models import MOST_DATES

LONGEST = timedelta(days=3 * 366)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = {
    "FREQ": r"DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9]\d?",
    "COUNT": r"[1-9]\d{0,2}",
    "UNTIL": r"\d{8}T\d{6}Z",
    "BYDAY": r"(?:-?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:-?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU))*",
    "BYMONTHDAY": r"-1|[1-9]|[12]\d|3[01]",
    "WKST": r"MO|SU",
}


class BadRule(Exception):
    """`code`: malformed, endless, too_few (than two dates), too_many (than MOST_DATES), too_far (than three years)."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Slot:
    """One date. `at` in UTC; `moved`: the clocks skip that time; `twice`: they show it twice, and this is the first."""

    at: datetime
    moved: bool
    twice: bool


def parts_of(rule: str) -> dict[str, str]:
    """{"FREQ": "WEEKLY", "COUNT": "6"}. Raises BadRule."""
    found = {}
    for part in rule.split(";"):
        name, _equals, value = part.partition("=")
        if name in found or not re.fullmatch(_PARTS.get(name, "(?!)"), value):
            raise BadRule("malformed")
        found[name] = value
    if "FREQ" not in found or {"COUNT", "UNTIL"} <= set(found):
        raise BadRule("malformed")
    if not {"COUNT", "UNTIL"} & set(found):
        raise BadRule("endless")
    if re.search(r"\d", found.get("BYDAY", "")) and found["FREQ"] not in ("MONTHLY", "YEARLY"):
        raise BadRule("malformed")
    return found


def slots(rule: str, starts_at: datetime, time_zone: str) -> list[Slot]:
    """All dates of the rule, `starts_at` first. Raises BadRule, also where the start is none of its own dates."""
    parts, zone = parts_of(rule), zoneinfo.ZoneInfo(time_zone)
    first = starts_at.astimezone(zone).replace(tzinfo=None, fold=0, microsecond=0)
    if "UNTIL" in parts:  # in UTC, as the RFC wants it beside a zone; the dates are counted on the clock
        try:
            until = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            parts["UNTIL"] = f"{until.astimezone(zone):%Y%m%dT%H%M%S}"
        except (ValueError, OverflowError) as error:
            raise BadRule("malformed") from error
    if int(parts.get("COUNT", 0)) > MOST_DATES:
        raise BadRule("too_many")
    try:
        dates = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=first)
    except ValueError as error:
        raise BadRule("malformed") from error
    found = list(islice(dates, MOST_DATES + 1))
    if len(found) > MOST_DATES:
        raise BadRule("too_many")
    if len(found) < 2:
        raise BadRule("too_few")
    if found[0] != first:
        raise BadRule("malformed")
    if found[-1] - first > LONGEST:
        raise BadRule("too_far")
    return [Slot(starts_at, moved=False, twice=False), *[_slot(local, zone) for local in found[1:]]]


def _slot(local: datetime, zone: zoneinfo.ZoneInfo) -> Slot:
    at = on_clock(local, zone)
    second = local.replace(tzinfo=zone, fold=1)
    moved = at.astimezone(zone).replace(tzinfo=None) != local
    twice = not moved and second.utcoffset() != local.replace(tzinfo=zone).utcoffset()
    return Slot(at, moved=moved, twice=twice)


def on_clock(local: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    """In UTC: what the clock shows then. A skipped time moves forward; of one that comes twice it is the first."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def shifted(moment: datetime, by: timedelta, zone: zoneinfo.ZoneInfo) -> datetime:
    """So much later on the clock (not in hours that pass), in UTC."""
    return on_clock(moment.astimezone(zone).replace(tzinfo=None) + by, zone)


def weekday_of_month(day: datetime) -> tuple[int, bool]:
    """(2, False) for the second such weekday of its month; (4, True) or (5, True) where it is also the last one."""
    return (day.day - 1) // 7 + 1, (day + timedelta(days=7)).month != day.month
