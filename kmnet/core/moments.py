"""Moments in words, in the reader's zone (the active one): “Monday, 11:52”, “2 days ago”."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from django.utils import formats, timezone
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _


def _local(moment: datetime) -> tuple[datetime, datetime]:
    return timezone.localtime(moment), timezone.localtime()


def _format(moment: datetime | date, pattern: str) -> str:
    """To the minute; for moments in their zone already. A page names the same few over and over."""
    if isinstance(moment, datetime):
        moment = moment.replace(second=0, microsecond=0, tzinfo=None)
    return _formatted(get_language(), moment, pattern)


@lru_cache(maxsize=20_000, typed=True)
def _formatted(_language, moment: datetime | date, pattern: str) -> str:
    return formats.date_format(moment, pattern)


def clock(moment: datetime) -> str:
    """11:52"""
    return _format(timezone.localtime(moment), gettext("H:i"))


def day(moment: datetime | date) -> str:
    """Monday 16 November; with the year where it is another one."""
    local = timezone.localtime(moment) if isinstance(moment, datetime) else moment
    same_year = local.year == timezone.localtime().year
    return _format(local, gettext("l j F") if same_year else gettext("l j F Y"))


def date_words(moment: datetime | date) -> str:
    """2 November 2026"""
    local = timezone.localtime(moment) if isinstance(moment, datetime) else moment
    return _format(local, gettext("j F Y"))


def exact(moment: datetime) -> str:
    """Monday 16 November 2026, 11:52"""
    return _format(timezone.localtime(moment), gettext("l j F Y, H:i"))


def in_words(moment: datetime) -> str:
    """Today and near days by name, later ones by date, always with the hour: what a post or an event says."""
    local, now = _local(moment)
    days = (local.date() - now.date()).days
    if days == 0:
        said = gettext("today")
    elif days == -1:
        said = gettext("yesterday")
    elif days == 1:
        said = gettext("tomorrow")
    else:
        said = day(moment) if not -6 <= days <= 0 else _format(local, "l")
    return gettext("%(day)s, %(time)s") % {"day": said, "time": clock(moment)}


def ago(moment: datetime) -> str:
    """How long since, in the largest whole unit; what is older than a week is a date. For lists."""
    local, now = _local(moment)
    seconds, days = (now - local).total_seconds(), (now.date() - local.date()).days
    if seconds < 0:
        return in_words(moment)
    if seconds < 60:
        return gettext("just now")
    if seconds < 3600:
        count = int(seconds // 60)
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", count) % {"count": count}
    if seconds < 12 * 3600 or days == 0:
        count = int(seconds // 3600)
        return ngettext("%(count)d hour ago", "%(count)d hours ago", count) % {"count": count}
    if days == 1:
        return gettext("yesterday")
    if days < 7:
        return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
    return _format(local, gettext("j F") if local.year == now.year else gettext("j F Y"))


CITIES = ((_("London"), "Europe/London"), (_("Toronto"), "America/Toronto"), (_("Nairobi"), "Africa/Nairobi"))


def world_clock(moment: datetime) -> list[str]:
    """[“Thursday 3 December, 13:00 London”, “08:00 Toronto”, “16:00 Nairobi”]; another day is named."""
    said, first_day = [], None
    for city, name in CITIES:
        local = moment.astimezone(zoneinfo.ZoneInfo(name))
        if local.date() == first_day:
            words = gettext("%(time)s %(city)s")
        else:
            words = gettext("%(day)s, %(time)s %(city)s")
        day_words = _format(local, gettext("l j F") if first_day is None else "l")
        said.append(words % {"day": day_words, "time": _format(local, gettext("H:i")), "city": city})
        first_day = first_day or local.date()
    return said


MOMENTS = {"moment": in_words, "ago": ago, "day": day, "date": date_words, "clock": clock, "exact": exact}


def after_weekday_hours(start: datetime, hours: float, zone: str) -> datetime:
    """The moment (UTC) by which so many hours have passed since `start`, Saturdays and Sundays in `zone` not counted.

    Real hours: on the day the clocks change a day has 23 or 25 of them. An unknown zone counts as UTC.
    """
    try:
        place = zoneinfo.ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        place = zoneinfo.ZoneInfo("UTC")
    moment, left = start.astimezone(UTC), timedelta(hours=hours)
    while True:
        local = moment.astimezone(place)
        midnight = datetime.combine(local.date() + timedelta(days=1), time.min, place).astimezone(UTC)
        if local.weekday() < 5:
            if left <= midnight - moment:
                return moment + left
            left -= midnight - moment
        moment = midnight
