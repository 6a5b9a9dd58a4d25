"""Which of many references are here already, or stand twice in their file: DOI, link, then the title with Zotero's vetoes.

Told before anything is saved, never a reason to refuse; and only what this member may see, as for a single record.
"""

from collections.abc import Callable, Iterator

from django.db import connection, transaction
from django.db.models.functions import Lower

from .duplicates import SIMILAR, _differ
from .identifiers import normalise_doi, title_key, url_key
from .models import Resource

CHUNK = 500
TITLES_AT_ONCE = 100
EACH = 3  # look-alikes of one row


def find_many(
    *, viewer, items: list[dict], progress: Callable[[int], object] = lambda done: None
) -> list[list[dict]]:
    """For each item what it is like: [{"id": 5, "because": "doi"}, ...] in the library, {"row": 3, ...} in the file (the
    number of an earlier item). `because` is doi, link or title. Empty items are like nothing."""
    found: list[list[dict]] = [[] for _item in items]
    seen = Resource.objects.visible_to(viewer)
    for numbers in _chunks([number for number, item in enumerate(items) if item]):
        _by_key(seen.exclude(doi="").annotate(key=Lower("doi")), _dois(items, numbers), found, "doi")
        _by_key(
            seen.exclude(url_key="").annotate(key=Lower("url_key")), _links(items, numbers), found, "link"
        )
        for titles in _chunks([number for number in numbers if not found[number]], TITLES_AT_ONCE):
            _by_title(seen, items, titles, found)
            progress(titles[-1] + 1)
    _within(items, found)
    return found


def _chunks(numbers: list[int], size: int = CHUNK) -> Iterator[list[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def _dois(items, numbers) -> dict[str, list[int]]:
    return _grouped((normalise_doi(items[number].get("DOI", "")).lower(), number) for number in numbers)


def _links(items, numbers) -> dict[str, list[int]]:
    return _grouped((url_key(items[number].get("URL", "")), number) for number in numbers)


def _grouped(pairs) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for key, number in pairs:
        if key:
            found.setdefault(key, []).append(number)
    return found


def _by_key(seen, wanted: dict[str, list[int]], found, because: str) -> None:
    if not wanted:
        return
    for pk, key in seen.filter(key__in=list(wanted)).order_by("pk").values_list("pk", "key"):
        for number in wanted[key]:
            _note(found[number], {"id": pk, "because": because})


def _by_title(seen, items, numbers: list[int], found) -> None:
    """The nearly equal titles of a hundred rows at once, by the index; then the vetoes choose."""
    titles = {number: title_key(items[number].get("title", "")) for number in numbers}
    titles = {number: title for number, title in titles.items() if title}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', %s, true)", [str(SIMILAR)])
        cursor.execute(
            """SELECT asked.number, near.id FROM unnest(%s::int[], %s::text[]) AS asked(number, title)
               CROSS JOIN LATERAL (
                   SELECT id FROM resources_resource
                   WHERE title_key %% asked.title AND state = 'visible' AND published_at IS NOT NULL
                   ORDER BY similarity(title_key, asked.title) DESC, id LIMIT 12
               ) AS near""",
            [list(titles), list(titles.values())],
        )
        near = cursor.fetchall()
    if not near:
        return
    # Whether this member may see them is asked of the one rule.
    known = dict(seen.filter(pk__in={pk for _number, pk in near}).values_list("pk", "csl"))
    for number, pk in near:
        if pk in known and not _differ(items[number], known[pk]):
            _note(found[number], {"id": pk, "because": "title"})


def _within(items, found) -> None:
    """The first of those that are one thing stays, and the others are told which it is."""
    dois: dict[str, int] = {}
    links: dict[str, int] = {}
    titles: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        if not item:
            continue
        doi, link = normalise_doi(item.get("DOI", "")).lower(), url_key(item.get("URL", ""))
        title = title_key(item.get("title", ""))
        if doi and dois.setdefault(doi, number) != number:
            _note(found[number], {"row": dois[doi], "because": "doi"})
        elif link and links.setdefault(link, number) != number:
            _note(found[number], {"row": links[link], "because": "link"})
        else:
            same = (other for other in titles.get(title, ()) if not _differ(item, items[other]))
            other = next(same, None)
            if other is not None:
                _note(found[number], {"row": other, "because": "title"})
        titles.setdefault(title, []).append(number)


def _note(likenesses: list[dict], likeness: dict) -> None:
    where = {name: likeness[name] for name in ("id", "row") if name in likeness}
    if len(likenesses) < EACH and not any(where.items() <= other.items() for other in likenesses):
        likenesses.append(likeness)
