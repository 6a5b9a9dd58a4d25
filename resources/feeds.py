"""What is new in the library, as Atom: public records only, whoever asks."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from lxml import etree

from kmnet.core.xml import xml_text

from .citing import item_of
from .csl import creators_of, display_name
from .describing import address_of
from .models import Resource

ATOM = "http://www.w3.org/2005/Atom"
MOST_ENTRIES = 50


def iri(resource: Resource) -> str:
    """What the entry is called for ever, also when its title, and so its address, changes."""
    return f"{settings.SITE_URL}{reverse('resources:index')}{resource.pk}"


def atom(*, title: str, own: str, page: str, resources: Iterable[Resource], changed: datetime) -> bytes:
    """The feed at the address `own` of what the page at `page` lists. Reads tags: prefetch them."""
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    _add(feed, "id", own)
    _add(feed, "title", title)
    _add(feed, "updated", _moment(changed))
    etree.SubElement(feed, f"{{{ATOM}}}link", rel="self", href=own, type="application/atom+xml")
    etree.SubElement(feed, f"{{{ATOM}}}link", rel="alternate", href=page, type="text/html")
    author = etree.SubElement(feed, f"{{{ATOM}}}author")
    _add(author, "name", _("kmnet library"))
    for resource in resources:
        _entry(feed, resource)
    return etree.tostring(feed, xml_declaration=True, encoding="utf-8")


def _entry(feed, resource: Resource) -> None:
    entry = etree.SubElement(feed, f"{{{ATOM}}}entry")
    if resource.language != "und":
        entry.set("{http://www.w3.org/XML/1998/namespace}lang", resource.language)
    _add(entry, "id", iri(resource))
    _add(entry, "title", resource.title)
    _add(entry, "published", _moment(resource.published_at))
    _add(entry, "updated", _moment(max(resource.published_at, resource.updated_at)))
    for name in creators_of(item_of(resource)):
        _add(etree.SubElement(entry, f"{{{ATOM}}}author"), "name", display_name(name))
    etree.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", href=address_of(resource), type="text/html")
    for address in filter(None, (resource.doi_url, resource.url)):
        etree.SubElement(entry, f"{{{ATOM}}}link", rel="related", href=xml_text(address))
    if resource.licence_info.url:
        etree.SubElement(entry, f"{{{ATOM}}}link", rel="license", href=resource.licence_info.url)
    for tag in resource.tags.all():
        etree.SubElement(entry, f"{{{ATOM}}}category", term=xml_text(tag.name))
    if resource.summary:
        _add(entry, "summary", resource.summary)


def _add(parent, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{ATOM}}}{name}").text = xml_text(text)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
