"""Linking a record's creators to the members that they are."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from kmnet.core import activity
from members.models import Member

from .. import csl as csl_json
from ..citing import forget_citation
from ..identifiers import title_key
from ..models import Resource, ResourceCreator
from ..permissions import can_view_resource


def set_creators(*, actor, resource: Resource, members: Mapping[int, tuple[int, bool]]) -> None:
    """These members (place among the names: member id, whether the name is the account's) are linked, and no others.

    Inside the transaction of the record, whose row the caller holds. Who is new among them is told; whoever took their
    link off stays without."""
    declined = set(resource.creator_links.filter(declined=True).values_list("member_id", flat=True))
    wanted = {pk: (place, own) for place, (pk, own) in sorted(members.items()) if pk not in declined}
    kept = {link.member_id: link for link in resource.creator_links.filter(declined=False)}
    if {pk: (link.position, link.by_account) for pk, link in kept.items()} == wanted:
        return
    resource.creator_links.filter(declined=False).delete()
    ResourceCreator.objects.bulk_create(
        ResourceCreator(
            resource=resource,
            member_id=pk,
            position=place,
            by_account=own,
            **({"created_at": kept[pk].created_at} if pk in kept else {}),
        )
        for pk, (place, own) in wanted.items()
    )
    _tell(actor, resource, set(wanted) - set(kept))


def tell_named(*, resource: Resource) -> None:
    """A record that was held appears: now those whom it names can see it, and are told. Part of that transaction."""
    named = resource.creator_links.filter(declined=False).values_list("member_id", flat=True)
    _tell(resource.added_by, resource, set(named))


def _tell(actor, resource: Resource, named: set[int]) -> None:
    fresh = sorted(named - {getattr(actor, "pk", None)})
    if fresh and resource.state == Resource.State.VISIBLE:
        activity.record("resources.named", actor=actor, target=resource, data={"members": fresh})


@transaction.atomic
def take_link_off(*, actor, resource: Resource) -> bool:
    """The member does not want to be linked as a creator of this record; False where they were not. Locks the record.

    A name that was written down from their account goes with it; one that somebody typed is as it was published."""
    resource = Resource.objects.select_for_update().get(pk=resource.pk)
    link = resource.creator_links.filter(member=actor, declined=False).first()
    if link is None:
        return False
    if not can_view_resource(actor, resource):
        raise PermissionDenied
    if link.by_account:
        _without_name(resource, link.position)
    link = resource.creator_links.get(pk=link.pk)
    link.declined, link.position = True, None
    link.save(update_fields=["declined", "position"])
    return True


def forget_creator(*, member: Member) -> None:
    """An account is deleted: names that came from it go from the records, and so do the links. Part of that transaction;
    locks the records."""
    mine = ResourceCreator.objects.filter(member=member)
    for pk in sorted(mine.filter(by_account=True).values_list("resource_id", flat=True)):
        resource = Resource.objects.select_for_update().get(pk=pk)
        link = resource.creator_links.filter(member=member, by_account=True, declined=False).first()
        if link is not None:
            _without_name(resource, link.position)
    mine.delete()


def _without_name(resource: Resource, position: int) -> None:
    """The record without one of its names; the links behind it move up."""
    from .records import reindex  # records.py sets creators

    role = "author" if resource.csl.get("author") else "editor"
    names = list(resource.csl.get(role, []))
    gone = names.pop(position) if position < len(names) else None
    item = {key: value for key, value in resource.csl.items() if key != role}
    resource.csl = {**item, role: names} if names else item
    resource.creators = csl_json.creators_text(resource.csl)
    resource.fuzzy = f"{resource.title_key} {title_key(resource.creators)}"
    resource.updated_at = timezone.now()  # those who copy us hear of it
    resource.save(update_fields=["csl", "creators", "fuzzy", "updated_at"])
    resource.creator_links.filter(position=position).update(position=None, declined=True)
    for link in resource.creator_links.filter(position__gt=position).order_by("position"):
        ResourceCreator.objects.filter(pk=link.pk).update(position=F("position") - 1)
    forget_citation(resource.pk)
    reindex([resource])
    if gone is not None:  # what it said before must not say it either
        for version in resource.versions.all():
            version.csl = _scrubbed(version.csl, gone)
            version.save(update_fields=["csl"])
        for edit in resource.edits.all():
            edit.before = _scrubbed(edit.before, gone)
            edit.save(update_fields=["before"])


def _scrubbed(value, name: dict):
    """JSON without this name: as an entry of a list, or as a line of a text."""
    if isinstance(value, dict):
        return {key: _scrubbed(inner, name) for key, inner in value.items()}
    if isinstance(value, list):
        return [_scrubbed(inner, name) for inner in value if inner != name]
    if isinstance(value, str):
        forms = {csl_json.display_name(name), csl_json.sorted_name(name)}
        return "\n".join(line for line in value.split("\n") if line not in forms)
    return value


def members_by_place(resource: Resource) -> dict[int, Member]:
    """Who of the names is which member; one query."""
    links = resource.creator_links.filter(declined=False).select_related("member")
    return {link.position: link.member for link in links}
