"""Invented threads: most short, some long, one very long, with readers, followers and thanks."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone
from django.utils.text import slugify
from taggit.models import Tag, TaggedItem

from discussions.models import Kind, Post, Reaction, ReadState, Space, Thread, ThreadWatch
from kmnet.core.models import Term
from kmnet.core.text import RENDER_VERSION

from . import words
from .copying import Table, take_ids, without_indexes

KINDS = [Kind.QUESTION] * 5 + [Kind.DISCUSSION] * 4 + [Kind.INTRODUCTION]
PEOPLE_KEPT = 6


@dataclass
class Plan:
    """One thread before it is written; what its posts look like follows from `seed`."""

    pk: int
    first_post: int
    length: int
    seed: int
    title: str
    space: int
    kind: str
    started: datetime
    ended: datetime

    def posts(self, people: range):
        """(number, author, parent's number or None, path, when) of each post."""
        chance, paths = random.Random(self.seed), {}
        step = (self.ended - self.started) / max(1, self.length - 1)
        for number in range(1, self.length + 1):
            author = chance.choice(people)
            parent = None
            if number > 2 and chance.random() < 0.4:
                parent = chance.randrange(max(2, number - 40), number)
            above = paths[parent][: Post.MAX_DEPTH - 1] if parent else []
            paths[number] = [*above, number]
            paths.pop(number - 50, None)
            yield number, author, parent, paths[number], self.ended - step * (self.length - number)

    @property
    def answered_by(self) -> int | None:
        """The number of the accepted answer: of every third question that has replies."""
        return 2 if self.kind == Kind.QUESTION and self.length > 2 and self.pk % 3 == 0 else None


def plan(*, posts: int, long_thread: int, chance: random.Random) -> list[Plan]:
    """Threads of one to thirty posts until all `posts` are there; one of `long_thread`, one of twenty."""
    lengths = [long_thread, 20] if posts > long_thread + 20 else [long_thread]
    left = posts - sum(lengths)
    while left > 0:
        lengths.append(min(30, left, 1 + int(chance.expovariate(1 / 9))))
        left -= lengths[-1]
    ids, post_ids = take_ids(Thread, len(lengths)), take_ids(Post, sum(lengths))
    spaces = list(Space.objects.filter(readable_by__in=("public", "members")).order_by("position"))
    some_titles = words.titles(chance, min(len(lengths), 20_000))
    now, found, used = timezone.now(), [], 0
    for place, (pk, length) in enumerate(zip(ids, lengths, strict=True)):
        ended = now - timedelta(minutes=1 + place % 3 if place < 2 else chance.randrange(5, 1_000_000))
        started = ended - timedelta(minutes=chance.randrange(10, 20_000) if length > 1 else 0)
        found.append(
            Plan(
                pk=pk,
                first_post=post_ids.start + used,
                length=length,
                seed=chance.getrandbits(48),
                title=some_titles[place % len(some_titles)],
                space=chance.choice(spaces).pk if place > 1 else spaces[0].pk,
                kind=chance.choice(KINDS),
                started=started,
                ended=ended,
            )
        )
        used += length
    return found


def load_talk(*, plans: list[Plan], people: range, viewers: list[int], chance: random.Random) -> None:
    """Write the threads. `viewers`: members who have read about half of them, each thread up to some post."""
    models = (Thread, Post, ReadState, ThreadWatch, Reaction, TaggedItem)
    tables = [model._meta.db_table for model in models]
    without_indexes(tables, lambda: _write(plans, people, viewers, chance))


def _write(plans: list[Plan], people: range, viewers: list[int], chance: random.Random) -> None:
    _threads(plans, people)
    _posts(plans, people, words.posts(chance))
    _tags(plans, chance)
    _readers(plans, people, viewers, chance)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE discussions_space s SET thread_count = "
            "(SELECT count(*) FROM discussions_thread t WHERE t.space_id = s.id AND t.state = 'visible')"
        )


def _threads(plans: list[Plan], people: range) -> None:
    table = Table(
        Thread, "id", "space_id", "kind", "title", "slug", "excerpt", "author_id", "created_at", "last_number",
        "reply_count", "last_post_id", "last_post_at", "people", "first_reply_at", "accepted_post_id", "accepted_at",
        "accepted_by_id",
    )  # fmt: skip

    def rows():
        for one in plans:
            posts = list(one.posts(people))
            asker = posts[0][1]
            latest = list(dict.fromkeys(post[1] for post in reversed(posts[-30:])))[:PEOPLE_KEPT]
            replied = next((at for _n, author, _p, _path, at in posts if author != asker), None)
            answer = one.answered_by
            yield (
                one.pk, one.space, one.kind, one.title, slugify(one.title)[:80].strip("-") or one.kind,
                one.title, asker, one.started, one.length, one.length - 1, one.first_post + one.length - 1, one.ended,
                latest, replied, one.first_post + answer - 1 if answer else None, one.ended if answer else None,
                asker if answer else None,
            )  # fmt: skip

    table.copy(rows())


def _posts(plans: list[Plan], people: range, texts: list[tuple[str, str, str]]) -> None:
    table = Table(
        Post, "id", "thread_id", "number", "parent_id", "path", "author_id", "source", "html", "heading",
        "created_at", "published_at", "render_version", "language",
    )  # fmt: skip

    def rows():
        for one in plans:
            for number, author, parent, path, at in one.posts(people):
                source, html, _line = texts[(one.seed + number * 7919) % len(texts)]
                yield (
                    one.first_post + number - 1, one.pk, number, one.first_post + parent - 1 if parent else None,
                    path, author, source, html, one.title if number == 1 else "", at, at, RENDER_VERSION, "en",
                )  # fmt: skip

    table.copy(rows())


def _tags(plans: list[Plan], chance: random.Random) -> None:
    """Two words of the vocabulary each, a few of them everywhere."""
    names = list(Term.objects.order_by("pk").values_list("name", flat=True)[:60])
    tags = [Tag.objects.get_or_create(name=name)[0].pk for name in names]
    likely = [1 / (place + 2) for place in range(len(tags))]
    kind = ContentType.objects.get_for_model(Thread).pk
    Table(TaggedItem, "tag_id", "content_type_id", "object_id").copy(
        (tag, kind, one.pk) for one in plans for tag in set(chance.choices(tags, likely, k=2))
    )


def _readers(plans: list[Plan], people: range, viewers: list[int], chance: random.Random) -> None:
    """What was read, what is followed, what was thanked for."""

    def read_rows():
        for member in viewers:
            for one in plans:
                if chance.random() < 0.5:
                    to = chance.randrange(1, one.length + 1)
                    yield member, one.pk, f"{{[1,{to + 1})}}", one.ended
        for one in plans:
            for member in {chance.choice(people) for _ in range(2)}:
                yield member, one.pk, f"{{[1,{one.length + 1})}}", one.ended

    Table(ReadState, "member_id", "thread_id", "numbers", "seen_at").copy(read_rows())
    Table(ThreadWatch, "member_id", "thread_id", "level").copy(
        (member, one.pk, "watching")
        for one in plans
        for member in {chance.choice(people), *(v for v in viewers if chance.random() < 0.01)}
    )
    Table(Reaction, "post_id", "member_id", "kind", "at").copy(
        (one.first_post + chance.randrange(one.length), chance.choice(people), "thanks", one.ended)
        for one in plans
        if chance.random() < 0.7
    )
