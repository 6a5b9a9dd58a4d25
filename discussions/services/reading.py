"""The reader's own marks: what was read. How closely things are followed: levels.py."""

from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kmnet.core import activity
from members.models import Member

from ..models import CaughtUp, Mention, Owed, Post, ReadState, Space, Thread
from ..permissions import can_view_post
from .levels import forget_levels

IN_FLIGHT = timedelta(
    seconds=30
)  # a post may be published at a moment, and be seen by others only after that


@transaction.atomic
def mark_posts_read(*, member: Member, thread: Thread, posts: Iterable[Post]) -> None:
    """The member has seen these posts of the thread; what notifications said about them is old news."""
    posts = [post for post in posts if post.number is not None]
    if posts:
        ReadState.objects.mark(member=member, thread_id=thread.pk, numbers=[post.number for post in posts])
        first = [thread] if any(post.is_first for post in posts) else []
        activity.mark_read(member=member, targets=[*posts, *first])


@transaction.atomic
def mark_all_read(*, member: Member, space: Space | None = None, threads=None) -> None:
    """Everything that stands now counts as read: of the space, of these threads (a queryset), or of all.

    For all, or a space, one row says so; only threads that have a marker, or a post so young that another one may be on
    its way with an earlier moment, get theirs completed. For other threads a marker each is written.
    """
    now = timezone.now()
    found = (Thread.objects.all() if threads is None else threads).visible_to(member)
    if space is not None:
        found = found.filter(space=space)
    if threads is None:
        found = found.filter(Q(last_post_at__gt=now - IN_FLIGHT) | Q(read_states__member=member))
        found = Thread.objects.filter(pk__in=found.values("pk"))
    ReadState.objects.mark_all(member=member, threads=found)
    if threads is None:
        CaughtUp.objects.say(member=member, space=space, at=now - IN_FLIGHT)
    Owed.forget(member)


@transaction.atomic
def mark_unread_from(*, member: Member, post: Post) -> None:
    """This post, and what was written in the thread after it, is to be read again."""
    if post.number is None or not can_view_post(member, post):
        raise PermissionDenied
    ReadState.objects.unmark_from(member=member, thread_id=post.thread_id, number=post.number)
    Owed.forget(member)


@transaction.atomic
def forget_reader(*, member: Member) -> None:
    """Nothing is left of what this member read or followed."""
    ReadState.objects.filter(member=member).delete()
    CaughtUp.objects.filter(member=member).delete()
    forget_levels(member=member)
    Mention.objects.filter(member=member).delete()
