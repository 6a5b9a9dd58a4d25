"""A record as a formatted citation, and in the formats of reference managers."""

import html
import json
import logging
import re
import warnings
from functools import cache
from pathlib import Path

import nh3
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from django.conf import settings
from django.core.cache import cache as site_cache
from django.utils.safestring import SafeString, mark_safe

from .csl import creators_of, display_name, sorted_name
from .models import Resource

logger = logging.getLogger(__name__)
FOLDER = Path(__file__).parent / "csl"
STYLES = {  # key: (name, file)
    "apa": ("APA", "apa"),
    "vancouver": ("Vancouver", "nlm-citation-sequence"),
    "harvard": ("Harvard", "harvard-cite-them-right"),
}
CACHE_SECONDS = 24 * 3600

# citeproc puts values into its HTML as they are. What HTML would read as markup travels as private characters.
_HIDE = str.maketrans({"<": "\ue010", ">": "\ue011", "&": "\ue012"})
_SHOW = {"\ue010": "&lt;", "\ue011": "&gt;", "\ue012": "&amp;"}


@cache
def _style(key: str) -> CitationStylesStyle:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about parts of CSL that these styles hold and do not need here
        return CitationStylesStyle(str(FOLDER / STYLES[key][1]), validate=False)


def item_of(resource: Resource) -> dict:
    """What is cited: the record's item, with the address of our own page where it has no other."""
    item = dict(resource.csl)
    if not item.get("DOI") and not item.get("URL"):
        item["URL"] = settings.SITE_URL + resource.get_absolute_url()
    return item


def _hidden(value):
    if isinstance(value, str):
        return value.translate(_HIDE)
    if isinstance(value, list):
        return [_hidden(part) for part in value]
    if isinstance(value, dict):
        return {key: _hidden(part) for key, part in value.items()}
    return value


def format_item(item: dict, style: str) -> SafeString:
    """One item in one style, as HTML with nothing but <i>, <b> and <span>."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a field that the style does not know is no news
            source = CiteProcJSON([{**_hidden(item), "id": "item"}])
            bibliography = CitationStylesBibliography(_style(style), source, formatter.html)
            bibliography.register(Citation([CitationItem("item")]))
            text = str(bibliography.bibliography()[0])
    except Exception:  # a citation that cannot be set must not take the page with it
        logger.exception("no citation in style %s", style)
        text = _plainly(item).translate(_HIDE)
    for private, entity in _SHOW.items():
        text = text.replace(private, entity)
    text = re.sub(r"^\s*(\[1\]|1\.)\s*", "", text)  # numbered styles count; here is only one
    text = re.sub(r"\bRetrieved (?=https?://)", "", text)  # APA 7 says so only with a date
    text = re.sub(
        r"([?!])(</i>)?\.(?=\s|$)", r"\1\2", text
    )  # a title that ends in its own mark takes no full stop
    return mark_safe(nh3.clean(text, tags={"i", "b", "span"}, attributes={}))


def _plainly(item: dict) -> str:
    names = ", ".join(display_name(name) for name in creators_of(item))
    year = item.get("issued", {}).get("date-parts", [[""]])[0][0]
    where = item.get("DOI") and f"https://doi.org/{item['DOI']}" or item.get("URL", "")
    return ". ".join(
        str(part) for part in (names, year, item.get("title"), item.get("container-title"), where) if part
    )


def citations(resource: Resource) -> list[dict]:
    """The citation in each style: {key, name, html, text}. Kept in the cache until the record changes."""
    name = f"cite:{resource.pk}:{resource.updated_at.timestamp()}"
    found = site_cache.get(name)
    if found is None:
        item = item_of(resource)
        found = []
        for key, (label, _file) in STYLES.items():
            text = format_item(item, key)
            plain = html.unescape(nh3.clean(text, tags=set()))
            found.append({"key": key, "name": label, "html": str(text), "text": plain})
        site_cache.set(name, found, CACHE_SECONDS)
    return [{**one, "html": mark_safe(one["html"])} for one in found]


# --- reference managers ----------------------------------------------------------------------------------------------
BIBTEX_TYPES = {
    "article-journal": "article",
    "article-magazine": "article",
    "article-newspaper": "article",
    "book": "book",
    "chapter": "incollection",
    "paper-conference": "inproceedings",
    "report": "techreport",
    "thesis": "phdthesis",
}
RIS_TYPES = {
    "article-journal": "JOUR",
    "article-magazine": "MGZN",
    "article-newspaper": "NEWS",
    "book": "BOOK",
    "chapter": "CHAP",
    "dataset": "DATA",
    "motion_picture": "VIDEO",
    "paper-conference": "CPAPER",
    "post-weblog": "BLOG",
    "report": "RPRT",
    "thesis": "THES",
    "webpage": "ELEC",
}
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        **{char: rf"\{char}" for char in "&%$#_"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
)


def cite_key(resource: Resource) -> str:
    """kislov2017-12: readable, and unique for ever by the record's number."""
    names = creators_of(resource.csl)
    first = (names[0].get("family") or names[0]["literal"]) if names else resource.title
    word = re.sub(r"[^a-z]", "", re.split(r"\s", first.lower())[0].encode("ascii", "ignore").decode())
    return f"{word or 'kmnet'}{resource.year or ''}-{resource.pk}"


def _bibtex_name(name: dict) -> str:
    text = sorted_name(name).translate(_LATEX)
    return f"{{{text}}}" if "literal" in name else text


def to_bibtex(resource: Resource) -> str:
    item = item_of(resource)
    kind = item["type"]
    entry = BIBTEX_TYPES.get(kind, "misc")
    container = {"article": "journal", "incollection": "booktitle", "inproceedings": "booktitle"}.get(
        entry, "publisher"
    )
    fields = {
        "title": f"{{{item['title'].translate(_LATEX)}}}",
        "author": " and ".join(_bibtex_name(name) for name in item.get("author", [])),
        "editor": " and ".join(_bibtex_name(name) for name in item.get("editor", [])),
        "year": str(resource.year or ""),
        container: item.get("container-title", "").translate(_LATEX),
        "institution" if entry == "techreport" else "publisher": item.get("publisher", "").translate(_LATEX)
        or (item.get("container-title", "").translate(_LATEX) if container == "publisher" else ""),
        "series": item.get("collection-title", "").translate(_LATEX),
        "volume": item.get("volume", "").translate(_LATEX),
        "number": (item.get("issue") or item.get("number", "")).translate(_LATEX),
        "pages": item.get("page", "").replace("-", "--").translate(_LATEX),
        "doi": item.get("DOI", ""),
        "url": item.get("URL", ""),
        "isbn": item.get("ISBN", ""),
        "language": resource.language,
        "keywords": ", ".join(tag.name.translate(_LATEX) for tag in resource.tags.all()),
        "type": {"post-weblog": "blog post"}.get(kind, ""),
        "abstract": " ".join(resource.description.split()).translate(_LATEX),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return f"@{entry}{{{cite_key(resource)},\n" + "\n".join(lines) + "\n}\n"


def to_ris(resource: Resource) -> str:
    item = item_of(resource)
    first, _dash, last = item.get("page", "").partition("-")
    lines = [("TY", RIS_TYPES.get(item["type"], "GEN")), ("TI", item["title"])]
    lines += [("AU", sorted_name(name)) for name in item.get("author", [])]
    lines += [("ED", sorted_name(name)) for name in item.get("editor", [])]
    lines += [
        ("PY", str(resource.year or "")),
        ("T2", item.get("container-title", "")),
        ("T3", item.get("collection-title", "")),
        ("PB", item.get("publisher", "")),
        ("VL", item.get("volume", "")),
        ("IS", item.get("issue") or item.get("number", "")),
        ("SP", first),
        ("EP", last),
        ("DO", item.get("DOI", "")),
        ("UR", item.get("URL", "")),
        ("SN", item.get("ISSN") or item.get("ISBN", "")),
        ("LA", resource.language),
        ("AB", " ".join(resource.description.split())),
    ]
    lines += [("KW", tag.name) for tag in resource.tags.all()]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in lines if value) + "ER  - \r\n"


def to_csl_json(resource: Resource) -> str:
    item = {"id": cite_key(resource), **item_of(resource)}
    if resource.tags.all():
        item["keyword"] = ", ".join(tag.name for tag in resource.tags.all())
    return json.dumps([item], ensure_ascii=False, indent=2) + "\n"


EXPORTS = {  # extension: (label, content type, writer)
    "bib": ("BibTeX", "application/x-bibtex; charset=utf-8", to_bibtex),
    "ris": ("RIS", "application/x-research-info-systems; charset=utf-8", to_ris),
    "json": ("CSL-JSON", "application/vnd.citationstyles.csl+json; charset=utf-8", to_csl_json),
}


def highwire(resource: Resource) -> list[tuple[str, str]]:
    """Meta tags by which Zotero and Scholar take a page; for public records only.

    citation_pdf_url only where one PDF is the whole of it, and a guest may read it.
    """
    if not resource.is_public:
        return []
    item = item_of(resource)
    first, _dash, last = item.get("page", "").partition("-")
    report = item["type"] == "report"
    tags = [("citation_title", item["title"])]
    tags += [("citation_author", sorted_name(name)) for name in creators_of(item)]
    tags += [
        ("citation_publication_date", str(resource.year or "")),
        (
            "citation_journal_title",
            item.get("container-title", "") if item["type"].startswith("article") else "",
        ),
        (
            "citation_technical_report_institution" if report else "citation_publisher",
            item.get("publisher", ""),
        ),
        ("citation_volume", item.get("volume", "")),
        ("citation_issue", item.get("issue", "")),
        ("citation_firstpage", first),
        ("citation_lastpage", last),
        ("citation_doi", item.get("DOI", "")),
        ("citation_language", resource.language),
        ("citation_abstract_html_url", settings.SITE_URL + resource.get_absolute_url()),
    ]
    files = list(resource.files.all())
    if len(files) == 1 and files[0].content_type == "application/pdf":
        tags.append(("citation_pdf_url", settings.SITE_URL + files[0].get_absolute_url()))
    return [(name, value) for name, value in tags if value]
