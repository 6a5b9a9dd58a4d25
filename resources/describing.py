"""What the page of a public record tells machines: Highwire tags, schema.org, Signposting, Dublin Core.

Whatever asks, it is answered as a guest: of a record that is not public nothing at all is told, and of its files only
those that a guest may open.
"""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from members.models import Member, Profile, SeenBy

from .citing import item_of
from .csl import creators_of, display_name, sorted_name
from .formats import FORMATS
from .models import Resource, ResourceFile
from .permissions import can_open_files

MOST_ITEMS = 10  # links to files in one header, as DSpace has it
SCHEMA_TYPES = {  # by CSL's types
    "article": "ScholarlyArticle",
    "article-journal": "ScholarlyArticle",
    "article-magazine": "Article",
    "article-newspaper": "NewsArticle",
    "book": "Book",
    "chapter": "Chapter",
    "dataset": "Dataset",
    "figure": "ImageObject",
    "graphic": "ImageObject",
    "manuscript": "Manuscript",
    "motion_picture": "VideoObject",
    "paper-conference": "ScholarlyArticle",
    "post": "SocialMediaPosting",
    "post-weblog": "BlogPosting",
    "report": "Report",
    "review": "Review",
    "software": "SoftwareApplication",
    "song": "AudioObject",
    "speech": "PresentationDigitalDocument",
    "thesis": "Thesis",
    "webpage": "WebPage",
}


def address_of(resource: Resource) -> str:
    return settings.SITE_URL + resource.get_absolute_url()


def open_files(resource: Resource) -> list[ResourceFile]:
    """The files of the newest version that a guest may open. Reads the files: prefetch them in lists."""
    if not resource.is_public or not can_open_files(AnonymousUser(), resource):
        return []
    newest = resource.version
    return [file for file in resource.files.all() if file.is_open and file.version >= newest]


def date_of(item: dict, mark: str = "-") -> str:
    """2017, 2017-03 or 2017-03-05."""
    parts = item.get("issued", {}).get("date-parts", [[]])[0]
    return mark.join(f"{part:02d}" for part in parts)


# --- Highwire --------------------------------------------------------------------------------------------------------
def highwire(resource: Resource) -> list[tuple[str, str]]:
    """Meta tags by which Zotero and Scholar take a page; for public records only.

    citation_pdf_url only where one PDF is the whole of it, and a guest may read it.
    """
    if not resource.is_public:
        return []
    item = item_of(resource)
    kind, container, publisher = item["type"], item.get("container-title", ""), item.get("publisher", "")
    first, _dash, last = item.get("page", "").partition("-")
    tags = [("citation_title", item["title"])]
    tags += [("citation_author", sorted_name(name)) for name in item.get("author", ())]
    tags += [("citation_editor", sorted_name(name)) for name in item.get("editor", ())]
    tags += [
        ("citation_publication_date", date_of(item, "/")),
        ("citation_journal_title", container if kind.startswith("article") else ""),
        ("citation_inbook_title", container if kind == "chapter" else ""),
        ("citation_conference_title", container if kind == "paper-conference" else ""),
        ("citation_technical_report_institution", publisher if kind == "report" else ""),
        ("citation_technical_report_number", item.get("number", "") if kind == "report" else ""),
        ("citation_dissertation_institution", publisher if kind == "thesis" else ""),
        ("citation_publisher", publisher if kind not in ("report", "thesis") else ""),
        ("citation_volume", item.get("volume", "")),
        ("citation_issue", item.get("issue", "")),
        ("citation_firstpage", first),
        ("citation_lastpage", last),
        ("citation_doi", item.get("DOI", "")),
        ("citation_isbn", item.get("ISBN", "")),
        ("citation_issn", item.get("ISSN", "")),
        ("citation_language", resource.language if resource.language != "und" else ""),
    ]
    tags += [("citation_keywords", tag.name) for tag in resource.tags.all()]
    tags.append(("citation_abstract_html_url", address_of(resource)))
    pdfs = open_files(resource)
    if len(pdfs) == 1 and pdfs[0].content_type == "application/pdf":
        tags.append(("citation_pdf_url", settings.SITE_URL + pdfs[0].get_absolute_url()))
    return [(name, value) for name, value in tags if value]


# --- schema.org ------------------------------------------------------------------------------------------------------
def schema_type(resource: Resource) -> str:
    return SCHEMA_TYPES.get(resource.csl.get("type", ""), "CreativeWork")


def schema_org(resource: Resource) -> dict | None:
    """The record as JSON-LD; None unless it is public."""
    if not resource.is_public:
        return None
    item = item_of(resource)
    doi = item.get("DOI")
    told = {
        "@context": "https://schema.org",
        "@type": schema_type(resource),
        "@id": address_of(resource),
        "url": address_of(resource),
        "name": item["title"],
        "headline": item["title"][:110],
        "author": [_schema_name(name) for name in creators_of(item)],
        "editor": [_schema_name(name) for name in item.get("editor", ()) if item.get("author")],
        "datePublished": date_of(item),
        "dateModified": resource.updated_at.isoformat(timespec="seconds"),
        "inLanguage": resource.language if resource.language != "und" else "",
        "description": resource.summary,
        "keywords": [tag.name for tag in resource.tags.all()],
        "license": resource.licence_info.url,
        "publisher": {"@type": "Organization", "name": item["publisher"]} if item.get("publisher") else "",
        "isPartOf": _schema_part(item),
        "pagination": item.get("page", ""),
        "isbn": item.get("ISBN", ""),
        "identifier": {"@type": "PropertyValue", "propertyID": "DOI", "value": doi} if doi else "",
        "sameAs": [address for address in (resource.doi_url, resource.url) if address],
        "timeRequired": f"PT{resource.minutes}M" if resource.minutes else "",
        "isAccessibleForFree": True,
        "encoding": [
            {
                "@type": "MediaObject",
                "contentUrl": settings.SITE_URL + file.get_absolute_url(),
                "encodingFormat": file.content_type,
                "contentSize": str(file.size),
            }
            for file in open_files(resource)[:MOST_ITEMS]
        ],
    }
    if not told["encoding"]:  # whether what stands elsewhere is free is not ours to say
        del told["isAccessibleForFree"]
    return {name: value for name, value in told.items() if value}


def _schema_name(name: dict) -> dict:
    if "literal" in name:
        return {"@type": "Organization", "name": name["literal"]}
    person = {"@type": "Person", "name": display_name(name), "familyName": name["family"]}
    return person | ({"givenName": name["given"]} if name.get("given") else {})


def _schema_part(item: dict) -> dict | str:
    if not item.get("container-title"):
        return ""
    kind = {"chapter": "Book", "post-weblog": "Blog"}.get(item["type"], "Periodical")
    kind = kind if item["type"].startswith("article") or kind != "Periodical" else "CreativeWork"
    part = {"@type": kind, "name": item["container-title"], "issn": item.get("ISSN", "")}
    return {name: value for name, value in part.items() if value}


# --- Signposting -----------------------------------------------------------------------------------------------------
def authors_of(resource: Resource, members: Iterable[Member]) -> list[str]:
    """The ORCID addresses of those of these creators who show theirs to everybody. A query, where there are members."""
    with_page = [member.pk for member in members if member.has_page]
    if not with_page or not resource.is_public:
        return []
    shown = Profile.objects.filter(member__in=with_page, orcid_seen_by=SeenBy.PUBLIC).exclude(orcid="")
    return [f"https://orcid.org/{orcid}" for orcid in shown.order_by("orcid").values_list("orcid", flat=True)]


def links(resource: Resource, authors: Iterable[str] = ()) -> list[dict]:
    """The typed links of FAIR Signposting: [{"rel", "href", "type"?}]; [] unless the record is public."""
    if not resource.is_public:
        return []
    found = [{"rel": "author", "href": address} for address in authors]
    found.append({"rel": "cite-as", "href": resource.doi_url or address_of(resource)})
    found += [
        {
            "rel": "describedby",
            "href": settings.SITE_URL + reverse("resources:export", args=[resource.pk, key]),
            "type": form.content_type.partition(";")[0],
        }
        for key, form in FORMATS.items()
    ]
    found += [
        {"rel": "item", "href": settings.SITE_URL + file.get_absolute_url(), "type": file.content_type}
        for file in open_files(resource)[:MOST_ITEMS]
    ]
    if resource.licence_info.url:
        found.append({"rel": "license", "href": resource.licence_info.url})
    found.append({"rel": "type", "href": f"https://schema.org/{schema_type(resource)}"})
    found.append({"rel": "type", "href": "https://schema.org/AboutPage"})
    return found


def link_header(resource: Resource, authors: Iterable[str] = ()) -> str:
    """The same as the value of an HTTP Link header, with the way to the link set; "" unless the record is public."""
    found = links(resource, authors)
    if not found:
        return ""
    own = settings.SITE_URL + reverse("resources:linkset", args=[resource.pk])
    found.append({"rel": "linkset", "href": own, "type": "application/linkset+json"})
    return ", ".join(
        f'<{link["href"]}>; rel="{link["rel"]}"' + (f'; type="{link["type"]}"' if "type" in link else "")
        for link in found
    )


def linkset(resource: Resource, authors: Iterable[str] = ()) -> dict:
    """The same as a link set (RFC 9264)."""
    context: dict = {"anchor": address_of(resource)}
    for link in links(resource, authors):
        target = {name: value for name, value in link.items() if name != "rel"}
        context.setdefault(link["rel"], []).append(target)
    return {"linkset": [context]}


# --- Dublin Core -----------------------------------------------------------------------------------------------------
def dublin_core(resource: Resource) -> Iterable[tuple[str, str]]:
    """The record as simple Dublin Core: (element, value), in the order in which oai_dc is read."""
    item = item_of(resource)
    terms = [term for term in resource.terms.all() if term.facet.key != "type"]
    told = [("title", item["title"])]
    told += [("creator", sorted_name(name)) for name in creators_of(item)]
    told += [("contributor", sorted_name(name)) for name in item.get("editor", ()) if item.get("author")]
    told += [("subject", name) for name in dict.fromkeys([tag.name for tag in resource.tags.all()])]
    told += [("subject", term.name) for term in terms]
    told += [
        ("description", resource.summary),
        ("publisher", item.get("publisher", "")),
        ("date", date_of(item)),
        ("type", str(resource.kind())),
        ("identifier", address_of(resource)),
        ("identifier", resource.doi_url),
        ("identifier", resource.url),
        ("source", item.get("container-title", "")),
        ("language", resource.language if resource.language != "und" else ""),
        (
            "rights",
            resource.licence_info.url
            or (str(resource.licence_info.label) if resource.licence != "unknown" else ""),
        ),
    ]
    told += [("format", kind) for kind in dict.fromkeys(file.content_type for file in open_files(resource))]
    return [(name, value) for name, value in told if value]
