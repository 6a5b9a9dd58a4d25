"""BibTeX read into CSL-JSON, row by row, with what had to be repaired and what could not be read."""

import re
from collections.abc import Iterable
from itertools import islice

import bibtexparser
from bibtexparser.middlewares.names import parse_single_name_into_parts, split_multiple_persons_names
from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock, Entry, ParsingFailedBlock
from django.utils.translation import gettext as _
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db
from pylatexenc.latexwalker import LatexWalkerError

from kmnet.core.text import clean_line, clean_text

from ..csl import NAME_FIELDS, TYPES, clean_item
from ..licences import BY_KEY
from .rows import MAX_ROWS, Row, checked, complete, identify, licence_in, tags_in, too_many

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


def read(text: str) -> list[Row]:
    """Every entry of a BibTeX file, in its order. Raises NotReadable where there is nothing to go by."""
    if sum(1 for _begun in islice(_BEGINS.finditer(text), MOST_BLOCKS + 1)) > MOST_BLOCKS:
        raise too_many()  # its parser holds all of them in memory
    return checked(_rows(bibtexparser.parse_string(text).blocks), _("There is no BibTeX entry in this file."))


_BEGINS = re.compile(r"@\s*\w+\s*[{(]")
MOST_BLOCKS = 4 * MAX_ROWS  # with strings, comments, and what looks like a beginning and is none


def _rows(blocks) -> Iterable[Row]:
    for block in blocks:
        if isinstance(block, Entry):
            yield _row(block)
        elif isinstance(block, ParsingFailedBlock):
            yield _failed(block)


def _line(block) -> int:
    return (block.start_line or 0) + 1


def _failed(block: ParsingFailedBlock) -> Row:
    found = re.match(r"\s*@\s*\w+\s*[{(]\s*([^\s,{}]+)", block.raw or "")
    key = found.group(1) if found else ""
    if isinstance(block, DuplicateBlockKeyBlock):
        reason = _("another entry of this file has the same key")
    elif isinstance(block, DuplicateFieldKeyBlock):
        doubled = ", ".join(sorted(block.duplicate_keys))
        reason = _("a field stands twice: %(fields)s") % {"fields": doubled}
    else:
        reason = _("not well-formed: a brace, a quote or a comma is missing")
    return Row({}, _line(block), [reason], {"key": key})


# --- LaTeX to text ---------------------------------------------------------------------------------------------------
def _decoder() -> LatexNodes2Text:
    context = get_default_latex_context_db()
    context.add_context_category("kmnet", prepend=True, macros=[MacroTextSpec("url", simplify_repl="%s")])
    return LatexNodes2Text(latex_context=context, math_mode="text", keep_comments=False)


_DECODER = _decoder()
# What stands for itself travels through the decoder as private characters: it would go with the left-over LaTeX.
_KEPT = {
    r"\textbraceleft{}": ("\ue020", "{"),
    r"\textbraceright{}": ("\ue021", "}"),
    r"\textbackslash{}": ("\ue022", "\\"),
    r"\textasciicircum{}": ("\ue023", "^"),
    r"\textasciitilde{}": ("\ue024", "~"),
    r"\textasciigrave{}": ("\ue025", "`"),
}
# Nothing in it that LaTeX would read otherwise; most fields are so, and the decoder takes its time.
_PLAIN = re.compile(r"(?:[^\\{}$%~&#^_`'\"<>\-]|-(?!-)|'(?!'))*")
_ENQUOTE = re.compile(r"\\enquote\*?\{([^{}]*)\}")
_BARE_PERCENT = re.compile(r"(?<!\\)%")
_BARE_AMPERSAND = re.compile(r"(?<!\\)&")
_QUOTED = re.compile(r"(?<![`\w])`(?!`)([^`']+)'(?!')")


def decode(latex: str, repairs: list[str], field_name: str) -> str:
    """A field's text. What LaTeX would have swallowed (a bare %) is kept, and told."""
    if _PLAIN.fullmatch(latex):
        return clean_text(latex).replace("\u00a0", " ").strip()
    if _BARE_PERCENT.search(latex):
        latex = _BARE_PERCENT.sub(r"\\%", latex)
        repairs.append(_("%(field)s: a bare %% would have hidden the rest; kept") % {"field": field_name})
    if _BARE_AMPERSAND.search(latex):
        latex = _BARE_AMPERSAND.sub(r"\\&", latex)
    for written, (private, _char) in _KEPT.items():
        latex = latex.replace(written, private)
    latex = _ENQUOTE.sub(r"“\1”", latex)
    latex = _QUOTED.sub(r"‘\1’", latex)
    try:
        text = _DECODER.latex_to_text(latex, tolerant_parsing=True)
    except (LatexWalkerError, ValueError, IndexError, RecursionError):
        text = latex
    left = re.sub(r"[{}\\]", "", text)
    if left != text:
        repairs.append(_("%(field)s: LaTeX that is not known was left out") % {"field": field_name})
    for private, char in _KEPT.values():
        left = left.replace(private, char)
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
    exact = re.match(r"\d{4}-\d{2}(-\d{2})?(?!\d)", values.get("date", ""))
    if exact:
        return {"date-parts": [exact.group().split("-")]}
    stated = values.get("year") or values.get("date") or ""
    if not stated:
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
    elif month.isdecimal() and len(month) <= 2 and 1 <= int(month) <= 12:
        parts.append(int(month))
    return {"date-parts": [parts]}


def _row(entry: Entry) -> Row:
    line = _line(entry)
    raw = {f.key.casefold(): str(f.value) for f in entry.fields}
    repairs: list[str] = []
    exact = {"doi", "url", *NAME_FIELDS, "keywords", "isbn", "issn"}  # a % in an address is no comment
    values = {name: decode(value, repairs, name) for name, value in raw.items() if name not in exact}
    title = clean_line(values.get("title", ""))
    if values.get("subtitle"):
        title = f"{title}: {clean_line(values['subtitle'])}"
    if not title:
        return Row({}, line, [_("has no title")], {"key": entry.key})
    kind = clean_line(values.get("type", ""))
    entry_type = entry.entry_type.casefold()
    subtype = values.get("entrysubtype", "")
    csl_type = (
        (subtype if subtype in TYPES else "")
        or ENTRY_TYPES.get(entry_type)
        or MISC_TYPES.get(kind.casefold())
        or ("webpage" if raw.get("url") else "document")
    )
    item: dict = {"type": csl_type, "title": title}
    for role in NAME_FIELDS:
        listed = names(raw[role], repairs, role) if raw.get(role) else []
        if listed:
            item[role] = listed
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
    article = csl_type.startswith("article")
    fields = {
        "container-title": container,
        "container-title-short": values.get("shortjournal", ""),
        "collection-number": values.get("seriesnumber", ""),
        "event-title": values.get("eventtitle", ""),
        "genre": values.get("genre", ""),
        "medium": values.get("medium", ""),
        "PMID": values.get("pmid", ""),
        "publisher": publisher or body,
        "publisher-place": values.get("address") or values.get("location", ""),
        "collection-title": values.get("series", ""),
        "volume": values.get("volume", ""),
        "issue": values.get("number") or values.get("issue", "") if article else values.get("issue", ""),
        "number": values.get("eid", "") if article else values.get("number", ""),
        "page": re.sub(r"\s*[-–—]+\s*", "-", values.get("pages", "")),
        "edition": values.get("edition", ""),
        "version": values.get("version", ""),
        "ISBN": raw.get("isbn", ""),
        "ISSN": raw.get("issn", ""),
        "note": values.get("note", ""),
    }
    item |= {name: value for name, value in fields.items() if value}
    item = clean_item(item)
    _identify(item, raw, repairs)
    minutes = values.get("minutes", "")
    extra = {
        "key": entry.key,
        "kind": kind,
        "tags": tags_in(decode(raw.get("keywords", ""), repairs, "keywords")),
        "description": values.get("abstract", ""),
        "language": clean_line(values.get("language") or values.get("langid", "")),
        "licence": licence_in(values.get("copyright") or values.get("license", "")),
        "minutes": int(minutes) if re.fullmatch(r"[0-9]{1,4}", minutes) else None,
    }
    return complete(item, line, repairs, extra)


def _identify(item: dict, raw: dict[str, str], repairs: list[str]) -> None:
    url = re.sub(r"^\\url\{(.*)\}$", r"\1", raw.get("url", "").strip())
    identify(item, raw.get("doi", "").replace("\\_", "_"), re.sub(r"\\([_%&#~])", r"\1", url), repairs)


# --- writing ---------------------------------------------------------------------------------------------------------
WRITTEN_AS = {
    "article-journal": "article",
    "article-magazine": "article",
    "article-newspaper": "article",
    "book": "book",
    "chapter": "incollection",
    "manuscript": "unpublished",
    "pamphlet": "booklet",
    "paper-conference": "inproceedings",
    "report": "techreport",
    "thesis": "phdthesis",
}
_ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        **{char: rf"\{char}" for char in "&%$#_"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "`": r"\textasciigrave{}",
    }
)


def write(items: Iterable[dict]) -> str:
    """A BibTeX file of items, in UTF-8. What BibTeX has no word for stands in fields that others pass over."""
    return "\n".join(_entry(item) for item in items)


def encode(text: str) -> str:
    """Text as LaTeX reads it back: nothing in it is a command, a dash or a quotation mark by accident."""
    text = " ".join(text.split()).translate(_ESCAPED)
    return re.sub(r"(?<=-)-", "{}-", re.sub(r"(?<=')'", "{}'", text))


def _written_name(name: dict) -> str:
    if "literal" in name:
        return f"{{{encode(name['literal'])}}}"
    family, suffix, given = (encode(name.get(part, "")) for part in ("family", "suffix", "given"))
    if re.search(r",|(^|\s)[^\s\\]*?(?<!\w)[a-z]", family):
        family = f"{{{family}}}"  # BibTeX would take it apart, or take a part of it for a "von"
    suffix, given = (f"{{{part}}}" if re.search(r",|(^|\s)and\s", part) else part for part in (suffix, given))
    particle = " ".join(p for p in (name.get("dropping-particle"), name.get("non-dropping-particle")) if p)
    family = f"{encode(particle)} {family}" if particle else family
    return f"{family}, {suffix}, {given}" if suffix else f"{family}, {given}".rstrip()


def _entry(item: dict) -> str:
    kind = item["type"]
    entry = WRITTEN_AS.get(kind, "misc")
    article = kind.startswith("article-")
    container = "journal" if article else "booktitle" if entry in ("incollection", "inproceedings") else ""
    body = {"techreport": "institution", "phdthesis": "school"}.get(entry, "publisher")
    parts = item.get("issued", {}).get("date-parts", [[]])[0]
    custom = item.get("custom", {})
    tags = tags_in(item.get("keyword", ""))
    plain = {
        container or "journaltitle": item.get("container-title", ""),
        "shortjournal": item.get("container-title-short", ""),
        body: item.get("publisher", ""),
        "address": item.get("publisher-place", ""),
        "series": item.get("collection-title", ""),
        "seriesnumber": item.get("collection-number", ""),
        "eventtitle": item.get("event-title", ""),
        "volume": item.get("volume", ""),
        "number": item.get("issue" if article else "number", ""),
        "eid" if article else "issue": item.get("number" if article else "issue", ""),
        "pages": item.get("page", ""),
        "edition": item.get("edition", ""),
        "version": item.get("version", ""),
        "genre": item.get("genre", ""),
        "medium": item.get("medium", ""),
        "note": item.get("note", ""),
        "language": item.get("language", ""),
        "keywords": ("; " if any("," in tag for tag in tags) else ", ").join(tags),
        "type": custom.get("kind", ""),
        "entrysubtype": kind if ENTRY_TYPES.get(entry) != kind else "",
        "copyright": str(BY_KEY[custom["licence"]].label) if custom.get("licence") else "",
        "minutes": str(custom.get("minutes") or ""),
        "abstract": item.get("abstract", ""),
    }
    fields = {
        "title": f"{{{encode(item.get('title', ''))}}}",
        **{role: " and ".join(map(_written_name, item.get(role, ()))) for role in NAME_FIELDS},
        "year": str(parts[0]) if parts else "",
        "date": "-".join(f"{part:02d}" for part in parts) if len(parts) > 1 else "",
        **{name: encode(value) for name, value in plain.items()},
        "doi": item.get("DOI", ""),
        "url": item.get("URL", "").replace("{", "%7B").replace("}", "%7D"),
        "isbn": item.get("ISBN", ""),
        "issn": item.get("ISSN", ""),
        "pmid": item.get("PMID", ""),
    }
    fields["pages"] = fields["pages"].replace("-", "--") if "{}" not in fields["pages"] else fields["pages"]
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return f"@{entry}{{{item.get('id') or 'kmnet'},\n" + "\n".join(lines) + "\n}\n"
