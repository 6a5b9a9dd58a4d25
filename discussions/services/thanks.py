"""Quiet thanks: “this helped me”, for the giver's eyes alone; once a month its author hears how many, and never who."""

import zoneinfo
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, When
from django.utils import timezone

from kmnet.core import activity, jobs
from members.models import Boundary, Member, Profile, SeenBy, Status, blockers_of
from members.permissions import is_full_member

from ..models import Post, QuietThanks, ThanksMonth, Thread
from .reactions import lock_for_reaction

HELPED = "discussions.helped"
DAYS, MORNING, EVENING = 7, 9, 18  # told in the first week of a month, in the daytime of the author
FEW = 3  # fewer people than this are not told apart from one another: neither a number nor countries
SLICE = 500


@transaction.atomic
def set_quiet_thanks(*, member: Member, post: Post, on: bool) -> None:
    """“This helped me” stands, or does not; twice is once. Nobody is told now. Locks the post. PermissionDenied."""
    post = lock_for_reaction(post, member)
    if on:
        QuietThanks.objects.get_or_create(post=post, member=member)
    else:
        QuietThanks.objects.filter(post=post, member=member).delete()


def with_writer(thanks):
    """Each with `writer`: who wrote the post, also behind another name."""
    return thanks.annotate(
        writer=Case(When(post__mask__isnull=False, then=F("post__mask__member")), default=F("post__author"))
    )


def tell_of_thanks(*, now: datetime | None = None) -> int:
    """Tell authors, where it is the morning of one of the first days of a month, whom they helped until it began.

    Returns how many were told. Any number of workers may run it at any time: one row per author and month is the claim."""
    now = now or timezone.now()
    zones = [zone for zone in zoneinfo.available_timezones() if is_time_to_tell(now, zone)]
    if not zones:
        return 0
    untold = with_writer(QuietThanks.objects.filter(told_in__isnull=True)).values("writer")
    told = ThanksMonth.objects.filter(told_at__gt=now - timedelta(days=DAYS + 1)).values("author")
    authors = Member.objects.full().filter(pk__in=untold, time_zone__in=zones).exclude(pk__in=told)
    ids = list(authors.order_by("pk").values_list("pk", flat=True)[:SLICE])
    return jobs.each(ids, lambda pk: tell_author(author_id=pk, now=now), what="thanks to member")


def is_time_to_tell(now: datetime, zone: str) -> bool:
    local = now.astimezone(zoneinfo.ZoneInfo(zone))
    return local.day <= DAYS and MORNING <= local.hour < EVENING


@transaction.atomic
def tell_author(*, author_id: int, now: datetime) -> bool:
    """One author's month. Locks the member; another worker that has the lock does it instead."""
    rows = Member.objects.select_for_update(no_key=True, skip_locked=True)
    author = rows.filter(pk=author_id).first()
    if author is None or not is_full_member(author):
        return False
    began = month_began(now, author.time_zone)
    month = (began.date() - timedelta(days=1)).replace(day=1)
    if ThanksMonth.objects.filter(author=author, month=month).exists():
        return False
    untold = with_writer(QuietThanks.objects.filter(told_in__isnull=True, at__lt=began))
    ids = list(untold.filter(writer=author.pk).values_list("pk", flat=True))
    if not ids:
        return False
    row = ThanksMonth.objects.create(author=author, month=month, people=0, told_at=now)
    QuietThanks.objects.filter(pk__in=ids).update(told_in=row)
    row.people, row.countries = count_helped(row)
    row.save(update_fields=["people", "countries"])
    if not row.people:
        return False
    activity.record(HELPED, actor=None, target=row)
    return True


def month_began(now: datetime, zone: str) -> datetime:
    """The first midnight of the month that it is there."""
    local = now.astimezone(zoneinfo.ZoneInfo(zone))
    return datetime(local.year, local.month, 1, tzinfo=local.tzinfo)


def count_helped(row: ThanksMonth) -> tuple[int, int]:
    """(people, countries) as of now: without what was taken back, posts that no longer stand, and whom the author keeps
    away. A country counts where its owner shows it to all members; of fewer than three people none is told."""
    away = Boundary.objects.filter(owner=row.author_id).values("other")
    people = set(
        QuietThanks.objects.filter(
            told_in=row,
            post__state=Post.State.VISIBLE,
            post__deleted_at__isnull=True,
            post__withdrawn_at__isnull=True,
            post__thread__state=Thread.State.VISIBLE,
            member__status__in=(Status.ACTIVE, Status.SILENCED),
        )
        .exclude(member__in=away)
        .values_list("member", flat=True)
    )
    if len(people) < FEW:
        return len(people), 0
    shown = Profile.objects.filter(
        member__in=people, state=Profile.State.VISIBLE, place_seen_by__lte=SeenBy.MEMBERS
    )
    shown = shown.exclude(country="").exclude(member__in=blockers_of(row.author))
    countries = list(shown.values_list("country", flat=True))
    if len(countries) < FEW:
        return len(people), 0
    return len(people), len(set(countries))


def months_of(member: Member) -> list[ThanksMonth]:
    """What this member was told, the latest first."""
    return list(ThanksMonth.objects.filter(author=member, people__gt=0).order_by("-month")[:36])
