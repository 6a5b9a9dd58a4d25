"""The reader's own marks: what was read, and how closely a thread is followed."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import transaction

from kmnet.core import activity
from members.models import Member

from ..models import Post, ReadState, Thread, ThreadWatch
from ..permissions import can_watch_thread


@transaction.atomic
def mark_posts_read(*, member: Member, thread: Thread, posts: Iterable[Post]) -> None:
    """The member has seen these posts of the thread; what notifications said about them is old news."""
    posts = [post for post in posts if post.number is not None]
    if posts:
        ReadState.objects.mark(member=member, thread_id=thread.pk, numbers=[post.number for post in posts])
        first = [thread] if any(post.is_first for post in posts) else []
        activity.mark_read(member=member, targets=[*posts, *first])


def mark_all_read(*, member: Member, threads=None) -> None:
    """Everything that stands in these threads now (all that the member may see) counts as read."""
    threads = Thread.objects.all() if threads is None else threads
    ReadState.objects.mark_all(member=member, threads=threads.visible_to(member))


def set_watch(*, member: Member, thread: Thread, level: str) -> ThreadWatch:
    """Watch, mute, or neither."""
    if not can_watch_thread(member, thread):
        raise PermissionDenied
    watch, _new = ThreadWatch.objects.update_or_create(
        member=member, thread=thread, defaults={"level": ThreadWatch.Level(level)}
    )
    return watch


@transaction.atomic
def forget_reader(*, member: Member) -> None:
    """Nothing is left of what this member read or followed."""
    ReadState.objects.filter(member=member).delete()
    ThreadWatch.objects.filter(member=member).delete()
