"""When reports hide a post at once, and what its author changed when they ask for another look."""

from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import Max

from kmnet.core.differences import Change, around, changes
from kmnet.core.models import AuditEntry, Flag
from members.models import Member, Status

from .models import DiscussionSettings, Post
from .permissions import can_hide_post


def hide_at(post: Post) -> int:
    """So many members' reports; none in a conversation, where people leave and block, and moderators look first."""
    return 0 if post.thread.is_conversation else DiscussionSettings.load().hide_at_reports


def counted(reporters: set[int]) -> set[int]:
    """Those of these members who may write: a silenced or suspended member hides nothing."""
    return set(
        Member.objects.full().filter(pk__in=reporters, status=Status.ACTIVE).values_list("pk", flat=True)
    )


def hides_alone(user: Member, post: Post) -> bool:
    return can_hide_post(user, post)


def place_url(post: Post) -> str:
    """Its stub in the thread; of a thread that is hidden with it the space."""
    thread = post.thread
    stays = thread.is_conversation or thread.is_shown
    return post.get_absolute_url() if stays else thread.space.get_absolute_url()


def was_told_of(post: Post) -> bool:
    """Has anybody reported it, or a moderator dealt with it? Then its words are not replaced without a trace."""
    about = {"target_type": ContentType.objects.get_for_model(Post), "target_id": post.pk}
    return Flag.objects.filter(**about).exists() or AuditEntry.objects.filter(**about).exists()


def version_at(post: Post) -> datetime:
    """Since when its text is what it is, also where an edit left nothing that readers see."""
    replaced = post.versions.aggregate(at=Max("replaced_at"))["at"]
    return max(at for at in (post.created_at, post.edited_at, replaced) if at)


def changes_since(post: Post, moment: datetime) -> list[Change]:
    """Between the text that was hidden at that moment and the present one; nothing where it is the same."""
    before = post.versions.filter(replaced_at__gte=moment).order_by("replaced_at", "pk").first()
    if before is None or before.source == post.source:
        return []
    return around(changes(before.source, post.source))
