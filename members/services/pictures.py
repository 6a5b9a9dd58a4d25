"""The picture of a member: drawn anew in two sizes under a random name; the old bytes go once that is certain."""

import secrets

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from kmnet.core import files
from kmnet.core.uploads import draw_picture

from ..models import Member, Profile
from .profiles import lock_profile, show_picture

SIZES = (96, 320)  # pixels across: for lists, and for the head of a profile
TALLER = 1.12  # an arch is this much taller than wide, as components.css draws it
MAX_BYTES = 8 * 1024 * 1024


def stored_name(key: str, size: int) -> str:
    return f"avatars/{key}-{size}.webp"


def check_picture(upload: File) -> dict[int, bytes]:
    """The picture in our sizes, with nothing of the file that came; raises UploadRefused with words for the person. Cut
    to the shape of an arch, a little above the middle, where faces are; what is clear becomes white."""
    return draw_picture(
        upload,
        sizes={size: round(size * TALLER) for size in SIZES},
        centering=(0.5, 0.4),
        quality=82,
        max_bytes=MAX_BYTES,
    )


@transaction.atomic
def set_avatar(*, member: Member, upload: File) -> Profile:
    """Take this picture instead of the one there is. Raises UploadRefused. Locks the member, then the profile."""
    drawn = check_picture(upload)
    profile = lock_profile(member)
    key = secrets.token_hex(16)
    files.doom(picture_names(profile))
    written = [
        default_storage.save(stored_name(key, size), ContentFile(data)) for size, data in drawn.items()
    ]
    try:
        with transaction.atomic():
            _keep(profile, stored_name(key, SIZES[-1]))
    except Exception:  # whatever it was: no row leads to these files, so they go
        for name in written:
            default_storage.delete(name)
        raise
    member.profile, member.picture, member.picture_seen_by = (
        profile,
        profile.member.picture,
        profile.member.picture_seen_by,
    )
    return profile


@transaction.atomic
def remove_avatar(*, member: Member) -> Profile:
    """Back to the letters. Safe to repeat. Locks the member, then the profile."""
    profile = lock_profile(member)
    files.doom(picture_names(profile))
    _keep(profile, "")
    return profile


def _keep(profile: Profile, name: str) -> None:
    profile.avatar, profile.updated_at = name, timezone.now()
    profile.save(update_fields=["avatar", "updated_at"])
    show_picture(profile)


def picture_names(profile: Profile) -> list[str]:
    """The stored files of the present picture, in every size."""
    return [stored_name(profile.picture_key, size) for size in SIZES] if profile.avatar else []
