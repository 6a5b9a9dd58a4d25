"""RIS, what EndNote, Mendeley and Zotero read and write."""

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from ..csl import clean_item, parse_name, sorted_name
from .rows import Row, checked, complete, identify, licence_in, plain_text, tags_in, tags_text

TYPES = {  # CSL's word: RIS'. The first that gives a RIS type is what that is read as.
    "article-journal": "JOUR",
    "article-magazine": "MGZN",
    "article-newspaper": "NEWS",
    "book": "BOOK",
    "chapter": "CHAP",
    "dataset": "DATA",
    "entry-encyclopedia": "ENCYC",
    "figure": "FIGURE",
    "graphic": "ART",
    "interview": "PCOMM",
    "manuscript": "UNPB",
    "motion_picture": "VIDEO",
    "pamphlet": "PAMP",
    "paper-conference": "CPAPER",
    "post": "ICOMM",
    "post-weblog": "BLOG",
    "report": "RPRT",
    "software": "COMP",
    "song": "SOUND",
    "speech": "SLIDE",
    "standard": "STAND",
    "thesis": "THES",
    "webpage": "ELEC",
    "article": "INPR",
    "document": "GEN",
}
OTHER_TYPES = {  # what others write and we do not
    "ABST": "article-journal",
    "CONF": "paper-conference",
    "CTLG": "document",
    "DBASE": "dataset",
    "DICT": "entry-encyclopedia",
    "EBOOK": "book",
    "ECHAP": "chapter",
    "EDBOOK": "book",
    "EJOUR": "article-journal",
    "GOVDOC": "report",
    "JFULL": "book",
    "MANSCPT": "manuscript",
    "MPCT": "motion_picture",
    "MULTI": "webpage",
}
MOST_FIELDS = 20_000  # of one reference; physicists have 3,000 authors
_READ = {ris: csl for csl, ris in TYPES.items()} | OTHER_TYPES
_TAG = re.compile(r"([A-Z][A-Z0-9])  ?-(?: (.*)|\s*)$")


def read(text: str) -> list[Row]:
    """Every reference of a RIS file. Raises NotReadable where there is none."""
    return checked(_rows(text), _("There is no RIS reference in this file."))


def _rows(text: str) -> Iterable[Row]:
    fields: list[tuple[str, list[str]]] = []  # each with its lines
    begun = 0
    for number, line in enumerate(text.split("\n"), start=1):
        found = _TAG.match(line.strip("\ufeff"))
        tag, value = (found.group(1), (found.group(2) or "").strip()) if found else ("", line.strip())
        if tag == "TY":
            if fields:
                yield _row(fields, begun, _("its end (ER) is missing"))
            fields, begun = [("TY", [value])], number
        elif not fields:
            continue  # what stands between two references, such as a counting line
        elif tag == "ER":
            yield _row(fields, begun)
            fields = []
        elif tag and len(fields) < MOST_FIELDS:
            fields.append((tag, [value]))
        elif value and not tag:
            fields[-1][1].append(value)  # a long line that was broken
    if fields:
        yield _row(fields, begun, _("its end (ER) is missing"))


def _row(lines: list[tuple[str, list[str]]], line: int, *problems: str) -> Row:
    told = list(problems)
    fields = [(tag, " ".join(filter(None, values))) for tag, values in lines]

    def every(*tags: str) -> list[str]:
        return [value for wanted in tags for tag, value in fields if tag == wanted and value]

    def first(*tags: str) -> str:
        return next(iter(every(*tags)), "")

    stated = first("TY").upper()
    kind = _READ.get(stated, "document")
    if stated not in _READ:
        told.append(_("type “%(kind)s” is not known: a document") % {"kind": stated[:40]})
    inside = kind in ("chapter", "paper-conference", "entry-encyclopedia")
    start, end = first("SP"), first("EP")
    raw = {
        "type": kind,
        "title": first("TI", "T1", "CT") or (first("BT") if not inside else ""),
        "author": [_name(name) for name in every("AU", "A1")],
        "editor": [_name(name) for name in every("ED", "A2")],
        "translator": [_name(name) for name in every("A4")],
        "issued": _date(first("DA"), first("PY", "Y1"), told),
        "container-title": first("T2", "JF", "JO") or (first("BT") if inside else ""),
        "container-title-short": first("J2", "JA"),
        "collection-title": first("T3"),
        "publisher": first("PB"),
        "publisher-place": first("CY", "PP"),
        "volume": first("VL"),
        "issue": first("IS") if kind.startswith("article") else "",
        "number": first("C7") if kind.startswith("article") else first("IS", "M1"),
        "page": f"{start}-{end}" if start and end and "-" not in start and start != end else start or end,
        "edition": first("ET"),
        "genre": first("M3"),
        "note": first("N1"),
        "language": first("LA"),
        **_numbers(every("SN")),
    }
    item = clean_item(raw)
    identify(item, first("DO"), first("UR", "L2"), told)
    extra = {
        "key": first("ID"),
        "kind": first("C2"),
        "tags": _tags(every("KW")),
        "description": plain_text(first("AB", "N2")),
        "language": first("LA"),
        "licence": licence_in(first("C1")),
    }
    return complete(item, line, told, extra)


def _name(text: str) -> dict:
    """A name as RIS has it: family, given, suffix. A comma at its end says that it is a body's, whole."""
    if text.endswith(","):
        return {"literal": text.rstrip(", ")}
    parts = [part.strip() for part in text.split(",", 2)]
    return parse_name(f"{parts[0]}, {parts[2]}, {parts[1]}" if len(parts) == 3 and parts[2] else text)


def _written_name(name: dict) -> str:
    if "literal" in name:
        return name["literal"] + ("," if "," in name["literal"] else "")
    family = sorted_name({"family": name["family"], **_only(name, "non-dropping-particle")})
    given = sorted_name({"family": "", **_only(name, "given", "dropping-particle")})
    return ", ".join(
        [family, given, name["suffix"]] if "suffix" in name else [p for p in (family, given) if p]
    )


def _tags(lines: list[str]) -> list[str]:
    """A line each; where there is but one line, all of them may stand in it."""
    if len(lines) == 1:
        return tags_in(lines[0])
    return [tag for line in lines for tag in tags_in(f"{line};")]


def _only(name: dict, *parts: str) -> dict:
    return {part: name[part] for part in parts if part in name}


def _numbers(stated: list[str]) -> dict:
    """SN is the ISBN of a book and the ISSN of a journal."""
    found: dict[str, str] = {}
    for number in stated:
        digits = re.sub(r"[^0-9Xx]", "", number.partition(" ")[0])
        found.setdefault("ISBN" if len(digits) in (10, 13) else "ISSN", number)
    return found


def _date(exact: str, year: str, told: list[str]) -> dict:
    stated = exact if re.match(r"\d{4}", exact) else year
    parts = re.findall(r"\d+", stated.split(";")[0])
    if parts and len(parts[0]) == 4:
        return {"date-parts": [parts[:3]]}
    if stated:
        told.append(_("year “%(year)s” is not a year: left out") % {"year": stated[:40]})
    return {}


def write(items: Iterable[dict]) -> str:
    """A RIS file of items."""
    return "".join(_reference(item) for item in items)


def _reference(item: dict) -> str:
    start, _dash, end = item.get("page", "").partition("-")
    parts = item.get("issued", {}).get("date-parts", [[]])[0]
    listed = [("TI", item.get("title", ""))]
    listed += [("AU", _written_name(name)) for name in item.get("author", ())]
    listed += [("A2", _written_name(name)) for name in item.get("editor", ())]
    listed += [("A4", _written_name(name)) for name in item.get("translator", ())]
    listed += [
        ("PY", str(parts[0]) if parts else ""),
        ("DA", "/".join(f"{part:02d}" for part in parts) + "/" * (3 - len(parts)) if len(parts) > 1 else ""),
        ("T2", item.get("container-title", "")),
        ("J2", item.get("container-title-short", "")),
        ("T3", item.get("collection-title", "")),
        ("PB", item.get("publisher", "")),
        ("CY", item.get("publisher-place", "")),
        ("VL", item.get("volume", "")),
        ("IS", item.get("issue") or item.get("number", "")),
        ("SP", start),
        ("EP", end),
        ("ET", item.get("edition", "")),
        ("M3", item.get("genre", "")),
        ("DO", item.get("DOI", "")),
        ("UR", item.get("URL", "")),
        ("SN", item.get("ISSN", "")),
        ("SN", item.get("ISBN", "")),
        ("LA", item.get("language", "")),
        ("N1", item.get("note", "")),
        ("AB", item.get("abstract", "")),
        ("C1", item.get("custom", {}).get("licence", "")),
        ("C2", item.get("custom", {}).get("kind", "")),
        ("C7", item.get("number", "") if item.get("issue") else ""),
        ("ID", str(item.get("id", ""))),
    ]
    tags = tags_in(item.get("keyword", ""))
    listed += [("KW", tag if len(tags) > 1 else tags_text(tags)) for tag in tags]
    lines = [f"{tag}  - {' '.join(value.split())}\r\n" for tag, value in listed if value]
    return f"TY  - {TYPES.get(item['type'], 'GEN')}\r\n" + "".join(lines) + "ER  - \r\n"
