"""When a member's next digest is due. Pure: no clock, no database; daylight saving is settled here."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAILY, DAYS, WEEKLY, MONTHLY, NEVER = "daily", "days", "weekly", "monthly", "never"
PERIOD = {
    DAILY: timedelta(days=1),
    DAYS: timedelta(days=7),
    WEEKLY: timedelta(days=7),
    MONTHLY: timedelta(days=31),
}
LONGEST_GAP = timedelta(days=36)  # between the first Tuesdays of two months lie five weeks at most


@dataclass(frozen=True)
class Rhythm:
    """What a member chose: how often, on which weekday (Monday is 0), at which hour of their own clock; of the rhythm
    DAYS the weekdays; and the day before whose start they want no mail at all."""

    frequency: str
    weekday: int
    hour: int
    time_zone: str
    days: tuple[int, ...] = ()
    paused_until: date | None = None

    def has(self, day: date) -> bool:
        """Is this a day for a digest, by the calendar of the member's zone?"""
        if self.paused_until is not None and day < self.paused_until:
            return False
        if self.frequency == DAYS:
            return day.weekday() in (self.days or (self.weekday,))
        if self.frequency == MONTHLY:
            return day.weekday() == self.weekday and day.day <= 7
        return self.frequency == DAILY or day.weekday() == self.weekday


@lru_cache(maxsize=1000)
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; UTC for one that does not exist, since one bad row must not stop everybody's digest."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def local_moment(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """That hour of that day, in UTC.

    fold=0 settles both oddities: of an hour that the autumn repeats the first counts, and an hour that the spring
    skips is counted with the offset before the jump, so it falls just after the gap.
    """
    return datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC)


def next_due(rhythm: Rhythm, after: datetime) -> datetime | None:
    """The first due moment later than `after` (both UTC); None for somebody who wants no digest."""
    if rhythm.frequency not in PERIOD:
        return None
    zone = zone_of(rhythm.time_zone)
    day = after.astimezone(zone).date() - timedelta(days=1)
    if rhythm.paused_until is not None:
        day = max(day, rhythm.paused_until)
    # So many days reach the next first weekday of a month, even where a zone skipped a day (Pacific/Apia, 2011).
    for _step in range(LONGEST_GAP.days + 4):
        if rhythm.has(day):
            moment = local_moment(day, rhythm.hour, zone)
            if moment > after:
                return moment
        day += timedelta(days=1)
    raise AssertionError(f"no digest within weeks of {after} for {rhythm}")  # pragma: no cover


def period_key(rhythm: Rhythm, due: datetime) -> str:
    """One digest a member and local day, whatever they change meanwhile."""
    return due.astimezone(zone_of(rhythm.time_zone)).date().isoformat()
