"""Having files looked into: each one once, by a process of its own, outside any transaction.

Who is about to read a file writes down first that they try, and until when they may take. A worker that is killed over a
file has therefore tried it; after MAX_TRIES nobody does any more. So a file that kills workers ends, and holds up no other.
"""

import logging
import time
from datetime import datetime, timedelta

from django.contrib.postgres.search import SearchVector
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet, TextField, Value
from django.utils import timezone

from kmnet.core import jobs
from kmnet.core.search import CONFIG
from kmnet.core.text import clean_line, clean_text

from ..models import ResourceFile, ResourceText
from ..models.files import OPEN_STATES, thumbnail_name
from ..reading import Looked, look_into
from .doi import ask_about

logger = logging.getLogger(__name__)

MAX_TRIES = 3
LEASE = timedelta(minutes=5)  # far longer than a look takes
BUDGET = 60.0  # seconds of one sweep; the next goes on
_AGAIN = ("killed", "storage")  # what may be otherwise another time


def due_texts(now: datetime) -> QuerySet[ResourceText]:
    """Files that wait to be read: open ones only, so not before the scanner has passed them."""
    return ResourceText.objects.filter(
        state=ResourceText.State.WAITING, due_at__lte=now, file__state__in=OPEN_STATES
    )


def read_due_files() -> int:
    """Read what waits, for about a minute; return how many were. Any number of workers may do so at once."""
    ends, served = time.monotonic() + BUDGET, 0
    for file_id in (
        due_texts(timezone.now()).order_by("due_at", "pk").values_list("file_id", flat=True)[: jobs.PAGE]
    ):
        if time.monotonic() > ends:
            break
        served += jobs.attempt(f"reading file {file_id}", lambda pk=file_id: int(read_file(file_id=pk)))
    return served


def read_file(*, file_id: int) -> bool:
    """Read one file, if it waits and nobody else does it; whether it was read, or given up. Not in a transaction."""
    claim = _claim(file_id)
    if claim is None:
        return False
    text, file = claim
    looked = _look(file)
    again = looked.reason in _AGAIN and text.tries < MAX_TRIES
    return _write(text, looked) if not again else False


@transaction.atomic
def _claim(file_id: int) -> tuple[ResourceText, ResourceFile] | None:
    now = timezone.now()
    text = (
        due_texts(now)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("file")
        .filter(file=file_id)
        .first()
    )
    if text is None:
        return None
    if text.tries >= MAX_TRIES:  # whoever tried was killed each time
        _settle(text, ResourceText.State.FAILED, "killed")
        return None
    text.tries += 1
    text.due_at = now + LEASE
    text.save(update_fields=["tries", "due_at"])
    return text, text.file


def _look(file: ResourceFile) -> Looked:
    try:
        with file.file.storage.open(file.file.name, "rb") as content:
            return look_into(content)
    except Exception:  # stores have errors of their own
        logger.exception("file %s could not be taken from its store", file.pk)
        return Looked(reason="storage")


@transaction.atomic
def _write(claimed: ResourceText, looked: Looked) -> bool:
    """What was found. Locks the file, then its text."""
    file = ResourceFile.objects.select_for_update(of=("self",)).filter(pk=claimed.file_id).first()
    text = ResourceText.objects.select_for_update().filter(pk=claimed.pk, tries=claimed.tries).first()
    if file is None or text is None or text.state != ResourceText.State.WAITING or not file.is_open:
        return False
    words = clean_text(looked.text)
    text.text, text.title = words, clean_line(looked.title)[:500]
    text.doi = looked.doi
    if looked.reason:
        _settle(text, ResourceText.State.FAILED, looked.reason)
    else:
        _settle(text, ResourceText.State.DONE if words.strip() else ResourceText.State.EMPTY)
    if words.strip():
        vector = SearchVector(
            Value(f"{text.title} {words}", output_field=TextField()), weight="D", config=CONFIG
        )
        ResourceText.objects.filter(pk=text.pk).update(search=vector)
    if (
        text.doi and file.resource_id is None
    ):  # its form is still open, and gets to know what the DOI stands for
        ask_about(doi=text.doi)
    file.pages = looked.pages
    if looked.thumbnail:
        name = thumbnail_name(file, "")
        file.thumbnail.name = file.thumbnail.storage.save(name, ContentFile(looked.thumbnail))
        try:
            with transaction.atomic():
                file.save(update_fields=["pages", "thumbnail"])
        except Exception:  # no row leads to the picture, so it goes
            file.thumbnail.storage.delete(file.thumbnail.name)
            raise
    else:
        file.save(update_fields=["pages"])
    return True


def _settle(text: ResourceText, state: str, reason: str = "") -> None:
    text.state, text.reason, text.done_at = state, reason, timezone.now()
    text.save(update_fields=["state", "reason", "done_at", "text", "title", "doi"])


@transaction.atomic
def read_again(*, files: QuerySet[ResourceFile]) -> int:
    """Have these files read anew, after a change of what is read in them; how many."""
    rows = ResourceText.objects.filter(file__in=files)
    return rows.update(state=ResourceText.State.WAITING, tries=0, due_at=timezone.now())
