"""How closely a member follows a thread, a space or a tag."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from taggit.models import Tag

from members.models import Member
from members.permissions import is_full_member

from ..models import Following, Level, Space, SpaceLevel, TagLevel, Thread, ThreadWatch
from ..permissions import can_read_space, can_watch_thread


def set_watch(*, member: Member, thread: Thread, level: str, until: datetime | None = None) -> ThreadWatch:
    """The member's own choice for one thread, from now on or until a moment."""
    if not can_watch_thread(member, thread):
        raise PermissionDenied
    watch, _new = ThreadWatch.objects.update_or_create(
        member=member, thread=thread, defaults={"level": Level(level), "chosen": True, "until": until}
    )
    Following.forget(member)
    return watch


def unset_watch(*, member: Member, thread: Thread) -> None:
    """As if they had never chosen: tags, space and the space's usual level decide."""
    ThreadWatch.objects.filter(member=member, thread=thread).delete()
    Following.forget(member)


def set_space_level(*, member: Member, space: Space, level: str, until: datetime | None = None) -> SpaceLevel:
    """The member's own choice for a space. PermissionDenied where they may not read it."""
    if not (member.is_active and can_read_space(member, space)):
        raise PermissionDenied
    found, _new = SpaceLevel.objects.update_or_create(
        member=member, space=space, defaults={"level": Level(level), "until": until}
    )
    Following.forget(member)
    return found


def unset_space_level(*, member: Member, space: Space) -> None:
    """As if they had never chosen: the space's usual level decides."""
    SpaceLevel.objects.filter(member=member, space=space).delete()
    Following.forget(member)


def set_tag_level(*, member: Member, tag: Tag, level: str, until: datetime | None = None) -> TagLevel:
    """The member's own choice for a tag. PermissionDenied for who is no full member."""
    if not is_full_member(member):
        raise PermissionDenied
    found, _new = TagLevel.objects.update_or_create(
        member=member, tag=tag, defaults={"level": Level(level), "until": until}
    )
    Following.forget(member)
    return found


def unset_tag_level(*, member: Member, tag: Tag) -> None:
    """As if they had never chosen."""
    TagLevel.objects.filter(member=member, tag=tag).delete()
    Following.forget(member)


@transaction.atomic
def forget_levels(*, member: Member) -> None:
    """Nothing is left of what this member followed."""
    ThreadWatch.objects.filter(member=member).delete()
    SpaceLevel.objects.filter(member=member).delete()
    TagLevel.objects.filter(member=member).delete()
