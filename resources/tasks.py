"""Celery entry points of the library."""

from celery import shared_task


@shared_task(soft_time_limit=20, time_limit=30)
def look_up_doi(record_id: int) -> None:
    from .services import doi  # services import this module

    doi.answer_doi(record_id=record_id)


@shared_task
def sweep_abandoned_files() -> None:
    """Scheduled hourly: uploads whose form was never finished."""
    from .services import files

    files.sweep_abandoned_files()
