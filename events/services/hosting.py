"""Who organises an event: always somebody."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Member, is_in_group
from members.permissions import can_write

from .. import mails
from ..models import Event
from ..permissions import can_be_named, can_organise_event
from . import places
from .organising import log_admin


class LastOrganiser(Exception):
    """Nobody else organises it who can: somebody must take it over first."""


class NotInGroup(Exception):
    """The event is for a group that this member is not in."""


@transaction.atomic
def add_organiser(*, event: Event, by: Member, member: Member) -> Event:
    """From now on they see its people and change it; they hear of it. Twice is once. Locks the event. Raises NotInGroup."""
    event = places.lock_event(event.pk)
    if not can_organise_event(by, event) or not (can_write(member) and can_be_named(by, member)):
        raise PermissionDenied
    if event.is_of_a_group and not is_in_group(member, event.group_id):
        raise NotInGroup
    if not event.organisers.filter(pk=member.pk).exists():
        event.organisers.add(member)
        if member.pk != by.pk:
            mails.queue_organiser_added(event, member, by, timezone.now())
        log_admin(by, event, "events.organiser_added", data={"member": member.pk})
    return event


@transaction.atomic
def remove_organiser(*, event: Event, by: Member, member: Member) -> Event:
    """They step down, or another organiser takes them off. Twice is once. Locks the event, so that two who step down at
    once leave one behind. Raises LastOrganiser where no other is left who can act."""
    event = places.lock_event(event.pk)
    if not can_organise_event(by, event):
        raise PermissionDenied
    if not event.organisers.filter(pk=member.pk).exists():
        return event
    if not _has_others(event, member):
        raise LastOrganiser
    event.organisers.remove(member)
    log_admin(by, event, "events.organiser_removed", data={"member": member.pk})
    return event


def _has_others(event: Event, member: Member) -> bool:
    """Somebody else organises it who can. Needs the event's lock."""
    others = event.organisers.exclude(pk=member.pk)
    return others.exclude(status__in=("leaving", "suspended", "erased")).exists()
