"""Search over all kinds of things: each app registers a source; the words are expanded to the field's synonyms here.

Vectors and queries both use the text search configuration "kmnet" (English stems, accents removed; made by a migration).
"""

import functools
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.contrib.postgres.search import SearchQuery
from django.db import connection

from .text import clean_line, fold
from .vocabulary import known_phrases

CONFIG = vector_config = "kmnet"
MAX_LENGTH = 200
MAX_WORDS = 16


@dataclass(frozen=True)
class SearchHit:
    """One finding. `title` and `snippet` are plain text; `meta` is a short line (who, when, what kind)."""

    url: str
    title: str
    snippet: str = ""
    meta: str = ""
    at: datetime | None = None
    person: object | None = None  # a member, where the finding is a person: shown with their arch


@dataclass(frozen=True)
class SearchPage:
    hits: list[SearchHit] = field(default_factory=list)
    total: int = 0


@functools.lru_cache(maxsize=500)
def _lexemes(parts: tuple[tuple[str, ...], ...]) -> str:
    each = f"phraseto_tsquery('{CONFIG}', %s)"
    sql = " && ".join(f"({' || '.join([each] * len(part))})" for part in parts)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({sql})::text", [word for part in parts for word in part])
        return cursor.fetchone()[0]


class SearchText:
    """What somebody typed into a search field, made safe, with its synonyms.

    Quoted words stay a phrase. A word or phrase of the vocabulary finds all its synonyms. All parts must match.
    """

    def __init__(self, raw: str):
        self.text = clean_line((raw or "")[: MAX_LENGTH * 2])[:MAX_LENGTH]

    def __bool__(self):
        return self.query is not None

    def __str__(self):
        return self.text

    @cached_property
    def parts(self) -> list[tuple[str, ...]]:
        """Each part that must match, as the spellings that count as a match."""
        known = known_phrases()
        longest = max((len(phrase.split()) for phrase in known), default=1)
        found: list[tuple[str, ...]] = []
        for quoted, loose in re.findall(r'"([^"]+)"|([^"\s]+)', self.text):
            if quoted:
                found.append((quoted,))
            else:
                found.append((loose,))
        merged: list[tuple[str, ...]] = []
        index = 0
        found = found[:MAX_WORDS]
        while index < len(found):
            for size in range(min(longest, len(found) - index), 0, -1):
                phrase = " ".join(part[0] for part in found[index : index + size])
                spellings = known.get(fold(phrase.strip(".,;:!?()")))
                if spellings:
                    merged.append((phrase, *(word for word in spellings if fold(word) != fold(phrase))))
                    index += size
                    break
            else:
                merged.append(found[index])
                index += 1
        return [part for part in merged if re.search(r"\w", part[0])]

    @cached_property
    def also(self) -> list[str]:
        """The synonyms that were searched beside what was typed."""
        return [word for part in self.parts for word in part[1:]]

    @cached_property
    def query(self) -> SearchQuery | None:
        """For `filter(search=text.query)` on a vector column of configuration "kmnet"; None where nothing was typed."""
        parts = [
            functools.reduce(
                operator.or_, (SearchQuery(word, config=CONFIG, search_type="phrase") for word in part)
            )
            for part in self.parts
        ]
        return functools.reduce(operator.and_, parts) if parts else None

    @cached_property
    def lexemes(self) -> str:
        """What Postgres makes of `query`, for queries whose SQL is made once; "" where nothing was typed."""
        return _lexemes(tuple(self.parts)) if self.parts else ""


class Lexemes(SearchQuery):
    """`filter(search=Lexemes(text.lexemes))`: the same as by text.query, by one value."""

    def as_sql(self, compiler, connection, function=None, template=None):
        return super().as_sql(compiler, connection, template="%(expressions)s::tsquery")


_COMMON = """about after all also and any are because been being but can could did does doing for from had has have help
her his how into its like more most much need not off our out over people same she should some such than that the their them
then there these they this those too use using very want was way were what when where which while who whom whose why will
with without work would you your"""
COMMON = frozenset(_COMMON.split())


class AnyWords(SearchText):
    """Finds what holds any of the words that say something; what holds more of them, and their synonyms, ranks higher.
    For a sentence that somebody is typing: what is like it?"""

    @cached_property
    def parts(self) -> list[tuple[str, ...]]:
        return [
            part
            for part in super().parts
            if len(part[0]) > 2 and fold(part[0].strip(".,;:!?()“”")) not in COMMON
        ]

    @cached_property
    def query(self) -> SearchQuery | None:
        words = [
            SearchQuery(word, config=CONFIG, search_type="phrase") for part in self.parts for word in part
        ]
        return functools.reduce(operator.or_, words) if words else None

    @cached_property
    def lexemes(self) -> str:
        return _lexemes((tuple(word for part in self.parts for word in part),)) if self.parts else ""


class WordsBegun(SearchText):
    """Finds titles by words of which the last is still being typed. A stem may be longer than what was typed, so that the
    index is asked for the first letters; `fits` then looks at the title."""

    LETTERS = 5

    @cached_property
    def words(self) -> list[str]:
        return re.findall(r"\w+", fold(self.text))[:MAX_WORDS]

    @cached_property
    def query(self) -> SearchQuery | None:
        begun = [f"'{word[: self.LETTERS]}':*" for word in self.words]
        return SearchQuery(" & ".join(begun), config=CONFIG, search_type="raw") if begun else None

    def fits(self, title: str) -> bool:
        title = f" {fold(title)}"
        return all(word in title for word in self.words)


@dataclass(frozen=True)
class SearchSource:
    """One kind of thing that can be found. `search(text, viewer, limit)` returns only what the viewer may see."""

    key: str
    label: str
    order: int
    search: Callable[[SearchText, object, int], SearchPage]


_sources: dict[str, SearchSource] = {}


def register(source: SearchSource) -> None:
    _sources[source.key] = source


def hits_of(
    keys: tuple[str, ...], text: SearchText, viewer, limit: int
) -> list[tuple[SearchSource, SearchHit]]:
    """What these sources find, source by source; only what the viewer may see."""
    chosen = [source for source in sources() if source.key in keys]
    if not text:
        return []
    return [(source, hit) for source in chosen for hit in source.search(text, viewer, limit).hits]


def sources() -> list[SearchSource]:
    return sorted(_sources.values(), key=lambda source: (source.order, source.key))
