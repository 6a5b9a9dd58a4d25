"""How many there are with each value of each facet, counted by Postgres in one query.

A part is a set of resources of which some facets are counted: all that is found (""), and for each facet in which
something is chosen what would be found without that choice. Of each part at most so many are looked at as the caller
says, for Postgres does not know how many fit until it has seen them all.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from ..models import ResourceFile, Story
from .formats import LINK, format_of
from .own_facets import OWN_FACETS, time_of

GROUPED = ("language", "minutes", "formats", "told", "failed")  # columns that are counted as they stand
COLUMNS = {
    "language": ["language"],
    "time": ["minutes"],
    "format": ["formats"],
    "stories": ["told", "failed"],
}


@dataclass
class Counted:
    """`ids` are those that were looked at, in no order (of the part "" only); `many`: there are more of them.
    `values` has the counts by facet; those of the vocabulary together, by the terms' ids, as "terms"."""

    ids: list[int] = field(default_factory=list)
    many: bool = False
    values: dict[str, Counter] = field(default_factory=dict)

    def of(self, key: str) -> Counter:
        return self.values.get(key if key in OWN_FACETS else "terms", Counter())


def count_parts(parts: dict[str, tuple[QuerySet, int]]) -> dict[str, Counted]:
    """`parts`: by the facet's key, or "" for all that is found, the resources and how many to look at. One query."""
    found = {key: Counted() for key in parts}
    keys, looked, counts, params = [], [], [], []
    for key, (resources, most) in parts.items():
        columns = _columns(key)
        rows = _with(resources, columns).order_by()[: most + 1]
        try:
            sql, its = rows.query.sql_with_params()
        except EmptyResultSet:
            continue
        part = f"part_{len(keys)}"
        looked.append(f"{part} AS MATERIALIZED ({sql})")
        params += its
        counts += _counts(len(keys), part, most, columns)
        keys.append(key)
    if not keys:
        return found
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(looked)} {' UNION ALL '.join(counts)}", params)
        for number, what, number_of, ids, term, *rest in cursor.fetchall():
            part = found[keys[number]]
            if what == "seen":
                part.ids, part.many = ids or [], number_of > parts[keys[number]][1]
            elif what == "term":
                part.values.setdefault("terms", Counter())[term] = number_of
            else:
                _add(part.values, what, dict(zip(GROUPED, rest, strict=True)), number_of)
    return found


def _columns(key: str) -> list[str]:
    """What is to be known of the part of this facet: beside a choice only its own facet is counted."""
    return COLUMNS.get(key, ["term_ids"]) if key else ["term_ids", *GROUPED]


def _with(resources: QuerySet, columns: list[str]) -> QuerySet:
    here = OuterRef("pk")
    stories = Story.objects.shown().filter(resource=here)
    files = ResourceFile.objects.open_to_readers().filter(resource=here).order_by()
    made = {
        "formats": ArraySubquery(files.values("content_type")),
        "told": Exists(stories),
        "failed": Exists(stories.filter(did_not_work=True)),
    }
    made = {name: expression for name, expression in made.items() if name in columns}
    return resources.annotate(**made).values_list("id", *columns)


def _counts(number: int, part: str, most: int, columns: list[str]) -> list[str]:
    """Rows of: the part's number, what is counted, how many, ids, term, and one of GROUPED."""
    rows = f"(SELECT * FROM {part} LIMIT {most}) AS looked"
    nothing = "NULL::text, NULL::int, NULL::text[], NULL::bool, NULL::bool"
    ids = f"(SELECT array_agg(id) FROM {rows})" if not number else "NULL::bigint[]"
    parts = [f"SELECT {number}, 'seen', count(*), {ids}, NULL::bigint, {nothing} FROM {part}"]
    if "term_ids" in columns:
        parts.append(
            f"SELECT {number}, 'term', count(*), NULL::bigint[], term, {nothing} "
            f"FROM (SELECT unnest(term_ids) AS term FROM {rows}) AS terms GROUP BY term"
        )
    grouped = [name for name in GROUPED if name in columns]
    if grouped:
        which = " ".join(f"WHEN grouping({name}) = 0 THEN '{name}'" for name in grouped)
        kinds = dict(zip(GROUPED, ("text", "int", "text[]", "bool", "bool"), strict=True))
        shown = ", ".join(f"{name if name in grouped else 'NULL'}::{kind}" for name, kind in kinds.items())
        sets = ", ".join(f"({name})" for name in grouped)
        parts.append(
            f"SELECT {number}, CASE {which} END, count(*), NULL::bigint[], NULL::bigint, {shown} "
            f"FROM {rows} GROUP BY GROUPING SETS ({sets})"
        )
    return parts


def _add(values: dict[str, Counter], what: str, row: dict, many: int) -> None:
    if what == "language":
        values.setdefault("language", Counter())[row["language"]] += many
    elif what == "minutes":
        values.setdefault("time", Counter())[time_of(row["minutes"])] += many
    elif what == "formats":
        formats = values.setdefault("format", Counter())
        for kind in {format_of(content_type) for content_type in row["formats"]} or {LINK}:
            formats[kind] += many
    elif row[what]:
        stories = values.setdefault("stories", Counter())
        stories["told" if what == "told" else "did-not-work"] += many
