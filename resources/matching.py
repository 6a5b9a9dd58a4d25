"""Which of many references are here already, or stand twice in their file: DOI, link, then the title with Zotero's vetoes.

Told before anything is saved, never a reason to refuse; and only what this member may see, as for a single record.
"""

from collections.abc import Callable, Iterator

from django.db.models import F
from django.db.models.functions import Lower

from .duplicates import SIMILAR, Marks, marks_of
from .identifiers import isbn_of, normalise_doi, title_key, url_key
from .models import Resource

CHUNK = 500
RARE = 4  # words of a title by which others are found
COMMON = 500  # titles with a word: more, and it tells nothing
EACH = 3  # look-alikes of one row
SAME = 50  # so many of the very same title are compared with one row: there are thousands of editorials


def find_many(
    *, viewer, items: list[dict], progress: Callable[[int], object] = lambda done: None
) -> list[list[dict]]:
    """For each item what it is like: [{"id": 5, "because": "doi"}, ...] in the library, {"row": 3, ...} in the file (the
    number of an earlier item). `because` is doi, isbn, link or title. Empty items are like nothing."""
    found: list[list[dict]] = [[] for _item in items]
    seen = Resource.objects.visible_to(viewer)
    for numbers in _chunks([number for number, item in enumerate(items) if item]):
        _by_key(seen.exclude(doi="").annotate(key=Lower("doi")), _dois(items, numbers), found, "doi")
        _by_key(seen.exclude(isbn="").annotate(key=F("isbn")), _isbns(items, numbers), found, "isbn")
        _by_key(
            seen.exclude(url_key="").annotate(key=Lower("url_key")), _links(items, numbers), found, "link"
        )
    left = [number for number, item in enumerate(items) if item and not found[number]]
    if left:
        _by_title(seen, items, left, found, progress)
    _within(items, found)
    return found


def _chunks(numbers: list, size: int = CHUNK) -> Iterator[list]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def _dois(items, numbers) -> dict[str, list[int]]:
    return _grouped((normalise_doi(items[number].get("DOI", "")).lower(), number) for number in numbers)


def _isbns(items, numbers) -> dict[str, list[int]]:
    return _grouped((isbn_of(items[number]), number) for number in numbers)


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


def _by_title(seen, items, numbers: list[int], found, progress) -> None:
    """Nearly equal titles, and then the vetoes choose. The library's titles are read through twice, and only those are
    compared that share a rare word with a row: the index is made for one title, and is slow for thousands."""
    titles = {number: title_key(items[number].get("title", "")) for number in numbers}
    words = {number: set(title.split()) for number, title in titles.items() if title}
    counts = dict.fromkeys((word for each in words.values() for word in each), 0)
    for _pk, title in _all_titles(seen):
        for word in set(title.split()):
            if word in counts:
                counts[word] += 1
    asking: dict[str, list[int]] = {}
    for number, each in words.items():
        known = sorted(
            (word for word in each if 0 < counts[word] <= COMMON), key=lambda word: (counts[word], word)
        )
        for word in known[:RARE]:
            asking.setdefault(word, []).append(number)
    exact = _grouped((title, number) for number, title in titles.items())
    met = dict.fromkeys(titles, 0)
    near: list[tuple[float, int, int]] = []
    for done, (pk, title) in enumerate(_all_titles(seen)):
        if done % 5000 == 0:
            progress(min(len(items), done))
        own = set(title.split())
        asked = {number for word in own if word in asking for number in asking[word]}
        same = exact.get(title, ())
        near += [(1.0, number, pk) for number in same]
        for number in same:
            met[number] += 1
        if same and max(met[number] for number in same) >= SAME:
            exact[title] = [number for number in same if met[number] < SAME]
        for number in asked:
            if title == titles[number]:
                continue
            # Cheap before dear: titles that are nearly equal share most of their words.
            if 2 * len(own & words[number]) >= max(len(own), len(words[number])):
                likeness = similarity(title, titles[number])
                if likeness > SIMILAR:
                    near.append((likeness, number, pk))
    near.sort(key=lambda one: (-one[0], one[1], one[2]))
    marks = {number: marks_of(items[number]) for number in {number for _likeness, number, _pk in near}}
    for part in _chunks(near):
        known = dict(seen.filter(pk__in={pk for _likeness, _number, pk in part}).values_list("pk", "csl"))
        known = {pk: marks_of(item) for pk, item in known.items()}
        for _likeness, number, pk in part:
            if pk in known and not marks[number].veto(known[pk]):
                _note(found[number], {"id": pk, "because": "title"})


def _all_titles(seen) -> Iterator[tuple[int, str]]:
    return seen.order_by().values_list("pk", "title_key").iterator(chunk_size=5000)


def similarity(one: str, other: str) -> float:
    """As Postgres reckons it (pg_trgm), for titles in the form of `title_key`."""
    first, second = _trigrams(one), _trigrams(other)
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared) if first and second else 0.0


def _trigrams(title: str) -> set[str]:
    padded = (f"  {word} " for word in title.split())
    return {word[start : start + 3] for word in padded for start in range(len(word) - 2)}


def _within(items, found) -> None:
    """The first of those that are one thing stays, and the others are told which it is."""
    dois: dict[str, int] = {}
    isbns: dict[str, int] = {}
    links: dict[str, int] = {}
    titles: dict[str, list[tuple[int, Marks]]] = {}
    for number, item in enumerate(items):
        if not item:
            continue
        doi, link = normalise_doi(item.get("DOI", "")).lower(), url_key(item.get("URL", ""))
        isbn = isbn_of(item)
        title, marks = title_key(item.get("title", "")), marks_of(item)
        before = titles.setdefault(title, [])
        if doi and dois.setdefault(doi, number) != number:
            _note(found[number], {"row": dois[doi], "because": "doi"})
        elif isbn and isbns.setdefault(isbn, number) != number:
            _note(found[number], {"row": isbns[isbn], "because": "isbn"})
        elif link and links.setdefault(link, number) != number:
            _note(found[number], {"row": links[link], "because": "link"})
        else:
            other = next((other for other, its in before if not marks.veto(its)), None)
            if other is not None:
                _note(found[number], {"row": other, "because": "title"})
        if len(before) < SAME:
            before.append((number, marks))


def _note(likenesses: list[dict], likeness: dict) -> None:
    where = {name: likeness[name] for name in ("id", "row") if name in likeness}
    if len(likenesses) < EACH and not any(where.items() <= other.items() for other in likenesses):
        likenesses.append(likeness)
