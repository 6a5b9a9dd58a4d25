"""A copy of everything that is held about a member: asked for, built by a worker, taken by its owner, gone after a week."""

import json
import tempfile
import zipfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import PurePosixPath

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from kmnet.core import audit, files, jobs, mail, personal_data
from kmnet.core.tasks import enqueue

from .. import tasks
from ..models import EXPORT_LASTS, DataExport, Member, Status
from ..models.leaving import export_storage

MOST_A_DAY = 3
MOST_TRIES = 3
BUFFER = 16 * 1024 * 1024  # what of a copy is kept in memory before it goes to disk


class TooManyCopies(Exception):
    """MOST_A_DAY have been asked for within 24 hours."""


@transaction.atomic
def ask_for_copy(*, member: Member) -> DataExport:
    """Have a copy made; while one is being made, that one. Locks the member. Raises TooManyCopies."""
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.status in (Status.SUSPENDED, Status.ERASED):
        raise PermissionDenied
    mine = DataExport.objects.filter(member=member)
    waiting = mine.waiting().first()
    if waiting is not None:
        return waiting
    if mine.filter(asked_at__gt=timezone.now() - timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooManyCopies
    export = DataExport.objects.create(member=member)
    audit.record_act(actor=member, verb="members.copy_asked", target=member)
    enqueue(tasks.build_waiting_copies)
    return export


def build_waiting_copies(*, limit: int = 20) -> int:
    """Build what waits; return how many were tried. Any number of workers may run it at once: the lock on the row is
    the claim, and goes with a killed one. A try is counted before it starts, so a copy that kills its worker is given
    up in the end."""
    tried: list[int] = []
    while len(tried) < limit:
        with transaction.atomic():
            export = DataExport.objects.waiting().select_for_update(skip_locked=True, of=("self",))
            export = export.exclude(pk__in=tried).order_by("pk").first()
            if export is None:
                break
            tried.append(export.pk)
            export.attempts += 1
            export.save(update_fields=["attempts"])
            if export.attempts > MOST_TRIES:
                _give_up(export)
                continue
        _build(export.pk)
    return len(tried)


def _build(pk: int) -> None:
    try:
        with transaction.atomic():
            export = DataExport.objects.waiting().select_for_update(skip_locked=True, of=("self",))
            export = export.select_related("member").filter(pk=pk).first()
            if export is None:  # another worker has it, or its owner has left
                return
            if export.member.status in (Status.SUSPENDED, Status.ERASED):
                _give_up(export)
                return
            export.size = store(export)
            export.state, export.ready_at = DataExport.State.READY, timezone.now()
            export.expires_at = export.ready_at + EXPORT_LASTS
            export.save(update_fields=["size", "state", "ready_at", "expires_at"])
            older = DataExport.objects.filter(member=export.member_id, pk__lt=export.pk)
            forget_copies(older.exclude(state=DataExport.State.WAITING))
            mail.queue(
                "members.copy_ready",
                member=export.member,
                dedupe_key=f"members.copy_ready:{export.pk}",
                refs={"export": export.pk},
            )
    except Exception as error:  # this copy is tried again by the next sweep; the others go on
        jobs.note_failure(f"copy {pk}", error)


def _give_up(export: DataExport) -> None:
    export.state = DataExport.State.FAILED
    export.save(update_fields=["state"])
    files.doom([export.stored_name])


def forget_copies(exports) -> int:
    """Delete these rows (a queryset) but for the count of the day, and their files; return how many."""
    names = list(exports.values_list("stored_name", flat=True))
    files.doom(names)
    day_ago = timezone.now() - timedelta(days=1)
    exports.filter(asked_at__gt=day_ago).update(state=DataExport.State.FAILED, expires_at=None)
    exports.filter(asked_at__lte=day_ago).delete()
    return len(names)


def store(export: DataExport) -> int:
    """Write the ZIP into the storage under the row's own name; return its size."""
    storage = export_storage()
    with tempfile.SpooledTemporaryFile(max_size=BUFFER) as made:
        write_copy(export.member, made)
        size = made.tell()
        made.seek(0)
        storage.delete(export.stored_name)  # of a try that was killed
        storage.save(export.stored_name, File(made))
    return size


def write_copy(member: Member, out) -> None:
    """Everything that the apps registered, one JSON file a part, and the member's files. Leaves `out` at its end."""
    with (
        translation.override(member.language),
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as package,
    ):
        contents = []
        for part in personal_data.parts():
            count = _write_rows(package, f"{part.key}.json", part.export(member))
            contents.append(f"{part.key}.json: {part.label} ({count})")
            for name, stored in part.files(member) if part.files else ():
                path = f"files/{part.key}/{PurePosixPath(name).name}"
                try:
                    with (
                        stored.open("rb") as content,
                        package.open(_entry(path), "w", force_zip64=True) as entry,
                    ):
                        for chunk in iter(lambda: content.read(64 * 1024), b""):
                            entry.write(chunk)
                except OSError:  # the row is there and the bytes are not: a restored backup, say
                    contents.append(f"{path}: {_('could not be read')}")
                else:
                    contents.append(path)
        package.writestr("README.txt", _read_me(contents))
    out.seek(0, 2)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _write_rows(package: zipfile.ZipFile, name: str, rows: Iterable[dict]) -> int:
    count = 0
    with package.open(_entry(name), "w", force_zip64=True) as entry:
        entry.write(b"[")
        for count, row in enumerate(rows, start=1):
            text = json.dumps(row, ensure_ascii=False, indent=1, default=str)
            entry.write((",\n" if count > 1 else "\n").encode() + text.encode())
        entry.write(b"\n]\n")
    return count


def _read_me(contents: list[str]) -> str:
    head = _(
        "This is what %(site)s holds about you, made on %(day)s. The .json files open in any text editor; "
        "times are given with their zone (ISO 8601). Of what others wrote there is only what is about you, "
        "such as a moderator’s reason."
    ) % {"site": settings.SITE_URL, "day": timezone.now().date().isoformat()}
    return "\n".join([head, "", *contents, ""])


def expired_copies(before):
    """Copies that could no longer be taken at that moment, and those that failed."""
    return DataExport.objects.filter(expires_at__lt=before) | DataExport.objects.filter(
        state=DataExport.State.FAILED, asked_at__lt=before
    )


@transaction.atomic
def sweep_copies(before=None) -> int:
    """What has run out goes, file first of all."""
    return forget_copies(expired_copies(before or timezone.now()))
