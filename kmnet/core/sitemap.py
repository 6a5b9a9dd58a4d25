"""The map of the site for search engines: what a guest may open, from whoever registers it.

One index names the parts; a part holds what one app has between two numbers, so that it costs the same wherever it
lies, and is asked for by the very rule by which guests see things. Nothing is kept: what is hidden is gone from it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Max, QuerySet
from django.urls import reverse
from lxml import etree

from .xml import xml_text

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
PER_PART = 5_000  # numbers, not things: those that are gone or private leave gaps


@dataclass(frozen=True)
class Mapped:
    """key: in the address of its parts. rows(): what guests may open, with all that its address needs. changed: the
    column that says when the page last changed; "" where none does."""

    key: str
    rows: Callable[[], QuerySet]
    changed: str = ""


_registered: dict[str, Mapped] = {}


def register(mapped: Mapped) -> None:
    _registered[mapped.key] = mapped


def get(key: str) -> Mapped | None:
    return _registered.get(key)


def index() -> bytes:
    """The addresses of all parts."""
    root = etree.Element(f"{{{NAMESPACE}}}sitemapindex", nsmap={None: NAMESPACE})
    for mapped in sorted(_registered.values(), key=lambda one: one.key):
        highest = mapped.rows().aggregate(highest=Max("pk"))["highest"] or 0
        for number in range(1, highest // PER_PART + 2):
            _place(root, "sitemap", reverse("sitemap_part", args=[mapped.key, number]))
    return _written(root)


def part(mapped: Mapped, number: int) -> bytes:
    """The addresses of one part; an empty one where nothing in it is for guests."""
    root = etree.Element(f"{{{NAMESPACE}}}urlset", nsmap={None: NAMESPACE})
    first = (number - 1) * PER_PART
    for row in mapped.rows().filter(pk__gte=first, pk__lt=first + PER_PART).order_by("pk"):
        place = _place(root, "url", row.get_absolute_url())
        at = getattr(row, mapped.changed) if mapped.changed else None
        if at:
            etree.SubElement(place, f"{{{NAMESPACE}}}lastmod").text = at.isoformat(timespec="seconds")
    return _written(root)


def _place(root, name: str, path: str):
    place = etree.SubElement(root, f"{{{NAMESPACE}}}{name}")
    etree.SubElement(place, f"{{{NAMESPACE}}}loc").text = xml_text(settings.SITE_URL + path)
    return place


def _written(root) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
