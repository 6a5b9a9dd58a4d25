"""Celery entry points of the library, and its periodic work."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs
from kmnet.core.jobs import Job


@shared_task(soft_time_limit=20, time_limit=30)
def look_up_doi(record_id: int) -> None:
    from .services import doi  # services import this module

    doi.answer_doi(record_id=record_id)


@shared_task(soft_time_limit=20, time_limit=30)
def look_up_link(record_id: int) -> None:
    from .services import links

    links.answer_link(record_id=record_id)


def sweep_abandoned_files() -> int:
    """Uploads whose form was never finished."""
    from .services import files

    return files.sweep_abandoned_files()


def tell_what_is_new() -> int:
    """Saved searches whose day is over."""
    from .services import searches

    return searches.tell_what_is_new()


def searches_due(now):
    from .services import searches

    return searches.due_searches(now)


jobs.register(
    Job(
        "resources.searches",
        _("Members hear what is new for their saved searches"),
        900,
        tell_what_is_new,
        searches_due,
        "due_at",
    )
)
jobs.register(
    Job("resources.files", _("Files whose form was never finished are deleted"), 3600, sweep_abandoned_files)
)
