"""Celery entry points of the library, and its periodic work."""

from contextlib import suppress

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs
from kmnet.core.jobs import Job

from .models import ResourceFile


@shared_task(soft_time_limit=20, time_limit=30)
def look_up_doi(record_id: int) -> None:
    from .services import doi  # services import this module

    doi.answer_doi(record_id=record_id)


@shared_task(soft_time_limit=20, time_limit=30)
def look_up_link(record_id: int) -> None:
    from .services import links

    links.answer_link(record_id=record_id)


@shared_task
def read_file(file_id: int) -> None:
    from .services import reading

    reading.read_file(file_id=file_id)


@shared_task
def scan_file(file_id: int) -> None:
    from .scanning import NoAnswer
    from .services import scanning

    with suppress(NoAnswer):  # the sweep asks again
        scanning.scan_file(file_id=file_id)


@shared_task(soft_time_limit=150, time_limit=180)
def read_batch(batch_id: int) -> None:
    from .services import batches

    batches.read_batch(batch_id=batch_id)


@shared_task(soft_time_limit=300, time_limit=330)
def carry_out_batch(batch_id: int) -> None:
    from .services import batches

    batches.carry_out_batch(batch_id=batch_id)


def forget_link_answers() -> int:
    """What pages said of themselves, long after their link was pasted."""
    from .services import links

    return links.forget_old_answers()


def sweep_batches() -> int:
    """Lists of references that a worker left, and those that are not needed any more."""
    from .services import batches

    return batches.sweep_batches()


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


def gather_words() -> int:
    """What mistyped words may have meant."""
    from .services import words

    return words.gather_words()


jobs.register(
    Job("resources.words", _("The words of the library are gathered, for mistyped ones"), 3600, gather_words)
)
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


def read_due_files() -> int:
    from .services import reading

    return reading.read_due_files()


def scan_due_files() -> int:
    from .services import scanning

    return scanning.scan_due_files()


def files_to_read(now):
    from .services import reading

    return reading.due_texts(now)


jobs.register(
    Job("resources.reading", _("Files are read for search"), 60, read_due_files, files_to_read, "due_at")
)
jobs.register(
    Job(
        "resources.scanning",
        _("Files that came in are scanned"),
        60,
        scan_due_files,
        lambda now: ResourceFile.objects.filter(state="pending", scan_due_at__lte=now),
        "scan_due_at",
    )
)
jobs.register(
    Job("resources.files", _("Files whose form was never finished are deleted"), 3600, sweep_abandoned_files)
)
jobs.register(
    Job("resources.lists", _("Lists of references are read and saved to their end"), 120, sweep_batches)
)
jobs.register(
    Job("resources.pasted", _("What pages said of themselves is forgotten"), 86_400, forget_link_answers)
)
