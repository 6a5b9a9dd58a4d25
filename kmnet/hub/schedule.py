"""When a member's next digest is due. Pure: no clock, no database; daylight saving is settled here."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAILY, WEEKLY, NEVER = "daily", "weekly", "never"
PERIOD = {DAILY: timedelta(days=1), WEEKLY: timedelta(days=7)}


@dataclass(frozen=True)
class Rhythm:
    """What a member chose: how often, on which weekday (Monday is 0), at which hour of their own clock."""

    frequency: str
    weekday: int
    hour: int
    time_zone: str


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
    # Ten days reach the next weekday even where a zone skipped a whole day (Pacific/Apia, 2011).
    for _step in range(10):
        if rhythm.frequency == DAILY or day.weekday() == rhythm.weekday:
            moment = local_moment(day, rhythm.hour, zone)
            if moment > after:
                return moment
        day += timedelta(days=1)
    raise AssertionError(f"no digest within ten days of {after} for {rhythm}")  # pragma: no cover


def period_key(rhythm: Rhythm, due: datetime) -> str:
    """One digest a member and local day, whatever they change meanwhile."""
    return due.astimezone(zone_of(rhythm.time_zone)).date().isoformat()
