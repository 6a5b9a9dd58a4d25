"""Threads with something new, as lean rows that a slice of readers shares; and what of it is news to one of them."""

import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, pairwise
from operator import attrgetter, itemgetter
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.utils import timezone
from taggit.models import Tag

from discussions.models import Level, Post, Thread
from discussions.models.levels import FOLLOWED
from discussions.models.thread import Kind
from kmnet.core.models import Hideable

from .readers import Reader

# A minute has 230 words, a word of the languages spoken here about six characters with its blank.
CHARACTERS_A_MINUTE = 230 * 6
MOST = 20  # new posts of one thread that are looked at for one reader
_moment, _number = attrgetter("published_at"), attrgetter("number")


class NewPost(NamedTuple):
    pk: int
    number: int
    writer: (
        int | None
    )  # the person behind a mask, too: for what this person wrote or must not be told, never shown
    published_at: datetime
    length: int
    answers: int | None  # the writer of the post that it answers


@dataclass
class Mask:
    member_id: int | None


@dataclass
class Talk:
    """One thread; `mask` and the ids are what Following.level asks of a thread."""

    pk: int
    space_id: int
    author_id: int
    mask_id: int | None
    mask: Mask
    tag_ids: list[int]
    created_at: datetime
    people: int  # who wrote there lately
    replies: int
    waits: bool  # as Thread.waits_for_an_answer
    posts: list[NewPost] = field(default_factory=list)
    slugs: frozenset[str] = frozenset()
    rank: int = 0  # its place by how much is going on in it
    is_in_order: bool = True  # later numbers, later moments: so it is where no posts were moved in

    @property
    def starter(self) -> int | None:
        return self.mask.member_id if self.mask_id else self.author_id


@dataclass
class News:
    """What is new to one reader of one thread; of more than MOST posts the first of them."""

    talk: Talk
    posts: list[NewPost]

    @property
    def first(self) -> NewPost:
        return self.posts[0]

    @property
    def minutes(self) -> float:
        """Time to read what is new, at least a glance and at most one minute: whoever wants more reads on."""
        return min(1.0, max(0.25, sum(post.length for post in self.posts) / CHARACTERS_A_MINUTE))


# pk, number, published_at, length and so on of a post, and what is asked of its thread
COLUMNS = (
    "thread", "pk", "number", "author", "mask__member", "published_at", "length", "parent__author",
    "parent__mask__member",
)  # fmt: skip
OF_THREAD = (
    "pk", "space", "author", "mask", "mask__member", "tag_ids", "created_at", "people", "reply_count", "kind",
    "first_reply_at", "still_open_at", "accepted_post", "closed_at",
)  # fmt: skip


def new_posts(since: datetime, until: datetime) -> QuerySet:
    """Posts that appeared between the two moments, in threads that are shown; not those of conversations."""
    return (
        Post.objects.shown()
        .filter(
            withdrawn_at__isnull=True,
            published_at__gt=since,
            published_at__lte=until,
            thread__state=Hideable.State.VISIBLE,
            thread__merged_into__isnull=True,
            thread__last_post_at__gt=since,
        )
        .exclude(thread__kind=Kind.CONVERSATION)
    )


class Talks:
    """All that is new since a moment. Two queries and the tags. Nobody’s window and nobody’s rights are in it, so slices
    that follow one another share it; what is hidden meanwhile is found out before a letter is written (slices.Still).
    """

    _kept: "Talks | None" = None

    @classmethod
    def covering(cls, since: datetime | None) -> "Talks":
        """All that is new since then: as kept from the last slice, if that was read a moment ago (DIGEST_SHARED_FOR), or
        else read anew. Windows end some minutes before they are told (services.SETTLING), so nothing is missing."""
        kept = cls._kept
        if since is None:
            return cls(None)
        if kept is None or since < kept.since or time.monotonic() - kept.read_at > settings.DIGEST_SHARED_FOR:
            # From the full hour on, so that the windows of the next slices begin later.
            kept = cls._kept = cls(since.replace(minute=0, second=0, microsecond=0))
        return kept

    def __init__(self, since: datetime | None):
        self.since, self.read_at = since, time.monotonic()
        self.by_id: dict[int, Talk] = {}
        self.of_post: dict[int, int] = {}  # the thread of each new post
        self.started_by: dict[int, list[Talk]] = defaultdict(list)
        self.answering: dict[int, list[Talk]] = defaultdict(list)  # by the writer who is answered
        self.by_slug: dict[str, list[Talk]] = defaultdict(list)
        self.by_tag: dict[int, list[Talk]] = defaultdict(list)
        self.in_space: dict[int, list[Talk]] = defaultdict(list)
        if since is not None:
            self._read(new_posts(since, timezone.now()))
        self.by_rank = sorted(self.by_id.values(), key=liveliness)
        for rank, talk in enumerate(self.by_rank):
            talk.rank = rank
        self._find_again()

    def _read(self, posts: QuerySet) -> None:
        rows = posts.annotate(length=Length("source")).order_by("thread", "number").values_list(*COLUMNS)
        found = defaultdict(list)
        for thread, pk, number, author, masked, at, length, parent, masked_parent in rows.iterator(5000):
            found[thread].append(NewPost(pk, number, masked or author, at, length, masked_parent or parent))
            self.of_post[pk] = thread
        for pk, space, author, mask, masked, tags, created, people, replies, *state in Thread.objects.filter(
            pk__any_of=list(found)
        ).values_list(*OF_THREAD):
            talk = Talk(
                pk, space, author, mask, Mask(masked), tags, created, len(people), replies, waits(*state)
            )
            talk.posts = found[pk]
            talk.is_in_order = all(one.published_at <= two.published_at for one, two in pairwise(found[pk]))
            self.by_id[pk] = talk

    def _find_again(self) -> None:
        tags = {pk for talk in self.by_rank for pk in talk.tag_ids}
        slugs = dict(Tag.objects.filter(pk__any_of=list(tags)).values_list("pk", "slug")) if tags else {}
        for talk in self.by_rank:  # so every list is in that order
            talk.slugs = frozenset(slugs[pk] for pk in talk.tag_ids if pk in slugs)
            if talk.starter:
                self.started_by[talk.starter].append(talk)
            for writer in {post.answers for post in talk.posts if post.answers}:
                self.answering[writer].append(talk)
            for slug in talk.slugs:
                self.by_slug[slug].append(talk)
            for tag in talk.tag_ids:
                self.by_tag[tag].append(talk)
            self.in_space[talk.space_id].append(talk)


def waits(kind, first_reply_at, still_open_at, accepted_post, closed_at) -> bool:
    """As Thread.waits_for_an_answer, of threads that are shown."""
    return (
        kind == Kind.QUESTION
        and (first_reply_at is None or still_open_at is not None)
        and accepted_post is None
        and closed_at is None
    )


def liveliness(talk: Talk) -> tuple:
    """Threads in which many different people speak go first, not the latest. It depends on the thread alone, and not on
    the windows of those who happen to be in the same slice."""
    return -talk.people, -min(talk.replies, MOST), -talk.pk


def news_to(reader: Reader, talk: Talk) -> News | None:
    """What of it this reader may see, has not read, not written, not had by mail and is not kept from, up to MOST posts;
    None for nothing, and for threads that they muted."""
    if talk.space_id not in reader.spaces or reader.following.level(talk) == Level.MUTED:
        return None
    if reader.for_others and talk.mask_id or reader.unwanted and talk.starter in reader.unwanted:
        return None
    posts = list(islice(unread_of(reader, talk), MOST))
    return News(talk, posts) if posts else None


def unread_of(reader: Reader, talk: Talk) -> Iterator[NewPost]:
    """One after the other: of a thread with thousands of posts nobody looks at more than the first."""
    since, until = reader.run.since, reader.run.until
    me, unwanted, mailed = reader.pk, reader.unwanted, reader.mailed
    posts, read = talk.posts, reader.read.get(talk.pk)
    if read is None:
        since = max(since, reader.owed.since_in(talk.space_id))
    place = bisect_right(posts, since, key=_moment) if talk.is_in_order else 0
    while place < len(posts):
        post = posts[place]
        if read and (end := end_of_range(read, post.number)):
            place = bisect_left(posts, end, key=_number)
            continue
        place += 1
        if (
            since < post.published_at <= until
            and post.writer != me
            and post.writer not in unwanted
            and post.pk not in mailed
            and not (post.number == 1 and talk.pk in reader.mailed_threads)
        ):
            yield post


def end_of_range(ranges: list[tuple[int, int]], number: int) -> int:
    """The number after the range that holds this one; 0 where none does."""
    place = bisect_right(ranges, number, key=itemgetter(0)) - 1
    if place >= 0 and number < ranges[place][1]:
        return ranges[place][1]
    return 0


def is_followed(reader: Reader, talk: Talk) -> bool:
    return reader.following.level(talk) in FOLLOWED
