"""Writing: a thread's first post, replies, edits."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from kmnet.core.about import note as note_about
from kmnet.core.language import language_of
from kmnet.core.text import RENDER_VERSION
from kmnet.core.vocabulary import in_order
from members.models import Member

from ..models import HeldFor, Kind, Mask, MovedPost, Post, PostVersion, Space, Thread, grace, written_by
from ..permissions import can_announce, can_edit_post, can_reply, can_start_thread, can_view_thread
from ..rendering import anchor_of, render_post
from ..reporting import was_told_of
from . import drafts, masks
from .files import give_files
from .limits import by, check_may_reply, check_may_start, must_hold
from .mentions import tell_newly_named
from .past import past_of
from .polls import PollWanted, open_poll
from .threads import (
    MOST_MOVES,
    follows_moves,
    heading_of,
    lock_thread,
    lock_thread_of,
    publish,
    retell,
    slug_of,
)


class ChangedMeanwhile(Exception):
    """The post is no longer what it was when its author began to edit it."""


class WrittenMeanwhile(Exception):
    """Others have replied since the page was made; `posts` are theirs."""

    def __init__(self, posts: list[Post], last_number: int):
        super().__init__()
        self.posts, self.last_number = posts, last_number


class ThreadClosed(Exception):
    """No more replies; it may have been closed while one was being written."""


MOST_NEWER = 20


def sent_before(author: Member, submit_key: UUID | None) -> Post | None:
    """What the same form made when it was sent the first time."""
    if submit_key is None:
        return None
    sent = by(author, Post.objects.filter(submit_key=submit_key)).values("pk")
    return Post.objects.select_related("thread__space").filter(pk__in=sent).first()


def why_held(
    author: Member, space: Space, text: str, hold: bool | str, *, has_appeared: bool | None = None
) -> str:
    """The reason to hold it back (a HeldFor), or ""."""
    found = must_hold(author, space, text, has_appeared=has_appeared)
    if found or not hold or space.group_id:
        return found
    return hold if hold in HeldFor.values else HeldFor.ASKED


def new_post(*, author: Member, source: str, submit_key: UUID | None) -> Post:
    now = timezone.now()
    return Post(
        author=author,
        source=source,
        html=render_post(source, anchor=anchor_of(now)),
        render_version=RENDER_VERSION,
        language=language_of(source, expected=author.language),
        submit_key=submit_key,
        created_at=now,
    )


@transaction.atomic
def start_thread(
    *,
    author: Member,
    space: Space,
    title: str,
    source: str,
    kind: str | None = None,
    tags: Iterable[str] = (),
    submit_key: UUID | None = None,
    hold: bool | str = False,
    poll: PollWanted | None = None,
    sent: drafts.Sent | None = None,
    masked: bool = False,
    about: Model | None = None,
) -> Thread:
    """A new thread with its first post; the same submit_key again gives the thread made before.

    With `hold` (or a HeldFor, which says why), or where must_hold says so, it waits, unnumbered, until a moderator has
    looked (release_post); never in a group's space, where no moderator looks unless somebody there asks for it. A poll
    comes with `poll`. `masked`: without the author's name, here and in all that they write in this thread. `about`:
    a thing of another app, whose page then leads to it. Raises LimitReached, and masks.NobodyToUnmask.
    """
    kind = kind or space.first_kind
    if (kind == Kind.POLL) != (poll is not None):
        raise ValueError("a poll has answers to choose from, and nothing else has")
    if not can_start_thread(author, space) or (kind == Kind.ANNOUNCEMENT and not can_announce(author)):
        raise PermissionDenied
    earlier = sent_before(author, submit_key)
    if earlier is not None:
        return earlier.thread
    check_may_start(author, space)
    held_for = why_held(author, space, f"{title} {source}", hold)
    tags = list(dict.fromkeys(tags))
    now = timezone.now()
    try:
        with transaction.atomic():
            thread = Thread(
                space=space,
                kind=kind,
                title=title,
                slug=slug_of(title, kind),
                author=author,
                created_at=now,
                last_post_at=now,
                state=Thread.State.HELD,
            )
            post = new_post(author=author, source=source, submit_key=submit_key)
            post.heading = heading_of(title, tags)
            retell(thread, post)
            if masked:
                mask = masks.put_on(thread=thread, author=author)
            thread.save()
            if masked:
                Mask.objects.filter(pk=mask.pk).update(thread=thread)
                masks.wear(post=post, thread=thread, author=author)
            if tags:
                thread.tags.set(in_order(tags))
            if about is not None:
                note_about(source=thread, target=about)
            if poll is not None:
                open_poll(thread=thread, wanted=poll)
            post.thread = thread
            if held_for:
                post.state, post.held_for = Post.State.HELD, held_for
                post.save()
            else:
                publish(thread, post, at=now)
            keep_along(post, writer=author, sent=sent)
    except IntegrityError:  # pressed twice at the same moment, and the other press committed first
        earlier = sent_before(author, submit_key)
        if earlier is None:
            raise
        return earlier.thread
    return thread


class RepliesElsewhere(Exception):
    """The thread was merged, or the post that is answered moved, while the reply was being sent."""

    def __init__(self, thread_id: int):
        self.thread_id = thread_id


def add_reply(*, thread: Thread, parent: Post | None = None, **fields) -> Post:
    """A reply, see _add_reply; where the conversation has moved meanwhile, it goes along."""
    for _try in range(MOST_MOVES):
        try:
            return _add_reply(thread=thread, parent=parent, **fields)
        except RepliesElsewhere as moved:
            thread, fields["seen"] = Thread(pk=moved.thread_id), None
            if parent is not None:
                parent = Post.objects.get(pk=parent.pk)
    raise ThreadClosed


@transaction.atomic
def _add_reply(
    *,
    author: Member,
    thread: Thread,
    source: str,
    parent: Post | None = None,
    submit_key: UUID | None = None,
    hold: bool = False,
    seen: int | None = None,
    sent: drafts.Sent | None = None,
) -> Post:
    """A reply to the thread, or to another reply. Locks the thread: numbers follow one another without a gap.

    The same submit_key again gives the reply made before. `seen`: the last number when the page was made; raises
    WrittenMeanwhile where others have replied since. Without it that is no conflict. `sent`: the draft that it was; it
    goes. Raises ThreadClosed and LimitReached, too.
    """
    thread = lock_thread(thread.pk)
    past = past_of(author, thread, submit_key=submit_key)
    if past.earlier is not None:
        return Post.objects.select_related("thread__space").get(pk=past.earlier)
    if thread.merged_into_id:
        raise RepliesElsewhere(thread.merged_into_id)
    if parent is not None:
        parent = Post.objects.get(pk=parent.pk)  # as it stands now that the thread is locked
        gone = parent.thread_id != thread.pk
        if gone and MovedPost.objects.filter(post=parent, thread=thread).exists():
            raise RepliesElsewhere(parent.thread_id)
    if thread.is_closed and can_view_thread(author, thread):
        raise ThreadClosed
    if not can_reply(author, thread):
        raise PermissionDenied
    if parent is not None and (parent.thread_id != thread.pk or parent.number is None):
        raise PermissionDenied
    check_may_reply(author, thread, written=past.times)
    if seen is not None and thread.last_number > seen:
        newer = Post.objects.shown().filter(thread=thread, number__gt=seen)
        newer = newer.exclude(written_by(author))
        if posts := list(newer.select_related("author").order_by("number")[:MOST_NEWER]):
            raise WrittenMeanwhile(posts, thread.last_number)
    post = new_post(author=author, source=source, submit_key=submit_key)
    post.thread = thread
    post.parent = None if parent is None or parent.is_first else parent
    masks.put_under(past.mask, post=post)
    if held_for := why_held(author, thread.space, source, hold, has_appeared=past.has_appeared):
        post.state, post.held_for = Post.State.HELD, held_for
        post.save()
    else:
        publish(
            thread,
            post,
            at=timezone.now(),
            has_appeared=past.has_appeared,
            somebody_waits=past.somebody_waits,
        )
    keep_along(post, writer=author, sent=sent)
    return post


def keep_along(post: Post, *, writer: Member, sent: drafts.Sent | None) -> None:
    """What goes with the words, in their transaction: the files that they name become the post's, the draft goes."""
    give_files(writer=writer, post=post)
    drafts.forget_sent(member=writer, sent=sent)


@follows_moves
@transaction.atomic
def edit_post(
    *,
    editor: Member,
    post: Post,
    source: str,
    title: str | None = None,
    tags: Iterable[str] | None = None,
    begun_from: str | None = None,
    sent: drafts.Sent | None = None,
) -> Post:
    """New words for one's own post; what it said before stays in its history. Nobody is told but those whom
    it names for the first time.

    Title and tags belong to the first post. A held post stays held, a number stays what it is. In the minutes of grace()
    after it appeared an edit leaves no trace, unless moderators were told of it: they can see what it said then.
    `begun_from`: the state_of() the post that the edit began from; raises ChangedMeanwhile where another edit came first.
    """
    thread = lock_thread_of(post)
    post = Post.objects.select_for_update(of=("self",)).get(pk=post.pk)
    post.thread = thread
    if not can_edit_post(editor, post):
        raise PermissionDenied
    if begun_from and begun_from != state_of(post):
        raise ChangedMeanwhile
    leads, now = post.leads, timezone.now()
    title = title if leads and title else thread.title
    if (post.source, thread.title) != (source, title):
        seen_by_moderators = post.published_at is None or post.state == Post.State.HIDDEN
        leaves_trace = seen_by_moderators or now >= post.published_at + grace()
        if leaves_trace or was_told_of(post):
            PostVersion.objects.create(
                post=post,
                source=post.source,
                title=thread.title if leads else "",
                edited_by_id=post.author_id,  # nobody, of whoever writes without their name
                replaced_at=now,
                withheld=not leaves_trace,
            )
            post.edited_at = now if leaves_trace else post.edited_at
        post.source, post.render_version = source, RENDER_VERSION
        post.html = render_post(source, anchor=anchor_of(post.created_at))
        expected = settings.LANGUAGE_CODE if post.mask_id else editor.language
        post.language = language_of(source, expected=expected)
    if leads:
        if tags is not None:
            tags = list(dict.fromkeys(tags))
            thread.tags.set(in_order(tags))
        else:
            tags = list(thread.tags.names())
        thread.title, thread.slug = title, slug_of(title, thread.kind)
        retell(thread, post)
        thread.save(update_fields=["title", "slug", "excerpt"])
        post.heading = heading_of(title, tags)
    post.save(update_fields=["source", "html", "render_version", "language", "edited_at", "heading"])
    give_files(writer=editor, post=post, edited=True)
    drafts.forget_sent(member=editor, sent=sent)
    if post.is_shown and not thread.is_conversation:
        tell_newly_named(post)
    return post


def state_of(post: Post) -> str:
    """What an edit began from, in a few letters. Needs the post's thread."""
    words = f"{post.source}\0{post.thread.title if post.leads else ''}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]
