"""Periodic work of discussions. Each claims what is due: doubled or missed beats do no harm."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs
from kmnet.core.jobs import Job
from kmnet.core.tasks import enqueue

from .models import Bookmark, OwedReply, Poll


def keep_promise() -> int:
    """Ask for a reply where one is owed."""
    from .services import promise  # services import what registers with core

    return promise.serve_due()


def wipe_taken_back() -> int:
    """Words that their authors took back more than ten minutes ago."""
    from . import services

    return services.wipe_taken_back()


def remind_of_kept() -> int:
    """What members keep for later, where their reminder is due."""
    from . import services

    return services.remind_of_kept()


def tell_of_thanks() -> int:
    """Whom they helped, to authors in whose zone it is the morning of one of the first days of the month."""
    from . import services

    return services.tell_of_thanks()


@shared_task
def render_old_posts() -> int:
    """One slice; a full one wakes the next, so that no task holds a worker for long."""
    from .services import rendering

    done = rendering.render_old_posts()
    if done == rendering.SLICE:
        enqueue(render_old_posts)
    return done


def close_due_polls() -> int:
    """Count the polls whose time is over, and cut who chose what in the anonymous ones."""
    from . import services

    return services.close_due_polls()


def delete_deserted() -> int:
    """Conversations that everybody has left."""
    from . import services

    return services.delete_deserted()


def tell_of_long_held() -> int:
    """Hosts, of posts that wait too long for a moderator."""
    from . import services

    return services.tell_of_long_held()


def unasked(now):
    return OwedReply.objects.owed().filter(asked_at__isnull=True, ask_at__lte=now)


jobs.register(
    Job(
        "discussions.promise",
        _("Members, then a host, are asked to reply where nobody has"),
        300,
        keep_promise,
        unasked,
        "ask_at",
    )
)
jobs.register(
    Job(
        "discussions.kept",
        _("Members are reminded of what they keep for later"),
        60,
        remind_of_kept,
        lambda now: Bookmark.objects.filter(reminded_at__isnull=True, remind_at__lte=now),
        "remind_at",
    )
)
jobs.register(
    Job(
        "discussions.polls",
        _("Polls whose time is over are counted"),
        60,
        close_due_polls,
        lambda now: Poll.objects.filter(closed_at__isnull=True, closes_at__lte=now),
        "closes_at",
    )
)
jobs.register(Job("discussions.thanks", _("Authors hear whom they helped"), 900, tell_of_thanks))
jobs.register(Job("discussions.held", _("Hosts hear of posts that wait too long"), 600, tell_of_long_held))
jobs.register(
    Job("discussions.deserted", _("Conversations that everybody has left are deleted"), 600, delete_deserted)
)
jobs.register(Job("discussions.taken-back", _("Words that were taken back are wiped"), 60, wipe_taken_back))
jobs.register(
    Job("discussions.rendering", _("Posts are rendered anew after an update"), 600, render_old_posts)
)
