"""When a digest is due: properties over many zones and years, and the days on which clocks jump."""

import random
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kmnet.hub.schedule import DAILY, DAYS, LONGEST_GAP, MONTHLY, NEVER, WEEKLY, Rhythm, next_due, period_key

ZONES = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",  # half an hour
    "Asia/Kathmandu",  # three quarters
    "Australia/Lord_Howe",  # a jump of half an hour
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",  # UTC+14
    "Pacific/Pago_Pago",  # UTC-11
    "America/Santiago",  # jumps at midnight
    "Africa/Casablanca",  # Ramadan
    "Asia/Beirut",
]


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def some_rhythms(count=400):
    dice = random.Random(20261124)
    for _ in range(count):
        rhythm = Rhythm(
            dice.choice([DAILY, DAYS, WEEKLY, MONTHLY]),
            dice.randrange(7),
            dice.randrange(24),
            dice.choice(ZONES),
            tuple(sorted(dice.sample(range(7), dice.randrange(1, 8)))),
        )
        yield rhythm, at("2026-01-01") + timedelta(minutes=dice.randrange(3 * 365 * 24 * 60))


def test_next_due_is_later_within_a_period_and_at_the_chosen_local_hour():
    for rhythm, after in some_rhythms():
        due = next_due(rhythm, after)
        local = due.astimezone(ZoneInfo(rhythm.time_zone))
        days = {DAILY: 1, DAYS: 7, WEEKLY: 7, MONTHLY: LONGEST_GAP.days}[rhythm.frequency]
        longest = timedelta(days=days, hours=2)  # the night the clock goes back
        assert after < due <= after + longest, (rhythm, after)
        if rhythm.frequency in (WEEKLY, MONTHLY):
            assert local.weekday() == rhythm.weekday, (rhythm, after)
        if rhythm.frequency == MONTHLY:
            assert local.day <= 7, (rhythm, after)
        if rhythm.frequency == DAYS:
            assert local.weekday() in rhythm.days, (rhythm, after)
        skipped = local.replace(tzinfo=None, hour=rhythm.hour, minute=0)
        assert (local.hour, local.minute) == (rhythm.hour, 0) or (
            skipped.replace(tzinfo=ZoneInfo(rhythm.time_zone)).astimezone(UTC)
            == due  # that hour did not exist
        ), (rhythm, after)


def test_asking_again_before_it_is_due_gives_the_same_moment():
    """However often and whenever the beat comes, nothing between two due moments is skipped or doubled."""
    for rhythm, after in some_rhythms(200):
        due = next_due(rhythm, after)
        for part in (0.1, 0.5, 0.999):
            assert next_due(rhythm, after + (due - after) * part) == due
        assert next_due(rhythm, due) > due


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_daily_digests_is_one_for_every_local_day(zone):
    rhythm = Rhythm(DAILY, 0, 7, zone)
    moment, periods = at("2026-01-01T00:00"), []
    while moment < at("2027-01-01T00:00"):
        moment = next_due(rhythm, moment)
        periods.append(period_key(rhythm, moment))
    assert periods == sorted(set(periods))
    assert len(periods) in (365, 366)


@pytest.mark.parametrize(
    ("rhythm", "number"),
    [(MONTHLY, 12), (WEEKLY, 52), (DAYS, 104)],
)
def test_a_year_has_so_many_digests(rhythm, number):
    """From Monday 5 January 2026 on, on Tuesdays and Fridays, or on Tuesdays."""
    rhythm, moment, dues = Rhythm(rhythm, 1, 7, "Europe/London", (1, 4)), at("2026-01-05T00:00"), []
    while (moment := next_due(rhythm, moment)) < at("2027-01-04T00:00"):
        dues.append(moment)
    assert len(dues) == number
    assert {due.astimezone(ZoneInfo("Europe/London")).weekday() for due in dues} <= {1, 4}


def test_days_and_months_by_example():
    after = at("2026-11-22T12:00")  # a Sunday
    twice = Rhythm(DAYS, 1, 7, "Europe/London", (1, 4))
    assert next_due(twice, after) == at("2026-11-24T07:00")  # Tuesday
    assert next_due(twice, at("2026-11-24T07:00")) == at("2026-11-27T07:00")  # and Friday
    monthly = Rhythm(MONTHLY, 1, 7, "Europe/London")
    assert next_due(monthly, after) == at("2026-12-01T07:00")  # the first Tuesday of December
    assert next_due(monthly, at("2026-12-01T07:00")) == at("2027-01-05T07:00")  # five weeks later
    assert next_due(Rhythm(MONTHLY, 0, 7, "Europe/London"), after) == at("2026-12-07T07:00")


def test_a_pause_ends_with_the_first_digest_of_its_day_or_later():
    after = at("2026-11-22T12:00")
    for rhythm, due in [
        (Rhythm(DAILY, 0, 7, "Europe/London", (), date(2026, 12, 1)), "2026-12-01T07:00"),
        (Rhythm(WEEKLY, 4, 7, "Europe/London", (), date(2026, 12, 1)), "2026-12-04T07:00"),
        (Rhythm(MONTHLY, 1, 7, "Europe/London", (), date(2026, 12, 2)), "2027-01-05T07:00"),
        (Rhythm(DAILY, 0, 7, "Pacific/Auckland", (), date(2026, 12, 1)), "2026-11-30T18:00"),
        (Rhythm(DAILY, 0, 7, "Europe/London", (), date(2027, 11, 20)), "2027-11-20T07:00"),  # almost a year
        (Rhythm(DAILY, 0, 7, "Europe/London", (), date(2026, 11, 1)), "2026-11-23T07:00"),  # is over
    ]:
        assert next_due(rhythm, after) == at(due), rhythm


def test_every_zone_a_member_may_choose_has_a_next_digest():
    for zone in zoneinfo.available_timezones():
        assert next_due(Rhythm(WEEKLY, 6, 7, zone), at("2026-06-30T12:00")) is not None


@pytest.mark.parametrize(
    ("zone", "hour", "after", "due"),
    [
        (
            "Europe/London",
            7,
            "2026-03-28T08:00",
            "2026-03-29T06:00",
        ),  # the morning after the spring jump: UTC+1
        ("Europe/London", 7, "2026-10-24T08:00", "2026-10-25T07:00"),  # and after the autumn one: UTC
        ("Europe/London", 1, "2026-03-28T12:00", "2026-03-29T01:00"),  # 01:00 is skipped: shown as 02:00
        ("Europe/London", 1, "2026-10-24T12:00", "2026-10-25T00:00"),  # 01:00 comes twice: the first
        ("Europe/London", 1, "2026-10-25T00:00", "2026-10-26T01:00"),  # ... and not again an hour later
        ("America/Santiago", 0, "2026-09-05T12:00", "2026-09-06T04:00"),  # midnight is skipped
        ("Australia/Lord_Howe", 2, "2026-10-03T00:00", "2026-10-03T15:30"),  # half an hour is skipped
        ("Pacific/Apia", 7, "2011-12-29T18:00", "2011-12-30T17:00"),  # 30 December 2011 did not exist
    ],
)
def test_days_on_which_the_clock_jumps(zone, hour, after, due):
    assert next_due(Rhythm(DAILY, 0, hour, zone), at(after)) == at(due)


def test_apia_gets_one_digest_where_a_day_is_missing():
    rhythm = Rhythm(DAILY, 0, 7, "Pacific/Apia")
    first = next_due(rhythm, at("2011-12-29T00:00"))
    second = next_due(rhythm, first)
    third = next_due(rhythm, second)
    assert [period_key(rhythm, due) for due in (first, second, third)] == [
        "2011-12-29",
        "2011-12-31",
        "2012-01-01",
    ]


def test_never_is_never_due():
    assert next_due(Rhythm(NEVER, 0, 7, "Europe/London"), at("2026-01-01")) is None
