"""What moderators do: hide and restore, release what was held, close and reopen. Each is logged with its reason."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core.audit import record_act
from members.models import Member

from ..models import Post, Thread
from ..permissions import can_close_thread, can_hide_post, can_keep_order
from .answers import FIELDS as ANSWER_FIELDS
from .threads import count_thread, follows_moves, lock_thread, lock_thread_of, publish, recount

STATE_FIELDS = ["state", "hidden_at", "hidden_by", "hidden_reason"]


class ReasonMissing(Exception):
    """Nobody's words go away without a reason."""


def lock_post(post: Post, actor: Member, reason: str) -> tuple[Post, Thread]:
    thread = lock_thread_of(post)
    post = Post.objects.select_for_update(of=("self",)).select_related("author", "parent").get(pk=post.pk)
    post.thread = thread
    if not can_hide_post(actor, post):
        raise PermissionDenied
    if not reason.strip():
        raise ReasonMissing
    return post, thread


def leads(post: Post, thread: Thread) -> bool:
    """Does the thread stand and fall with this post? A conversation with none of its posts."""
    return not thread.is_conversation and (post.is_first or not thread.last_number)


@follows_moves
@transaction.atomic
def hide_post(*, post: Post, actor: Member, reason: str) -> Post:
    """Readers see a stub from now on; the author and the moderators still see the words.

    A first post takes its thread along. A chosen answer that is hidden is chosen no longer.
    """
    post, thread = lock_post(post, actor, reason)
    _hide(post, thread, actor, reason)
    return post


@follows_moves
@transaction.atomic
def hide_reported_post(*, post: Post, reason: str, flags: list[int]) -> Post:
    """Hidden at once because of these reports (ids), by nobody in particular; a moderator looks at it afterwards."""
    thread = lock_thread_of(post)
    post = Post.objects.select_for_update(of=("self",)).select_related("author", "parent").get(pk=post.pk)
    post.thread = thread
    _hide(post, thread, None, reason, flags=flags)
    return post


def _hide(post: Post, thread: Thread, actor: Member | None, reason: str, **data) -> None:
    if post.state == Post.State.HIDDEN:
        return
    was_shown = post.is_shown
    post.state, post.hidden_at, post.hidden_by, post.hidden_reason = (
        Post.State.HIDDEN,
        timezone.now(),
        actor,
        reason,
    )
    post.save(update_fields=STATE_FIELDS)
    was_answer = thread.accepted_post_id == post.pk
    if was_answer:
        thread.accepted_post = thread.accepted_at = thread.accepted_by = None
        thread.save(update_fields=ANSWER_FIELDS)
    if leads(post, thread) and not post.is_taken_back:
        thread.state = Thread.State.HIDDEN
        if was_shown:
            count_thread(thread, -1)
    recount(thread)
    record_act(
        actor=actor,
        verb="discussions.post_hidden",
        target=post,
        reason=reason,
        data={"thread": thread.pk, "number": post.number, "was_answer": was_answer, **data},
    )


@follows_moves
@transaction.atomic
def restore_post(*, post: Post, actor: Member, reason: str) -> Post:
    """A hidden post is shown again, with the number it always had; one that had never appeared is published."""
    post, thread = lock_post(post, actor, reason)
    if post.is_shown or post.state == Post.State.DELETED:
        return post
    if post.hidden_at and post.versions.filter(replaced_at__gte=post.hidden_at).exists():
        post.versions.update(
            withheld=True
        )  # it was mended: others do not read what was hidden in its history
    post.hidden_at, post.hidden_by, post.hidden_reason = None, None, ""
    if post.is_taken_back:  # by its author, before it was hidden: nobody shows it again
        post.state = Post.State.DELETED
        post.save(update_fields=STATE_FIELDS)
    elif post.number is None:
        publish(thread, post, at=timezone.now())
    else:
        post.state = Post.State.VISIBLE
        post.save(update_fields=STATE_FIELDS)
        if leads(post, thread):
            thread.state = Thread.State.VISIBLE
            count_thread(thread, 1)
        recount(thread)
    record_act(
        actor=actor,
        verb="discussions.post_restored",
        target=post,
        reason=reason,
        data={"thread": thread.pk, "number": post.number},
    )
    return post


@follows_moves
@transaction.atomic
def release_post(*, post: Post, actor: Member, reason: str) -> Post:
    """A held post appears: it gets its number now, after those that came meanwhile."""
    post, thread = lock_post(post, actor, reason)
    if post.state != Post.State.HELD:
        return post
    publish(thread, post, at=timezone.now())
    record_act(
        actor=actor,
        verb="discussions.post_released",
        target=post,
        reason=reason,
        data={"thread": thread.pk, "number": post.number},
    )
    return post


@transaction.atomic
def close_thread(*, thread: Thread, actor: Member, reason: str) -> Thread:
    """No more replies; everything stays readable."""
    thread = lock_thread(thread.pk)
    if not can_close_thread(actor, thread):
        raise PermissionDenied
    if not reason.strip():
        raise ReasonMissing
    if not thread.is_closed:
        thread.closed_at, thread.closed_reason = timezone.now(), reason[:300]
        thread.save(update_fields=["closed_at", "closed_reason"])
        record_act(actor=actor, verb="discussions.thread_closed", target=thread, reason=reason)
    return thread


@transaction.atomic
def reopen_thread(*, thread: Thread, actor: Member, reason: str) -> Thread:
    """Replies are welcome again."""
    thread = lock_thread(thread.pk)
    if not can_close_thread(actor, thread):
        raise PermissionDenied
    if not reason.strip():
        raise ReasonMissing
    if thread.is_closed:
        thread.closed_at, thread.closed_reason = None, ""
        thread.save(update_fields=["closed_at", "closed_reason"])
        record_act(actor=actor, verb="discussions.thread_reopened", target=thread, reason=reason)
    return thread


def _lock_for_order(thread: Thread, actor: Member, reason: str) -> Thread:
    thread = lock_thread(thread.pk)
    if not can_keep_order(actor, thread):
        raise PermissionDenied
    if not reason.strip():
        raise ReasonMissing
    return thread


@transaction.atomic
def pin_thread(*, thread: Thread, actor: Member, until: datetime, reason: str) -> Thread:
    """First in its space's list until that moment. Pinned again: until the new one."""
    thread = _lock_for_order(thread, actor, reason)
    thread.pinned_at, thread.pinned_until = timezone.now(), until
    thread.save(update_fields=["pinned_at", "pinned_until"])
    record_act(
        actor=actor,
        verb="discussions.thread_pinned",
        target=thread,
        reason=reason,
        data={"until": until.isoformat()},
    )
    return thread


@transaction.atomic
def unpin_thread(*, thread: Thread, actor: Member, reason: str) -> Thread:
    """In its place by time again."""
    thread = _lock_for_order(thread, actor, reason)
    if thread.pinned_at is not None:
        thread.pinned_at = thread.pinned_until = None
        thread.save(update_fields=["pinned_at", "pinned_until"])
        record_act(actor=actor, verb="discussions.thread_unpinned", target=thread, reason=reason)
    return thread


@transaction.atomic
def slow_thread(*, thread: Thread, actor: Member, seconds: int, reason: str) -> Thread:
    """So many seconds between two posts of one person (limits.check_may_reply); 0: as fast as they like."""
    thread = _lock_for_order(thread, actor, reason)
    if thread.slow_seconds != seconds:
        thread.slow_seconds = seconds
        thread.save(update_fields=["slow_seconds"])
        record_act(
            actor=actor,
            verb="discussions.thread_slowed",
            target=thread,
            reason=reason,
            data={"seconds": seconds},
        )
    return thread
