"""How well the reply promise is kept: the numbers, and what is owed now."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Aggregate, Count, DurationField, F, Q, QuerySet

from .models import OwedReply, Post, Readers, Thread

PROMISED = timedelta(hours=48)


class Median(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True)
class Numbers:
    """Of the clocks that started between two moments, without those of groups.

    median_hours: to the first reply by another person, of those that got one; real hours. share: how many per cent had
    one within 48 hours, of those whose 48 hours are over or that had one sooner. None where there is nothing to say.
    """

    asked: int
    replied: int
    median_hours: float | None
    share: int | None


def numbers(since: datetime, until: datetime, *, now: datetime, first_posts: bool = False) -> Numbers:
    """One query. `first_posts`: only of people who had never written before, be it a thread or a reply."""
    rows = OwedReply.objects.filter(
        Q(post__isnull=True) | Q(post__state=Post.State.VISIBLE),
        started_at__gt=since,
        started_at__lte=until,
        thread__state=Thread.State.VISIBLE,
        thread__space__readable_by__in=(Readers.PUBLIC, Readers.MEMBERS),
    )
    if first_posts:
        rows = rows.filter(Q(post__isnull=False) | Q(thread__is_authors_first=True))
    waited = F("kept_at") - F("started_at")
    soon = Q(kept_at__lte=F("started_at") + PROMISED)
    found = rows.aggregate(
        asked=Count("pk"),
        replied=Count("kept_at"),
        soon=Count("pk", filter=soon),
        judged=Count("pk", filter=soon | Q(started_at__lte=now - PROMISED)),
        median=Median(waited, filter=Q(kept_at__isnull=False)),
    )
    median = found["median"]
    return Numbers(
        asked=found["asked"],
        replied=found["replied"],
        median_hours=round(median.total_seconds() / 3600, 1) if median is not None else None,
        share=round(100 * found["soon"] / found["judged"]) if found["judged"] else None,
    )


def owed_now(viewer) -> QuerySet[OwedReply]:
    """What waits for a first reply, among what this person may read; the longest waiting first when paged so."""
    return (
        OwedReply.objects.owed()
        .filter(thread__in=Thread.objects.visible_to(viewer).shown())
        .select_related("thread__space", "thread__author", "post__author")
    )
