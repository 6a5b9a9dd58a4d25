"""The picture of an event: drawn anew in two widths under a random name, and never without words for it."""

import secrets

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction

from kmnet.core import files
from kmnet.core.uploads import draw_picture
from members.models import Member

from ..models import Event
from ..permissions import can_organise_event
from . import places
from .organising import log_admin

WIDTHS = (640, 1280)  # pixels: for phones and cards, and for the page
SHAPE = 9 / 16  # one height for all, so that no page jumps while its picture comes
MAX_BYTES = 8 * 1024 * 1024


def stored_name(key: str, width: int) -> str:
    return f"events/{key}-{width}.webp"


def picture_names(event: Event) -> list[str]:
    """The stored files of its picture, in every width; none without one."""
    return [stored_name(event.picture_key, width) for width in WIDTHS] if event.picture_key else []


def check_picture(upload: File) -> dict[int, bytes]:
    """The picture in our widths, with nothing of the file that came; raises UploadRefused with words for the person."""
    return draw_picture(
        upload,
        sizes={width: round(width * SHAPE) for width in WIDTHS},
        centering=(0.5, 0.45),
        quality=80,
        max_bytes=MAX_BYTES,
    )


@transaction.atomic
def set_picture(*, event: Event, actor: Member, drawn: dict[int, bytes], alt: str) -> Event:
    """Take this picture (of `check_picture`) instead of the one there is. Locks the event. Raises PermissionDenied."""
    event = places.lock_event(event.pk)
    if not can_organise_event(actor, event):
        raise PermissionDenied
    keep_picture(event, drawn, alt)
    log_admin(actor, event, "events.edited", data={"changed": ["picture"]})
    return event


def keep_picture(event: Event, drawn: dict[int, bytes], alt: str) -> None:
    """Needs the event's lock. The old files go once that is certain; the new ones go if it fails."""
    files.doom(picture_names(event))
    key = secrets.token_hex(16)
    written = [
        default_storage.save(stored_name(key, width), ContentFile(data)) for width, data in drawn.items()
    ]
    try:
        with transaction.atomic():
            event.picture_key, event.picture_alt = key, alt
            event.save(update_fields=["picture_key", "picture_alt"])
    except Exception:  # whatever it was: no row leads to these files, so they go
        for name in written:
            default_storage.delete(name)
        raise


@transaction.atomic
def remove_picture(*, event: Event, actor: Member) -> Event:
    """Without one again. Safe to repeat. Locks the event."""
    event = places.lock_event(event.pk)
    if not can_organise_event(actor, event):
        raise PermissionDenied
    files.doom(picture_names(event))
    event.picture_key = event.picture_alt = ""
    event.save(update_fields=["picture_key", "picture_alt"])
    log_admin(actor, event, "events.edited", data={"changed": ["picture"]})
    return event


def copy_picture(original: Event, event: Event) -> None:
    """The same picture under a key of its own: a file has one row that it goes with. Needs the lock of `event`."""
    drawn = {}
    for width, name in zip(WIDTHS, picture_names(original), strict=False):
        try:
            with default_storage.open(name, "rb") as file:
                drawn[width] = file.read()
        except OSError:  # a restored backup, say: then it has none
            return
    if drawn:
        keep_picture(event, drawn, original.picture_alt)
