"""What pages show of saves and collections."""

from django.db.models import QuerySet

from members.permissions import can_write, is_full_member

from .models import Collection, CollectionItem, Resource, SavedResource

NAMED = 4  # collections on the page of a record


def items_of(collection: Collection, viewer) -> QuerySet[CollectionItem]:
    """What this person meets in a collection, in its order: the records keep their own audience."""
    met = Resource.objects.visible_to(viewer).values("pk")
    return collection.items.filter(resource__in=met).order_by("position", "pk")


def resources_of(collection: Collection, viewer) -> QuerySet[Resource]:
    """The records of a collection that this person meets, in its order: for exports and feeds."""
    rows = Resource.objects.visible_to(viewer).filter(collected__collection=collection)
    return rows.order_by("collected__position", "collected__pk")


def saved_by(member) -> QuerySet[Resource]:
    """What a member keeps and may still see, the latest first."""
    rows = Resource.objects.visible_to(member).filter(saves__member=member)
    return rows.order_by("-saves__created_at", "-saves__pk")


def keeping_of(resource: Resource, viewer) -> dict:
    """For resources/_keep.html: is it saved, may it be put somewhere, and in which collections is it? Two queries at most,
    one for guests."""
    held = Collection.objects.visible_to(viewer).filter(items__resource=resource)
    held = held.order_by("-is_curated", "-updated_at", "-pk").only("title", "slug", "is_curated")
    member = is_full_member(viewer)
    return {
        "may_save": member,
        "is_saved": member and _is_saved(resource, viewer),
        "may_collect": can_write(viewer),
        "collections": list(held[:NAMED]),
    }


def _is_saved(resource: Resource, viewer) -> bool:
    known = getattr(resource, "is_saved", None)  # company.with_page has asked it along
    if known is None:
        return SavedResource.objects.filter(member=viewer, resource=resource).exists()
    return known
