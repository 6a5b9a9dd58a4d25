"""Keeping somebody at a distance: blocking, ignoring, and taking it back. Told to nobody."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core.models import Notification

from ..models import Boundary, Distance, Member
from . import introductions


@transaction.atomic
def set_boundary(*, owner: Member, other: Member, distance: str) -> Boundary:
    """Block or ignore `other`; the one takes the place of the other. Twice is once. Locks both members' rows.

    Anybody who may sign in can do this, a silenced member too: it protects them. Raises ValidationError for oneself."""
    if distance not in Distance.values:
        raise ValueError(f"no distance {distance!r}")
    if owner.pk == other.pk:
        raise ValidationError(_("That is yourself."), code="self")
    # an introduction of the two reads their boundaries under the same locks
    introductions.lock_members(owner.pk, other.pk)
    boundary, _made = Boundary.objects.update_or_create(
        owner=owner, other=other, defaults={"distance": distance}
    )
    _note(owner)
    # what they did is in no list any more, so it must not ring the bell either
    told = Notification.objects.unread().filter(recipient=owner, activity__actor=other)
    told.update(read_at=timezone.now())
    return boundary


def _note(owner: Member) -> None:
    """Whether the member keeps anybody away stands on their row: pages of those who do not never ask."""
    keeps = Boundary.objects.filter(owner=owner).exists()
    Member.objects.filter(pk=owner.pk).update(keeps_away=keeps)
    owner.keeps_away = keeps
    owner.__dict__.pop("unwanted", None)


@transaction.atomic
def lift_boundary(*, owner: Member, other: Member) -> None:
    """As before. Nothing that was not told meanwhile is told later."""
    introductions.lock_members(owner.pk, other.pk)
    Boundary.objects.filter(owner=owner, other=other).delete()
    _note(owner)
