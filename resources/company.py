"""What stands around a record on its page: what was made from it, its versions and links, and what people tell of it."""

from dataclasses import dataclass, field
from functools import cached_property

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value, Window
from django.db.models.functions import JSONObject
from django.utils.translation import gettext_lazy as _
from taggit.models import Tag

from kmnet.core.keyset import Page, paginate
from kmnet.core.models import Facet, Term

from .models import Derivative, Relation, Resource, ResourceVersion, SavedResource, Story, UsedMark

Kind, Checked = Derivative.Kind, Derivative.Checked
ICONS = {
    Kind.PLAIN: "talk",
    Kind.EASY: "people",
    Kind.INFOGRAPHIC: "image",
    Kind.AUDIO: "captions",
    Kind.VIDEO: "video",
    Kind.TRANSLATION: "globe",
    Kind.SLIDES: "image",
}
_BEST_FIRST = {Checked.LAY: 0, Checked.PROFESSIONAL: 1, Checked.NOBODY: 2}
_KIND_PLACE = {kind: place for place, kind in enumerate(Kind)}
# Read from the other record.
INVERSE = {
    Relation.Kind.NEWER: _("has a newer version"),
    Relation.Kind.PART: _("has the part"),
    Relation.Kind.SUPPLEMENT: _("is supplemented by"),
    Relation.Kind.RESPONSE: _("has the response"),
    Relation.Kind.RELATED: Relation.Kind.RELATED.label,
}
CARD = ("id", "title", "slug", "language", "year", "csl", "minutes", "state")
SHOWN, ON_PAGE = 4, 20


# --- versions for those who need it differently ----------------------------------------------------------------------
@dataclass
class Family:
    """A record with all that was made from it, as far as this reader meets them; the same from each of their pages."""

    resource: Resource
    parent: Resource
    ties: list[Derivative] = field(default_factory=list)

    @property
    def own(self) -> Derivative | None:
        """How this record was made from the other, if it was."""
        return next((tie for tie in self.ties if tie.child_id == self.resource.pk), None)

    @cached_property
    def in_plain_words(self) -> Derivative | None:
        """The plain-language version whose text stands on the page: of the same language, best checked first."""
        if self.parent.pk != self.resource.pk:
            return None
        written = [tie for tie in self.ties if tie.kind == Kind.PLAIN and tie.child.description_html]
        written.sort(
            key=lambda tie: (tie.child.language != self.parent.language, _BEST_FIRST[tie.checked], tie.pk)
        )
        return written[0] if written else None


def family_of(resource: Resource, viewer) -> Family:
    """One query."""
    met = Resource.objects.visible_to(viewer).order_by().values("pk")
    up = Derivative.objects.filter(child=resource).values("parent")
    ties = (
        Derivative.objects.filter(Q(parent=resource) | Q(parent__in=up))
        # The record itself is open to this reader, also where they do not meet it in lists.
        .filter(Q(parent__in=met) | Q(parent=resource), Q(child__in=met) | Q(child=resource))
        .select_related("parent", "child")
        .defer(
            *(f"{one}__{name}" for one in ("parent", "child") for name in ("search", "csl", "description"))
        )
    )
    ties = sorted(ties, key=lambda tie: (_KIND_PLACE[tie.kind], _BEST_FIRST[tie.checked], tie.pk))
    parent = ties[0].parent if ties and ties[0].parent_id != resource.pk else resource
    for tie in ties:
        tie.icon = ICONS[tie.kind]
    return Family(resource, parent, ties)


# --- versions of the record ------------------------------------------------------------------------------------------
def versions_of(resource: Resource) -> list[ResourceVersion]:
    """Newest first; nothing, and no query, where there was only one."""
    if resource.version == 1:
        return []
    return list(resource.versions.order_by("-number"))


# --- links -----------------------------------------------------------------------------------------------------------
@dataclass
class Link:
    """A link as it reads from one of its two ends."""

    relation: Relation
    other: Resource
    words: str


@dataclass
class Links:
    """What a record is linked with, as far as this reader meets it."""

    all: list[Link] = field(default_factory=list)

    @property
    def newer(self) -> list[Link]:
        """Records that are newer versions of this one."""
        return [
            link
            for link in self.all
            if link.relation.kind == Relation.Kind.NEWER and link.relation.resource_id == link.other.pk
        ]

    @property
    def going_well(self) -> list[Resource]:
        return [link.other for link in self.all if link.relation.kind == Relation.Kind.RELATED]

    @property
    def typed(self) -> list[Link]:
        """All but "goes well with", which has a place of its own."""
        return [link for link in self.all if link.relation.kind != Relation.Kind.RELATED]


def links_of(resource: Resource, viewer) -> Links:
    """One query."""
    met = Resource.objects.visible_to(viewer).order_by().values("pk")
    rows = (
        Relation.objects.filter(Q(resource=resource, other__in=met) | Q(other=resource, resource__in=met))
        .select_related("resource", "other")
        .only("kind", *(f"{one}__{name}" for one in ("resource", "other") for name in CARD))
        .order_by("pk")
    )
    found = []
    for row in rows:
        own = row.resource_id == resource.pk
        words = Relation.Kind(row.kind).label if own else INVERSE[row.kind]
        found.append(Link(row, row.other if own else row.resource, words))
    return Links(found)


# --- stories ---------------------------------------------------------------------------------------------------------
def _stories(resource: Resource, viewer):
    unwanted = getattr(viewer, "unwanted", ())
    told = resource.stories.shown().select_related("author__profile").defer("search")
    return told.exclude(author__in=unwanted) if unwanted else told


def first_stories(resource: Resource, viewer) -> tuple[list[Story], int]:
    """The newest, and how many there are; one query. For whoever may open the record."""
    told = _stories(resource, viewer).annotate(total=Window(Count("pk")))
    rows = list(told.order_by("-created_at", "-pk")[:SHOWN])
    return rows, rows[0].total if rows else 0


def page_of_stories(resource: Resource, viewer, params) -> Page:
    """All of them, or with ?show=did-not-work those that did not work; one query."""
    told = _stories(resource, viewer)
    if params.get("show") == "did-not-work":
        told = told.filter(did_not_work=True)
    return paginate(told, params, order=["-created_at", "-pk"], size=ON_PAGE)


# --- the record itself -----------------------------------------------------------------------------------------------
def with_page(rows: QuerySet, reader) -> QuerySet:
    """Records with what their own page shows of them alone, in the one query: terms and tags as JSON (see `prepare`), and
    whether this reader saved it or said that they use it."""
    terms = Term.objects.filter(resource_terms__resource=OuterRef("pk"))
    terms = terms.order_by("facet__position", "position", "pk").values(
        made=JSONObject(
            id="id", name="name", slug="slug", facet_id="facet_id", key="facet__key", label="facet__label"
        )
    )
    tags = Tag.objects.filter(tagged_resources__content_object=OuterRef("pk"))
    tags = tags.order_by("name").values(made=JSONObject(id="id", name="name", slug="slug"))
    rows = rows.annotate(term_rows=ArraySubquery(terms), tag_rows=ArraySubquery(tags))
    if not reader.is_authenticated:
        return rows.annotate(is_saved=Value(False), is_used=Value(False))
    here = {"member": reader, "resource": OuterRef("pk")}
    return rows.annotate(
        is_saved=Exists(SavedResource.objects.filter(**here)),
        is_used=Exists(UsedMark.objects.filter(**here)),
    )


def prepare(resource: Resource) -> None:
    """Terms and tags of a record from `with_page` as if they had been prefetched."""
    terms = []
    for row in resource.term_rows:
        facet = Facet(pk=row.pop("facet_id"), key=row.pop("key"), label=row.pop("label"))
        terms.append(Term(facet=facet, **row))
    tags = [Tag(**row) for row in resource.tag_rows]
    resource._prefetched_objects_cache = {"terms": terms, "tags": tags}


def own_stories(stories: list[Story], reader) -> set[int]:
    """Which of these are the reader's own, with their name or without it. One query at most."""
    if not reader.is_authenticated:
        return set()
    named = {story.pk for story in stories if story.author_id == reader.pk}
    unnamed = [story.pk for story in stories if story.author_id is None]
    if not unnamed:
        return named
    masked = Story.objects.filter(pk__in=unnamed, mask__author=reader)
    return named | set(masked.values_list("pk", flat=True))
