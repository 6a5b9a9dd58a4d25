"""Celery entry points of the floor, the one way to wake a task, and the floor's periodic work.

A task is only a wake-up: what is due stands in Postgres, is claimed there, and is swept up by the schedule if a wake-up
was lost. Hence no ETA, no retry of logic errors, and a broker that is down costs a delay and never a page.
"""

import logging

from celery import shared_task
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import jobs
from .jobs import Job
from .models import Activity, DoomedFile, Heartbeat, OutgoingMail, ReceivedMail

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
def run_job(key: str) -> None:
    """What beat wakes: one of the registered jobs."""
    jobs.run(key)


@shared_task
def send_due_mail() -> int:
    """One batch; a full one wakes the next worker, so that a short task never holds back other work."""
    from . import mail

    cache.delete(SENDER_IS_CALLED)  # first: a mail that is committed from here on calls again
    tried = mail.send_due_mail()
    if tried == mail.BATCH:
        enqueue(send_due_mail)
    return tried


@shared_task
def work_on_received() -> int:
    """Messages that came in; a full batch wakes the next worker."""
    from .inbound import working

    served = working.work_on_received()
    if served == working.BATCH:
        enqueue(work_on_received)
    return served


@shared_task
def fan_out_activity(activity_id: int) -> None:
    from . import activity

    activity.fan_out(activity_id=activity_id)


# --- periodic --------------------------------------------------------------------------------------------------------
def note_beat() -> None:
    """Beat was here; /readyz tells when it has not been for three minutes. What should have run long ago is woken: beat
    counts its hours from its own start, and a site that is put up anew each morning would never come to some jobs."""
    Heartbeat.objects.update_or_create(name="beat", defaults={"seen_at": timezone.now()})
    for key in jobs.overdue():
        enqueue(run_job, key=key)


def fan_out_waiting() -> int:
    """What a lost wake-up left behind."""
    from . import activity

    waiting = Activity.objects.waiting().order_by("pk").values_list("pk", flat=True)[: jobs.MOST]
    return jobs.each(list(waiting), lambda pk: activity.fan_out(activity_id=pk), what="deed")


def sweep_doomed_files() -> int:
    """Stored files whose rows are gone."""
    from . import files

    return files.delete_doomed()


def keep_retention() -> int:
    """Several times a day: what is kept longer than it is needed goes."""
    from . import retention

    return sum(retention.run().values())


def sweep_public_changes() -> None:
    from . import public_changes

    public_changes.sweep()


def tell_of_free_tags() -> int:
    """Once a month."""
    from . import free_tags

    return free_tags.tell_admins()


def due_mail(now):
    return OutgoingMail.objects.due(now).filter(lead__isnull=True)


jobs.register(Job("core.beat", _("The sign of life that /readyz asks for"), 30, note_beat))
jobs.register(Job("core.mail", _("Mails that are due go out"), 15, send_due_mail, due_mail, "due_at"))
jobs.register(
    Job(
        "core.received-mail",
        _("Mail that came in is worked on"),
        15,
        work_on_received,
        lambda now: ReceivedMail.objects.filter(state="waiting", next_try_at__lte=now),
        "next_try_at",
    )
)
jobs.register(
    Job(
        "core.deeds",
        _("Deeds are told to those whom they concern"),
        60,
        fan_out_waiting,
        lambda now: Activity.objects.waiting(),
        "at",
    )
)
jobs.register(
    Job(
        "core.files",
        _("Stored files whose rows are gone are deleted"),
        300,
        sweep_doomed_files,
        lambda now: DoomedFile.objects.all(),
        "since",
    )
)
jobs.register(
    Job(
        "core.guest-pages",
        _("The list of changes that guests may see is kept short"),
        60,
        sweep_public_changes,
    )
)
jobs.register(
    Job("core.free-tags", _("Admins hear once a month which free tags many use"), 86_400, tell_of_free_tags)
)
jobs.register(Job("core.retention", _("What is kept longer than it is needed goes"), 21_600, keep_retention))
