"""The spaces a community begins with."""

import secrets

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from members.group_permissions import can_lead_group
from members.models import Group, Member
from members.services.groups import lock_group

from ..models import Kind, Readers, Space


def starting_spaces() -> list[dict]:
    """In the order in which they stand; the migration 0002 made the same ones."""
    return [
        {
            "slug": "ask-for-help",
            "name": _("Ask for help"),
            "purpose": _("No question is too small. Somebody here has stood where you stand."),
            "icon": "talk",
            "readable_by": Readers.PUBLIC,
            "first_kind": Kind.QUESTION,
        },
        {
            "slug": "introductions",
            "name": _("Introductions"),
            "purpose": _("Who you are, where you work, and what you would like company with."),
            "icon": "people",
            "readable_by": Readers.MEMBERS,
            "first_kind": Kind.INTRODUCTION,
        },
        {
            "slug": "methods-and-tools",
            "name": _("Methods and tools"),
            "purpose": _("What works, what does not, and the templates in between."),
            "icon": "tool",
            "readable_by": Readers.PUBLIC,
        },
        {
            "slug": "events",
            "name": _("Events"),
            "purpose": _("Before, during and after our meetings, and those of others."),
            "icon": "calendar",
            "readable_by": Readers.PUBLIC,
        },
        {
            "slug": "jobs-and-opportunities",
            "name": _("Jobs and opportunities"),
            "purpose": _("Posts, fellowships, calls and funding that fit this work."),
            "icon": "bookmark",
            "readable_by": Readers.PUBLIC,
        },
        {
            "slug": "about-kmnet",
            "name": _("About kmnet"),
            "purpose": _("How this place works, and how it could work better."),
            "icon": "info",
            "readable_by": Readers.MEMBERS,
        },
    ]


@transaction.atomic
def seed_spaces() -> int:
    """Make the starting spaces; return how many were missing. One that is there stays as the admins made it."""
    made = 0
    for position, space in enumerate(starting_spaces()):
        _space, new = Space.objects.get_or_create(
            slug=space["slug"], defaults={**space, "position": position}
        )
        made += new
    return made


@transaction.atomic
def open_group_space(*, actor: Member, group: Group) -> Space:
    """A convenor opens the group's own space; pressed twice, or by two of them, it is one. Locks the group."""
    group = lock_group(group.pk)
    if not can_lead_group(actor, group):
        raise PermissionDenied
    present = group.spaces.order_by("position", "pk").first()
    if present is not None:
        return present
    stem = group.slug[:34].strip("-")
    slug = f"{stem}-group"
    if Space.objects.filter(slug=slug).exists():
        slug = f"{stem[:24]}-{secrets.token_hex(6)}"
    last = Space.objects.aggregate(last=Max("position"))["last"] or 0
    return Space.objects.create(
        slug=slug,
        name=group.name[:60],
        purpose=_("Only those in the group read this."),
        icon="lock",
        readable_by=Readers.GROUP,
        group=group,
        position=last + 1,
    )
