"""How many there are of each value: counted, and said so that no number points at people."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from django.core.cache import cache
from django.db.models import Value
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from taggit.models import Tag

from kmnet.core.models import Term

from .. import names
from . import limits
from .circle import Circle
from .kinds import KINDS, WORDS, Kind, label_of
from .sql import ALL, Sql, fetch, of_entries, of_known, union_all

LABELS_KEY = "directory:labels"  # in the cache: how tags and terms are written
EVERYBODY = "all:all"

_in_order = lru_cache(maxsize=4_000)(names.plain)  # for labels, which are the same few on every page


@dataclass
class Option:
    value: str
    label: str
    count: str
    chosen: bool
    number: int = 0  # in the facet, for the id


@dataclass
class Facet:
    key: str
    label: str
    options: list[Option] = field(default_factory=list)

    @property
    def first(self) -> list[Option]:
        """What is shown at once: the most frequent, and what is chosen."""
        shown = limits.OPTIONS_SHOWN
        return self.options[:shown] + [option for option in self.options[shown:] if option.chosen]

    @property
    def more(self) -> list[Option]:
        return [option for option in self.options[limits.OPTIONS_SHOWN :] if not option.chosen]


@dataclass
class Group:
    """Those whose keys are counted. `of` is the facet that is in use ("" for all the others), who has one of its values
    being no matter here."""

    of: str
    rule: Sql = ALL
    owner: Sql | None = None
    known: list[int] | None = None  # their ids, instead of a rule

    def entries(self, columns: Sql) -> Sql:
        """These columns of as many as are looked at."""
        most = looked_at(self.of)
        if self.known is not None:
            return of_known(columns, sorted(self.known)[:most])
        return of_entries(columns, self.rule, limit=most, owner=self.owner)


def looked_at(of: str) -> int:
    """So many of a group are looked at; of a group that is counted for one facet only, half as many."""
    return limits.LOOKED_AT // 2 if of else limits.LOOKED_AT


def count(groups: Iterable[Group], circle: Circle) -> dict[str, dict[str, int]]:
    """The number of each key, group by group, among as many as are looked at. One query."""
    keys = circle.keys()
    parts = []
    for group in groups:
        some = group.entries(keys)
        only = " WHERE key LIKE %s OR key = %s" if group.of else ""
        params = (f"{group.of}:%", EVERYBODY) if group.of else ()
        text = (
            f"SELECT %s, key, count(*) FROM (SELECT unnest(keys) FROM ({some.text}) AS looked_at (keys)) AS one (key)"
            f"{only} GROUP BY key ORDER BY count(*) DESC, key LIMIT 500"
        )
        parts.append(Sql(text, (group.of, *some.params, *params)))
    counts: dict[str, dict[str, int]] = {}
    if parts:
        query = union_all(parts)
        for of, key, number in fetch(query.text, query.params):
            counts.setdefault(of, {})[key] = number
    return counts


# --- said ------------------------------------------------------------------------------------------------------------
def number_shown(number: int, *, more: bool = False) -> str:
    """A count as it may be shown: never one or two, and never exact where not everybody was looked at."""
    if number < limits.FEW:
        return _("few")
    return f"{number}+" if more else str(number)


def total_shown(number: int) -> str:
    """How many are found, as it may be said. Not the exact number: with the numbers of a facet at hand it would tell
    how few there are of the others."""
    if not number:
        return _("Nobody found")
    if number < limits.FEW:
        return _("A few people")
    if number >= limits.LOOKED_AT:
        return _("More than %(number)s people") % {"number": f"{limits.LOOKED_AT:,}"}
    step = 5 if number < 100 else 50
    about = max(5, round(number / step) * step)
    return ngettext("About %(number)s person", "About %(number)s people", about) % {"number": f"{about:,}"}


def facets_of(counted: dict[str, dict[str, int]], chosen: dict[str, list[str]]) -> list[Facet]:
    by_kind = {kind.key: _values_of(kind, counted, chosen[kind.key]) for kind in KINDS}
    words = _words_for(value for kind in WORDS for value in by_kind[kind])
    facets = []
    for kind in KINDS:
        if options := _options_of(kind, by_kind[kind.key], chosen[kind.key], counted, words):
            facets.append(Facet(kind.key, str(kind.label), options))
    return facets


def _counts_of(kind: Kind, counted, chosen: list[str]) -> dict[str, int]:
    return counted.get(kind.key if chosen else "", {})


def _values_of(kind: Kind, counted, chosen: list[str]) -> dict[str, int]:
    """The values that may be shown, with their numbers: the most frequent, and what is chosen. Of those who are few,
    all: which of them come first is decided by name."""
    start = f"{kind.key}:"
    counts = _counts_of(kind, counted, chosen)
    values = {key[len(start) :]: number for key, number in counts.items() if key.startswith(start)}
    if len(values) > limits.OPTIONS_MORE:
        least = sorted(values.values(), reverse=True)[limits.OPTIONS_MORE - 1]
        least = least if least >= limits.FEW else 0
        values = {value: n for value, n in values.items() if n >= least or value in chosen}
    return values | {value: 0 for value in chosen if value not in values}


def _options_of(kind: Kind, values: dict[str, int], chosen: list[str], counted, words) -> list[Option]:
    most = looked_at(kind.key if chosen else "")
    more = _counts_of(kind, counted, chosen).get(EVERYBODY, 0) >= most
    options = []
    for value, number in values.items():
        label = label_of(kind.key, value)
        if kind.key in WORDS:
            label = words[value].get("tag" if kind.key == "help" else "term") or label
        options.append((number, Option(value, label, number_shown(number, more=more), value in chosen)))
    # among those of whom there are few, the order must not tell which are fewer
    options.sort(key=lambda pair: (-pair[0] if pair[0] >= limits.FEW else 0, _in_order(str(pair[1].label))))
    shown = [
        option
        for place, (_number, option) in enumerate(options)
        if place < limits.OPTIONS_MORE or option.chosen
    ]
    for place, option in enumerate(shown, 1):
        option.number = place
    return shown


def _words_for(values: Iterable[str]) -> dict[str, dict[str, str]]:
    """Tags and terms as they are written, from the cache, else by one query."""
    slugs = set(values)
    known = cache.get(LABELS_KEY) or {}
    if not slugs <= known.keys():
        tags = Tag.objects.filter(slug__in=slugs).values_list(Value("tag"), "slug", "name")
        terms = Term.objects.filter(slug__in=slugs).order_by().values_list(Value("term"), "slug", "name")
        found = {slug: {} for slug in slugs}
        for what, slug, name in tags.union(terms):
            found[slug][what] = name
        known = {**known, **found} if len(known) < limits.LABELS_KEPT else found
        cache.set(LABELS_KEY, known, limits.COUNTED_FOR)
    return known
