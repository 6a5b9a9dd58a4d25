"""What in the library may be the same thing: told before saving, never a reason to refuse."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from .csl import creators_of, display_name, year_of
from .identifiers import isbn_of, normalise_doi, title_key, url_key
from .models import Resource, ResourceFile, audience_rule

SIMILAR = 0.85
LIMIT = 5


@dataclass(frozen=True)
class Likeness:
    resource: Resource
    reason: str


def find_duplicates(
    *, viewer, item: dict, hashes: Iterable[str] = (), besides: int | None = None
) -> list[Likeness]:
    """Records that this member may see and that share DOI, ISBN, link, a file or nearly the title; surest first."""
    shown = audience_rule(viewer) & Q(state=Resource.State.VISIBLE, published_at__isnull=False)
    if viewer.is_authenticated:  # what one has added, and a moderator has not looked at yet
        shown |= Q(keeper=viewer, state=Resource.State.HELD)
    seen = Resource.objects.filter(shown).exclude(pk=besides).defer("search", "description_html")
    found: dict[int, Likeness] = {}

    def add(resources, reason: str) -> None:
        for resource in resources[:LIMIT]:
            found.setdefault(resource.pk, Likeness(resource, reason))

    doi = normalise_doi(item.get("DOI", ""))
    if doi:
        held = seen.exclude(doi="").exclude(state=Resource.State.HIDDEN)  # as the index is made
        add(held.alias(low=Lower("doi")).filter(low=doi.lower()).order_by("pk"), _("has the same DOI"))
    isbn = isbn_of(item)
    if isbn:
        add(seen.filter(isbn=isbn).order_by("pk"), _("has the same ISBN"))
    key = url_key(item.get("URL", ""))
    if key:
        add(seen.filter(url_key=key).order_by("pk"), _("leads to the same address"))
    hashes = [value for value in hashes if value]
    if hashes:
        same = ResourceFile.objects.open_to_readers().filter(sha256__in=hashes, resource__isnull=False)
        add(seen.filter(pk__in=same.values("resource")).order_by("pk"), _("holds the same file"))
    title = title_key(item.get("title", ""))
    if title:
        alike = (
            seen.filter(title_key__trigram_similar=title)  # by the index; the stricter limit then chooses
            .annotate(likeness=TrigramSimilarity("title_key", title))
            .filter(likeness__gt=SIMILAR)
            .order_by("-likeness", "pk")[: LIMIT * 4]
        )
        add(
            [resource for resource in alike if not _differ(item, resource.csl)],
            _("has nearly the same title"),
        )
    return list(found.values())[:LIMIT]


@dataclass(frozen=True)
class Marks:
    """By what two things of one title are told apart; worked out once, where many are compared."""

    doi: str
    year: int | None
    names: set[tuple[str, str]]

    def veto(self, other: "Marks") -> bool:
        """Zotero's vetoes: two DOIs that differ, years more than one apart, or no creator in common."""
        if self.doi and other.doi and self.doi != other.doi:
            return True
        if self.year and other.year and abs(self.year - other.year) > 1:
            return True
        return bool(self.names and other.names) and not any(
            one[0] == two[0] and (one[1] == two[1] or "" in (one[1], two[1]))
            for one in self.names
            for two in other.names
        )


def marks_of(item: dict) -> Marks:
    return Marks(normalise_doi(item.get("DOI", "")).lower(), year_of(item), _short_names(item))


def _differ(one: dict, other: dict) -> bool:
    return marks_of(one).veto(marks_of(other))


def _short_names(item: dict) -> set[tuple[str, str]]:
    """Last name and first initial of each creator, "" where it is not stated; a body by its whole name."""
    found = set()
    for name in creators_of(item):
        family = title_key(name.get("family") or display_name(name))
        found.add((family, title_key(name.get("given", ""))[:1]))
    return found
