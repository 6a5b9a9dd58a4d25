"""The search vectors of records, written for one or for many."""

from collections.abc import Iterable

from django.db import connection

from kmnet.core.search import CONFIG

from ..models import Resource


def write_vectors(rows: Iterable[tuple[Resource, list[str]]]) -> None:
    """The search vectors of these records in one statement; with each the words of its tags and terms. Title A; creators,
    tags and terms B; description C; journal, publisher D."""
    columns: tuple[list, ...] = ([], [], [], [], [])
    for resource, words in rows:
        where = [resource.csl.get(key, "") for key in ("container-title", "publisher", "collection-title")]
        texts = (
            resource.pk,
            resource.title,
            " . ".join([resource.creators, *words]),
            resource.description[:20_000],
            " . ".join(where),
        )
        for column, value in zip(columns, texts, strict=True):
            column.append(value)
    if not columns[0]:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE resources_resource AS r SET search =
                   setweight(to_tsvector(%s::regconfig, said.a), 'A') || setweight(to_tsvector(%s::regconfig, said.b), 'B')
                || setweight(to_tsvector(%s::regconfig, said.c), 'C') || setweight(to_tsvector(%s::regconfig, said.d), 'D')
               FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[]) AS said(id, a, b, c, d)
               WHERE r.id = said.id""",
            [*[CONFIG] * 4, *columns],
        )
