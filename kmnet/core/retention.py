"""What is kept no longer than it is needed. Apps register jobs; the schedule runs them every day.

How long is in settings.RETENTION_DAYS (docs/operations.md), and the privacy page says it to everybody.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from .jobs import note_failure

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """`due(before)` counts, `carry_out(before)` acts and counts; `before`: the moment this long ago. Safe to repeat."""

    key: str  # of settings.RETENTION_DAYS
    label: str  # what it does, for the operator
    due: Callable[[datetime], int]
    carry_out: Callable[[datetime], int]


_jobs: dict[str, Job] = {}


def register(job: Job) -> None:
    if job.key not in settings.RETENTION_DAYS:
        raise LookupError(f"settings.RETENTION_DAYS does not say how long {job.key!r} is kept")
    if _jobs.setdefault(job.key, job) != job:
        raise ValueError(f"retention job {job.key!r} is registered twice")


def jobs() -> list[Job]:
    return [_jobs[key] for key in sorted(_jobs)]


def days(key: str) -> int:
    """0: kept for ever, the job is off."""
    return settings.RETENTION_DAYS[key]


def run(*, dry_run: bool = False, now: datetime | None = None) -> dict[str, int]:
    """Carry out every job that is on, or only count; what was done is in the log. One that fails stops no other."""
    now = now or timezone.now()
    done = {}
    for job in jobs():
        if not days(job.key):
            continue
        before = now - timedelta(days=days(job.key))
        try:
            done[job.key] = (job.due if dry_run else job.carry_out)(before)
        except (
            Exception
        ) as error:  # one job that fails must not keep the others; the next round tries it again
            note_failure(f"retention: {job.key}", error)
            continue
        if done[job.key] and not dry_run:
            logger.info("retention: %s: %s", job.key, done[job.key])
    return done
