"""Versions of a record for those who need it differently: each is a record of its own, made from one other."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kmnet.core import activity, audit

from ..models import Derivative, Resource, ResourceFile, Visibility
from ..permissions import can_change_derivative, can_derive, can_detach_derivative, can_edit_resource
from .records import Details, add_resource, need_reason

MOST = 60  # of one record


class NoChains(Exception):
    """What was made from another record has no versions made from it: all hang on the first one."""


class TooManyDerivatives(Exception):
    """A record has room for MOST of them."""


@dataclass(frozen=True)
class Making:
    """What a derivative is, and who looked over it."""

    kind: str
    checked: str = Derivative.Checked.NOBODY
    checked_note: str = ""


def _lock(*keys: int) -> dict[int, Resource]:
    rows = Resource.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows}


def _check_room(parent: Resource) -> None:
    if Derivative.objects.filter(child=parent).exists():
        raise NoChains
    if parent.derivatives.count() >= MOST:
        raise TooManyDerivatives


def _is_for_no_more(details: Details, parent: Resource) -> bool:
    """What a group keeps stays in the group; and members' things are not put before everybody by the way."""
    if parent.visibility == Visibility.GROUP:
        return details.visibility == Visibility.GROUP and details.group == parent.group
    return parent.visibility == Visibility.PUBLIC or details.visibility != Visibility.PUBLIC


@transaction.atomic
def make_derivative(
    *,
    actor,
    parent: Resource,
    making: Making,
    details: Details,
    files: Iterable[ResourceFile] = (),
    submit_key: uuid.UUID | None = None,
) -> Derivative:
    """A new record that was made from `parent`; the same form sent twice gives what the first press made. Locks the
    parent. Raises NoChains, TooManyDerivatives, PermissionDenied, and what add_resource raises."""
    parent = _lock(parent.pk)[parent.pk]
    if not can_derive(actor, parent) or not _is_for_no_more(details, parent):
        raise PermissionDenied
    child = add_resource(actor=actor, details=details, files=files, submit_key=submit_key)
    known = Derivative.objects.filter(child=child).first()
    if known is not None:
        return known
    _check_room(parent)
    return _tie(actor, parent, child, making)


@transaction.atomic
def tie_derivative(*, actor, parent: Resource, child: Resource, making: Making) -> Derivative:
    """Say of two records that one was made from the other: whoever looks after one of them and sees the other. Locks both
    by key. Raises NoChains, TooManyDerivatives, PermissionDenied."""
    both = _lock(parent.pk, child.pk)
    parent, child = both[parent.pk], both[child.pk]
    if parent.pk == child.pk:
        raise NoChains
    if not (can_derive(actor, parent) and can_derive(actor, child)):
        raise PermissionDenied
    if not (can_edit_resource(actor, parent) or can_edit_resource(actor, child)):
        raise PermissionDenied
    known = Derivative.objects.filter(child=child).first()
    if known is not None and known.parent_id == parent.pk:
        return known
    if known is not None or Derivative.objects.filter(parent=child).exists():
        raise NoChains
    _check_room(parent)
    return _tie(actor, parent, child, making)


def _tie(actor, parent: Resource, child: Resource, making: Making) -> Derivative:
    made = Derivative.objects.create(
        parent=parent,
        child=child,
        kind=making.kind,
        checked=making.checked,
        checked_note=making.checked_note,
        added_by=actor,
        created_at=timezone.now(),
    )
    activity.record("resources.derived", actor=actor, target=child, data={"parent": parent.pk})
    return made


@transaction.atomic
def change_derivative(*, actor, derivative: Derivative, making: Making) -> Derivative:
    """What it is and who checked it, said anew: by who looks after it. Locks it."""
    row = Derivative.objects.select_for_update(of=("self",)).select_related("parent", "child")
    derivative = row.get(pk=derivative.pk)
    if not can_change_derivative(actor, derivative):
        raise PermissionDenied
    derivative.kind, derivative.checked, derivative.checked_note = (
        making.kind,
        making.checked,
        making.checked_note,
    )
    derivative.save(update_fields=["kind", "checked", "checked_note"])
    return derivative


@transaction.atomic
def untie_derivative(*, actor, derivative: Derivative, reason: str = "") -> None:
    """Both records stay, without the tie: by who looks after one of them, or by a moderator, who says why."""
    rows = Derivative.objects.select_for_update(of=("self",)).select_related("parent", "child")
    derivative = rows.filter(pk=derivative.pk).first()
    if derivative is None:  # pressed twice
        return
    if not can_detach_derivative(actor, derivative):
        raise PermissionDenied
    own = can_edit_resource(actor, derivative.parent) or can_edit_resource(actor, derivative.child)
    if not own:
        audit.record_act(
            actor=actor,
            verb="resources.untied",
            target=derivative.child,
            reason=need_reason(reason),
            data={"parent": derivative.parent_id, "kind": derivative.kind},
        )
    derivative.delete()


def chains() -> int:
    """How many records are both made from another and made into another: always none."""
    both = Q(pk__in=Derivative.objects.values("child")) & Q(pk__in=Derivative.objects.values("parent"))
    return Resource.objects.filter(both).count()
