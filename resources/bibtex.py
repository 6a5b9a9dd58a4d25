"""BibTeX read into CSL-JSON, row by row, with what had to be repaired and what could not be read."""

import re
from dataclasses import dataclass, field

import bibtexparser
from bibtexparser.middlewares.names import parse_single_name_into_parts, split_multiple_persons_names
from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock, Entry, ParsingFailedBlock
from django.utils.translation import gettext as _
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db
from pylatexenc.latexwalker import LatexWalkerError

from kmnet.core.text import clean_line, clean_text

from .csl import clean_item
from .identifiers import canonical_url, normalise_doi

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 5_000

ENTRY_TYPES = {
    "article": "article-journal",
    "book": "book",
    "booklet": "pamphlet",
    "collection": "book",
    "conference": "paper-conference",
    "dataset": "dataset",
    "inbook": "chapter",
    "incollection": "chapter",
    "inproceedings": "paper-conference",
    "manual": "document",
    "mastersthesis": "thesis",
    "online": "webpage",
    "phdthesis": "thesis",
    "proceedings": "book",
    "report": "report",
    "software": "software",
    "techreport": "report",
    "thesis": "thesis",
    "unpublished": "manuscript",
    "video": "motion_picture",
}
MISC_TYPES = {
    "blog post": "post-weblog",
    "blog": "post-weblog",
    "video": "motion_picture",
    "report": "report",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class NotBibTeX(ValueError):
    """The file as a whole cannot be read; the message says why."""


@dataclass
class Row:
    """One entry that can be taken: its record, what goes with it, and what was repaired on the way."""

    key: str
    line: int
    csl: dict
    description: str = ""
    kind: str = ""
    keywords: list[str] = field(default_factory=list)
    language: str = ""
    repairs: list[str] = field(default_factory=list)


@dataclass
class Skipped:
    """One entry that cannot."""

    key: str
    line: int
    reason: str


def read(data: bytes) -> list[Row | Skipped]:
    """Every entry of a BibTeX file, in its order. Raises NotBibTeX where there is nothing to go by."""
    if len(data) > MAX_BYTES:
        raise NotBibTeX(_("The file is larger than 10 MB."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise NotBibTeX(_("The file is not UTF-8 text (line %(line)d).") % {"line": line}) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    library = bibtexparser.parse_string(text)
    rows: list[Row | Skipped] = []
    for block in library.blocks:
        if isinstance(block, Entry):
            rows.append(_row(block))
        elif isinstance(block, ParsingFailedBlock):
            rows.append(_failed(block))
    if not rows:
        raise NotBibTeX(_("There is no BibTeX entry in this file."))
    if len(rows) > MAX_ROWS:
        raise NotBibTeX(_("The file has more than %(limit)d entries.") % {"limit": MAX_ROWS})
    return rows


def _line(block) -> int:
    return (block.start_line or 0) + 1


def _failed(block: ParsingFailedBlock) -> Skipped:
    found = re.match(r"\s*@\s*\w+\s*[{(]\s*([^\s,{}]+)", block.raw or "")
    key = found.group(1) if found else ""
    if isinstance(block, DuplicateBlockKeyBlock):
        reason = _("another entry of this file has the same key")
    elif isinstance(block, DuplicateFieldKeyBlock):
        doubled = ", ".join(sorted(block.duplicate_keys))
        reason = _("a field stands twice: %(fields)s") % {"fields": doubled}
    else:
        reason = _("not well-formed: a brace, a quote or a comma is missing")
    return Skipped(key, _line(block), reason)


# --- LaTeX to text ---------------------------------------------------------------------------------------------------
def _decoder() -> LatexNodes2Text:
    context = get_default_latex_context_db()
    context.add_context_category("kmnet", prepend=True, macros=[MacroTextSpec("url", simplify_repl="%s")])
    return LatexNodes2Text(latex_context=context, math_mode="text", keep_comments=False)


_DECODER = _decoder()
_ENQUOTE = re.compile(r"\\enquote\*?\{([^{}]*)\}")
_BARE_PERCENT = re.compile(r"(?<!\\)%")
_BARE_AMPERSAND = re.compile(r"(?<!\\)&")
_QUOTED = re.compile(r"(?<![`\w])`(?!`)([^`']+)'(?!')")


def decode(latex: str, repairs: list[str], field_name: str) -> str:
    """A field's text. What LaTeX would have swallowed (a bare %) is kept, and told."""
    if _BARE_PERCENT.search(latex):
        latex = _BARE_PERCENT.sub(r"\\%", latex)
        repairs.append(_("%(field)s: a bare %% would have hidden the rest; kept") % {"field": field_name})
    if _BARE_AMPERSAND.search(latex):
        latex = _BARE_AMPERSAND.sub(r"\\&", latex)
    latex = _ENQUOTE.sub(r"“\1”", latex)
    latex = _QUOTED.sub(r"‘\1’", latex)
    try:
        text = _DECODER.latex_to_text(latex, tolerant_parsing=True)
    except (LatexWalkerError, ValueError, IndexError, RecursionError):
        text = latex
    left = re.sub(r"[{}\\]", "", text)
    if left != text:
        repairs.append(_("%(field)s: LaTeX that is not known was left out") % {"field": field_name})
    return clean_text(left).replace("\u00a0", " ").strip()


# --- names -----------------------------------------------------------------------------------------------------------
def _is_one_group(text: str) -> bool:
    """{National Centre for X}: braces round the whole name say that it is a body, not a person."""
    if not (text.startswith("{") and text.endswith("}")):
        return False
    depth = 0
    for position, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return position == len(text) - 1
    return False


def names(latex: str, repairs: list[str], field_name: str) -> list[dict]:
    """The persons and bodies of an author or editor field, as CSL names."""
    found = []
    for raw in split_multiple_persons_names(" ".join(latex.split())):
        raw = raw.strip()
        if not raw:
            continue
        if raw.casefold() == "others":
            repairs.append(_("%(field)s: “and others” was left out") % {"field": field_name})
            continue
        if _is_one_group(raw):
            found.append({"literal": decode(raw, repairs, field_name)})
            continue
        try:
            parts = parse_single_name_into_parts(raw, strict=False)
        except ValueError:
            found.append({"literal": decode(raw, repairs, field_name)})
            continue
        name = {
            "family": decode(" ".join(parts.last), repairs, field_name),
            "given": decode(" ".join(parts.first), repairs, field_name),
            "non-dropping-particle": decode(" ".join(parts.von), repairs, field_name),
            "suffix": decode(" ".join(parts.jr), repairs, field_name),
        }
        found.append({part: value for part, value in name.items() if value})
    return found


# --- one entry -------------------------------------------------------------------------------------------------------
def _year(values: dict[str, str], repairs: list[str]) -> dict:
    stated = values.get("year") or values.get("date") or ""
    if not stated:
        repairs.append(_("no year: stays without one"))
        return {}
    found = re.search(r"(?<!\d)(1[4-9]\d\d|20\d\d)(?!\d)", stated)
    if not found:
        repairs.append(_("year “%(year)s” is not a year: left out") % {"year": stated[:40]})
        return {}
    if stated.strip() != found.group() and "date" not in values:
        repairs.append(_("year “%(year)s” read as %(found)s") % {"year": stated[:40], "found": found.group()})
    parts = [int(found.group())]
    month = values.get("month", "").casefold().strip(". ")
    if month[:3] in MONTHS:
        parts.append(MONTHS.index(month[:3]) + 1)
    elif month.isdigit() and 1 <= int(month) <= 12:
        parts.append(int(month))
    return {"date-parts": [parts]}


def _row(entry: Entry) -> Row | Skipped:
    line = _line(entry)
    raw = {f.key.casefold(): str(f.value) for f in entry.fields}
    repairs: list[str] = []
    exact = {"doi", "url", "author", "editor", "keywords", "isbn", "issn"}  # a % in an address is no comment
    values = {name: decode(value, repairs, name) for name, value in raw.items() if name not in exact}
    title = clean_line(values.get("title", ""))
    if values.get("subtitle"):
        title = f"{title}: {clean_line(values['subtitle'])}"
    if not title:
        return Skipped(entry.key, line, _("has no title"))
    kind = clean_line(values.get("type", ""))
    entry_type = entry.entry_type.casefold()
    csl_type = (
        ENTRY_TYPES.get(entry_type)
        or MISC_TYPES.get(kind.casefold())
        or ("webpage" if raw.get("url") else "document")
    )
    item: dict = {"type": csl_type, "title": title}
    for source, target in (("author", "author"), ("editor", "editor")):
        listed = names(raw[source], repairs, source) if raw.get(source) else []
        if listed:
            item[target] = listed
    if "author" not in item and "editor" not in item:
        repairs.append(_("no author: stays without one"))
    issued = _year(values, repairs)
    if issued:
        item["issued"] = issued

    publisher = values.get("publisher", "")
    body = values.get("institution") or values.get("school") or values.get("organization") or ""
    container = values.get("journal") or values.get("journaltitle") or values.get("booktitle") or ""
    if csl_type == "post-weblog" and not container:
        container, publisher = publisher, ""  # the blog is what the post stands in
    if body and publisher and body != publisher:
        item["collection-title"], publisher = publisher, body
    fields = {
        "container-title": container,
        "publisher": publisher or body,
        "publisher-place": values.get("address") or values.get("location", ""),
        "collection-title": values.get("series", ""),
        "volume": values.get("volume", ""),
        "issue" if csl_type.startswith("article") else "number": values.get("number")
        or values.get("issue", ""),
        "page": re.sub(r"\s*[-–—]+\s*", "-", values.get("pages", "")),
        "edition": values.get("edition", ""),
        "version": values.get("version", ""),
        "ISBN": raw.get("isbn", ""),
        "ISSN": raw.get("issn", ""),
        "note": values.get("note", ""),
    }
    item |= {name: value for name, value in fields.items() if value}
    _identify(item, raw, repairs)
    item = clean_item(item)
    keywords = [
        clean_line(decode(word, repairs, "keywords")) for word in re.split(r"[,;]", raw.get("keywords", ""))
    ]
    return Row(
        key=entry.key,
        line=line,
        csl=item,
        description=values.get("abstract", ""),
        kind=kind,
        keywords=[word for word in keywords if word],
        language=clean_line(values.get("language") or values.get("langid", "")),
        repairs=list(dict.fromkeys(repairs)),
    )


def _identify(item: dict, raw: dict[str, str], repairs: list[str]) -> None:
    stated = raw.get("doi", "").replace("\\_", "_").strip()
    doi = normalise_doi(stated)
    if doi:
        item["DOI"] = doi
        if doi != stated:
            repairs.append(_("doi “%(doi)s” read as %(found)s") % {"doi": stated[:80], "found": doi})
    elif stated:
        repairs.append(_("doi “%(doi)s” is not a DOI: left out") % {"doi": stated[:80]})
    url = re.sub(r"^\\url\{(.*)\}$", r"\1", raw.get("url", "").strip())
    url = re.sub(r"\\([_%&#~])", r"\1", url)
    if url and canonical_url(url) and len(url) <= 1000:
        item["URL"] = url
    elif url:
        repairs.append(_("url “%(url)s” is not a web address: left out") % {"url": url[:80]})
