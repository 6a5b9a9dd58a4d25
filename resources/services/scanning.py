"""Having files scanned: what is pending is asked about until there is an answer, and is open to nobody before that."""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kmnet.core import activity, jobs
from kmnet.core.files import doom
from kmnet.core.tasks import enqueue

from .. import tasks
from ..models import ResourceFile, ResourceText
from ..scanning import NoAnswer, Unreachable, Verdict, check_the_scanner, is_configured, scan

logger = logging.getLogger(__name__)

State = ResourceFile.State
LEASE = timedelta(
    minutes=5
)  # longer than a scan may take: then whoever had it was killed, and it is tried again
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60)]
BUDGET = 60.0  # seconds of one sweep
OLDER = 100  # files from before there was a scanner, in one sweep


def due_scans(now: datetime) -> QuerySet[ResourceFile]:
    return ResourceFile.objects.filter(state=State.PENDING, scan_due_at__lte=now)


def scan_due_files() -> int:
    """Scan what is due, for about a minute: first what waits, then what came before there was a scanner (which stays open
    until something is found in it). Any number of workers may do so at once. Return how many got an answer."""
    now = timezone.now()
    if not is_configured():
        return 0
    older = Q(scan_due_at__isnull=True) | Q(scan_due_at__lte=now)
    ids = [
        *due_scans(now).order_by("scan_due_at", "pk").values_list("pk", flat=True)[: jobs.PAGE],
        *ResourceFile.objects.filter(older, state=State.UNSCANNED)
        .order_by("pk")
        .values_list("pk", flat=True)[:OLDER],
    ]
    if not ids:
        return 0
    check_the_scanner()  # raises: the job has failed, and says so to the operator
    ends, served = time.monotonic() + BUDGET, 0
    for file_id in ids:
        if time.monotonic() > ends:
            break
        try:
            served += scan_file(file_id=file_id)
        except NoAnswer as error:
            jobs.note_failure(f"scanning file {file_id}", error)
            if isinstance(error, Unreachable):
                break
    return served


def scan_file(*, file_id: int) -> bool:
    """Ask about one file, if that is due and nobody else does; whether there was an answer. Not in a transaction. Raises
    NoAnswer, after the next try is set."""
    if not is_configured():
        return False
    file = _claim(file_id)
    if file is None:
        return False
    try:
        verdict = _ask(file)
    except NoAnswer:
        again_at = timezone.now() + PAUSES[min(file.scan_tries, len(PAUSES)) - 1]
        mine = ResourceFile.objects.filter(pk=file.pk, scan_tries=file.scan_tries)
        mine.filter(state__in=(State.PENDING, State.UNSCANNED)).update(scan_due_at=again_at)
        raise
    return _write(file_id, verdict)


def _ask(file: ResourceFile) -> Verdict:
    check_the_scanner()
    try:
        with file.file.storage.open(file.file.name, "rb") as content:
            return scan(content)
    except NoAnswer:
        raise
    except Exception as error:  # stores have errors of their own
        raise NoAnswer(f"the store: {type(error).__name__}") from error


@transaction.atomic
def _claim(file_id: int) -> ResourceFile | None:
    """The file, with its next try set: whatever happens to us, it will be asked about again."""
    now = timezone.now()
    due = due_scans(now) | ResourceFile.objects.filter(
        Q(scan_due_at__isnull=True) | Q(scan_due_at__lte=now), state=State.UNSCANNED
    )
    file = due.select_for_update(skip_locked=True, of=("self",)).filter(pk=file_id).first()
    if file is None or not file.file:
        return None
    file.scan_tries = min(file.scan_tries + 1, 1000)
    file.scan_due_at = now + LEASE
    file.save(update_fields=["scan_tries", "scan_due_at"])
    return file


@transaction.atomic
def _write(file_id: int, verdict: Verdict) -> bool:
    """The answer is about these bytes, which never change: whoever was asked first, it holds."""
    file = ResourceFile.objects.select_for_update(of=("self",)).filter(pk=file_id).first()
    if file is None or file.state not in (State.PENDING, State.UNSCANNED):
        return False
    was_open = file.is_open
    file.scanned_at, file.scan_due_at = timezone.now(), None
    if verdict.is_clean:
        file.state = State.CLEAN
        file.save(update_fields=["state", "scanned_at", "scan_due_at"])
        if not was_open and ResourceText.objects.filter(file=file, state=ResourceText.State.WAITING).exists():
            enqueue(tasks.read_file, file_id=file.pk)
        return True
    logger.warning("file %s was refused by the scanner: %s", file.pk, verdict.finding)
    doom([file.file.name, file.thumbnail.name])
    file.state, file.finding = State.INFECTED, verdict.finding
    file.file = file.thumbnail = ""
    file.pages = None
    file.save()
    ResourceText.objects.filter(file=file).delete()  # no word of it is found any more
    if file.added_by_id:
        activity.record("resources.file_refused", actor=None, target=file)
    return True


@transaction.atomic
def open_without_scanner() -> int:
    """There is no scanner any more, says the operator: what waits for it is open now, unscanned; how many. Raises
    ValueError while there is one."""
    if is_configured():
        raise ValueError("a scanner is configured")
    waiting = ResourceFile.objects.filter(state=State.PENDING)
    texts = list(ResourceText.objects.filter(file__in=waiting).values_list("file_id", flat=True))
    opened = waiting.update(state=State.UNSCANNED, scan_due_at=None)
    for file_id in texts:
        enqueue(tasks.read_file, file_id=file_id)
    return opened
