"""A real calendar program, khal, takes what we send and publish: the entry, its update, its end.

khal keeps entries by their UID and reads STATUS, TRANSP and the title; it knows nothing of iTIP. A CANCEL does not remove
an entry there, it replaces it: called off or postponed, khal writes CANCELLED before it; where only one person leaves, the
message has no STATUS (RFC 5546: the event itself goes on), so that the title must say it, and does. Programs that know
the method (Outlook, Google, Apple) take the entry away.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events import services
from tests.factories import make_member
from tests.factories.events import make_event

from .helpers import calendar_of, post, to

pytestmark = pytest.mark.django_db
CONFIG = """\
[calendars]
[[mine]]
path = {home}/calendar
type = calendar
[locale]
local_timezone = Asia/Amman
default_timezone = Asia/Amman
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {home}/khal.db
[default]
default_calendar = mine
"""


class Khal:
    def __init__(self, home: Path):
        (home / "calendar").mkdir()
        self.home, self.config = home, home / "config"
        self.config.write_text(CONFIG.format(home=home))

    def run(self, *args: str) -> str:
        done = subprocess.run(
            [Path(sys.executable).with_name("khal"), "--no-color", "-c", self.config, *args],
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def take(self, content: bytes) -> None:
        file = self.home / "in.ics"
        file.write_bytes(content)
        self.run("import", "--batch", str(file))

    def shows(self) -> list[str]:
        """What is in it for the year, each with its day."""
        out = self.run(
            *("list", "--day-format", "", "--notstarted"),
            *("--format", "{start-date} {start-time}-{end-time} {cancelled}{title}"),
            *("2026-11-22", "365d"),
        )
        return [line for line in out.splitlines() if line]


@pytest.fixture
def khal(tmp_path):
    return Khal(tmp_path)


@pytest.fixture
def noor(clock):
    clock.move_to(datetime(2026, 11, 22, 12, tzinfo=UTC))
    return make_member(email="noor@example.org", time_zone="Asia/Amman")


@pytest.fixture
def event(noor):
    return make_event(
        title="What a residency leaves behind",
        organisers=[make_member(is_organiser=True)],
        starts_at=datetime(2026, 12, 3, 13, tzinfo=UTC),
        ends_at=datetime(2026, 12, 3, 14, 15, tzinfo=UTC),
        time_zone="Europe/London",
    )


def mailed(address="noor@example.org") -> bytes:
    """The calendar part of the last mail to them."""
    return calendar_of(to(post(), address)[-1])[2]


def test_entry_by_mail_moves_and_is_called_off(khal, event, noor):
    services.register_member(event=event, member=noor)
    khal.take(mailed())
    assert khal.shows() == ["2026-12-03 16:00-17:15 What a residency leaves behind"]
    organiser = event.organisers.get()
    services.update_event(
        event=event,
        actor=organiser,
        starts_at=event.starts_at + timedelta(days=1, hours=1),
        ends_at=event.ends_at + timedelta(days=1, hours=1),
    )
    khal.take(mailed())
    assert khal.shows() == ["2026-12-04 17:00-18:15 What a residency leaves behind"]
    services.cancel_event(event=event, actor=organiser)
    khal.take(mailed())
    assert khal.shows() == ["2026-12-04 17:00-18:15 CANCELLED Cancelled: What a residency leaves behind"]


def test_entry_of_somebody_who_leaves_says_so(khal, event, noor):
    place = services.register_member(event=event, member=noor)
    khal.take(mailed())
    services.cancel_registration(registration=place, actor=noor)
    khal.take(mailed())
    assert khal.shows() == [
        "2026-12-03 16:00-17:15 You no longer have a place: What a residency leaves behind"
    ]
    services.register_member(event=event, member=noor)
    khal.take(mailed())
    assert khal.shows() == ["2026-12-03 16:00-17:15 What a residency leaves behind"]


def test_postponed_entry_gets_its_new_day(khal, event, noor):
    services.register_member(event=event, member=noor)
    khal.take(mailed())
    organiser = event.organisers.get()
    services.postpone_event(event=event, actor=organiser)
    khal.take(mailed())
    assert khal.shows() == ["2026-12-03 16:00-17:15 CANCELLED Postponed: What a residency leaves behind"]
    services.update_event(
        event=event,
        actor=organiser,
        starts_at=event.starts_at + timedelta(weeks=6),
        ends_at=event.ends_at + timedelta(weeks=6),
    )
    khal.take(mailed())
    assert khal.shows() == ["2027-01-14 16:00-17:15 What a residency leaves behind"]


def test_feed_is_read_whole_in_every_time_zone(khal, event, client):
    """Also where the clocks change between now and then, and for a file that somebody took before."""
    khal.take(client.get(f"{event.get_absolute_url()}event.ics").content)
    summer = datetime(2027, 7, 1, 22, 30, tzinfo=UTC)
    for zone in ("America/St_Johns", "Asia/Kathmandu", "UTC"):
        make_event(title=zone, starts_at=summer, ends_at=summer + timedelta(hours=1), time_zone=zone)
    twice = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)  # London's clock shows it for the second time
    make_event(title="Twice", starts_at=twice, ends_at=twice + timedelta(hours=1))
    khal.take(client.get("/feeds/events.ics").content)
    assert sorted(khal.shows()) == [
        "2026-12-03 16:00-17:15 What a residency leaves behind",
        "2027-07-02 01:30-02:30 America/St_Johns",
        "2027-07-02 01:30-02:30 Asia/Kathmandu",
        "2027-07-02 01:30-02:30 UTC",
        "2027-10-31 04:30-05:30 Twice",
    ]
