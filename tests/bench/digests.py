"""A week’s digests for many members: from the schedule that is due to the bytes of each message, as a worker makes them."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import psutil
from django.utils import timezone

from discussions.models import Thread
from kmnet.core.mail import Withhold
from kmnet.core.mail.delivery import SLICE
from kmnet.core.mail.message import build_message
from kmnet.core.models import OutgoingMail
from kmnet.hub import services
from kmnet.hub.digest import prepare
from kmnet.hub.models import DigestRun, DigestSchedule
from members.models import Member, Profile

from .measure import cpu_by_program

WEEK = timedelta(days=7)
HELPS = Profile.can_help.through


@dataclass
class Made:
    """CPU in seconds, of this process and of the servers."""

    letters: int = 0
    withheld: int = 0
    size: int = 0
    spent: Counter = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)  # MB after each tenth of the slices

    @property
    def milliseconds(self) -> float:
        return sum(self.spent.values()) / max(1, self.letters + self.withheld) * 1000


def measure_digests(number: int) -> Made:
    """Nothing stays behind: windows, mails and what was put into profiles go, schedules stand as they stood."""
    while services.refresh_schedules(limit=5_000):
        pass
    crowd = Member.objects.filter(handle__startswith="crowd-", digest_schedule__next_due_at__isnull=False)
    ids = list(crowd.order_by("handle").values_list("pk", flat=True)[:number])
    schedules = DigestSchedule.objects.filter(member__in=ids)
    before = list(schedules.only("pk", "next_due_at", "covered_until", "looked_ahead_until"))
    elsewhere = timezone.now() + timedelta(days=300)
    put_off = DigestSchedule.objects.filter(next_due_at__lt=timezone.now()).exclude(member__in=ids)
    late = list(put_off.only("pk", "next_due_at", "covered_until", "looked_ahead_until"))
    put_off.update(next_due_at=elsewhere)
    given = lend_a_hand(ids)
    try:
        now = timezone.now()
        schedules.update(next_due_at=now - timedelta(minutes=1), covered_until=now - WEEK)
        warm_up(ids)
        return make_all(ids)
    finally:
        OutgoingMail.objects.filter(kind="hub.digest", member__in=ids).delete()
        DigestRun.objects.filter(member__in=ids).delete()
        HELPS.objects.filter(pk__in=given).delete()
        services._move_on([*before, *late])


def lend_a_hand(ids: list[int]) -> list[int]:
    """Every third of them can help with something that threads are about, as members do. Gives what was put in."""
    tags = list(Thread.tags.through.objects.values_list("tag", flat=True).distinct().order_by("tag")[:50])
    profiles = list(Profile.objects.filter(member__in=ids[::3]).order_by("pk").values_list("pk", flat=True))
    rows = [HELPS(profile_id=pk, tag_id=tags[pk % len(tags)]) for pk in profiles if tags]
    known = set(HELPS.objects.filter(profile__in=profiles).values_list("profile", "tag"))
    new = [row for row in rows if (row.profile_id, row.tag_id) not in known]
    return [row.pk for row in HELPS.objects.bulk_create(new)]


def warm_up(ids: list[int]) -> None:
    """The first slice of a worker’s life compiles templates and queries."""
    schedules = DigestSchedule.objects.filter(member__in=ids[:50])
    services.queue_digests(list(schedules.select_related("member")), timezone.now())
    write(waiting(ids[:50]), Made())


def waiting(ids: list[int]) -> list[OutgoingMail]:
    rows = OutgoingMail.objects.filter(kind="hub.digest", state="waiting", member__in=ids)
    return list(rows.select_related("member").order_by("pk"))


def make_all(ids: list[int]) -> Made:
    made, rest, process = Made(), ids[50:], psutil.Process()
    with counting(made.spent):
        while services.claim_due_digests():
            pass
    slices = range(0, len(rest), SLICE)
    for place, start in enumerate(slices):
        mails = waiting(rest[start : start + SLICE])
        with counting(made.spent):
            write(mails, made)
        if place % max(1, len(slices) // 10) == 0:
            made.memory.append(process.memory_info().rss >> 20)
    return made


def write(mails: list[OutgoingMail], made: Made) -> None:
    prepared = prepare(mails)
    for mail in mails:
        mail.prepared = prepared[mail.pk]
        try:
            made.size += len(build_message(mail).message().as_bytes(linesep="\r\n"))
        except Withhold:
            made.withheld += 1
        else:
            made.letters += 1


class counting:
    """Adds what is spent meanwhile."""

    def __init__(self, spent: Counter):
        self.spent = spent

    def __enter__(self):
        self.own, self.servers = time.process_time(), cpu_by_program()

    def __exit__(self, *_exc):
        own, servers = time.process_time() - self.own, cpu_by_program() - self.servers
        self.spent["python"] += own
        self.spent["postgres"] += servers["postgres"]
