"""Periodic work, all of it by one pattern.

What is to be done stands in rows, never in a queue. A job finds the rows that are due, claims each by locking it (SKIP
LOCKED: any number of workers may run it at once, and a killed one gives its claim back), and writes the effect together
with what makes the row no longer due. One row that fails is noted, and the others are served. The next run finds what
was left: so two schedules do no harm, and neither does none for three hours.

Apps register a `Job` for each piece of work (tasks.py); beat's schedule is made from these, and the admin page shows how
each is doing (JobState).
"""

import logging
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Count, F, Min, Model, QuerySet
from django.utils import timezone

from .models import JobState

logger = logging.getLogger(__name__)

MOST = 500  # rows in one run; the next beat goes on
PAGE = 100
PATIENCE = 50  # so many failures in one run: it is not the rows


@dataclass(frozen=True)
class Job:
    """One piece of periodic work.

    key: "app.what". label: what it does, for the operator. every: seconds. run: does it, and may return how many it
    served (what goes through `serve` and its like is counted anyway). due: the rows that are due at a moment, and due_at
    the field that says since when: from these the page tells how far behind it is."""

    key: str
    label: str
    every: float
    run: Callable[[], object]
    due: Callable[[datetime], QuerySet] | None = None
    due_at: str = ""

    def late_after(self) -> timedelta:
        """Longer than this behind is worth a look."""
        return max(timedelta(seconds=3 * self.every), timedelta(minutes=10))


_jobs: dict[str, Job] = {}


def register(job: Job) -> None:
    """From an app's tasks.py. Another job under the same key is a mistake."""
    if bool(job.due) != bool(job.due_at):
        raise ValueError(f"{job.key}: `due` and `due_at` belong together")
    if _jobs.setdefault(job.key, job) != job:
        raise ValueError(f"job {job.key!r} is registered twice")


def all_jobs() -> list[Job]:
    return [_jobs[key] for key in sorted(_jobs)]


def schedule() -> dict[str, dict]:
    """For Celery's beat. A wake-up that nobody has heard when the next one comes is worth nothing."""
    return {
        job.key: {
            "task": "kmnet.core.tasks.run_job",
            "schedule": float(job.every),
            "kwargs": {"key": job.key},
            "options": {"expires": max(job.every, 60.0)},
        }
        for job in all_jobs()
    }


def overdue(now: datetime | None = None) -> list[str]:
    """The jobs of ten minutes or more that have not been begun for longer than they should, by what is written down."""
    now = now or timezone.now()
    begun = dict(JobState.objects.values_list("name", "begun_at"))
    return [
        job.key
        for job in all_jobs()
        if job.every >= 600
        and (begun.get(job.key) is None or now - begun[job.key] > timedelta(seconds=1.5 * job.every))
    ]


# --- one run ---------------------------------------------------------------------------------------------------------
@dataclass
class Tally:
    served: int = 0
    failed: list[str] = field(default_factory=list)


_tally: ContextVar[Tally | None] = ContextVar("tally", default=None)


def run(key: str) -> Tally:
    """Run this job now and write down how it went; never raises. Unknown keys are those of an older schedule."""
    tally = Tally()
    job = _jobs.get(key)
    if job is None:
        logger.warning("there is no job %s", key)
        return tally
    begun_at, clock = timezone.now(), time.monotonic()
    _write(key, begun_at=begun_at)
    before = _tally.set(tally)
    try:
        served = job.run()
        if isinstance(served, int) and not tally.served:
            tally.served = int(served)
    except TooManyFailures:
        pass  # they are noted
    except Exception as error:
        note_failure(key, error)
    finally:
        _tally.reset(before)
    ended = {"ended_at": timezone.now(), "seconds": time.monotonic() - clock, "served": tally.served}
    if tally.failed:
        said = f"{len(tally.failed)}: " + "; ".join(tally.failed[:5])
        _write(key, **ended, failures=F("failures") + 1, failed_at=ended["ended_at"], failure=said)
    else:
        _write(key, **ended, well_at=ended["ended_at"], failures=0)
    return tally


def _write(key: str, **fields) -> None:
    """Without a transaction around the work: nobody waits for this row."""
    try:
        with transaction.atomic():
            if not JobState.objects.filter(name=key).update(**fields):
                JobState.objects.bulk_create([JobState(name=key)], ignore_conflicts=True)
                JobState.objects.filter(name=key).update(**fields)
    except (DatabaseError, InterfaceError):  # away: the work will say so itself
        logger.warning("how job %s is doing could not be written", key)


def note_failure(what: str, error: Exception) -> None:
    """Into the log with its trace, and for the page without: what an error says may name people."""
    logger.error("%s failed", what, exc_info=error)
    tally = _tally.get()
    if tally is not None:
        tally.failed.append(f"{what} ({type(error).__name__})")
        if len(tally.failed) > PATIENCE:
            raise TooManyFailures from error


class TooManyFailures(Exception):
    """The run ends here: each of its rows fails."""


# --- the pattern -----------------------------------------------------------------------------------------------------
def attempt(what: str, work: Callable[[], object]) -> int:
    """Do it and return how many it served (nothing returned: one); what fails is noted, and 0. Raises only where the
    database is away, or the caller's own transaction is spoiled."""
    try:
        done = work()
    except TooManyFailures:
        raise
    except Exception as error:
        note_failure(what, error)
        if isinstance(error, DatabaseError | InterfaceError) and not connection.is_usable():
            raise
        return 0
    return 1 if done is None else int(done)


def steps(*works: Callable[[], object]) -> int:
    """One after the other; one that fails keeps none of the others."""
    return sum(attempt(getattr(work, "__name__", str(work)), work) for work in works)


def each(keys: Iterable, act: Callable[[object], object], *, what: str) -> int:
    """`act(key)` for each, in a transaction of its own; return how many were served. For work that claims in its own way
    (a lock on something else, a unique key): `act` asks again under its claim whether there is anything to do."""

    def one(key):
        with transaction.atomic():
            return act(key)

    return _count(sum(attempt(f"{what} {getattr(key, 'pk', key)}", lambda key=key: one(key)) for key in keys))


def serve(
    due: QuerySet, act: Callable[[Model], object], *, no_key: bool = False, limit: int = MOST, of=("self",)
) -> int:
    """`act(row)` for each row of `due` (in its order), each in a transaction of its own; return how many were served.

    The row is locked (SKIP LOCKED), and is asked for again under the lock, so that what somebody else was faster with is
    left. `act` makes it no longer due. One that fails stays due for the next run, and holds up no other in this one."""
    name = due.model._meta.verbose_name
    tried: list = []
    served = 0

    def one(pk):
        with transaction.atomic():
            row = due.select_for_update(skip_locked=True, of=of, no_key=no_key).filter(pk=pk).first()
            return 0 if row is None else act(row)

    while served < limit:
        page = list(due.exclude(pk__in=tried).values_list("pk", flat=True)[: min(PAGE, limit - served)])
        if not page:
            break
        tried += page
        served += sum(attempt(f"{name} {pk}", lambda pk=pk: one(pk)) for pk in page)
    return _count(served)


def serve_slice(
    due: QuerySet, act: Callable[[list], object], *, no_key: bool = False, limit: int = PAGE, of=("self",)
) -> int:
    """As `serve`, for work that costs far less for many rows at once: one slice, in one transaction; return how many rows
    were claimed. Where `act(rows)` fails, it is called with each of them alone, and those that fail are noted."""
    name = due.model._meta.verbose_name
    with transaction.atomic():
        claim = due.select_for_update(skip_locked=True, of=of, no_key=no_key)
        rows = list(claim[:limit])
        try:
            if rows:
                with transaction.atomic():
                    act(rows)
        except Exception as error:
            logger.warning("a slice of %s failed; they are served one by one", name, exc_info=error)
            again = {row.pk: row for row in due.filter(pk__in=[row.pk for row in rows])}

            def one(row):
                with transaction.atomic():
                    act([row])

            served = sum(attempt(f"{name} {pk}", lambda row=row: one(row)) for pk, row in again.items())
            return _count(served)
    return _count(len(rows))


def _count(served: int) -> int:
    tally = _tally.get()
    if tally is not None:
        tally.served += served
    return served


# --- how they are doing ------------------------------------------------------------------------------------------------
@dataclass
class Report:
    """For the page. `due` is None where the job has no rows to tell by."""

    job: Job
    state: JobState | None
    due: int | None
    since: datetime | None  # from when on the oldest row is due
    behind: timedelta | None
    is_silent: bool  # it has not begun for far longer than it should
    is_stuck: bool  # begun, and not ended since: it runs, or its worker was killed

    @property
    def hours(self) -> int:
        return round(self.job.every / 3600)

    @property
    def minutes(self) -> int:
        return round(self.job.every / 60)

    @property
    def seconds(self) -> int:
        return round(self.job.every)

    @property
    def is_late(self) -> bool:
        return self.behind is not None and self.behind > self.job.late_after()

    @property
    def is_failing(self) -> bool:
        return self.state is not None and self.state.failures > 0

    @property
    def is_well(self) -> bool:
        return not (self.is_late or self.is_failing or self.is_silent or self.is_stuck)


def reports(now: datetime | None = None) -> list[Report]:
    """How each job is doing. One question to the database, and one for each job that has rows to tell by."""
    now = now or timezone.now()
    states = JobState.objects.in_bulk()
    return [_report(job, states.get(job.key), now) for job in all_jobs()]


def _report(job: Job, state: JobState | None, now: datetime) -> Report:
    due, since = lag(job, now)
    begun, ended = (state.begun_at, state.ended_at) if state else (None, None)
    return Report(
        job,
        state,
        due,
        since,
        now - since if since else None,
        is_silent=begun is None or now - begun > job.late_after(),
        is_stuck=begun is not None
        and (ended is None or ended < begun)
        and now - begun > timedelta(minutes=10),
    )


def lag(job: Job, now: datetime) -> tuple[int | None, datetime | None]:
    """How many rows are due, and since when the oldest is."""
    if job.due is None:
        return None, None
    found = job.due(now).order_by().aggregate(count=Count("pk"), oldest=Min(job.due_at))
    return found["count"], found["oldest"]
