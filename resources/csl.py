"""CSL-JSON, the internal bibliographic form: made clean on the way in, projected on the way out.

One item, without an id (the record has its own). Only known fields are kept, as text of a bounded length; whatever a
publisher, a file or a form sends, what is stored has this shape:
  type, title, author/editor: [{family, given, non-dropping-particle, suffix} | {literal}], issued: {"date-parts":
  [[year, month?, day?]]}, container-title, publisher, volume, issue, page, number, DOI, URL, ISBN, ISSN, language, ...
"""

import html
import re

from django.utils.translation import gettext_lazy as _

from kmnet.core.text import clean_line

TYPES = {
    "article-journal",
    "article-magazine",
    "article-newspaper",
    "article",
    "book",
    "chapter",
    "dataset",
    "document",
    "entry-encyclopedia",
    "figure",
    "graphic",
    "interview",
    "manuscript",
    "motion_picture",
    "pamphlet",
    "paper-conference",
    "post",
    "post-weblog",
    "report",
    "review",
    "software",
    "song",
    "speech",
    "standard",
    "thesis",
    "webpage",
}
# What Crossref and DataCite call things, where it is not CSL's own word.
FOREIGN_TYPES = {
    "journal-article": "article-journal",
    "proceedings-article": "paper-conference",
    "book-chapter": "chapter",
    "monograph": "book",
    "edited-book": "book",
    "reference-book": "book",
    "posted-content": "article",
    "dissertation": "thesis",
    "report-component": "report",
    "report-series": "report",
    "peer-review": "review",
}
TEXT_FIELDS = (
    "title",
    "container-title",
    "container-title-short",
    "collection-title",
    "collection-number",
    "publisher",
    "publisher-place",
    "event-title",
    "volume",
    "issue",
    "page",
    "number",
    "edition",
    "genre",
    "medium",
    "DOI",
    "URL",
    "ISBN",
    "ISSN",
    "PMID",
    "language",
    "note",
    "version",
)
NAME_FIELDS = ("author", "editor", "translator")
NAME_PARTS = ("family", "given", "non-dropping-particle", "dropping-particle", "suffix", "literal")
MAX_TEXT, MAX_NAMES = 1000, 300
_TAGS = re.compile(r"</?[a-zA-Z][\w:.-]*(?:\s[^<>]*)?/?>")


def line(value) -> str:
    """One line of text, as it was typed."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return clean_line(str(value))[:MAX_TEXT]


def without_markup(value) -> str:
    """One line of plain text from what metadata services send: lists, JATS or HTML tags, entities (also doubled)."""
    if isinstance(value, list):
        value = next((part for part in value if isinstance(part, str) and part.strip()), "")
    text = line(value)
    text = html.unescape(_TAGS.sub("", text))
    return clean_line(html.unescape(_TAGS.sub("", text)))


def clean_name(raw, text=line) -> dict[str, str]:
    """One creator, or {} where nothing names anybody."""
    if isinstance(raw, str):
        raw = {"literal": raw}
    if not isinstance(raw, dict):
        return {}
    if "name" in raw and "literal" not in raw and "family" not in raw:  # how Crossref names a body
        raw = {"literal": raw["name"]}
    name = {part: text(raw.get(part))[:200] for part in NAME_PARTS}
    name = {part: value for part, value in name.items() if value}
    if "literal" in name:
        return {"literal": name["literal"]}
    if "family" not in name:
        return {"literal": name["given"]} if "given" in name else {}
    return name


def clean_date(raw) -> dict:
    """{"date-parts": [[2017]]} from the forms in which dates come, {} where there is no year."""
    parts = None
    if isinstance(raw, dict):
        parts = raw.get("date-parts")
        parts = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], list) else None
        if parts is None and isinstance(raw.get("raw"), str):
            raw = raw["raw"]
    if parts is None and isinstance(raw, str | int):
        found = re.match(r"\s*(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", str(raw))
        parts = list(found.groups()) if found else None
    numbers: list[int] = []
    for part, highest in zip(parts or (), (9999, 12, 31), strict=False):
        try:
            number = int(part)
        except (TypeError, ValueError):
            break
        if not 1 <= number <= highest:
            break
        numbers.append(number)
    return {"date-parts": [numbers]} if numbers and numbers[0] >= 1000 else {}


def clean_item(raw, *, foreign: bool = False) -> dict:
    """A CSL-JSON item of ours from anybody's; unknown fields go, nothing in it can be but text.

    foreign: it comes from a metadata service, which sends lists and markup; what people typed stays as typed.
    """
    text = without_markup if foreign else line
    if not isinstance(raw, dict):
        return {}
    kind = raw.get("type") if isinstance(raw.get("type"), str) else ""
    kind = FOREIGN_TYPES.get(kind, kind)
    item: dict = {"type": kind if kind in TYPES else "document"}
    for field in TEXT_FIELDS:
        value = text(raw.get(field))
        if value:
            item[field] = value
    for field in NAME_FIELDS:
        listed = raw.get(field) if isinstance(raw.get(field), list) else []
        names = [name for name in (clean_name(raw_name, text) for raw_name in listed[:MAX_NAMES]) if name]
        if names:
            item[field] = names
    issued = clean_date(raw.get("issued"))
    if issued:
        item["issued"] = issued
    return item


def year_of(item: dict) -> int | None:
    parts = item.get("issued", {}).get("date-parts", [[]])
    return parts[0][0] if parts and parts[0] else None


def display_name(name: dict) -> str:
    """Andrée le May; NHS England."""
    if "literal" in name:
        return name["literal"]
    parts = (
        name.get("given"),
        name.get("dropping-particle"),
        name.get("non-dropping-particle"),
        name.get("family"),
        name.get("suffix"),
    )
    return " ".join(part for part in parts if part)


def sorted_name(name: dict) -> str:
    """le May, Andrée; NHS England. The form that can be typed, and read back by `parse_name`."""
    if "literal" in name:
        return name["literal"]
    family = " ".join(p for p in (name.get("non-dropping-particle"), name["family"]) if p)
    given = " ".join(p for p in (name.get("given"), name.get("dropping-particle")) if p)
    return ", ".join(p for p in (family, name.get("suffix"), given) if p)


_PARTICLES = re.compile(
    r"^((?:(?:van|von|der|den|de|del|della|di|da|du|la|le|ter|ten|zu|af|el|al)\s+)+)(?=\S)"
)


def parse_name(text: str) -> dict[str, str]:
    """A name as people type it: "le May, Andrée" is a person, a line without a comma is taken as it stands."""
    text = clean_line(text)[:200]
    family, comma, given = (part.strip() for part in text.partition(","))
    if not comma or not family:
        return {"literal": text.strip(", ")} if text.strip(", ") else {}
    name = {}
    particle = _PARTICLES.match(family)
    if particle:
        name["non-dropping-particle"] = particle.group().strip()
        family = family[particle.end() :]
    name["family"] = family
    suffix, comma, rest = (part.strip() for part in given.partition(","))
    if comma and rest:
        name["suffix"], given = suffix, rest
    if given.strip(", "):
        name["given"] = given.strip(", ")
    return name


def creators_of(item: dict) -> list[dict]:
    return item.get("author") or item.get("editor") or []


def creators_text(item: dict) -> str:
    """All creators in one line, for search and sorting."""
    return "; ".join(display_name(name) for name in creators_of(item))


# How an item is called where no term of the facet "type" says it.
KIND_LABELS = {
    "article-journal": _("research paper"),
    "book": _("book"),
    "chapter": _("chapter"),
    "dataset": _("data"),
    "motion_picture": _("video"),
    "post-weblog": _("blog"),
    "report": _("report"),
    "thesis": _("thesis"),
    "webpage": _("web page"),
}
