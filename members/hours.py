"""Usual hours in words: on their own clock, and on the reader's."""

import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .models import MeetingWindow
from .models.profile import Weekday

WORKDAYS = [0, 1, 2, 3, 4]


@dataclass(frozen=True)
class Usual:
    """One window: its days, its hours there, and what they are for the reader ("" where the clocks agree)."""

    days: str
    there: str
    for_reader: str = ""


def days_in_words(days: Iterable[int]) -> str:
    """“Monday to Friday”, “Tuesday, Thursday”, “Monday to Wednesday, Saturday”."""
    days = sorted(set(days))
    if len(days) == 7:
        return _("Every day")
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    parts = []
    for run in runs:
        first, last = Weekday(run[0]).label, Weekday(run[-1]).label
        if len(run) > 2:
            parts.append(_("%(first)s to %(last)s") % {"first": first, "last": last})
        else:
            parts += [str(first)] if len(run) == 1 else [str(first), str(last)]
    return ", ".join(parts)


def difference(there: str, here: str, now: datetime | None = None) -> timedelta:
    """How far the clock there is ahead of the one here, at present."""
    now = now or timezone.now()
    return (
        now.astimezone(zoneinfo.ZoneInfo(there)).utcoffset()
        - now.astimezone(zoneinfo.ZoneInfo(here)).utcoffset()
    )


def difference_in_words(there: str, here: str) -> str:
    """“3 hours behind you”."""
    ahead = difference(there, here)
    minutes = abs(int(ahead.total_seconds() // 60))
    if not minutes:
        return _("the same time as yours")
    hours, rest = divmod(minutes, 60)
    count = f"{hours or ''}{ {0: '', 15: '¼', 30: '½', 45: '¾'}.get(rest, '') }"
    words = ngettext("%(count)s hour", "%(count)s hours", 1 if (hours, rest) == (1, 0) else 2) % {
        "count": count
    }
    if ahead > timedelta():
        return _("%(hours)s ahead of you") % {"hours": words}
    return _("%(hours)s behind you") % {"hours": words}


def _span(starts: time, ends: time) -> str:
    return f"{starts:%H:%M}–{ends:%H:%M}"


def in_words(windows: Iterable[MeetingWindow], there: str = "", here: str = "") -> list[Usual]:
    """Each window in words; with both time zones also what its hours are for the reader."""
    ahead = difference(there, here) if there and here else timedelta()
    return [
        Usual(days_in_words(window.weekdays), _span(window.starts, window.ends), _for_reader(window, ahead))
        for window in sorted(windows, key=lambda window: (window.weekdays, window.starts))
    ]


def _for_reader(window: MeetingWindow, ahead: timedelta) -> str:
    if not ahead:
        return ""
    day = datetime(2000, 1, 2)
    starts, ends = (datetime.combine(day, hour) - ahead for hour in (window.starts, window.ends))
    span = {"hours": _span(starts.time(), ends.time())}
    if starts.date() < day.date():
        return _("%(hours)s for you, from the day before") % span
    if starts.date() > day.date():
        return _("%(hours)s for you, on the day after") % span
    return _("%(hours)s for you") % span
