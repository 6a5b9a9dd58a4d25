"""Celery entry points of this app."""

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
