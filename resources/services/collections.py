"""Making, filling, ordering and hiding collections. Each locks the collection's row: places are given one by one."""

import uuid

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from kmnet.core import erasing
from kmnet.core.text import RENDER_VERSION, render_markdown
from members.models import Group, is_in_group

from ..collection_permissions import (
    can_change_collection,
    can_curate,
    can_fill_collection,
    can_hide_collection,
    can_make_collection,
)
from ..models import Collection, CollectionItem, Resource
from ..permissions import can_view_resource
from . import hiding
from .records import need_reason

MOST_ITEMS = 500
MOST_COLLECTIONS = 200  # of one member


class CollectionFull(ValidationError):
    """No more fit in: MOST_ITEMS records, or MOST_COLLECTIONS collections of one member."""


def _set(collection: Collection, *, actor, title, description, visibility, group, is_curated) -> None:
    """What it says of itself; saves nothing. PermissionDenied for an audience or a seal that is not theirs to give."""
    V = Collection.Visibility
    if collection.group_id and (visibility != V.GROUP or group is None or group.pk != collection.group_id):
        raise PermissionDenied  # others in the group have written into it, for the group alone
    if (
        visibility == V.GROUP
        and not collection.group_id
        and (group is None or not is_in_group(actor, group.pk))
    ):
        raise PermissionDenied
    shared = visibility in (V.MEMBERS, V.PUBLIC)
    if is_curated and not (can_curate(actor) and shared):
        raise PermissionDenied
    collection.title = title
    collection.slug = slugify(title)[:80].strip("-")
    collection.description = description
    collection.description_html = render_markdown(description)
    collection.render_version = RENDER_VERSION
    collection.visibility = visibility
    collection.group = group if visibility == V.GROUP else None
    collection.is_curated = is_curated
    collection.updated_at = timezone.now()


@transaction.atomic
def make_collection(
    *,
    actor,
    title: str,
    description: str = "",
    visibility: str = Collection.Visibility.OWN,
    group: Group | None = None,
    is_curated: bool = False,
    submit_key: uuid.UUID | None = None,
) -> Collection:
    """A new one, empty; a second submit of the same form gives what the first one made.

    PermissionDenied, CollectionFull."""
    if not can_make_collection(actor):
        raise PermissionDenied
    made = Collection.objects.filter(owner=actor, submit_key=submit_key).first() if submit_key else None
    if made:
        return made
    if Collection.objects.filter(owner=actor).count() >= MOST_COLLECTIONS:
        raise CollectionFull(_("You have %(limit)s collections."), params={"limit": MOST_COLLECTIONS})
    collection = Collection(owner=actor, submit_key=submit_key)
    _set(
        collection, actor=actor, title=title, description=description, visibility=visibility, group=group,
        is_curated=is_curated,
    )  # fmt: skip
    try:
        with transaction.atomic():
            collection.save()
    except IntegrityError:  # pressed twice at once, and the other press was a little faster
        made = Collection.objects.filter(owner=actor, submit_key=submit_key).first()
        if made is None:
            raise
        return made
    return collection


@transaction.atomic
def change_collection(
    *,
    actor,
    collection: Collection,
    title: str,
    description: str,
    visibility: str,
    group: Group | None = None,
    is_curated: bool = False,
) -> Collection:
    """What it says of itself, and who sees it. PermissionDenied."""
    collection = _locked(collection)
    if not can_change_collection(actor, collection):
        raise PermissionDenied
    _set(
        collection, actor=actor, title=title, description=description, visibility=visibility, group=group,
        is_curated=is_curated,
    )  # fmt: skip
    collection.save()
    return collection


@transaction.atomic
def delete_collection(*, actor, collection: Collection) -> None:
    """It is gone; the records in it stay. PermissionDenied."""
    collection = _locked(collection)
    if not can_change_collection(actor, collection):
        raise PermissionDenied
    erasing.forget_targets([collection])
    collection.delete()


# --- what is in it -----------------------------------------------------------------------------------------------------
def _locked(collection: Collection) -> Collection:
    return Collection.objects.select_for_update().get(pk=collection.pk)


def _to_fill(actor, collection: Collection) -> Collection:
    collection = _locked(collection)
    if not can_fill_collection(actor, collection):
        raise PermissionDenied
    return collection


def _changed(collection: Collection) -> None:
    collection.updated_at = timezone.now()
    collection.save(update_fields=["updated_at"])


@transaction.atomic
def collect(*, actor, collection: Collection, resource: Resource, note: str = "") -> CollectionItem:
    """Put a record at the end; one that is in it stays at its place, and a new note replaces the old one.

    PermissionDenied for a collection that is not theirs to fill, or a record that they may not open; CollectionFull."""
    collection = _to_fill(actor, collection)
    if not can_view_resource(actor, resource):
        raise PermissionDenied
    item = collection.items.filter(resource=resource).first()
    if item is not None:
        if note and note != item.note:
            item.note = note
            item.save(update_fields=["note"])
            _changed(collection)
        return item
    places = list(collection.items.values_list("position", flat=True))
    if len(places) >= MOST_ITEMS:
        raise CollectionFull(_("A collection holds at most %(limit)s."), params={"limit": MOST_ITEMS})
    item = collection.items.create(
        resource=resource, position=max(places, default=0) + 1, note=note, added_by=actor
    )
    _changed(collection)
    return item


@transaction.atomic
def take_out(*, actor, collection: Collection, item: int) -> None:
    """No longer in it; what is not there is nothing to take out. PermissionDenied."""
    collection = _to_fill(actor, collection)
    if collection.items.filter(pk=item).delete()[0]:
        _changed(collection)


@transaction.atomic
def say_why(*, actor, collection: Collection, item: int, note: str) -> None:
    """The word on why it is here. PermissionDenied."""
    collection = _to_fill(actor, collection)
    if collection.items.filter(pk=item).exclude(note=note).update(note=note):
        _changed(collection)


@transaction.atomic
def place_item(*, actor, collection: Collection, item: int, beside: int, after: bool) -> None:
    """Put it right before (or after) another one. Said so, and not as "one up", a second press changes nothing, and what
    somebody else moved meanwhile stays as they left it. Locks the collection. PermissionDenied."""
    collection = _to_fill(actor, collection)
    rows = list(collection.items.only("position").order_by("position", "pk"))
    by_pk = {row.pk: row for row in rows}
    if item == beside or item not in by_pk or beside not in by_pk:
        return
    moving = by_pk[item]
    order = [row for row in rows if row.pk != item]
    at = order.index(by_pk[beside]) + (1 if after else 0)
    order.insert(at, moving)
    moved = []
    for position, row in enumerate(order, start=1):
        if row.position != position:
            row.position = position
            moved.append(row)
    if moved:  # the constraint on places looks at the end of the transaction only
        CollectionItem.objects.bulk_update(moved, ["position"])
        _changed(collection)


# --- keeping order -----------------------------------------------------------------------------------------------------
@transaction.atomic
def hide_collection(*, target: Collection, actor, reason: str) -> None:
    """A moderator takes it out of sight. Logged; hiding twice changes and logs nothing."""
    collection = _locked(target)
    if not can_hide_collection(actor, collection):
        raise PermissionDenied
    hiding.put_out_of_sight(
        collection, actor=actor, reason=need_reason(reason), verb="resources.collection_hidden"
    )


@transaction.atomic
def restore_collection(*, target: Collection, actor, reason: str) -> None:
    """Back into sight, as it was. Logged."""
    collection = _locked(target)
    if not can_hide_collection(actor, collection):
        raise PermissionDenied
    hiding.put_back(collection, actor=actor, reason=need_reason(reason), verb="resources.collection_restored")
