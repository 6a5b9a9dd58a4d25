from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from events import times

START = datetime(2026, 12, 3, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "moment", "said"),
    [
        ("UTC", START, "UTC+0"),
        ("Europe/London", datetime(2026, 7, 1, tzinfo=UTC), "UTC+1"),
        ("Europe/London", START, "UTC+0"),
        ("America/St_Johns", START, "UTC-3:30"),
        ("Asia/Kathmandu", START, "UTC+5:45"),
    ],
)
def test_offset_is_that_of_the_moment(zone, moment, said):
    assert times.offset(moment, ZoneInfo(zone)) == said


def test_when_names_the_other_day_in_another_zone(clock):
    clock.move_to(datetime(2026, 11, 24, tzinfo=UTC))
    event = SimpleNamespace(starts_at=START, ends_at=START + timedelta(minutes=75))
    assert str(times.when(event, ZoneInfo("Australia/Melbourne"))) == (
        "Friday 4 December, 00:00 to 01:15 (Melbourne, UTC+11)"
    )
    assert times.when(event, ZoneInfo("America/Argentina/Buenos_Aires")).city == "Buenos Aires"


def test_an_event_past_midnight_says_both_days(clock):
    clock.move_to(datetime(2026, 11, 24, tzinfo=UTC))
    event = SimpleNamespace(starts_at=START, ends_at=START + timedelta(minutes=75))
    hours = times.when(event, ZoneInfo("Australia/Brisbane")).hours
    assert hours == "23:00 to Friday 4 December, 00:15"


@pytest.mark.parametrize(
    ("hours", "said"),
    [(2, "11:00 today"), (27, "12:00 tomorrow"), (60, "Thursday 26 November, 21:00")],
)
def test_until_speaks_of_today_and_tomorrow(clock, hours, said):
    clock.move_to(datetime(2026, 11, 24, 9, tzinfo=UTC))
    assert (
        times.until(datetime(2026, 11, 24, 9, tzinfo=UTC) + timedelta(hours=hours), ZoneInfo("UTC")) == said
    )


def test_countdown_names_the_two_largest_parts():
    now = START - timedelta(hours=21, minutes=14, seconds=30)
    assert times.countdown(START, now) == [(21, "hours"), (14, "minutes")]
    assert times.countdown(START, START - timedelta(minutes=1)) == [(1, "minute")]
    assert times.countdown(START, START + timedelta(hours=1)) == [(0, "minutes")]
