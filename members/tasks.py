"""Celery entry points. Each claims rows; doubled or missed beats do no harm."""

from celery import shared_task


@shared_task
def keep_invitations() -> None:
    """Mail the lists that were brought in, some a minute; remind once; forget what has run out."""
    from . import services  # models are not ready when Celery looks for tasks

    services.mail_waiting_invitations()
    services.remind_invited()
    services.forget_old_invitations()


@shared_task
def tell_of_ending_wishes() -> None:
    """A kind mail to those whose wish for help ends within a week."""
    from . import services  # models are not ready when Celery looks for tasks

    services.tell_of_ending_wishes()


@shared_task
def build_waiting_copies() -> None:
    """Copies of members' data that were asked for."""
    from .services import exporting  # services import this module

    exporting.build_waiting_copies()


@shared_task
def serve_leaving() -> None:
    """One mail before the end, then the end; and copies that have run out."""
    from .services import exporting, leaving

    leaving.remind_leavers()
    leaving.erase_due()
    exporting.sweep_copies()


@shared_task
def sweep_introductions() -> None:
    """Remind once, and end those whose time is over."""
    from . import services  # models are not ready when Celery looks for tasks

    for sweep in (services.remind_of_introductions, services.end_introductions):
        while sweep():
            pass
