"""What a thread's row keeps about its posts: numbers, counts, the latest. Callers hold the row's lock."""

import functools
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet
from django.utils.text import slugify

from kmnet.core import activity
from kmnet.core.text import excerpt
from members import services as members
from members.models import Member

from ..models import Following, Kind, Post, ReadState, Space, Thread
from ..models.numbers import ranges_of
from . import promise
from .mentions import note_mentions, tell_newly_named

PEOPLE_KEPT = 6
MOST_MOVES = 3
COUNTED = (
    "last_number",
    "gone_numbers",
    "reply_count",
    "last_post",
    "last_post_at",
    "people",
    "first_reply_at",
    "is_authors_first",
    "state",
)


def lock_thread(thread_id: int) -> Thread:
    """The thread's row, locked until the transaction ends. Whoever numbers or counts posts comes this way."""
    return Thread.objects.select_for_update(of=("self",)).select_related("space").get(pk=thread_id)


def lock_threads(ids: Iterable[int]) -> dict[int, Thread]:
    """Several of them, locked by id, so that two who need the same ones wait for each other instead of for ever."""
    threads = Thread.objects.select_for_update(of=("self",)).select_related("space")
    return {thread.pk: thread for thread in threads.filter(pk__in=ids).order_by("pk")}


class PostMoved(Exception):
    """It went to another thread while we waited for the lock of the one it stood in."""


def lock_thread_of(post: Post) -> Thread:
    """The thread in which the post stands, locked. Raises PostMoved; see follows_moves."""
    thread = lock_thread(post.thread_id)
    if not Post.objects.filter(pk=post.pk, thread=thread).exists():
        raise PostMoved
    return thread


def follows_moves(service):
    """For a service that locks the thread of its `post`: should the post have been moved meanwhile, begin again."""

    @functools.wraps(service)
    def wrapped(*, post: Post, **fields):
        for _try in range(MOST_MOVES):
            try:
                with transaction.atomic():  # gives the locks back that it took in vain
                    return service(post=post, **fields)
            except PostMoved:
                post.refresh_from_db(fields=["thread", "number", "path", "parent"])
        raise PostMoved

    return wrapped


def slug_of(title: str, kind: str) -> str:
    """For the address; titles that no Latin letter is in go by their kind."""
    return slugify(title)[:80].strip("-") or kind


def heading_of(title: str, tags: list[str]) -> str:
    return f"{title} {' '.join(tags)}"[:600]


def retell(thread: Thread, post: Post) -> None:
    """The line under the title in lists is the beginning of the first post."""
    thread.excerpt = excerpt(post.source, 240)


def path_below(parent: Post | None, number: int) -> list[int]:
    if parent is None:
        return [number]
    return [*parent.path[: Post.MAX_DEPTH - 1], number]


def publish(
    thread: Thread,
    post: Post,
    *,
    at: datetime,
    has_appeared: bool | None = None,
    somebody_waits: bool = True,
) -> None:
    """The post gets its number and appears; those who should hear of it will. It is saved here, the thread too.
    `has_appeared`: has something of its author's before, as was seen a moment ago? `somebody_waits`: it may be that
    somebody wrote their first words here and none has replied."""
    thread.last_number += 1
    post.number = thread.last_number
    post.path = path_below(post.parent, post.number)
    post.published_at = at
    post.state = Post.State.VISIBLE
    is_under_own_name = not (thread.is_conversation or post.mask_id)
    post.is_authors_first = is_under_own_name and is_first_of(post.author_id, has_appeared=has_appeared)
    post.save()
    thread.last_post, thread.last_post_at = post, at
    thread.people = [post.author_id, *(pk for pk in thread.people if pk != post.author_id)][:PEOPLE_KEPT]
    if post.is_first:
        thread.is_authors_first = post.is_authors_first
        thread.state = Thread.State.VISIBLE
        count_thread(thread, 1)
    else:
        thread.reply_count += 1
        is_first_reply = thread.first_reply_at is None and is_by_another(post, thread)
        if is_first_reply:
            thread.first_reply_at = at
        if not thread.is_conversation:
            promise.note_reply(post, at=at, is_first_reply=is_first_reply, somebody_waits=somebody_waits)
    if thread.gone_numbers and not post.is_first:
        # Perhaps it answers what was taken back meanwhile: then a stub keeps that place.
        settle(thread, above(thread, post))
    thread.save(update_fields=COUNTED)
    if post.is_first:
        promise.start_clock(thread, at=at)
    writer = post.mask.member if post.mask_id else post.author
    tracks = not (post.mask_id or thread.is_conversation or post.author_id == thread.author_id)
    ReadState.objects.mark(member=writer, thread_id=thread.pk, numbers=[post.number], tracks=tracks)
    Following.forget(writer)
    if thread.is_conversation:
        activity.record("discussions.messaged", actor=post.author, target=post, at=at)
        return
    if post.is_first:
        tell_newly_named(post)
        activity.record("discussions.asked", actor=post.author, target=thread, at=at)
    else:
        deed = {"actor": post.author, "target": post, "at": at}
        if named := note_mentions(post):
            activity.record_both(
                "discussions.replied", "discussions.mentioned", **deed, data={"members": named}
            )
        else:
            activity.record("discussions.replied", **deed)
        if thread.kind == Kind.INTRODUCTION:
            members.note_reply_to_introduction(newcomer=thread.author, by=post.author)


def is_by_another(post: Post, thread: Thread) -> bool:
    """Did somebody else than who began the thread write it, as readers see them? Where two asked without their names,
    each mask is somebody. Whoever is behind both, or behind one and here by name too, is not looked for: the count would
    tell everybody. The same rule as by_others."""
    return (post.author_id, post.mask_id) != (thread.author_id, thread.mask_id)


def by_others(posts, thread: Thread):
    """is_by_another, for many."""
    return posts.exclude(author=thread.author_id, mask=thread.mask_id)


def above(thread: Thread, post: Post) -> Post | None:
    """What the post answers: another reply, or the first post."""
    if post.leads:
        return None
    return (
        Post.objects.filter(thread=thread)
        .filter(Q(pk=post.parent_id) if post.parent_id else Q(number=1))
        .first()
    )


def settle(thread: Thread, post: Post | None) -> None:
    """Is this post that was taken back a stub, or gone? And then the one above it. The thread goes with its first.

    The caller holds the thread's lock, and counts anew afterwards.
    """
    while post is not None and post.is_taken_back:
        others = Post.objects.filter(thread=thread, gone=False).exclude(pk=post.pk)
        gone = not (others if post.leads else others.filter(parent=post)).exists()
        if gone == post.gone:
            return
        post.gone = gone
        post.save(update_fields=["gone"])
        if post.leads and post.state == Post.State.DELETED:
            visible = Thread.State.VISIBLE if post.number else Thread.State.HELD
            set_state(thread, Thread.State.DELETED if gone else visible)
        post = above(thread, post)


def set_state(thread: Thread, state: str) -> None:
    was_shown, thread.state = thread.is_shown, state
    thread.save(update_fields=["state"])
    if was_shown != thread.is_shown:
        count_thread(thread, 1 if thread.is_shown else -1)


def count_thread(thread: Thread, by: int) -> None:
    """How many threads a space shows. Conversations are not counted: the row of their space would be everybody's lock."""
    if not thread.is_conversation:
        Space.objects.filter(pk=thread.space_id).update(thread_count=F("thread_count") + by)


def is_first_of(author_id: int, *, has_appeared: bool | None = None) -> bool:
    """Has nothing of theirs appeared before? Locks the author where not: of two first posts at once one is the first.
    `has_appeared`: what was seen a moment ago, where somebody has looked."""
    if published_before(author_id) if has_appeared is None else has_appeared:
        return False
    Member.objects.select_for_update(no_key=True).get(pk=author_id)
    return not published_before(author_id)


def published_before(author_id: int) -> bool:
    return appeared(author_id).exists()


def appeared(author_id: int) -> QuerySet[Post]:
    """What of theirs has appeared; what they wrote to a few people in private does not count."""
    open_posts = Post.objects.exclude(thread__kind=Kind.CONVERSATION)
    return open_posts.filter(author=author_id, published_at__isnull=False)


def recount(thread: Thread) -> None:
    """All that publish() keeps up, from the posts themselves; after hiding and restoring."""
    shown = thread.posts.shown().published()
    replies = shown.exclude(number=1)
    thread.reply_count = replies.count()
    first_reply_at = by_others(replies, thread).aggregate(at=Min("published_at"))["at"]
    thread.first_reply_at = first_reply_at and max(
        first_reply_at, thread.created_at
    )  # it may have come from elsewhere
    latest = list(shown.order_by("-published_at", "-number").only("pk", "author_id", "published_at")[:100])
    thread.last_post = latest[0] if latest else None
    thread.last_post_at = latest[0].published_at if latest else thread.created_at
    thread.people = list(dict.fromkeys(post.author_id for post in latest))[:PEOPLE_KEPT]
    there = set(shown.values_list("number", flat=True))
    thread.gone_numbers = ranges_of(n for n in range(1, thread.last_number + 1) if n not in there)
    thread.save(update_fields=COUNTED)
    promise.note_first_reply(thread)
    promise.note_answers(thread)
