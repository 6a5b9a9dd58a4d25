"""What a web page says of itself, for reference managers and others: read from its bytes, without asking anybody.

In the order in which it is believed: Highwire's tags (citation_title ...), JSON-LD, Dublin Core, Open Graph, and what
every page has. Nothing of the page's words is taken over: no abstract, no description.
"""

import codecs
import json
import re
from urllib.parse import unquote, urlsplit

from lxml import etree, html

from .csl import clean_date, clean_item, parse_name, without_markup
from .formats.rows import licence_in
from .identifiers import normalise_doi
from .known import Known, language_in

MAX_NODES = 60  # of a page's JSON-LD, and of one kind of tag
ARTICLES = {  # schema.org's words for what a page is about
    "scholarlyarticle": "article-journal",
    "medicalscholarlyarticle": "article-journal",
    "report": "report",
    "techarticle": "article",
    "newsarticle": "article-newspaper",
    "blogposting": "post-weblog",
    "article": "webpage",
    "book": "book",
    "chapter": "chapter",
    "dataset": "dataset",
    "videoobject": "motion_picture",
    "thesis": "thesis",
    "webpage": "webpage",
    "creativework": "document",
    "course": "document",
    "learningresource": "document",
}
_TAIL = re.compile(
    r"(/(full|pdf|epdf|abstract|fulltext|meta|summary|html|references))+/?$|\.(pdf|html?|full)$", re.I
)


def doi_in_address(url: str) -> str:
    """The DOI that an address carries, as publishers' often do (journals.sagepub.com/doi/full/10.1177/...); "" for none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    path = unquote(parts.path)
    is_resolver = (parts.hostname or "").removeprefix("www.").removeprefix("dx.") == "doi.org"
    found = normalise_doi(path if path.find("/10.") >= 0 else "")
    return found if is_resolver or not found else _TAIL.sub("", found)


def facts_of(body: bytes, *, url: str, charset: str = "") -> Known:
    """What the page at `url` states about what it is; an empty item where it states nothing that can be read."""
    page = _parse(body, charset)
    if page is None:
        return Known()
    meta = _meta(page)
    linked = _json_ld(page)
    item = clean_item(_item(page, meta, linked), foreign=True)
    if not item.get("title"):
        return Known()
    doi = _doi(page, meta, linked, url)
    if doi:
        item["DOI"] = doi
    stated = [*meta.get("dc.rights", []), *meta.get("dcterms.license", []), *meta.get("citation_license", [])]
    stated += [node.get("license") for node in linked]
    stated += [
        link.get("href", "")
        for link in page.iter("a", "link")
        if "license" in (link.get("rel") or "").split()
    ]
    licences = (licence_in(one) for one in stated if isinstance(one, str))
    item.pop("language", None)
    return Known(
        item,
        licence=next((key for key in licences if key), ""),
        language=language_in(_first(meta, "citation_language", "dc.language", "og:locale"))
        or language_in(page.get("lang") or ""),
    )


def _parse(body: bytes, charset: str):
    body = body.replace(b"\0", b"")
    try:
        parser = html.HTMLParser(
            encoding=_encoding(body, charset), no_network=True, huge_tree=False, remove_comments=True
        )
        return html.document_fromstring(body, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, LookupError, ValueError, AssertionError):
        return None


def _encoding(body: bytes, charset: str) -> str | None:
    """What the server says; else what the page says (None: the parser reads it there); else UTF-8, where it is that."""
    try:
        return codecs.lookup(charset).name if charset else _silent_encoding(body)
    except LookupError:
        return _silent_encoding(body)


def _silent_encoding(body: bytes) -> str | None:
    if _says_charset(body):
        return None
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _says_charset(body: bytes) -> bool:
    return (
        b"charset" in body[:4096].lower()
        or body[:3] == b"\xef\xbb\xbf"
        or body[:2] in (b"\xff\xfe", b"\xfe\xff")
    )


def _meta(page) -> dict[str, list[str]]:
    """All <meta> by their names in lower case, each a list in the order of the page."""
    found: dict[str, list[str]] = {}
    for tag in page.iter("meta"):
        name = (tag.get("name") or tag.get("property") or tag.get("itemprop") or "").strip().casefold()
        content = (tag.get("content") or "").strip()
        if name and content and len(found.setdefault(name, [])) < 300:
            found[name].append(content[:2000])
    return found


def _first(meta: dict[str, list[str]], *names: str) -> str:
    return next((meta[name][0] for name in names if meta.get(name)), "")


def _json_ld(page) -> list[dict]:
    """The nodes of the page's JSON-LD that are about a work, the most telling first."""
    nodes: list[dict] = []
    for script in page.xpath('//script[@type="application/ld+json"]')[:10]:
        try:
            data = json.loads((script.text or "").replace("\\u0000", ""))
        except (ValueError, RecursionError):
            continue
        waiting = [data]
        while waiting and len(nodes) < MAX_NODES:
            one = waiting.pop(0)
            if isinstance(one, list):
                waiting += one[:MAX_NODES]
            elif isinstance(one, dict):
                nodes.append(one)
                waiting += [one[key] for key in ("@graph", "mainEntity", "mainEntityOfPage") if key in one]
    works = [node for node in nodes if _work_type(node)]
    order = list(ARTICLES)
    return sorted(works, key=lambda node: order.index(_work_type(node)))


def _work_type(node: dict) -> str:
    stated = node.get("@type")
    for one in stated if isinstance(stated, list) else [stated]:
        if isinstance(one, str) and one.casefold() in ARTICLES:
            return one.casefold()
    return ""


def _text(value) -> str:
    """A word of JSON-LD: itself, its name, or that of the first of several."""
    for _depth in range(4):
        if isinstance(value, list):
            value = value[0] if value else ""
        elif isinstance(value, dict):
            value = value.get("name") or value.get("@value") or ""
        else:
            break
    return value if isinstance(value, str) else ""


def _people(value) -> list[dict]:
    found = []
    for one in (value if isinstance(value, list) else [value])[:300]:
        if isinstance(one, dict):
            if isinstance(one.get("familyName"), str) and one["familyName"].strip():
                found.append({"family": one["familyName"], "given": one.get("givenName")})
                continue
            one = _text(one)
        if isinstance(one, str) and one.strip() and "://" not in one:
            found.append(parse_name(one))
    return found


def _item(page, meta: dict[str, list[str]], linked: list[dict]) -> dict:
    node = linked[0] if linked else {}
    heading = page.find(".//title")
    title = (
        _first(meta, "citation_title")
        or _text(node.get("headline"))
        or _text(node.get("name"))
        or _first(meta, "dc.title", "dcterms.title", "og:title", "twitter:title")
        or _without_site(heading.text_content() if heading is not None else "", _first(meta, "og:site_name"))
    )
    authors = meta.get("citation_author") or meta.get("citation_authors")
    if authors and len(authors) == 1 and ";" in authors[0]:
        authors = authors[0].split(";")
    names = [parse_name(name) for name in authors or ()] or _people(
        node.get("author") or node.get("creator") or []
    )
    names = names or [
        parse_name(name) for name in meta.get("dc.creator") or meta.get("dcterms.creator") or ()
    ]
    if not names:
        names = [parse_name(name) for name in meta.get("author", ())[:5] if "://" not in name]
    date = _first(meta, "citation_publication_date", "citation_date", "citation_online_date", "citation_year")
    date = date or _text(node.get("datePublished"))
    date = date or _first(meta, "dc.date", "dcterms.issued", "dcterms.date", "article:published_time", "date")
    journal = _first(meta, "citation_journal_title", "citation_conference_title", "citation_inbook_title")
    site = _first(meta, "og:site_name")
    publisher = _first(meta, "citation_publisher", "citation_technical_report_institution", "dc.publisher")
    publisher = publisher or _text(node.get("publisher")) or site
    kind = ARTICLES.get(_work_type(node), "webpage")
    if _first(meta, "citation_journal_title"):
        kind = "article-journal"
    elif _first(meta, "citation_conference_title"):
        kind = "paper-conference"
    elif _first(meta, "citation_technical_report_institution"):
        kind = "report"
    elif _first(meta, "citation_dissertation_institution"):
        kind = "thesis"
    pages = [
        value for value in (_first(meta, "citation_firstpage"), _first(meta, "citation_lastpage")) if value
    ]
    item = {
        "type": kind,
        "title": without_markup(title),
        "author": [name for name in names if name],
        "issued": clean_date(date.replace("/", "-")),
        "container-title": journal,
        "publisher": "" if journal else publisher,
        "volume": _first(meta, "citation_volume"),
        "issue": _first(meta, "citation_issue"),
        "page": "-".join(pages),
        "ISSN": _first(meta, "citation_issn"),
        "ISBN": _first(meta, "citation_isbn"),
    }
    return {name: value for name, value in item.items() if value}


def _without_site(title: str, site: str) -> str:
    """ "A guide | Our site" is "A guide", where the page says how its site is called."""
    title = " ".join(title.split())
    if site:
        title = re.sub(rf"\s*[|\-–—:·•»]\s*{re.escape(site)}\s*$", "", title, flags=re.I) or title
    return title


def _doi(page, meta: dict[str, list[str]], linked: list[dict], url: str) -> str:
    """The DOI of what the page is about; not one that it merely cites."""
    stated = [_first(meta, "citation_doi", "prism.doi", "dc.identifier.doi", "bepress_citation_doi")]
    stated += meta.get("dc.identifier", [])[:5] + meta.get("dcterms.identifier", [])[:5]
    for node in linked[:1]:
        for key in ("identifier", "sameAs", "@id"):
            values = node.get(key) if isinstance(node.get(key), list) else [node.get(key)]
            for value in values[:5]:
                stated.append((value.get("value") if isinstance(value, dict) else value) or "")
    for link in page.iter("link"):
        if {"canonical", "cite-as"} & set((link.get("rel") or "").casefold().split()):
            stated.append(doi_in_address(link.get("href", "")))
    dois = (normalise_doi(one) for one in stated if isinstance(one, str) and "10." in one)
    return next((doi for doi in dois if doi), "") or doi_in_address(url)


def is_page(content_type: str) -> bool:
    return content_type in ("text/html", "application/xhtml+xml", "")
