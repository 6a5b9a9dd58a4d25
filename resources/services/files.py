"""Files: checked, kept under random names, and given to a record when its form is finished."""

import hashlib
import logging
import time
from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile, File
from django.db import connection, transaction
from django.db.models import QuerySet, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs
from kmnet.core.files import doom
from kmnet.core.models import CommunitySettings
from kmnet.core.tasks import enqueue
from kmnet.core.text import clean_line
from kmnet.core.uploads import CheckedFile, UploadRefused, check_upload, reencode_image

from .. import scanning, tasks
from ..models import LibrarySettings, Resource, ResourceFile, ResourceText, stored_name
from ..permissions import can_add_resource, can_edit_resource
from ..reading import Patience, count_pages
from ..reading.looked import MAX_PAGES

logger = logging.getLogger(__name__)

KINDS = {"document", "text", "image", "audio", "video"}
READ = {"document", "text", "image"}  # kinds that are looked into, for words or a picture
MAX_FILES = 10
MAX_SIDE = 6000  # a poster stays readable; the number of pixels is bounded before
WAITS_FOR = timedelta(hours=24)
BYTES_COME_WITHIN = timedelta(minutes=10)  # from the row to its bytes
MEGABYTE, GIGABYTE = 1024**2, 1024**3
PAGE = "page.webp"  # what stands in the address of the picture of a file's first page


class TooManyFiles(UploadRefused):
    """A record has room for MAX_FILES files, in each of its versions."""


class NoRoom(UploadRefused):
    """The member's share of the space for files is used up, or all of it."""


def check(upload: File, patience: Patience | None = None) -> CheckedFile:
    """What the upload is; raises UploadRefused with words for the person. patience: what is left of it for the pages."""
    limit = CommunitySettings.load().max_upload_mb * MEGABYTE
    checked = check_upload(upload, kinds=KINDS, max_bytes=limit)
    if checked.extension == "pdf" and checked.size > MAX_PAGES:  # no page takes less than a byte
        _check_pages(upload, patience)
    return checked


def _check_pages(upload: File, patience: Patience | None) -> None:
    """Refuse what has too many pages. Where nobody can tell in a few seconds (damaged, locked, built to take long) it is
    taken: whoever reads it for search is confined just so, and its page says that it could not be read."""
    path = getattr(upload, "temporary_file_path", None)
    pages = count_pages(path() if path else upload, patience)
    upload.seek(0)
    if pages is not None and pages > MAX_PAGES:
        raise UploadRefused(
            _(
                "This PDF has %(pages)s pages; the limit is %(limit)s. Share a part of it, or give a link to it."
            ),
            code="pages",
            params={
                "pages": number_format(pages, force_grouping=True),
                "limit": number_format(MAX_PAGES, force_grouping=True),
            },
        )


def keep_upload(*, actor, upload: File, patience: Patience | None = None) -> ResourceFile:
    """Store a checked file that belongs to no record yet, so that a form sent back for a mistake does not lose it.

    Pictures are drawn anew: place, camera, comments and whatever hides behind their end are gone. Where a scanner is
    configured the file is pending until that has passed it. Raises UploadRefused with words for the person.

    The row comes first, and takes up its room under the lock on all room; the bytes follow. So two uploads at once never
    share the last megabyte, and a process that is killed in between leaves a row that is swept, never bytes without one.
    """
    if not can_add_resource(actor):
        raise PermissionDenied
    checked = check(upload, patience)
    content, size, sha256 = upload, checked.size, checked.sha256
    if checked.kind == "image":
        data = _drawn(upload, checked.extension, patience or Patience())
        content, size, sha256 = ContentFile(data), len(data), hashlib.sha256(data).hexdigest()
    kept = _take_room(actor, checked, size, sha256)
    try:
        kept.file.storage.save(kept.file.name, content)
    except (
        Exception
    ) as error:  # the disk is full, the store is away: whatever it was, nothing typed is lost by it
        logger.exception("a file could not be stored")
        kept.delete()
        raise UploadRefused(
            _("We cannot keep files at the moment. Try again in a few minutes."), code="storage"
        ) from error
    _begin(kept, looks=checked.kind in READ)
    return kept


def _drawn(upload: File, extension: str, patience: Patience) -> bytes:
    """The picture drawn anew, and the time that took taken off the patience."""
    began = time.monotonic()
    try:
        return reencode_image(
            upload, extension=extension, max_side=MAX_SIDE, wait=patience.pictures
        ).getvalue()
    except (OSError, SyntaxError, ValueError) as error:  # whole on the outside, broken further in
        raise UploadRefused(
            _("This picture is damaged. Save it anew and try again."), code="damaged"
        ) from error
    finally:
        patience.pictures -= time.monotonic() - began


@transaction.atomic
def _take_room(actor, checked: CheckedFile, size: int, sha256: str) -> ResourceFile:
    """The row of the file, if there is room for it."""
    # One at a time, for a few milliseconds: whoever adds up must not be overtaken.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('resources.files.room', 0))")
    limits = LibrarySettings.load()
    left = limits.files_mb_per_member * MEGABYTE - room_taken(ResourceFile.objects.filter(added_by=actor))
    if size > left:
        raise NoRoom(
            _(
                "Your files in the library may have %(room)s in all; %(left)s of it are left, and this one has %(size)s. "
                "Take away what is no longer needed, or give a link to it."
            ),
            code="quota",
            params={
                "room": filesizeformat(limits.files_mb_per_member * MEGABYTE),
                "left": filesizeformat(max(left, 0)),
                "size": filesizeformat(size),
            },
        )
    if size > limits.files_gb_in_all * GIGABYTE - room_taken(ResourceFile.objects.all()):
        logger.error("the library has no room for files left: files_gb_in_all is %s", limits.files_gb_in_all)
        raise NoRoom(
            _(
                "The library has no room for files at the moment. Give a link to it, or tell the people who run this site."
            ),
            code="full",
        )
    kept = ResourceFile(
        added_by=actor, name=checked.name, content_type=checked.content_type, size=size, sha256=sha256
    )
    if kept.name == PAGE:
        kept.name = "page-1.webp"
    kept.file.name = stored_name(kept, checked.name)
    if scanning.is_configured():
        kept.state, kept.scan_due_at = ResourceFile.State.PENDING, timezone.now() + BYTES_COME_WITHIN
    kept.save()
    return kept


def room_taken(files: QuerySet[ResourceFile]) -> int:
    """Bytes. What the scanner refused is gone, and takes none."""
    held = files.exclude(state=ResourceFile.State.INFECTED).order_by()
    return held.aggregate(all=Sum("size"))["all"] or 0


@transaction.atomic
def _begin(kept: ResourceFile, *, looks: bool) -> None:
    """The bytes are there: whoever scans and reads may begin."""
    now = timezone.now()
    if looks:
        ResourceText.objects.create(file=kept, due_at=now)
    if kept.state == ResourceFile.State.PENDING:
        kept.scan_due_at = now
        ResourceFile.objects.filter(pk=kept.pk).update(scan_due_at=now)
        enqueue(tasks.scan_file, file_id=kept.pk)
    elif looks:
        enqueue(tasks.read_file, file_id=kept.pk)


@transaction.atomic
def attach_files(
    *,
    actor,
    resource: Resource,
    files: Iterable[ResourceFile],
    version: int | None = None,
    label: str = "",
    language: str = "",
) -> int:
    """Give kept uploads of this member to a record, in its transaction; return how many were given. Locks the record.

    version: of the record, the newest unless said otherwise. label: what these files are; language: a code of ours. What
    the scanner has refused meanwhile is left out: its sender is told."""
    keys = [file.pk for file in files]
    if not keys:
        return 0
    resource = Resource.objects.select_for_update(no_key=True).only("pk", "version").get(pk=resource.pk)
    version = version or resource.version
    if resource.files.of_version(version).count() + len(keys) > MAX_FILES:
        raise TooManyFiles(_("A record holds at most %(limit)s files."), params={"limit": MAX_FILES})
    said = {"label": clean_line(label)[:120], "language": language[:8]}
    return (
        ResourceFile.objects.filter(pk__in=keys, resource__isnull=True, added_by=actor)
        .exclude(state=ResourceFile.State.INFECTED)
        .update(resource=resource, version=version, **{name: value for name, value in said.items() if value})
    )


@transaction.atomic
def describe_file(*, actor, file: ResourceFile, label: str, language: str) -> None:
    """What a file of a record is, and in which language."""
    file = ResourceFile.objects.select_for_update(of=("self",)).select_related("resource").get(pk=file.pk)
    if file.resource is None or not can_edit_resource(actor, file.resource):
        raise PermissionDenied
    file.label, file.language = clean_line(label)[:120], language[:8]
    file.save(update_fields=["label", "language"])


@transaction.atomic
def remove_file(*, actor, file: ResourceFile) -> None:
    """Whoever looks after the record, or has kept the upload for a form, takes a file away; its bytes follow."""
    file = ResourceFile.objects.select_for_update(of=("self",)).select_related("resource").get(pk=file.pk)
    if file.resource is None:
        allowed = file.added_by_id == actor.pk
    else:
        allowed = can_edit_resource(actor, file.resource)
    if not allowed:
        raise PermissionDenied
    _delete(file)


def doom_files(files: QuerySet[ResourceFile]) -> int:
    """Delete these rows with their words, and bytes and pictures once the running transaction has committed; how many."""
    names = list(files.values_list("file", "thumbnail"))
    doom(name for pair in names for name in pair)
    files.delete()
    return len(names)


def _delete(file: ResourceFile) -> None:
    doom([file.file.name, file.thumbnail.name])
    file.delete()


def sweep_abandoned_files() -> int:
    """Forget uploads whose form was never finished; return how many."""
    # A form may be finished in this very moment: then the row has a record now, and is left alone.
    return jobs.serve(ResourceFile.objects.abandoned(timezone.now() - WAITS_FOR).order_by("pk"), _delete)
