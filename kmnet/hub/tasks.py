"""Periodic work of the hub."""

from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs
from kmnet.core.jobs import Job

from .models import DigestSchedule

MOST_SLICES = 500  # a run ends; the next beat goes on


def queue_due_digests() -> int:
    """Queue the digest of everybody whose local morning has come. Two beats at once, or none for a day, do no harm."""
    from . import services  # they import the apps

    for _slice in range(MOST_SLICES):
        if not services.refresh_schedules():
            break
    served = 0
    for _slice in range(MOST_SLICES):
        claimed = services.claim_due_digests()
        if not claimed:
            break
        served += claimed
    return served


jobs.register(
    Job(
        "hub.digests",
        _("Digests are written into the outbox"),
        300,
        queue_due_digests,
        lambda now: DigestSchedule.objects.due(now),
        "next_due_at",
    )
)
