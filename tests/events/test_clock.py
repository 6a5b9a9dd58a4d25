"""Time: the days on which clocks jump, the 29th of February, beats that come late or twice, and a worker that was away.

All moments are counted in real hours from the start, whatever the clocks on the wall do meanwhile.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from events import services, tasks
from events.models import Status
from kmnet.core.models import OutgoingMail
from tests.factories.events import make_event, make_registration
from tests.rules import broken_rules

from .helpers import fill, kinds_about, post, status_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
DAYS = {
    "clocks go forward": ("2027-03-28 10:00", "Europe/London"),
    "clocks go back": ("2027-10-31 10:00", "Europe/London"),
    "within the doubled hour": ("2027-10-31 01:30", "Europe/London"),
    "half an hour back": ("2027-04-04 09:00", "Australia/Lord_Howe"),
    "the 29th of February": ("2028-02-29 16:00", "America/Toronto"),
    "the day after it": ("2028-03-01 08:00", "Asia/Kathmandu"),
}


def beat() -> None:
    """What the schedule does every minute; twice, since a beat may come doubled."""
    for _twice in range(2):
        tasks.sweep_promotions()
        tasks.sweep_registrations()
        tasks.queue_due_reminders()


@pytest.fixture
def travel():
    """travel(moment): it is then, and the clock stands."""
    with time_machine.travel(datetime(2027, 1, 1), tick=False) as travelled:
        yield lambda moment: travelled.move_to(moment, tick=False)


@pytest.mark.parametrize(("local", "zone"), DAYS.values(), ids=DAYS)
def test_every_deadline_keeps_its_distance_from_the_start(local, zone, travel):
    start = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
    travel(start - 200 * HOUR)
    event = make_event(capacity=2, starts_at=start, time_zone=zone)
    yes, silent = fill(event, 2)
    waiting = [make_registration(event=event, status=Status.WAITING, told_position=place) for place in (1, 2)]

    def seen_at(before, *rows):
        """The newest mail to each, a second before the moment, and at it."""
        found = []
        for moment in (start - before - SECOND, start - before):
            travel(moment)
            beat()
            found.append([(kinds_about(row) or [""])[-1] for row in rows])
        return found

    assert seen_at(72 * HOUR, yes, silent) == [["", ""], ["reconfirm", "reconfirm"]]
    services.confirm_coming(registration=yes)
    assert seen_at(24 * HOUR, yes, silent, waiting[0]) == [
        ["reconfirm", "reconfirm", ""],
        ["reminder_24h", "soft", "offer"],
    ]
    waiting[0].refresh_from_db()
    assert waiting[0].offer_expires_at == start - 3 * HOUR
    assert seen_at(3 * HOUR, *waiting) == [["offer", "position"], ["all_hands", "all_hands"]]
    assert status_of(yes, silent, *waiting) == ["confirmed", "soft", "expired", "waiting"]
    assert seen_at(1 * HOUR, yes) == [["reminder_24h"], ["reminder_1h"]]
    assert services.claim_place(registration=waiting[1]).status == "confirmed"
    beat()
    mails = OutgoingMail.objects.count()
    travel(start + HOUR)
    beat()
    assert OutgoingMail.objects.count() == mails


def test_an_offer_over_the_night_of_the_change_lasts_a_day_of_real_hours(travel):
    made = datetime(2027, 3, 27, 12, 0, tzinfo=ZoneInfo("Europe/London"))
    travel(made)
    event = make_event(capacity=1, starts_at=made + 300 * HOUR)
    first, second = fill(event, 2, Status.WAITING)
    beat()
    first.refresh_from_db()
    ends = first.offer_expires_at.astimezone(ZoneInfo("Europe/London"))
    assert (ends.strftime("%d %H:%M"), first.offer_expires_at - timezone.now()) == ("28 13:00", 24 * HOUR)
    travel(first.offer_expires_at - SECOND)
    assert services.accept_offer(registration=first).status == "confirmed"
    assert status_of(second) == ["waiting"]


def test_a_worker_away_for_three_hours_over_an_offers_end_and_a_reminder(travel):
    """Nothing counts twice meanwhile, nobody is forgotten, and each hears once."""
    start = datetime(2027, 6, 1, 12, 0, tzinfo=ZoneInfo("UTC"))
    travel(start - 49 * HOUR)
    event = make_event(capacity=2, starts_at=start, asks_reconfirmation=False)
    holder = services.register_member(event=event, member=make_registration().member)
    others = [
        services.register_member(event=event, member=make_registration().member) for _number in range(3)
    ]
    services.cancel_registration(registration=others[0])
    offered, waiting = others[1:]
    travel(start - 26 * HOUR)
    beat()
    assert status_of(offered, waiting) == ["offered", "waiting"]
    travel(start - 24.5 * HOUR)  # the offer ended half an hour ago, and no worker has seen it
    assert event.occupancy().held == 1
    with pytest.raises(services.OfferOver):
        services.accept_offer(registration=offered)
    newcomer = services.register_member(event=event, member=make_registration().member)
    assert status_of(offered, waiting, newcomer) == [
        "expired",
        "offered",
        "waiting",
    ]  # their press did the sweep's work
    travel(start - 23 * HOUR)
    beat()
    assert kinds_about(holder) == ["confirmed", "reminder_24h"]
    assert kinds_about(offered) == ["waiting", "offer", "offer_passed"]
    assert broken_rules(event) == []


def test_away_until_the_last_hours_the_call_replaces_the_offer_that_nobody_made(travel):
    start = datetime(2027, 6, 1, 12, 0, tzinfo=ZoneInfo("UTC"))
    travel(start - 28 * HOUR)
    event = make_event(capacity=1, starts_at=start)
    make_registration(event=event, status=Status.OFFERED)
    waiting = make_registration(event=event, status=Status.WAITING)
    travel(start - 2 * HOUR)
    beat()
    assert (status_of(waiting), kinds_about(waiting)) == (["waiting"], ["all_hands"])


def test_away_beyond_the_start_calls_asks_and_softens_nobody(travel):
    start = datetime(2027, 6, 1, 12, 0, tzinfo=ZoneInfo("UTC"))
    travel(start - 80 * HOUR)
    event = make_event(capacity=2, starts_at=start)
    holder = make_registration(event=event)
    waiting = make_registration(event=event, status=Status.WAITING, told_position=1)
    travel(start + SECOND)
    beat()
    post()
    assert (status_of(holder, waiting), kinds_about(waiting)) == (["confirmed", "waiting"], [])
    assert set(kinds_about(holder)) <= {"reminder_24h", "reminder_1h"}
    reminders = OutgoingMail.objects.filter(kind__startswith="events.reminder")
    assert all(mail.state == "withheld" and mail.reason for mail in reminders)


def test_a_clock_that_steps_back_brings_no_ended_offer_to_life(travel):
    now = datetime(2027, 6, 1, 12, 0, tzinfo=ZoneInfo("UTC"))
    travel(now)
    event = make_event(capacity=1, starts_at=now + 300 * HOUR)
    first, second = fill(event, 2, Status.WAITING)
    beat()
    travel(now + 24 * HOUR)
    beat()
    assert status_of(first, second) == ["expired", "offered"]
    travel(now + 23 * HOUR)  # an hour back
    beat()
    with pytest.raises(services.OfferOver):
        services.accept_offer(registration=first)
    assert services.accept_offer(registration=second).status == "confirmed"
    assert event.occupancy().held == 1
