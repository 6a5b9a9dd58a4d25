"""Files: checked, kept under random names, and given to a record when its form is finished."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs
from kmnet.core.models import CommunitySettings
from kmnet.core.uploads import CheckedFile, UploadRefused, check_upload, reencode_image

from ..models import Resource, ResourceFile
from ..permissions import can_add_resource, can_edit_resource

KINDS = {"document", "text", "image", "audio", "video"}
MAX_FILES = 10
MAX_SIDE = 6000  # a poster stays readable; the number of pixels is bounded before
WAITS_FOR = timedelta(hours=24)


class TooManyFiles(UploadRefused):
    """A record has room for MAX_FILES files."""


def check(upload: File) -> CheckedFile:
    """What the upload is; raises UploadRefused with words for the person."""
    limit = CommunitySettings.load().max_upload_mb * 1024 * 1024
    return check_upload(upload, kinds=KINDS, max_bytes=limit)


def keep_upload(*, actor, upload: File) -> ResourceFile:
    """Store a checked file that belongs to no record yet, so that a form sent back for a mistake does not lose it.

    Pictures are drawn anew: place, camera, comments and whatever hides behind their end are gone.
    """
    if not can_add_resource(actor):
        raise PermissionDenied
    checked = check(upload)
    content, size, sha256 = upload, checked.size, checked.sha256
    if checked.kind == "image":
        try:
            data = reencode_image(upload, extension=checked.extension, max_side=MAX_SIDE).read()
        except (OSError, SyntaxError, ValueError) as error:  # whole on the outside, broken further in
            raise UploadRefused(
                _("This picture is damaged. Save it anew and try again."), code="damaged"
            ) from error
        content, size, sha256 = ContentFile(data), len(data), hashlib.sha256(data).hexdigest()
    kept = ResourceFile(
        added_by=actor, name=checked.name, content_type=checked.content_type, size=size, sha256=sha256
    )
    kept.file.save(checked.name, content, save=False)  # models.stored_name gives it a random name
    try:
        with transaction.atomic():
            kept.save()
    except Exception:  # whatever it was: no row leads to the file, so it goes
        kept.file.storage.delete(kept.file.name)
        raise
    return kept


def attach_files(*, actor, resource: Resource, files: Iterable[ResourceFile]) -> None:
    """Give kept uploads of this member to a record, inside the transaction of the record."""
    keys = [file.pk for file in files]
    if not keys:
        return
    if resource.files.count() + len(keys) > MAX_FILES:
        raise TooManyFiles(_("A record holds at most %(limit)s files."), params={"limit": MAX_FILES})
    ResourceFile.objects.filter(pk__in=keys, resource__isnull=True, added_by=actor).update(resource=resource)


@transaction.atomic
def remove_file(*, actor, file: ResourceFile) -> None:
    """The adder takes a file away; its bytes go once that is certain."""
    file = ResourceFile.objects.select_for_update().get(pk=file.pk)
    if file.resource is None:
        allowed = file.added_by_id == actor.pk
    else:
        allowed = can_edit_resource(actor, file.resource)
    if not allowed:
        raise PermissionDenied
    _delete(file)


def _delete(file: ResourceFile) -> None:
    storage, name = file.file.storage, file.file.name

    def delete_bytes():
        storage.delete(name)

    file.delete()
    transaction.on_commit(delete_bytes, robust=True)


def sweep_abandoned_files() -> int:
    """Forget uploads whose form was never finished; return how many."""
    # A form may be finished in this very moment: then the row has a record now, and is left alone.
    return jobs.serve(ResourceFile.objects.abandoned(timezone.now() - WAITS_FOR).order_by("pk"), _delete)
