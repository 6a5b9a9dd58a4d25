"""What this app holds about people: their parts of the copy, and what becomes of it when they leave."""

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from kmnet.core.personal_data import Fate, PersonalData, declare, register, rows, tag_names

from .models import (
    Collection,
    CollectionItem,
    Derivative,
    HandOver,
    ImportBatch,
    Relation,
    Resource,
    ResourceCreator,
    ResourceEdit,
    ResourceFile,
    ResourceVersion,
    SavedResource,
    SavedSearch,
    Story,
    Tombstone,
    UsedMark,
)


def titled(found, member, *paths):
    """Rows with `<path>_title`: the title of the record where the member may still open it. What others wrote there since
    it was closed to the member is not the member's to take along."""
    seen = Resource.objects.readable_by(member).order_by().values("pk")
    return found.annotate(
        **{
            f"{path}_title": Case(When(**{f"{path}__in": seen}, then=F(f"{path}__title")), default=Value(""))
            for path in paths
        }
    )


def resources(member):
    found = Resource.objects.filter(added_by=member).order_by("pk")
    return rows(
        found.annotate(named=tag_names("tags")),
        "id", "title", "description", "creators", "year", "language", "doi", "url", "licence", "visibility",
        "published_at", "state", "hidden_reason", "csl",
        made="created_at", changed="updated_at", tags="named",
    )  # fmt: skip


def uploads(member):
    found = ResourceFile.objects.filter(added_by=member).order_by("pk")
    return rows(found, "id", "name", "content_type", "size", resource="resource_id", sent="created_at")


def upload_files(member):
    """All but what the scanner has not passed: that is given to nobody."""
    mine = ResourceFile.objects.filter(added_by=member).open_to_readers()
    for file in mine.order_by("pk").iterator(chunk_size=100):
        yield f"{file.pk}-{file.name}", file.file


register(
    PersonalData(
        "resources", _("What I added to the library"), resources, covers=("resources.Resource",), order=50
    )
)
register(
    PersonalData(
        "uploads", _("Files I uploaded"), uploads, upload_files, covers=("resources.ResourceFile",), order=51
    )
)

declare(
    "resources.Resource",  # a record stays, unsigned, or goes as a whole with its files
    **dict.fromkeys(
        (
            *("title", "slug", "csl", "creators", "description", "description_html", "summary", "url"),
            *("title_key", "fuzzy", "search", "url_key", "doi", "isbn", "import_key"),
        ),
        Fate.STAYS,
    ),
    hidden_reason=Fate.REDACTED,
)
declare(
    "resources.ResourceFile", name=Fate.STAYS, file=Fate.STAYS, content_type=Fate.STAYS, sha256=Fate.STAYS
)
declare("resources.LibraryWord", word=Fate.STAYS)  # single words, of what is in the library
declare("resources.DoiRecord", doi=Fate.STAYS, raw=Fate.STAYS, reason=Fate.STAYS)  # what the agencies publish


# --- what people tell, put together and keep -------------------------------------------------------------------------
def told(member):
    """My stories, also those without my name."""
    found = Story.objects.filter(Q(author=member) | Q(mask__author=member)).order_by("pk")
    return rows(
        titled(found, member, "resource"),
        "place", "people", "changed", "happened", "again", "did_not_work", "state", "hidden_reason",
        "created_at", "edited_at", resource="resource_title", resource_id="resource_id",
    )  # fmt: skip


def gathered(member):
    found = Collection.objects.filter(owner=member).order_by("pk")
    seen = Resource.objects.readable_by(member).order_by().values("pk")
    return rows(
        found.annotate(
            held=ArrayAgg("items__resource__title", filter=Q(items__resource__in=seen), order_by="items__position")
        ),
        "title", "description", "visibility", "state", "hidden_reason", "created_at", "updated_at",
        resources="held", group="group__name",
    )  # fmt: skip


def noted(member):
    """What I put into collections, and the words I wrote on it."""
    found = CollectionItem.objects.filter(added_by=member).order_by("pk")
    found = titled(found, member, "resource")
    return rows(
        found,
        "note",
        "added_at",
        collection="collection_id",
        resource="resource_title",
        resource_id="resource_id",
    )


def saved(member):
    found = titled(SavedResource.objects.filter(member=member).order_by("pk"), member, "resource")
    return rows(found, "created_at", resource="resource_title", resource_id="resource_id")


def used(member):
    found = titled(UsedMark.objects.filter(member=member).order_by("pk"), member, "resource")
    return rows(found, "created_at", resource="resource_title", resource_id="resource_id")


def searches(member):
    found = SavedSearch.objects.filter(member=member).order_by("pk")
    return rows(found, "name", "query", "tells", "seen_until", "created_at")


def asked_to_keep(member):
    """What I was asked to look after."""
    found = titled(HandOver.objects.filter(asked=member).order_by("pk"), member, "resource")
    return rows(
        found, "asked_at", "answered_at", "accepted", resource="resource_title", resource_id="resource_id"
    )


def imports(member):
    found = ImportBatch.objects.filter(member=member).order_by("pk")
    return rows(
        found, "file_name", "form", "state", "made", "created_at", "saved_at", "rows", "chosen", "source"
    )


def edits(member):
    """What I changed of records; what they said before is the record's."""
    found = titled(ResourceEdit.objects.filter(editor=member).order_by("pk"), member, "resource")
    return rows(found, "at", "note", resource="resource_title", resource_id="resource_id")


def versions(member):
    found = titled(ResourceVersion.objects.filter(made_by=member).order_by("pk"), member, "resource")
    return rows(
        found, "number", "changes", "created_at", resource="resource_title", resource_id="resource_id"
    )


def derived(member):
    found = titled(Derivative.objects.filter(added_by=member).order_by("pk"), member, "child", "parent")
    return rows(
        found, "kind", "checked", "checked_note", "created_at",
        resource="child_title", resource_id="child_id", of="parent_title", of_id="parent_id",
    )  # fmt: skip


def linked(member):
    found = titled(Relation.objects.filter(added_by=member).order_by("pk"), member, "resource", "other")
    return rows(
        found, "kind", "created_at",
        resource="resource_title", resource_id="resource_id", other="other_title", other_id="other_id",
    )  # fmt: skip


def taken_down(member):
    found = Tombstone.objects.filter(by=member).order_by("pk")
    return rows(found, "reason", "note", "at", resource="resource_id")


for _key, _label, _export, _covers in (
    ("edits", _("What I changed of resources"), edits, ("resources.ResourceEdit",)),
    ("versions", _("Versions that I made"), versions, ("resources.ResourceVersion",)),
    ("derived", _("What I made from other resources"), derived, ("resources.Derivative",)),
    ("linked", _("Resources that I linked"), linked, ("resources.Relation",)),
    ("taken_down", _("What I took down"), taken_down, ("resources.Tombstone",)),
    ("stories", _("My stories of what I used"), told, ("resources.Story", "resources.StoryMask")),
    ("collections", _("My collections"), gathered, ("resources.Collection",)),
    ("collected", _("What I put into collections"), noted, ("resources.CollectionItem",)),
    ("saved", _("Resources that I saved"), saved, ("resources.SavedResource",)),
    ("used", _("Resources that I used"), used, ("resources.UsedMark",)),
    ("searches", _("Searches that I saved"), searches, ("resources.SavedSearch",)),
    ("asked_to_keep", _("Resources that I was asked to look after"), asked_to_keep, ("resources.HandOver",)),
    ("imports", _("References that I brought in"), imports, ("resources.ImportBatch",)),
):
    register(PersonalData(f"library_{_key}", _label, _export, covers=_covers, order=52))

declare(
    "resources.ResourceFile", label=Fate.STAYS, language=Fate.STAYS, finding=Fate.STAYS, thumbnail=Fate.STAYS
)
declare(  # words that stay unsigned, or go with the account
    "resources.Story",
    **dict.fromkeys(("place", "people", "changed", "happened", "search"), Fate.STAYS),
    hidden_reason=Fate.REDACTED,
)
declare(
    "resources.Collection",
    **dict.fromkeys(("title", "slug", "description", "description_html"), Fate.STAYS),
    hidden_reason=Fate.REDACTED,
)
declare("resources.CollectionItem", note=Fate.STAYS)
declare("resources.ResourceText", **dict.fromkeys(("text", "title", "doi", "reason", "search"), Fate.STAYS))
declare("resources.ResourceVersion", changes=Fate.STAYS, csl=Fate.STAYS)
declare("resources.ResourceEdit", before=Fate.STAYS, note=Fate.STAYS)
declare("resources.Derivative", checked_note=Fate.STAYS)
declare("resources.Tombstone", note=Fate.REDACTED, citation=Fate.STAYS)
declare("resources.LinkRecord", url=Fate.STAYS, url_key=Fate.STAYS, item=Fate.STAYS, reason=Fate.STAYS)
declare(
    "resources.LinkCheck",
    **dict.fromkeys(("url", "url_key", "host", "reason", "moved_to"), Fate.STAYS),
)
declare("resources.UsageEvent", visitor=Fate.STAYS)  # of a salt that is thrown away each day


def named_in(member):
    """Records that name me as a creator."""
    found = titled(ResourceCreator.objects.filter(member=member).order_by("pk"), member, "resource")
    return rows(found, "created_at", "declined", resource="resource_title", resource_id="resource_id")


register(
    PersonalData(
        "library_named",
        _("Resources that I am named in"),
        named_in,
        covers=("resources.ResourceCreator",),
        order=52,
    )
)
