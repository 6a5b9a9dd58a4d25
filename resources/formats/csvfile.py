"""A table with one row per reference: for spreadsheets, and for lists that people keep in them.

What we write is read back whole. A cell that a spreadsheet would take for a formula gets an apostrophe, which reading
takes away again; of names, those that cannot be told back from "Family, Given" stand as JSON.
"""

import csv
import io
import json
import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from kmnet.core.text import fold

from ..csl import NAME_FIELDS, TYPES, clean_item, clean_name, parse_name, sorted_name
from .rows import NotReadable, Row, checked, complete, identify, licence_in, plain_text, tags_in

COLUMNS = {  # as we write them: what of an item stands there
    "id": "id",
    "type": "type",
    "title": "title",
    "authors": "author",
    "editors": "editor",
    "translators": "translator",
    "date": "issued",
    "published in": "container-title",
    "short for it": "container-title-short",
    "series": "collection-title",
    "number in series": "collection-number",
    "event": "event-title",
    "publisher": "publisher",
    "place": "publisher-place",
    "volume": "volume",
    "issue": "issue",
    "number": "number",
    "pages": "page",
    "edition": "edition",
    "version": "version",
    "genre": "genre",
    "medium": "medium",
    "doi": "DOI",
    "link": "URL",
    "isbn": "ISBN",
    "issn": "ISSN",
    "pmid": "PMID",
    "language": "language",
    "note": "note",
    "tags": "keyword",
    "in our words": "abstract",
    "licence": "licence",
    "kind": "kind",
    "minutes": "minutes",
}
ALIASES = {  # how others head their columns: Zotero, Mendeley, people
    "abstract": "abstract",
    "abstract note": "abstract",
    "description": "abstract",
    "author": "author",
    "creators": "author",
    "book title": "container-title",
    "container": "container-title",
    "journal": "container-title",
    "publication title": "container-title",
    "source": "container-title",
    "editor": "editor",
    "translator": "translator",
    "publication year": "issued",
    "year": "issued",
    "item type": "type",
    "key": "id",
    "keywords": "keyword",
    "manual tags": "keyword",
    "tag": "keyword",
    "license": "licence",
    "rights": "licence",
    "name": "title",
    "page": "page",
    "url": "URL",
    "web address": "URL",
    "series title": "collection-title",
}
KINDS = {  # what Zotero and people call things, where that is not CSL's word
    "journal article": "article-journal",
    "research paper": "article-journal",
    "magazine article": "article-magazine",
    "newspaper article": "article-newspaper",
    "blog post": "post-weblog",
    "blog": "post-weblog",
    "book section": "chapter",
    "conference paper": "paper-conference",
    "preprint": "article",
    "video": "motion_picture",
    "video recording": "motion_picture",
    "web page": "webpage",
    "website": "webpage",
}
_HEADS = {**ALIASES, **COLUMNS} | {name.casefold(): name for name in COLUMNS.values()}
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


def read(text: str) -> list[Row]:
    """Every row of a table whose first line names its columns. Raises NotReadable, also where none of them is "title"."""
    head = text.partition("\n")[0]
    comma = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=comma)
    try:
        fields = [_HEADS.get(_head(name), "") for name in next(reader, [])]
        if "title" not in fields:
            raise NotReadable(_("The first line must name the columns, and one of them must be “title”."))
        return checked(_rows(reader, fields), _("There is no row in this table."))
    except csv.Error as error:
        words = _("The table cannot be read (line %(line)d).") % {"line": reader.line_num}
        raise NotReadable(words) from error


def _rows(reader, fields: list[str]) -> Iterable[Row]:
    line = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield _row(dict(_told(fields, cells)), line)
        line = reader.line_num + 1


def _head(name: str) -> str:
    return re.sub(r"[\s_]+", " ", fold(name)).strip()


def _told(fields: list[str], cells: list[str]) -> Iterable[tuple[str, str]]:
    """What stands in which field; of two columns for one thing the first that says something."""
    told: dict[str, str] = {}
    for name, cell in zip(fields, cells, strict=False):
        cell = cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
        if name and cell.strip():
            told.setdefault(name, cell)
    return told.items()


def _row(cells: dict[str, str], line: int) -> Row:
    told: list[str] = []
    stated = cells.get("type", "")
    kind = KINDS.get(stated.casefold().replace("_", " "), stated)
    kind = (
        re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind) if kind not in TYPES else kind
    )  # journalArticle, as Zotero
    kind = KINDS.get(kind.casefold(), kind.casefold())
    if kind not in TYPES:
        kind = "webpage" if cells.get("URL") else "document"
    raw = {name: value for name, value in cells.items() if name not in (*NAME_FIELDS, "type", "issued")}
    item = clean_item(
        raw
        | {"type": kind}
        | {name: _names(cells[name]) for name in NAME_FIELDS if name in cells}
        | {"issued": _date(cells.get("issued", ""), told)}
    )
    identify(item, cells.get("DOI", ""), cells.get("URL", ""), told)
    minutes = cells.get("minutes", "").strip()
    extra = {
        "key": cells.get("id", "").strip()[:200],
        "kind": cells.get("kind", "") or (stated if stated not in TYPES else ""),
        "tags": tags_in(cells.get("keyword", "")),
        "description": plain_text(cells.get("abstract", "")),
        "language": item.get("language", ""),
        "licence": licence_in(cells.get("licence")),
        "minutes": int(minutes) if re.fullmatch(r"[0-9]{1,4}", minutes) else None,
    }
    return complete(item, line, told, extra)


def _names(cell: str) -> list[dict]:
    found = []
    for part in re.findall(r"\s*(\{[^{}]*\}|[^;]+)", cell):
        try:
            name = json.loads(part) if part.startswith("{") else parse_name(part)
        except ValueError:
            name = {"literal": part.strip("{}")}
        found.append(clean_name(name))
    return [name for name in found if name]


def _date(stated: str, told: list[str]) -> dict:
    found = re.fullmatch(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?", stated.strip())
    if found:
        return {"date-parts": [[part for part in found.groups() if part]]}
    year = re.search(r"(?<!\d)(1[4-9]\d\d|20\d\d)(?!\d)", stated)
    if year:
        told.append(_("year “%(year)s” read as %(found)s") % {"year": stated[:40], "found": year.group()})
        return {"date-parts": [[year.group()]]}
    if stated.strip():
        told.append(_("year “%(year)s” is not a year: left out") % {"year": stated[:40]})
    return {}


def write(items: Iterable[dict]) -> str:
    """A table of items, with a byte order mark, so that spreadsheets take it for UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for item in items:
        writer.writerow(_safe(_cell(item, name)) for name in COLUMNS.values())
    return "\ufeff" + out.getvalue()


def _cell(item: dict, name: str) -> str:
    if name in NAME_FIELDS:
        return "; ".join(_name_cell(one) for one in item.get(name, ()))
    if name == "issued":
        parts = item.get("issued", {}).get("date-parts", [[]])[0]
        return "-".join(f"{part:02d}" for part in parts)
    if name in ("licence", "kind", "minutes"):
        return str(item.get("custom", {}).get(name) or "")
    return str(item.get(name, ""))


def _name_cell(name: dict) -> str:
    text = sorted_name(name)
    if ";" not in text and "{" not in text and parse_name(text) == name:
        return text
    words = json.dumps(name, ensure_ascii=False)[1:-1]
    for char in "{};":
        words = words.replace(char, f"\\u{ord(char):04x}")
    return f"{{{words}}}"


def _safe(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
