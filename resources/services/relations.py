"""Typed links from one record to another."""

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Q

from kmnet.core import audit

from ..models import Relation, Resource
from ..permissions import can_edit_resource, can_relate, can_remove_relation
from .records import need_reason

MOST = 40  # links of one record, in both directions


class InCircles(Exception):
    """The other one is said to be the newer one already, by itself or by way of others."""


class TooManyRelations(Exception):
    """A record has room for MOST links."""


@transaction.atomic
def relate(*, actor, resource: Resource, kind: str, other: Resource) -> Relation:
    """Link two records; said twice, or of "goes well with" the other way round, it is the link that there is.

    Locks both by key; for "newer" also the question who is newer than whom, which goes over several records. Raises
    InCircles, TooManyRelations, PermissionDenied.
    """
    if kind == Relation.Kind.NEWER:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('library:newer', 0))")
    rows = Resource.objects.select_for_update(of=("self",)).filter(pk__in=(resource.pk, other.pk))
    both = {row.pk: row for row in rows.order_by("pk")}
    resource, other = both[resource.pk], both[other.pk]
    if resource.pk == other.pk or not can_relate(actor, resource, kind, other):
        raise PermissionDenied
    known = Q(resource=resource, kind=kind, other=other)
    if kind == Relation.Kind.RELATED:
        known |= Q(resource=other, kind=kind, other=resource)
    found = Relation.objects.filter(known).first()
    if found is not None:
        return found
    for one in (resource, other):
        if Relation.objects.filter(Q(resource=one) | Q(other=one)).count() >= MOST:
            raise TooManyRelations
    if kind == Relation.Kind.NEWER and resource.pk in _older_than(other.pk, among=set()):
        raise InCircles
    made = Relation.objects.create(resource=resource, kind=kind, other=other, added_by=actor)
    if not can_edit_resource(actor, resource):
        audit.record_act(
            actor=actor, verb="resources.linked", target=resource, data={"kind": kind, "other": other.pk}
        )
    return made


def _older_than(pk: int, *, among: set[int]) -> set[int]:
    """All that this record is newer than, step by step."""
    steps = {pk}
    while steps:
        rows = Relation.objects.filter(kind=Relation.Kind.NEWER, resource__in=steps)
        steps = set(rows.values_list("other", flat=True)) - among
        among |= steps
    return among


@transaction.atomic
def unrelate(*, actor, relation: Relation, reason: str = "") -> None:
    """Take a link away: by who looks after one of the two, or by a moderator, who says why."""
    rows = Relation.objects.select_for_update(of=("self",)).select_related("resource", "other")
    relation = rows.filter(pk=relation.pk).first()
    if relation is None:  # pressed twice
        return
    if not can_remove_relation(actor, relation):
        raise PermissionDenied
    if not (can_edit_resource(actor, relation.resource) or can_edit_resource(actor, relation.other)):
        audit.record_act(
            actor=actor,
            verb="resources.unlinked",
            target=relation.resource,
            reason=need_reason(reason),
            data={"kind": relation.kind, "other": relation.other_id},
        )
    relation.delete()
