"""A record as a formatted citation, and in the formats of reference managers."""

import hashlib
import html
import json
import logging
import re
import warnings
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path

import nh3
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from django.conf import settings
from django.core.cache import cache as site_cache
from django.db import transaction
from django.utils.safestring import SafeString, mark_safe

from kmnet.core.text import fold

from .csl import creators_of, display_name, year_of
from .formats import FORMATS, tags_text
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


_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
# 2020Mar14, where it is no part of a link
_RUN_TOGETHER = re.compile(rf"(?<=\s)(\d{{4}})({_MONTHS})(\d{{0,2}})(?=[;.:\s]|$)")
_TITLE_TWICE = re.compile(
    r"^((?:<i>)?(?P<title>.{2,}?)(?:</i>)?[.?!]? \([^()]*\)\.?) (?:<i>)?(?P=title)(?:</i>)?[.?!]?(?= |$)"
)


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
    text = _RUN_TOGETHER.sub(lambda date: " ".join(part for part in date.groups() if part), text)
    if not creators_of(item):  # its title stands in the place of a name, and need not stand there again
        text = _TITLE_TWICE.sub(r"\1", text)
    return mark_safe(nh3.clean(text, tags={"i", "b", "span"}, attributes={}))


def _plainly(item: dict) -> str:
    names = ", ".join(display_name(name) for name in creators_of(item))
    year = item.get("issued", {}).get("date-parts", [[""]])[0][0]
    where = item.get("DOI") and f"https://doi.org/{item['DOI']}" or item.get("URL", "")
    return ". ".join(
        str(part) for part in (names, year, item.get("title"), item.get("container-title"), where) if part
    )


def _cache_name(pk: int) -> str:
    return f"cite:{pk}"


def forget_citation(pk: int) -> None:
    """What was cited of a record goes with the running transaction: its words may have to."""
    transaction.on_commit(partial(site_cache.delete, _cache_name(pk)), robust=True)


def citations(resource: Resource, kept: dict | None = None) -> list[dict]:
    """The citation in each style: {key, name, html, text}. Kept in the cache, one entry a record, for as long as the
    record says the same. kept: that entry, where it was read already."""
    item, name = item_of(resource), _cache_name(resource.pk)
    of = hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()
    kept = kept or site_cache.get(name) or {}
    found = kept["found"] if kept.get("of") == of else None
    if found is None:
        found = []
        for key, (label, _file) in STYLES.items():
            text = format_item(item, key)
            found.append({"key": key, "name": label, "html": str(text), "text": _words_of(text)})
        site_cache.set(name, {"of": of, "found": found}, CACHE_SECONDS)
    return [{**one, "html": mark_safe(one["html"])} for one in found]


def _words_of(text: str) -> str:
    return html.unescape(nh3.clean(text, tags=set()))


def bibliography(resources: Iterable[Resource], style: str) -> list[dict]:
    """Records as a list of references: [{"resource", "html", "text"}], in the order of the style.

    Vancouver counts in the order that is given; the others go by the first name and the year, and tell those of one year by
    the same people apart (2017a, 2017b). Setting one costs some milliseconds, so a page has a bound; what was set before
    comes from the cache.
    """
    place = list(STYLES).index(style)
    resources = list(resources)
    known = site_cache.get_many([_cache_name(resource.pk) for resource in resources])
    found = []
    for resource in resources:
        one = citations(resource, known.get(_cache_name(resource.pk)))[place]
        found.append({"resource": resource, "html": one["html"], "text": one["text"]})
    if style != "vancouver":
        found.sort(key=lambda one: (fold(one["text"]), one["resource"].pk))
        _tell_apart(found, style)
    return found


def _tell_apart(found: list[dict], style: str) -> None:
    """Letters behind the years of references that a text would cite alike, in the order of the list. citeproc-py sets such
    a letter where an item has one, and leaves it to us which that is."""
    alike: dict[tuple, list[dict]] = {}
    for one in found:
        alike.setdefault(_cited_as(one["resource"].csl), []).append(one)
    for group in alike.values():
        for place, one in enumerate(group if len(group) > 1 else ()):
            item = {**item_of(one["resource"]), "year-suffix": _letters(place)}
            one["html"] = format_item(item, style)
            one["text"] = _words_of(one["html"])


def _cited_as(item: dict) -> tuple:
    """Whom and which year a text names: families and initials, or the title where nobody is named."""
    names = [
        (
            fold(display_name({**name, "given": ""})),
            "".join(part[:1] for part in fold(name.get("given", "").replace(".", " ")).split()),
        )
        for name in creators_of(item)
    ]
    return (*(names or [fold(item.get("title", ""))]), year_of(item))


def _letters(place: int) -> str:
    """a, b, ... z, aa, ab"""
    before, last = divmod(place, 26)
    return (_letters(before - 1) if before else "") + chr(ord("a") + last)


# --- reference managers ----------------------------------------------------------------------------------------------
def cite_key(resource: Resource) -> str:
    """kislov2017-12: readable, and unique for ever by the record's number."""
    names = creators_of(resource.csl)
    first = (names[0].get("family") or names[0]["literal"]) if names else resource.title
    word = re.sub(r"[^a-z]", "", fold(first).split()[0] if fold(first) else "")
    return f"{word or 'kmnet'}{resource.year or ''}-{resource.pk}"


def export_item(resource: Resource) -> dict:
    """The record as an item for `formats`, with what this library knows beside it.

    Reads tags and terms (with their facets): prefetch them in lists. A description is given without its Markdown's
    HTML, as it was typed.
    """
    item = {"id": cite_key(resource), **item_of(resource)}
    tags = [tag.name for tag in resource.tags.all()]
    kinds = [term.name for term in resource.terms.all() if term.facet.key == "type"]
    custom = {
        "licence": resource.licence if resource.licence != "unknown" else "",
        "kind": kinds[0] if kinds else "",
        "minutes": resource.minutes,
    }
    beside = {
        "language": resource.language if resource.language != "und" else "",
        "abstract": resource.description,
        "keyword": tags_text(tags),
        "custom": {name: value for name, value in custom.items() if value},
    }
    return item | {name: value for name, value in beside.items() if value}


def _writer(form: str):
    return lambda resource: FORMATS[form].module.write([export_item(resource)])


EXPORTS = {key: (form.label, form.content_type, _writer(key)) for key, form in FORMATS.items()}
