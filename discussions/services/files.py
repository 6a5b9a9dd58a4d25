"""Pictures and files in posts: kept when they are uploaded, given to the post whose text names them, deleted with it."""

import hashlib
import re
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kmnet.core.files import doom
from kmnet.core.models import CommunitySettings
from kmnet.core.uploads import UploadRefused, check_upload, reencode_image
from members.models import Member
from members.permissions import can_write

from ..models import DiscussionSettings, Post, PostFile

KINDS = {"document", "text", "image"}
MEGABYTE = 1024 * 1024
NAMED = re.compile(r"/discussions/files/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")


def keep_file(*, actor: Member, upload: File) -> PostFile:
    """Store a checked file that is in no post yet: its uploader alone sees it. Raises UploadRefused.

    Pictures are drawn anew, so that place, camera and whatever hides in them are gone. The member's row is locked while
    what they have is added up.
    """
    if not can_write(actor):
        raise PermissionDenied
    checked = check_upload(upload, kinds=KINDS, max_bytes=CommunitySettings.load().max_upload_mb * MEGABYTE)
    content, size, digest = upload, checked.size, checked.sha256
    if checked.kind == "image":
        try:
            drawn = reencode_image(upload, extension=checked.extension)
        except (OSError, SyntaxError, ValueError) as error:  # whole on the outside, broken further in
            raise UploadRefused(
                gettext_lazy("This picture is damaged. Save it anew and try again."), code="damaged"
            ) from error
        data = drawn.getvalue()
        content, size, digest = ContentFile(data), len(data), hashlib.sha256(data).hexdigest()
    kept = PostFile(
        uploader=actor,
        name=checked.name,
        content_type=checked.content_type,
        size=size,
        sha256=digest,
    )
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=actor.pk)
        room = DiscussionSettings.load().files_mb_per_member
        used = PostFile.objects.filter(uploader=actor).aggregate(all=Sum("size"))["all"] or 0
        if used + size > room * MEGABYTE:
            raise UploadRefused(
                gettext_lazy(
                    "Your files in posts may have %(room)s MB in all; there is no room for this one."
                ),
                code="quota",
                params={"room": room},
            )
        kept.file.save(checked.name, content, save=False)  # models.stored_name gives it a random name
        try:
            with transaction.atomic():
                kept.save()
        except Exception:  # whatever it was: no row leads to the file, so it goes
            kept.file.storage.delete(kept.file.name)
            raise
    return kept


def address_of(file: PostFile) -> str:
    """As it stands in Markdown, too: brackets would end it there."""
    return reverse("discussions:file", args=[file.key, file.name]).replace("(", "%28").replace(")", "%29")


def as_markdown(file: PostFile, words: str = "") -> str:
    """What stands in the text for it: the picture with what it shows, or a link with the file's name."""
    words = re.sub(r"[\[\]\\]", "", words).strip()
    address = address_of(file)
    if file.content_type.startswith("image/"):
        return f"![{words or _('Say here what the picture shows')}]({address})"
    name = re.sub(r"[\[\]\\]", "", file.name)
    return f"[{words or name}]({address})"


def give_files(*, writer: Member, post: Post, edited: bool = False) -> None:
    """The uploads that the text names are the post's now; with `edited`, what it does not name any more goes.

    Inside the transaction of the post, with its row saved. Only what this writer uploaded: a link to somebody else's file
    stays a link.
    """
    keys = set(NAMED.findall(post.source))
    if keys:
        PostFile.objects.filter(key__in=keys, uploader=writer, post=None).update(post=post)
    if edited:
        doom_files(PostFile.objects.filter(post=post).exclude(key__in=keys))


def doom_files(files: QuerySet[PostFile]) -> int:
    """Delete these rows, and their bytes once the running transaction has committed; return how many."""
    names = list(files.values_list("file", flat=True))
    if names:
        doom(names)
        files.delete()
    return len(names)


def unused_files(before: datetime) -> QuerySet[PostFile]:
    """Uploads that were in no post by then."""
    return PostFile.objects.filter(post=None, created_at__lt=before)


@transaction.atomic
def forget_unused_files(before: datetime) -> int:
    """Delete them; how many. What becomes part of a post in this very moment is locked by that, and left alone."""
    ids = list(unused_files(before).select_for_update(skip_locked=True).values_list("pk", flat=True)[:500])
    return doom_files(PostFile.objects.filter(pk__in=ids, post=None))
