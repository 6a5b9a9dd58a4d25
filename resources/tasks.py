"""Celery entry points of the library, and its periodic work."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs
from kmnet.core.jobs import Job


@shared_task(soft_time_limit=20, time_limit=30)
def look_up_doi(record_id: int) -> None:
    from .services import doi  # services import this module

    doi.answer_doi(record_id=record_id)


def sweep_abandoned_files() -> int:
    """Uploads whose form was never finished."""
    from .services import files

    return files.sweep_abandoned_files()


jobs.register(
    Job("resources.files", _("Files whose form was never finished are deleted"), 3600, sweep_abandoned_files)
)
