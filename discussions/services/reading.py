"""The reader's own marks: what was read. How closely things are followed: levels.py."""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kmnet.core import activity
from kmnet.core.models import Notification
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
    _quiet_the_bell(member, found)
    if threads is None:
        found = found.filter(Q(last_post_at__gt=now - IN_FLIGHT) | Q(read_states__member=member))
        found = Thread.objects.filter(pk__in=found.values("pk"))
    ReadState.objects.mark_all(member=member, threads=found)
    if threads is None:
        CaughtUp.objects.say(member=member, space=space, at=now - IN_FLIGHT)
    Owed.forget(member)


def _quiet_the_bell(member: Member, threads) -> None:
    """What notifications said of these threads is old news."""
    posts, begun = ContentType.objects.get_for_model(Post).pk, ContentType.objects.get_for_model(Thread).pk
    rows = Notification.objects.unread().filter(recipient=member, activity__target_type__in=(posts, begun))
    news = list(rows.values_list("pk", "activity__target_type", "activity__target_id"))
    if not news:
        return
    known = {"thread__in": threads.order_by().values("pk")}
    of_posts = Post.objects.filter(pk__in={target for _pk, kind, target in news if kind == posts}, **known)
    of_threads = threads.order_by().filter(pk__in={target for _pk, kind, target in news if kind == begun})
    read = {
        posts: set(of_posts.values_list("pk", flat=True)),
        begun: set(of_threads.values_list("pk", flat=True)),
    }
    activity.mark_rows_read(member=member, ids=[pk for pk, kind, target in news if target in read[kind]])


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
