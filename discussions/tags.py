"""Tags: free words, but the vocabulary's own where one of its terms or synonyms is meant."""

import re
from collections import Counter
from collections.abc import Iterable

from django.core.cache import cache
from taggit.models import Tag

from kmnet.core.text import clean_line, fold
from kmnet.core.vocabulary import known_phrases, terms_for

from .models import Readers, Space, Thread

MOST = 5
LONGEST = 40
LATEST = 1000  # threads from which the tags in use are read
TAGS_IN_USE = {True: "discussions-tags-members", False: "discussions-tags-guests"}  # keys of the cache


def split_tags(text: str) -> list[str]:
    """What was typed between commas or lines, each once."""
    words = [clean_line(part).lstrip("#").strip() for part in re.split(r"[,;\n]", text or "")]
    return list({fold(word): word for word in words if word}.values())


def canonical_tags(words: Iterable[str]) -> list[str]:
    """Each word as the vocabulary spells it; KT and knowledge translation become one tag."""
    terms = {fold(name): name for name in terms_for("thread").values_list("name", flat=True)}
    groups = known_phrases()

    def spelling(word: str) -> str:
        key = fold(word)
        alike = (key, *(fold(other) for other in groups.get(key, ())))
        known = next((terms[name] for name in alike if name in terms), None)
        return known or (groups[key][0] if key in groups else word)

    return list(dict.fromkeys(spelling(word) for word in words))


def words_offered() -> list[tuple[str, str]]:
    """The vocabulary's terms for threads and the first words of its synonyms, as canonical_tags spells them, each with its
    other spellings: “KT” finds what is meant."""
    groups = known_phrases()
    terms = terms_for("thread").values_list("name", flat=True)
    known = {fold(name) for name in terms}
    firsts = dict.fromkeys(
        group[0] for group in groups.values() if not known & {fold(word) for word in group}
    )
    return [
        (name, ", ".join(other for other in groups.get(fold(name), ()) if fold(other) != fold(name)))
        for name in (*terms, *firsts)
    ]


def tags_in_use(*, members: bool, most: int = 10) -> list[str]:
    """The tags people use most now, in what guests or members may read. Cached: it is a side dish; and read off the
    latest threads, so that it costs the same when there are a million."""
    key = TAGS_IN_USE[members]
    found = cache.get(key)
    if found is None:
        # Kept for all members alike, so what only a group reads does not count.
        readers = [Readers.PUBLIC, Readers.MEMBERS] if members else [Readers.PUBLIC]
        spaces = list(Space.objects.filter(readable_by__in=readers).values_list("pk", flat=True))
        latest = Thread.objects.shown().filter(space_id__in=spaces).latest_first()
        used = Counter(pk for ids in latest.values_list("tag_ids", flat=True)[:LATEST] for pk in ids)
        names = Tag.objects.in_bulk([pk for pk, _count in used.most_common(most * 2)])
        found = sorted(names.values(), key=lambda tag: (-used[tag.pk], tag.name))[:most]
        found = [tag.name for tag in found]
        cache.set(key, found, 300)
    return found
