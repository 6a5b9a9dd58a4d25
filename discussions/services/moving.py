"""Splitting, merging and moving threads. Posts that go elsewhere are renumbered there in their order, keep what they
answer where that goes too, and leave a MovedPost, so that links to them work for ever."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core.audit import record_act
from kmnet.core.vocabulary import in_order
from members.models import Member

from ..models import (
    Draft,
    Kind,
    Level,
    Mask,
    MovedPost,
    Post,
    Readers,
    ReadState,
    Space,
    Thread,
    ThreadWatch,
)
from ..permissions import can_keep_order, can_read_space
from . import drafts, promise
from .answers import FIELDS as ANSWER_FIELDS
from .keeping_order import ReasonMissing
from .threads import heading_of, lock_threads, path_below, recount, retell, settle, slug_of

SLICE = 500  # rows in one UPDATE


class CannotMove(Exception):
    """It would leave something broken, or show words to people they were not written for; `sentence` says what."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


def fits_audience(space: Space, into: Space) -> bool:
    """Words go only where nobody reads them who could not before: a group's stay in the group, members' among members."""
    if space.group_id or into.group_id:
        return space.group_id == into.group_id
    if Readers.PEOPLE in (space.readable_by, into.readable_by):
        return False
    return space.is_public or not into.is_public


@transaction.atomic
def split_thread(
    *,
    actor: Member,
    thread: Thread,
    numbers: Iterable[int],
    reason: str,
    title: str = "",
    kind: str = Kind.DISCUSSION,
    into: Thread | None = None,
    with_replies: bool = True,
) -> Thread:
    """The posts of these numbers (and with `with_replies` all that answers them) go to a new thread in the same space,
    or to an existing one; returns it. Of a new thread the first of them is the first post.

    Locks both threads, by id. Raises PermissionDenied, ReasonMissing, and CannotMove: the first post stays.
    """
    source, target = _lock(actor, thread, into, reason)
    posts = _chosen(source, set(numbers), with_replies)
    if not posts:
        raise CannotMove(_("Choose the posts that go."))
    if any(post.is_first for post in posts):
        raise CannotMove(_("The first post stays: merge or move the whole thread instead."))
    if target is None:
        target = _begin(source, posts[0], title=title, kind=kind)
        _copy_watches(source, target)
        moved = _carry(source, target, posts)
        promise.become_threads(posts[0])
        promise.note_first_reply(target)
        if target.first_reply_at is None:
            promise.start_clock(target, at=timezone.now())
    else:
        moved = _carry(source, target, posts)
    _tell_log(actor, "discussions.posts_split", source, target, reason, moved)
    return target


@transaction.atomic
def merge_thread(*, actor: Member, thread: Thread, into: Thread, reason: str) -> Thread:
    """All posts of the thread go into another one, its first post as a reply; its address leads there from now on.

    Locks both threads, by id. Raises PermissionDenied, ReasonMissing, and CannotMove: a poll keeps its thread.
    """
    source, target = _lock(actor, thread, into, reason)
    if hasattr(source, "poll"):
        raise CannotMove(
            _("This thread holds a poll, which would be lost. Close it and link to the other thread.")
        )
    if not source.is_shown:
        raise CannotMove(_("Readers do not see this thread; there is nothing to merge."))
    was_shown, answer = source.is_shown, source.accepted_post_id
    posts = list(_movable(source))
    moved = _carry(source, target, posts, as_branch=True)
    if (
        answer
        and target.is_question
        and not target.accepted_post_id
        and (source.author_id, source.mask_id) == (target.author_id, target.mask_id)
    ):
        target.accepted_post_id, target.accepted_at = answer, timezone.now()
        target.accepted_by = source.author
        target.save(update_fields=ANSWER_FIELDS)
    _copy_watches(source, target)
    _tell_asker_on(source, target)
    ThreadWatch.objects.filter(thread=source).delete()
    ReadState.objects.filter(thread=source).delete()
    worn = Mask.objects.filter(thread=target).values("member")
    Mask.objects.filter(thread=source).exclude(member__in=worn).update(thread=target)
    source.merged_into, source.state = target, Thread.State.HIDDEN
    source.hidden_at, source.hidden_by, source.hidden_reason = timezone.now(), actor, reason
    source.pinned_at = source.pinned_until = None
    source.save(
        update_fields=[
            "merged_into", "state", "hidden_at", "hidden_by", "hidden_reason", "pinned_at", "pinned_until",
        ]
    )  # fmt: skip
    Thread.objects.filter(merged_into=source).update(merged_into=target)
    if was_shown:
        _count(source.space_id, -1)
    promise.become_posts(posts[0], source=source, thread=target)
    _tell_log(actor, "discussions.thread_merged", source, target, reason, moved)
    return target


@transaction.atomic
def move_thread(*, actor: Member, thread: Thread, space: Space, reason: str) -> Thread:
    """The thread stands in another space from now on; numbers, replies and marks stay. Locks the thread.

    Raises PermissionDenied, ReasonMissing, and CannotMove where others would read it than those it was written for.
    """
    thread, _none = _lock(actor, thread, None, reason)
    if not can_read_space(actor, space):
        raise PermissionDenied
    if space.pk == thread.space_id:
        return thread
    _check_audience(thread.space, space)
    left = thread.space
    ReadState.objects.hold_on(thread_id=thread.pk, space_ids=[left.pk, space.pk])
    thread.space = space
    thread.pinned_at = thread.pinned_until = None  # it was pinned there
    thread.save(update_fields=["space", "pinned_at", "pinned_until"])
    if thread.is_shown:
        for pk, by in sorted([(left.pk, -1), (space.pk, 1)]):
            _count(pk, by)
    record_act(
        actor=actor,
        verb="discussions.thread_moved",
        target=thread,
        reason=reason,
        data={"from": left.pk, "to": space.pk},
    )
    return thread


# --- how ---------------------------------------------------------------------------------------------------------------
def _lock(actor: Member, thread: Thread, into: Thread | None, reason: str) -> tuple[Thread, Thread | None]:
    ids = [thread.pk] + ([into.pk] if into else [])
    locked = lock_threads(ids)
    source, target = locked[thread.pk], locked[into.pk] if into else None
    if not can_keep_order(actor, source) or (target and not can_keep_order(actor, target)):
        raise PermissionDenied
    if not reason.strip():
        raise ReasonMissing
    if target:
        if target.pk == source.pk:
            raise CannotMove(_("It is this very thread."))
        if not target.is_shown:
            raise CannotMove(_("Readers do not see that thread; choose another."))
        _check_audience(source.space, target.space)
    return source, target


def _check_audience(space: Space, into: Space) -> None:
    if not fits_audience(space, into):
        raise CannotMove(
            _("These words were written for those who read “%(from)s”. In “%(to)s” others would read them.")
            % {"from": space.name, "to": into.name}
        )


def _movable(thread: Thread):
    """In the order of their numbers; those that wait without one last."""
    posts = Post.objects.filter(thread=thread).defer("source", "html", "search")
    return posts.order_by(F("number").asc(nulls_last=True), "pk")


def _chosen(thread: Thread, numbers: set[int], with_replies: bool) -> list[Post]:
    """The posts of these numbers; of what they take along also those that wait for a moderator."""
    posts = list(_movable(thread))
    taken = {post.pk for post in posts if post.number in numbers}
    for post in posts:  # what a post answers comes before it
        if post.parent_id in taken and (with_replies or post.number is None):
            taken.add(post.pk)
    return [post for post in posts if post.pk in taken]


def _begin(source: Thread, first: Post, *, title: str, kind: str) -> Thread:
    """A new thread for posts of this one, begun by the first of them."""
    if first.number is None or not first.is_shown or first.withdrawn_at or first.deleted_at:
        raise CannotMove(_("A thread begins with a post that can be read; choose one."))
    if kind not in (Kind.DISCUSSION, Kind.QUESTION):
        raise CannotMove(_("Posts that are split off are a conversation or a question."))
    tags = list(source.tags.names())
    thread = Thread(
        space=source.space,
        kind=kind,
        title=title,
        slug=slug_of(title, kind),
        author_id=first.author_id,
        mask_id=first.mask_id,
        mask_name=first.mask_name,
        created_at=first.published_at,
        last_post_at=first.published_at,
        is_authors_first=first.is_authors_first,
    )
    retell(thread, first)
    thread.save()
    thread.tags.set(in_order(tags))
    Post.objects.filter(pk=first.pk).update(heading=heading_of(title, tags))
    _count(source.space_id, 1)
    return thread


def _carry(source: Thread, target: Thread, posts: list[Post], *, as_branch: bool = False) -> dict[int, int]:
    """Renumber these posts into the target, and what hangs on their numbers; returns old number -> new number.

    `as_branch`: what answered the source's first post answers it in the target, too.
    """
    known = {post.pk: post for post in posts}
    first = posts[0] if as_branch and posts[0].is_first else None
    moved: dict[int, int] = {}
    for post in posts:
        old = post.number
        parent = known.get(post.parent_id) or (first if post is not first else None)
        post.parent = (
            None if parent is None or parent.number == 1 and parent.thread_id == target.pk else parent
        )
        post.thread = target
        if old is not None:
            target.last_number += 1
            post.number = moved[old] = target.last_number
            post.path = path_below(post.parent, post.number)
    _write_places(posts)
    Post.objects.filter(pk__in=known).exclude(number=1).exclude(heading="").update(heading="")
    _raise_up(source, list(Post.objects.filter(thread=source, parent__in=known).values_list("pk", flat=True)))
    MovedPost.objects.bulk_create(
        [
            MovedPost(thread=source, number=old, post=post)
            for old, post in zip(moved, (post for post in posts if post.number), strict=True)
        ],
        batch_size=SLICE,
    )
    promise.follow_posts(known, target)
    ReadState.objects.carry(source_id=source.pk, target_id=target.pk, numbers=moved)
    _follow_drafts(source, target, moved)
    if source.accepted_post_id in known:
        source.accepted_post = source.accepted_at = source.accepted_by = None
        source.save(update_fields=ANSWER_FIELDS)
    for thread in (source, target):
        for post in Post.objects.filter(thread=thread, deleted_at__isnull=False).order_by("-number"):
            settle(thread, post)  # a stub stays as long as something answers it
        recount(thread)
    return moved


def as_array(path: list[int] | None) -> str | None:
    """The way Postgres writes it."""
    return None if path is None else f"{{{','.join(map(str, path))}}}"


def _write_places(posts: list[Post]) -> None:
    """Thread, number, path and parent of these posts, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE discussions_post AS post
            SET thread_id = place.thread, number = place.number, path = place.path::integer[], parent_id = place.parent
            FROM unnest(%s::bigint[], %s::bigint[], %s::integer[], %s::text[], %s::bigint[])
                AS place (id, thread, number, path, parent)
            WHERE post.id = place.id
            """,
            [
                [post.pk for post in posts],
                [post.thread_id for post in posts],
                [post.number for post in posts],
                [as_array(post.path) for post in posts],
                [post.parent_id for post in posts],
            ],
        )


def _raise_up(thread: Thread, strays: list[int]) -> None:
    """What answered a post that has gone stands on the thread’s own level from now on, with all that answers it."""
    if not strays:
        return
    below: dict[int, Post] = {}
    changed = []
    for post in _movable(thread):
        if post.pk in strays:
            post.parent = None
        elif post.parent_id in below:
            post.parent = below[post.parent_id]
        else:
            continue
        if post.number is not None:
            post.path = path_below(post.parent, post.number)
            below[post.pk] = post
        changed.append(post)
    _write_places(changed)


def _follow_drafts(source: Thread, target: Thread, moved: dict[int, int]) -> None:
    """A reply that is being written goes where what it answers has gone; nobody's text is lost over another of theirs."""
    for draft in Draft.objects.filter(thread=source, key__startswith="edit:"):
        if Post.objects.filter(thread=target, pk=draft.key.partition(":")[2]).exists():
            Draft.objects.filter(pk=draft.pk).update(thread=target)
    for draft in Draft.objects.filter(key=f"reply:{source.pk}").order_by("member_id"):
        to = draft.data["fields"].get("to", "")
        number = (moved.get(int(to)) if to.isascii() and to.isdigit() else None) or moved.get(1)
        if number is not None:
            drafts.follow_reply(draft=draft, thread=target, to=number)


def _copy_watches(source: Thread, target: Thread) -> None:
    """Who follows the one, or has muted it, does so with the other, unless they have said something else there that still
    holds."""
    target.watches.filter(until__lte=timezone.now()).delete()
    rows = ThreadWatch.objects.filter(thread=source).order_by("member_id")
    ThreadWatch.objects.bulk_create(
        [
            ThreadWatch(
                member_id=row.member_id, thread=target, level=row.level, until=row.until, chosen=row.chosen
            )
            for row in rows
        ],
        batch_size=SLICE,
        ignore_conflicts=True,
    )


def _tell_asker_on(source: Thread, target: Thread) -> None:
    """Whoever began the one hears of replies in the other from now on, unless they have chosen otherwise."""
    asker = promise.asker_of(source)
    if asker.pk == promise.asker_of(target).pk or not asker.is_active:
        return
    mark = {"member": asker, "thread": target}
    if not ThreadWatch.objects.filter(**mark, chosen=False).update(level=Level.WATCHING):
        watch = ThreadWatch(**mark, level=Level.WATCHING, chosen=False)
        ThreadWatch.objects.bulk_create([watch], ignore_conflicts=True)


def _count(space_id: int, by: int) -> None:
    Space.objects.filter(pk=space_id).update(thread_count=F("thread_count") + by)


def _tell_log(actor, verb: str, source: Thread, target: Thread, reason: str, moved: dict[int, int]) -> None:
    record_act(
        actor=actor,
        verb=verb,
        target=source,
        reason=reason,
        data={"into": target.pk, "posts": len(moved), "numbers": list(moved.items())[:SLICE]},
    )
