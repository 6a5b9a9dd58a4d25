"""Who looks after a record: asked and answered, taken on where nobody does, given back to the community.

What must never be false: nobody looks after a record who was not asked or did not take it on; of two who take it on at once
one does, and the other is told; who looks after it sees it.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from kmnet.core import activity, audit
from members.permissions import can_contact

from ..models import HandOver, Resource
from ..permissions import can_edit_resource, can_take_on, can_view_resource
from . import reviewing

MOST_AT_ONCE = 2000


class NotThem(Exception):
    """Nobody whom one can ask; whatever the reason, it is told in the same words."""


class AskedAlready(Exception):
    """Somebody else is asked and has not answered yet."""


class TooLate(Exception):
    """Answered, taken back, or somebody else was faster."""


def _locked(resource: Resource) -> Resource:
    return Resource.objects.select_for_update(of=("self",)).get(pk=resource.pk)


def open_offer(resource: Resource) -> HandOver | None:
    rows = HandOver.objects.filter(resource=resource, answered_at__isnull=True)
    return rows.select_related("asked", "asked_by").first()


def offers_to(member):
    """What this member is asked to look after, and still may: it may be for others by now."""
    seen = Resource.objects.readable_by(member).values("pk")
    rows = HandOver.objects.filter(asked=member, answered_at__isnull=True, resource__in=seen)
    return rows.exclude(resource__state=Resource.State.HIDDEN).select_related("resource", "asked_by")


def _may_be_asked(actor, member, resource: Resource) -> bool:
    return can_contact(actor, member) and member.status == "active" and can_view_resource(member, resource)


@transaction.atomic
def offer_resource(*, actor, resource: Resource, member) -> HandOver:
    """Its keeper asks somebody to look after it. Asked twice it is the first time. Locks the record. Raises NotThem,
    AskedAlready, PermissionDenied."""
    resource = _locked(resource)
    if not can_edit_resource(actor, resource):
        raise PermissionDenied
    if not _may_be_asked(actor, member, resource):
        raise NotThem
    there = open_offer(resource)
    if there is not None:
        if there.asked_id != member.pk:
            raise AskedAlready
        return there
    made = HandOver.objects.create(resource=resource, asked_by=actor, asked=member)
    _tell_asked(actor, resource, member, 1)
    return made


def _tell_asked(actor, resource: Resource, member, count: int) -> None:
    activity.record(
        "resources.offered", actor=actor, target=resource, data={"members": [member.pk], "count": count}
    )


@transaction.atomic
def offer_all(*, actor, member) -> int:
    """Ask somebody to look after everything that one looks after and they see, as far as nobody is asked already; return
    how many. They hear of it once. Locks the records. Raises NotThem where there is nothing that they could be asked."""
    mine = Resource.objects.filter(keeper=actor).exclude(state=Resource.State.HIDDEN)
    asked_already = HandOver.objects.filter(resource=OuterRef("pk"), answered_at__isnull=True)
    rows = mine.filter(~Exists(asked_already)).order_by("pk").select_for_update(of=("self",))
    found = [one for one in rows.defer("search")[:MOST_AT_ONCE] if can_edit_resource(actor, one)]
    if not found or not can_contact(actor, member):
        raise NotThem
    asked = [one for one in found if _may_be_asked(actor, member, one)]
    if not asked:
        raise NotThem
    HandOver.objects.bulk_create(
        [HandOver(resource=one, asked_by=actor, asked=member) for one in asked], ignore_conflicts=True
    )
    _tell_asked(actor, asked[0], member, len(asked))
    return len(asked)


@transaction.atomic
def withdraw_offer(*, actor, resource: Resource) -> None:
    """Its keeper no longer asks. Nothing where nobody is asked."""
    resource = _locked(resource)
    if not can_edit_resource(actor, resource):
        raise PermissionDenied
    HandOver.objects.filter(resource=resource, answered_at__isnull=True).delete()


@transaction.atomic
def answer_offer(*, actor, resource: Resource, accept: bool) -> Resource:
    """Who was asked says yes or no; whoever asked is told. Locks the record. Raises TooLate, PermissionDenied."""
    resource = _locked(resource)
    offer = HandOver.objects.filter(resource=resource, asked=actor, answered_at__isnull=True).first()
    if offer is None or resource.state == Resource.State.HIDDEN:
        raise TooLate
    if accept and resource.keeper_id not in (offer.asked_by_id, None):
        raise TooLate
    if accept and not can_take_on(actor, resource):
        raise PermissionDenied
    offer.answered_at, offer.accepted = timezone.now(), accept
    offer.save(update_fields=["answered_at", "accepted"])
    if accept:
        Resource.objects.filter(pk=resource.pk).update(keeper=actor)
        resource.keeper = actor
    if offer.asked_by_id:
        activity.record(
            "resources.offer_answered",
            actor=actor,
            target=resource,
            data={"members": [offer.asked_by_id], "accepted": accept},
        )
    return resource


def answer_all(*, actor, accept: bool) -> int:
    """The same answer to all that one is asked; return how many. Each in a transaction of its own."""
    done = 0
    for offer in offers_to(actor).order_by("resource_id")[:MOST_AT_ONCE]:
        try:
            answer_offer(actor=actor, resource=offer.resource, accept=accept)
        except (TooLate, PermissionDenied):
            continue
        done += 1
    return done


@transaction.atomic
def take_on(*, actor, resource: Resource) -> Resource:
    """Somebody looks after what nobody did. Logged. Locks the record. Raises TooLate where somebody was faster. A member
    whose own first records a moderator still looks at does not: they could write there what nobody has looked at."""
    resource = _locked(resource)
    if resource.keeper_id == actor.pk:
        return resource
    if resource.keeper_id is not None:
        raise TooLate
    shown = resource.state == Resource.State.VISIBLE and resource.published_at is not None
    if not shown or not can_take_on(actor, resource) or reviewing.is_looked_at(actor):
        raise PermissionDenied
    Resource.objects.filter(pk=resource.pk).update(keeper=actor)
    resource.keeper = actor
    audit.record_act(actor=actor, verb="resources.taken_on", target=resource)
    return resource


@transaction.atomic
def give_up(*, actor, resource: Resource) -> Resource:
    """Its keeper can no longer look after it: the community does, until somebody takes it on. Locks the record."""
    resource = _locked(resource)
    if not can_edit_resource(actor, resource):
        raise PermissionDenied
    HandOver.objects.filter(resource=resource, answered_at__isnull=True).delete()
    Resource.objects.filter(pk=resource.pk).update(keeper=None)
    resource.keeper = None
    return resource


def give_up_in_group(*, member, group_id: int) -> None:
    """They left the group, and see nothing of it any more: what they looked after there is anybody's in it to take on, and
    what they are asked or have asked about it is over. Part of that transaction, which holds the group; locks the records.
    """
    rows = Resource.objects.filter(group=group_id).order_by("pk").select_for_update(of=("self",), no_key=True)
    mine = list(rows.filter(keeper=member).values_list("pk", flat=True))
    Resource.objects.filter(pk__in=mine).update(keeper=None)
    offers = HandOver.objects.filter(resource__group=group_id, answered_at__isnull=True)
    offers.filter(Q(asked=member) | Q(asked_by=member)).delete()
