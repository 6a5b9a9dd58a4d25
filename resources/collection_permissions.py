"""Who may do what with a collection. An anonymous visitor may be passed everywhere."""

from members.group_permissions import can_lead_group
from members.models import is_in_group, may_read_group
from members.permissions import can_moderate, can_write, is_full_member

from .models import Collection

V = Collection.Visibility


def can_view_collection(user, collection: Collection) -> bool:
    """The same rule as CollectionQuerySet.readable_by."""
    mine = is_full_member(user) and collection.owner_id == user.pk
    shown = collection.state == Collection.State.VISIBLE or mine
    if collection.visibility == V.GROUP:  # others write in it: whoever left reads no more
        return shown and may_read_group(user, collection.group_id)
    if mine:
        return True
    if collection.visibility == V.OWN:
        return False
    for_them = collection.visibility == V.PUBLIC or is_full_member(user)
    return for_them and (shown or can_moderate(user))


def can_make_collection(user) -> bool:
    return can_write(user)


def can_curate(user) -> bool:
    """What the community as a whole recommends: hosts and admins, all of them, whoever began it."""
    return can_write(user) and (user.is_host or user.is_superuser)


def can_fill_collection(user, collection: Collection) -> bool:
    """Add, take out, order, say why: its owner; of a group's everybody in it; of a curated one whoever curates. What is
    hidden stays as it was judged."""
    if not can_write(user) or collection.state == Collection.State.HIDDEN:
        return False
    if collection.is_curated:
        return can_curate(user)
    if collection.visibility == V.GROUP:
        return is_in_group(user, collection.group_id)
    return collection.owner_id == user.pk


def can_change_collection(user, collection: Collection) -> bool:
    """Its title, what it is for, who sees it, and whether it is there at all. A group's: who made it, or a convenor."""
    if not can_fill_collection(user, collection):
        return False
    if collection.is_curated or collection.owner_id == user.pk:
        return True
    return collection.visibility == V.GROUP and can_lead_group(user, collection.group)


def can_hide_collection(user, collection: Collection) -> bool:
    return can_moderate(user)
