"""Threads close to a thread: by the words of its title and by its tags. Which they are is kept for an hour by kind of
audience, in each process; what a reader gets is asked anew, so nothing hidden, moved away or private is ever among them.
"""

import re
import time
from collections import OrderedDict
from itertools import combinations

from django.contrib.auth.models import AnonymousUser
from django.db import connection

from kmnet.core.fixed import fixed
from kmnet.core.text import fold
from members.permissions import is_full_member
from members.readers import kind_of, stand_in

from .models import Readers, Thread

SHOWN = 4
KEPT = 12  # candidates: some may not be for this reader
SECONDS = 3600
MOST_THREADS = 5000  # of which a process keeps them; the one longest not asked goes first
MOST_WORDS = 6
FIELDS = (
    *(
        "title",
        "slug",
        "kind",
        "state",
        "author",
        "reply_count",
        "accepted_post",
        "first_reply_at",
        "closed_at",
    ),
    *("still_open_at", "space__slug", "space__name"),
)

# Candidates by an index each, then ranked. Titles that share one word only are not close, so two are asked for.
CLOSE = """
    WITH candidates AS (
        (SELECT p.thread_id FROM discussions_post p
         WHERE p.number = 1 AND p.search @@ to_tsquery('kmnet', %(pairs)s) LIMIT 300)
        UNION
        (SELECT t.id FROM discussions_thread t
         WHERE t.tag_ids && %(tags)s::integer[] ORDER BY t.last_post_at DESC, t.id DESC LIMIT 60)
    )
    SELECT t.id
    FROM candidates c JOIN discussions_thread t ON t.id = c.thread_id JOIN discussions_space s ON s.id = t.space_id
    JOIN discussions_post p ON p.thread_id = t.id AND p.number = 1
    WHERE t.id <> %(thread)s AND t.state = 'visible' AND t.merged_into_id IS NULL
      AND (s.readable_by = ANY(%(readers)s) OR s.group_id = %(group)s)
    ORDER BY ts_rank(p.search, to_tsquery('kmnet', %(words)s))
             + 0.2 * cardinality(ARRAY(SELECT unnest(t.tag_ids) INTERSECT SELECT unnest(%(tags)s::integer[]))) DESC,
             t.last_post_at DESC, t.id DESC
    LIMIT %(most)s
"""


def related_to(thread: Thread, viewer) -> list[Thread]:
    """The closest threads that this person may see. One query; one more where nobody of their kind has asked lately."""
    if thread.is_conversation:
        return []
    ids = _candidates(thread, members=is_full_member(viewer))
    if not ids:
        return []
    if viewer.is_authenticated:
        found = seen_of(kind_of(viewer), reader=viewer.pk, threads=ids)
    else:
        found = seen_by_guests(threads=ids)
    found = {other.pk: other for other in found}
    unwanted = getattr(viewer, "unwanted", ())
    return [found[pk] for pk in ids if pk in found and found[pk].author_id not in unwanted][:SHOWN]


def shown_to(viewer):
    return Thread.objects.visible_to(viewer).shown().select_related("space").only(*FIELDS)


@fixed
def seen_of(kind, *, reader, threads):
    return shown_to(stand_in(kind, reader)).filter(pk__any_of=threads)


@fixed
def seen_by_guests(*, threads):
    return shown_to(AnonymousUser()).filter(pk__any_of=threads)


_kept: OrderedDict[tuple, tuple[float, list[int]]] = OrderedDict()


def _candidates(thread: Thread, *, members: bool) -> list[int]:
    key = (thread.pk, thread.title, tuple(thread.tag_ids), thread.space_id, members)
    until, ids = _kept.get(key, (0.0, []))
    now = time.monotonic()
    if until < now:
        ids = _look_up(thread, members=members)
        _kept[key] = (now + SECONDS, ids)
        while len(_kept) > MOST_THREADS:
            _kept.popitem(last=False)
    return ids


def question(thread: Thread, *, members: bool) -> tuple[str, dict] | None:
    """The SQL and its values; None where neither words nor tags say anything."""
    words = sorted(
        {word for word in re.findall(r"[^\W_]{4,}", fold(thread.title))}, key=lambda word: (-len(word), word)
    )
    words = words[:MOST_WORDS]
    if not words and not thread.tag_ids:
        return None
    pairs = [f"({one} & {other})" for one, other in combinations(words, 2)] or words
    return CLOSE, {
        "thread": thread.pk,
        "pairs": " | ".join(pairs),
        "words": " | ".join(words),
        "tags": thread.tag_ids,
        "readers": [Readers.PUBLIC, Readers.MEMBERS] if members else [Readers.PUBLIC],
        "group": thread.space.group_id if members else None,
        "most": KEPT,
    }


def _look_up(thread: Thread, *, members: bool) -> list[int]:
    asked = question(thread, members=members)
    if asked is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(*asked)
        return [pk for (pk,) in cursor.fetchall()]
