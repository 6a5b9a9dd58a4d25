"""Celery entry points of the hub."""

from celery import shared_task

MOST_SLICES = 500  # a run ends; the next beat goes on


@shared_task
def queue_due_digests() -> None:
    """Queue the digest of everybody whose local morning has come. Two beats at once, or none for a day, do no harm."""
    from . import (
        services,  # the service imports the apps, whose models are not ready when Celery looks for tasks
    )

    for _slice in range(MOST_SLICES):
        if not services.refresh_schedules():
            break
    for _slice in range(MOST_SLICES):
        if not services.claim_due_digests():
            break
