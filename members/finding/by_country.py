"""Where members are, by country."""

from dataclasses import dataclass

from django.core.cache import cache
from django.utils.translation import get_language

from kmnet.core.text import fold

from ..permissions import is_full_member
from ..services.directory import COUNTRIES_KEY, VERSION_KEY
from . import limits
from .circle import Circle
from .kinds import country_name
from .sql import ALL, LISTED, Sql, entry_of, fetch, full


@dataclass(frozen=True)
class CountryRow:
    code: str
    name: str
    number: int


def count_countries(viewer) -> tuple[list[CountryRow], list[str]]:
    """Countries with at least FEW listed members, the most first; and the names of those with fewer, by name.

    What everybody shows to members is kept for a few minutes, and dropped by a profile that changes. Those to whom some
    show more or less are given the difference."""
    if not is_full_member(viewer):
        return [], []
    counts = _shown_to_members()
    circle = Circle(viewer)
    if not circle.is_plain:
        others = entry_of([*circle.away, *circle.near])
        for code, number in _count(Sql("members_directoryentry.for_members"), others).items():
            counts[code] = counts.get(code, 0) - number
        for code, number in _count(circle.keys(), others).items():
            counts[code] = counts.get(code, 0) + number
    language = get_language()
    rows = [
        CountryRow(code, country_name(code, language) or code, number)
        for code, number in counts.items()
        if number > 0
    ]
    shown = sorted(
        (row for row in rows if row.number >= limits.FEW), key=lambda row: (-row.number, fold(row.name))
    )
    return shown, sorted((row.name for row in rows if row.number < limits.FEW), key=fold)


def _shown_to_members() -> dict[str, int]:
    kept = cache.get_many([VERSION_KEY, COUNTRIES_KEY])
    version = kept.get(VERSION_KEY)
    of, counts = kept.get(COUNTRIES_KEY, (None, None))
    if counts is None or of != version:
        counts = _count(Sql("members_directoryentry.for_members"), ALL)
        cache.set(COUNTRIES_KEY, (version, counts), limits.COUNTED_FOR)
    return counts


def _count(keys: Sql, rule: Sql) -> dict[str, int]:
    """By code, among listed members who fit."""
    owner = full()
    rows = fetch(
        "SELECT substr(key, 9), count(*) FROM "
        f"(SELECT {keys.text} FROM members_directoryentry, LATERAL ({owner.text}) AS owner "
        f"WHERE {LISTED} AND {rule.text}) AS listed (keys), unnest(listed.keys) AS key "
        "WHERE key LIKE 'country:%%' GROUP BY key",
        (*keys.params, *owner.params, *rule.params),
    )
    return dict(rows)
