"""Keeping a record for later; only its member ever sees it."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.permissions import is_full_member

from ..models import Resource, SavedResource
from ..permissions import can_view_resource


@transaction.atomic
def set_saved(*, member, resource: Resource, on: bool) -> None:
    """Keep it, or no longer; what holds already changes nothing. PermissionDenied for what the member may not open."""
    if not is_full_member(member):
        raise PermissionDenied
    if not on:
        SavedResource.objects.filter(member=member, resource=resource).delete()
        return
    if not can_view_resource(member, resource):
        raise PermissionDenied
    SavedResource.objects.bulk_create(
        [SavedResource(member=member, resource=resource)], ignore_conflicts=True
    )
