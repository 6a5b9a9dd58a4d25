"""Celery entry points of the floor, and the one way to wake a task.

A task is only a wake-up: what is due stands in Postgres, is claimed there, and is swept up by the schedule if a wake-up
was lost. Hence no ETA, no retry of logic errors, and a broker that is down costs a delay and never a page.
"""

import logging

from celery import shared_task
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

logger = logging.getLogger(__name__)
SENDER_IS_CALLED = "mail:sender-is-called"  # the note that a wake-up is on its way


def enqueue(task, **ids) -> None:
    """Publish `task` with these ids once the running transaction has committed (at once where there is none)."""

    def publish():
        try:
            task.apply_async(kwargs=ids, retry=False)
        except Exception:  # a broker that is away, in whatever way it says so; the sweep makes up for it
            logger.warning("could not publish %s; the schedule will find the work", task.name)

    transaction.on_commit(publish, robust=True)


@shared_task
def note_beat() -> None:
    """Beat was here; /readyz tells when it has not been for three minutes."""
    from .models import Heartbeat

    Heartbeat.objects.update_or_create(name="beat", defaults={"seen_at": timezone.now()})


@shared_task
def send_due_mail() -> None:
    """One batch; a full one wakes the next worker, so that a short task never holds back other work."""
    from . import mail

    cache.delete(SENDER_IS_CALLED)  # first: a mail that is committed from here on calls again
    if mail.send_due_mail() == mail.BATCH:
        enqueue(send_due_mail)


@shared_task
def fan_out_activity(activity_id: int) -> None:
    from . import activity

    activity.fan_out(activity_id=activity_id)


@shared_task
def fan_out_waiting() -> None:
    """What a lost wake-up left behind."""
    from . import activity
    from .models import Activity

    for pk in Activity.objects.waiting().order_by("pk").values_list("pk", flat=True)[:500]:
        try:
            activity.fan_out(activity_id=pk)
        except Exception:  # one deed that cannot be told must not keep the others waiting
            logger.exception("fan-out of activity %s failed", pk)


@shared_task
def sweep_doomed_files() -> None:
    """Stored files whose rows are gone."""
    from . import files

    files.delete_doomed()


@shared_task
def keep_retention() -> None:
    """Once a day: what is kept longer than it is needed goes."""
    from . import retention

    retention.run()


@shared_task
def sweep_public_changes() -> None:
    from . import public_changes

    public_changes.sweep()
