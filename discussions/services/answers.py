"""Choosing the answer to a question."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core import activity
from members.models import Member

from ..models import Post, Thread
from ..permissions import can_accept_answer, can_choose_answer, can_say_still_open, is_author
from .threads import follows_moves, lock_thread, lock_thread_of

STILL_OPEN = ["still_open_at"]
FIELDS = ["accepted_post", "accepted_at", "accepted_by"]


@follows_moves
@transaction.atomic
def accept_answer(*, actor: Member, post: Post) -> Thread:
    """The asker, or a host for them, says which reply answered it. Another choice later replaces this one."""
    thread = lock_thread_of(post)
    post = Post.objects.get(pk=post.pk)
    post.thread = thread
    if not can_accept_answer(actor, post):
        raise PermissionDenied
    if thread.accepted_post_id != post.pk:
        chooser = thread.author if is_author(actor, thread) else actor  # nobody, where the asker has a mask
        thread.accepted_post, thread.accepted_at, thread.accepted_by = post, timezone.now(), chooser
        thread.still_open_at = None
        thread.save(update_fields=FIELDS + STILL_OPEN)
        activity.record("discussions.accepted", actor=chooser, target=post)
    return thread


@transaction.atomic
def unaccept_answer(*, actor: Member, thread: Thread) -> Thread:
    """The question is open again."""
    thread = lock_thread(thread.pk)
    if not can_choose_answer(actor, thread):
        raise PermissionDenied
    if thread.accepted_post_id is not None:
        thread.accepted_post = thread.accepted_at = thread.accepted_by = None
        thread.save(update_fields=FIELDS)
    return thread


@transaction.atomic
def say_still_open(*, actor: Member, thread: Thread, still_open: bool = True) -> Thread:
    """The asker, or a host for them, says that the replies do not answer it, so that a person is needed; or no longer."""
    thread = lock_thread(thread.pk)
    if not can_say_still_open(actor, thread):
        raise PermissionDenied
    thread.still_open_at = (thread.still_open_at or timezone.now()) if still_open else None
    thread.save(update_fields=STILL_OPEN)
    return thread
