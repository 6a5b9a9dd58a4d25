"""Celery entry points of discussions. Each claims what is due: doubled or missed beats do no harm."""

from celery import shared_task

from kmnet.core.tasks import enqueue


@shared_task
def keep_promise() -> None:
    """Ask for a reply where one is owed."""
    from .services import promise  # models are not ready when Celery looks for tasks

    promise.serve_due()


@shared_task
def wipe_taken_back() -> None:
    """Words that their authors took back more than ten minutes ago."""
    from . import services  # as above

    services.wipe_taken_back()


@shared_task
def remind_of_kept() -> None:
    """What members keep for later, where their reminder is due."""
    from . import services  # models are not ready when Celery looks for tasks

    while services.remind_of_kept():
        pass


@shared_task
def tell_of_thanks() -> None:
    """Whom they helped, to authors in whose zone it is the morning of one of the first days of the month."""
    from . import services  # models are not ready when Celery looks for tasks

    services.tell_of_thanks()


@shared_task
def render_old_posts() -> None:
    """One slice; a full one wakes the next, so that no task holds a worker for long."""
    from .services import rendering  # as above

    if rendering.render_old_posts() == rendering.SLICE:
        enqueue(render_old_posts)


@shared_task
def close_due_polls() -> None:
    """Count the polls whose time is over, and cut who chose what in the anonymous ones."""
    from . import services  # models are not ready when Celery looks for tasks

    while services.close_due_polls():
        pass


@shared_task
def delete_deserted() -> None:
    """Conversations that everybody has left."""
    from . import services  # as above

    services.delete_deserted()


@shared_task
def tell_of_long_held() -> None:
    """Hosts, of posts that wait too long for a moderator."""
    from . import services  # models are not ready when Celery looks for tasks

    services.tell_of_long_held()
