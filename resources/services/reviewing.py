"""A new member's first records are looked at by a moderator before others see them.

Never seen by others without a moderator's look: what a member adds for everybody or for all members, or opens to them from
a group, while fewer of their records than the settings say have appeared. What is for a group stays among its people.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core import activity, audit

from ..models import LibrarySettings, Resource, Visibility
from ..permissions import can_hide_resource
from .creators import tell_named


def first_ones() -> int:
    """How many records of a new member are looked at."""
    return LibrarySettings.load().reviewed_first


def is_looked_at(member) -> bool:
    """Does a moderator look at what this member shows to others? Not with those who are trusted with a task."""
    if member is None or member.is_host or member.is_organiser or member.is_moderator or member.is_superuser:
        return False
    most = first_ones()
    appeared = Resource.objects.published().filter(added_by=member, group__isnull=True)
    return most > 0 and appeared[:most].count() < most


def first_state(*, actor, visibility: str) -> str:
    """The state in which a record of this member begins (also those of an import)."""
    if visibility == Visibility.GROUP or not is_looked_at(actor):
        return Resource.State.VISIBLE
    return Resource.State.HELD


@transaction.atomic
def release_resource(*, target: Resource, actor, reason: str = "") -> None:
    """A moderator lets it appear; it is new from now on. Its keeper is told. Twice is once. Locks the record."""
    resource = Resource.objects.select_for_update().get(pk=target.pk)
    if not can_hide_resource(actor, resource):
        raise PermissionDenied
    if resource.state != Resource.State.HELD:
        return
    resource.state = Resource.State.VISIBLE
    resource.published_at = resource.updated_at = timezone.now()
    resource.save(update_fields=["state", "published_at", "updated_at"])
    audit.record_act(actor=actor, verb="resources.released", target=resource, reason=reason)
    activity.record("resources.released", actor=actor, target=resource)
    if not resource.import_key:  # one import is no row of sixty notices
        activity.record("resources.added", actor=resource.added_by, target=resource)
        tell_named(resource=resource)
