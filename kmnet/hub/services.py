"""The digest's writes: keeping schedules true, claiming who is due, marking a digest as read."""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from discussions.models import Post, ReadState, Thread
from kmnet.core import activity, jobs, mail
from kmnet.core.models import OutgoingMail
from kmnet.core.models.mail import MailState
from members.models import Member, Profile
from members.permissions import is_full_member

from .models import DigestRun, DigestSchedule
from .schedule import LONGEST_GAP, MONTHLY, NEVER, PERIOD, Rhythm, next_due, period_key

logger = logging.getLogger(__name__)

SLICE = 200  # members per transaction: a killed worker gives back this many at most
LONGEST_WINDOW = timedelta(days=31)  # after a long pause a digest tells of a month, not of a year
CHOSEN = ("frequency", "weekday", "hour", "time_zone", "days", "paused_until")
# Rows carry the moment their transaction began; what was still on its way to its commit belongs to the next window.
SETTLING = timedelta(minutes=2)


def rhythm_of(member: Member) -> Rhythm:
    """What the member chose. Needs the profile and the mail habits, where there are any."""
    profile, habits = member.profile, getattr(member, "mail_habits", None)
    return Rhythm(
        profile.digest,
        profile.digest_weekday,
        profile.digest_hour,
        member.time_zone,
        tuple(profile.digest_days),
        habits.paused_until if habits else None,
    )


def _apply(schedule: DigestSchedule, rhythm: Rhythm, now: datetime) -> None:
    """Write the rhythm and what follows from it onto the schedule (unsaved)."""
    resumed = schedule.next_due_at is None and rhythm.frequency != NEVER
    for name in CHOSEN:
        setattr(schedule, name, getattr(rhythm, name))
    schedule.days = list(rhythm.days)
    schedule.next_due_at = next_due(rhythm, now)
    if resumed:  # whoever starts, or starts again, gets one period and not what piled up meanwhile
        one_period_ago = now - PERIOD[rhythm.frequency]
        schedule.covered_until = max(schedule.covered_until or one_period_ago, one_period_ago)


def refresh_schedules(*, now: datetime | None = None, limit: int = SLICE) -> int:
    """Bring schedules in line with what members chose since; return how many changed. Safe to run twice at once.

    It compares instead of listening, so a change by the settings page, the admin or an import is all the same to it.
    """
    now = now or timezone.now()
    missing = (
        Profile.objects.filter(member__digest_schedule__isnull=True, member__is_active=True)
        .exclude(digest=NEVER)
        .select_related("member__profile", "member__mail_habits")
        .order_by("pk")
    )
    new = []
    for profile in missing[:limit]:
        schedule = DigestSchedule(member=profile.member)
        _apply(schedule, rhythm_of(profile.member), now)
        new.append(schedule)
    DigestSchedule.objects.bulk_create(new, ignore_conflicts=True)  # a second beat may have been faster

    chosen = "member__profile__digest"
    as_chosen = Q(
        frequency=F(chosen),
        weekday=F(f"{chosen}_weekday"),
        hour=F(f"{chosen}_hour"),
        days=F(f"{chosen}_days"),
        time_zone=F("member__time_zone"),
    )
    pause = "member__mail_habits__paused_until"
    as_chosen &= Q(paused_until=F(pause)) | Q(**{"paused_until__isnull": True, f"{pause}__isnull": True})
    with transaction.atomic():
        changed = list(
            DigestSchedule.objects.exclude(as_chosen)
            .filter(member__profile__isnull=False)
            .select_related("member__profile", "member__mail_habits")
            .select_for_update(skip_locked=True, of=("self",), no_key=True)
            .order_by("pk")[:limit]
        )
        for schedule in changed:
            was_paused = schedule.paused_until
            _apply(schedule, rhythm_of(schedule.member), now)
            if schedule.paused_until is not None and schedule.paused_until != was_paused:
                _take_back(schedule)
        DigestSchedule.objects.bulk_update(
            changed, [*CHOSEN, "next_due_at", "covered_until", "looked_ahead_until"]
        )
    return len(new) + len(changed)


def _take_back(schedule: DigestSchedule) -> None:
    """A pause began while the last digest was on its way: what did not go out belongs to the first one after the pause.
    The caller has locked the schedule, and saves it."""
    run = DigestRun.objects.filter(member=schedule.member_id, until=schedule.covered_until).first()
    if run is None:
        return
    mails = OutgoingMail.objects.filter(dedupe_key=run.dedupe_key)
    # One that is on the wire this moment is left to its sender, who asks for the pause, too.
    if list(mails.waiting().select_for_update(skip_locked=True)):
        mails.update(state=MailState.WITHHELD, reason=f"mail is paused until {schedule.paused_until}")
    if mails.filter(state=MailState.WITHHELD, reason__startswith="mail is paused").exists():
        schedule.covered_until, schedule.looked_ahead_until = run.since, run.ahead_from
        run.delete()


def claim_due_digests(*, now: datetime | None = None, limit: int = SLICE) -> int:
    """Fix the window of each digest that is due and queue its mail; return how many schedules were served.

    Any number of workers may run it at once: the lock on the schedule is the claim, and goes with a killed worker. One
    member whose digest cannot be queued is noted, and keeps none of the others (jobs.serve_slice).
    The window starts where the last one ended and ends now, so a late beat makes a longer window, an additional beat
    finds nothing due, and nothing is skipped or told twice.
    """
    now = now or timezone.now()
    due = DigestSchedule.objects.due(now).select_related("member")
    return jobs.serve_slice(due, lambda schedules: queue_digests(schedules, now), no_key=True, limit=limit)


def queue_digests(schedules: list[DigestSchedule], now: datetime) -> list[DigestRun]:
    """The runs and mails of these schedules, which the caller has locked; each is set to its next morning."""
    keys = {schedule.pk: period_key(_rhythm(schedule), schedule.next_due_at) for schedule in schedules}
    taken = set(
        DigestRun.objects.filter(
            member__in=[schedule.member_id for schedule in schedules], period__in=set(keys.values())
        ).values_list("member_id", "period")
    )
    runs = []
    for schedule in schedules:
        until = now - SETTLING
        longest = LONGEST_GAP if schedule.frequency == MONTHLY else LONGEST_WINDOW
        since = max(schedule.covered_until, until - longest)
        due, following = schedule.next_due_at, next_due(_rhythm(schedule), now)
        free = (schedule.member_id, keys[schedule.pk]) not in taken
        if free and since < until and is_full_member(schedule.member):
            runs.append(
                DigestRun(
                    member=schedule.member,
                    period=keys[schedule.pk],
                    since=since,
                    until=until,
                    due_at=due,
                    # What the member goes to is told ahead, once: up to the morning on which the next digest comes.
                    ahead_from=max(due, schedule.looked_ahead_until or due),
                    ahead_until=max(following, schedule.looked_ahead_until or following),
                )
            )
            schedule.covered_until, schedule.looked_ahead_until = until, runs[-1].ahead_until
        schedule.next_due_at = following
    made = {run.member_id: run for run in DigestRun.objects.bulk_create(runs)}
    mail.queue_many(
        "hub.digest",
        [run.member for run in runs],
        dedupe_key=lambda member: made[member.pk].dedupe_key,
        refs=lambda member: {"run": made[member.pk].pk},
    )
    _move_on(schedules)
    return runs


def _move_on(schedules: list[DigestSchedule]) -> None:
    """One statement for a slice, as cheap for the hundredth row as for the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE hub_digestschedule s
            SET next_due_at = moved.due, covered_until = moved.covered, looked_ahead_until = moved.ahead
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
                 AS moved (id, due, covered, ahead)
            WHERE s.id = moved.id
            """,
            [
                [schedule.pk for schedule in schedules],
                [schedule.next_due_at for schedule in schedules],
                [schedule.covered_until for schedule in schedules],
                [schedule.looked_ahead_until for schedule in schedules],
            ],
        )


@transaction.atomic
def bring_forward(*, member: Member, now: datetime | None = None) -> bool:
    """This member's digest comes now instead of on its day; False where they have had one today, or want none."""
    now = now or timezone.now()
    if not DigestSchedule.objects.filter(member=member).exists():
        schedule = DigestSchedule(member=member)
        _apply(schedule, rhythm_of(member), now)
        DigestSchedule.objects.bulk_create([schedule] if schedule.next_due_at else [], ignore_conflicts=True)
    schedule = (
        DigestSchedule.objects.select_for_update(of=("self",), no_key=True)
        .select_related("member")
        .filter(member=member, next_due_at__isnull=False)
        .first()
    )
    if schedule is None:
        return False
    schedule.next_due_at = now
    return bool(queue_digests([schedule], now))


def _rhythm(schedule: DigestSchedule) -> Rhythm:
    return Rhythm(
        schedule.frequency,
        schedule.weekday,
        schedule.hour,
        schedule.time_zone,
        tuple(schedule.days),
        schedule.paused_until,
    )


@transaction.atomic
def mark_digest_read(*, run: DigestRun) -> int:
    """Exactly the posts of this digest's window count as read, in threads that the member may still see.

    Returns how many threads that were; a second time is 0.
    """
    posts = list(
        Post.objects.shown()
        .filter(
            thread__in=Thread.objects.for_digest(run.member, run.since, run.until).order_by().values("pk"),
            published_at__gt=run.since,
            published_at__lte=run.until,
        )
        .only("pk", "number", "thread_id")
        .order_by("thread_id", "number")
    )
    numbers: dict[int, list[int]] = {}
    for post in posts:
        numbers.setdefault(post.thread_id, []).append(post.number)
    ReadState.objects.mark_many(member=run.member, numbers=numbers)
    begun = [Thread(pk=thread_id) for thread_id, read in numbers.items() if 1 in read]
    activity.mark_read(member=run.member, targets=[*posts, *begun])
    DigestRun.objects.filter(pk=run.pk, read_at__isnull=True).update(read_at=timezone.now())
    return len(numbers)
