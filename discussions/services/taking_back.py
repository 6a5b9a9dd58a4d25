"""An author takes a post back, has it back for a while, and then its words are wiped. The rule: models/taking_back.py."""

from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import erasing, jobs
from kmnet.core.models import Flag
from members.models import Member

from ..models import UNDO, Draft, Poll, Post, PostFile, PostVersion, Thread
from ..permissions import can_delete_post, can_undelete_post
from .answers import FIELDS as ANSWER_FIELDS
from .files import doom_files
from .threads import above, follows_moves, lock_thread_of, recount, retell, set_state, settle, slug_of

RETITLED = ["title", "slug", "excerpt", "state"]


def lock_post(post: Post) -> tuple[Post, Thread]:
    """Both rows, locked, thread first."""
    thread = lock_thread_of(post)
    post = Post.objects.select_for_update(of=("self",)).select_related("author", "parent").get(pk=post.pk)
    post.thread = thread
    return post, thread


@follows_moves
@transaction.atomic
def delete_post(*, actor: Member, post: Post) -> Post:
    """Take one's own words back. Nobody reads them from now on; `undelete_post` brings them back for UNDO.

    Locks the thread. Where it begins the thread, the title goes too. A chosen answer is chosen no longer. Raises
    PermissionDenied, also for what a moderator has hidden: that stays as it is until it is settled.
    """
    post, thread = lock_post(post)
    if not can_delete_post(actor, post):
        raise PermissionDenied
    post.state, post.deleted_at = Post.State.DELETED, timezone.now()
    post.save(update_fields=["state", "deleted_at"])
    Draft.objects.filter(key=f"edit:{post.pk}").delete()
    if thread.accepted_post_id == post.pk:
        thread.accepted_post = thread.accepted_at = thread.accepted_by = None
        thread.save(update_fields=ANSWER_FIELDS)
    if post.leads:
        PostVersion.objects.create(
            post=post,
            source=post.source,
            title=thread.title,
            edited_by_id=post.author_id,  # nobody, of whoever writes without their name
            replaced_at=post.deleted_at,  # by which undelete_post knows it
        )
        thread.title = (
            _("A question that was taken back")
            if thread.is_question
            else _("A conversation that was taken back")
        )
        thread.slug, thread.excerpt = slug_of(thread.title, thread.kind), ""
        thread.save(update_fields=RETITLED)
    settle(thread, post)
    recount(thread)
    return post


@follows_moves
@transaction.atomic
def undelete_post(*, actor: Member, post: Post) -> Post:
    """Have it back as it was, with its number; a held one is held again. PermissionDenied when UNDO is over."""
    post, thread = lock_post(post)
    if not can_undelete_post(actor, post):
        raise PermissionDenied
    before = PostVersion.objects.filter(post=post, replaced_at=post.deleted_at).first()
    post.state = Post.State.HELD if post.number is None else Post.State.VISIBLE
    was_gone, post.gone, post.deleted_at = post.gone, False, None
    post.save(update_fields=["state", "gone", "deleted_at"])
    if post.leads:
        if before is not None:
            thread.title, thread.slug = before.title, slug_of(before.title, thread.kind)
            before.delete()
        retell(thread, post)
        if was_gone:
            set_state(thread, Thread.State(post.state))
        thread.save(update_fields=RETITLED)
    else:
        settle(thread, above(thread, post))
    recount(thread)
    return post


def wipe_taken_back(*, now: datetime | None = None, limit: int = 200) -> int:
    """Wipe the words that can no longer be had back; return of how many posts. Safe to repeat, any number at once.

    What somebody has reported waits until a moderator has looked at it.
    """
    before = (now or timezone.now()) - UNDO
    due = Post.objects.taken_back().filter(deleted_at__lte=before).order_by("deleted_at", "pk")
    posts = list(due.only("pk", "thread_id")[:limit])
    return jobs.each(posts, lambda post: wipe(post, before), what="post taken back")


def wipe(post: Post, before: datetime) -> bool:
    thread = Thread.objects.select_for_update(of=("self",)).filter(pk=post.thread_id).first()
    found = Post.objects.taken_back().select_for_update(of=("self",))
    post = found.filter(pk=post.pk, deleted_at__lte=before).first()
    if thread is None or post is None or is_reported(post):
        return False
    post.thread = thread
    if post.leads and not thread.posts.exclude(pk=post.pk).exists():
        erasing.forget_targets([thread, post])
        doom_files(PostFile.objects.filter(post=post))
        Thread.objects.filter(pk=thread.pk).update(last_post=None, accepted_post=None)
        thread.delete()
        return True
    if post.leads:
        thread.tags.clear()  # words of theirs, too
        Poll.objects.filter(thread=thread).delete()
    PostVersion.objects.filter(post=post).delete()
    doom_files(PostFile.objects.filter(post=post))
    post.source = post.html = post.heading = ""
    post.submit_key, post.wiped_at = None, timezone.now()
    post.cut_words = ""
    post.save(update_fields=["source", "html", "heading", "cut_words", "submit_key", "wiped_at"])
    return True


def is_reported(post: Post) -> bool:
    about = ContentType.objects.get_for_model(Post)
    return Flag.objects.filter(target_type=about, target_id=post.pk, state=Flag.State.OPEN).exists()
