"""Periodic work of members. Each claims rows; doubled or missed beats do no harm."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs
from kmnet.core.jobs import Job

from .models import DataExport, Introduction, Invitation, Leaving


def keep_invitations() -> None:
    """Mail the lists that were brought in, some a minute; remind once; forget what has run out."""
    from . import services  # they import this module

    jobs.steps(services.mail_waiting_invitations, services.remind_invited, services.forget_old_invitations)


def tell_of_ending_wishes() -> int:
    """A kind mail to those whose wish for help ends within a week."""
    from . import services

    return services.tell_of_ending_wishes()


@shared_task
def build_waiting_copies() -> int:
    """Copies of members' data that were asked for."""
    from .services import exporting

    return exporting.build_waiting_copies()


def serve_leaving() -> None:
    """One mail before the end, then the end; and copies that have run out."""
    from .services import exporting, leaving

    jobs.steps(leaving.remind_leavers, leaving.erase_due, exporting.sweep_copies)


def sweep_introductions() -> None:
    """Remind once, and end those whose time is over."""
    from . import services

    jobs.steps(services.remind_of_introductions, services.end_introductions)


def keep_in_touch() -> None:
    """Ask those of whom nothing was heard for six months, and write less often to those who do not answer."""
    from . import services

    jobs.steps(services.ask_silent, services.lower_silent)


def unmailed_invitations(now):
    found = Invitation.objects.open(now).filter(mailed_at__isnull=True, bring_in__isnull=False)
    return found.exclude(address="")


jobs.register(
    Job(
        "members.invitations",
        _("People on a list are invited, some a minute, and reminded once"),
        60,
        keep_invitations,
        unmailed_invitations,
        "created_at",
    )
)
jobs.register(
    Job("members.wishes", _("Who looked for help is told that it ends"), 3600, tell_of_ending_wishes)
)
jobs.register(
    Job(
        "members.introductions",
        _("Introductions are reminded of, and end"),
        300,
        sweep_introductions,
        lambda now: Introduction.objects.open().filter(expires_at__lte=now),
        "expires_at",
    )
)
jobs.register(
    Job(
        "members.copies",
        _("Copies of their data are made for those who asked"),
        60,
        build_waiting_copies,
        lambda now: DataExport.objects.waiting(),
        "asked_at",
    )
)
jobs.register(
    Job(
        "members.leaving",
        _("Accounts are deleted when their two weeks are over"),
        300,
        serve_leaving,
        lambda now: Leaving.objects.filter(due_at__lte=now),
        "due_at",
    )
)
jobs.register(
    Job(
        "members.silent",
        _("Who is silent is asked once, and then written to less often"),
        3600,
        keep_in_touch,
    )
)
