"""A reader in two parts, for queries whose SQL is made once (kmnet/core/fixed.py): what shapes the SQL, and the numbers.

@fixed
def newest_for(kind, *, reader):
    return Thread.objects.visible_to(stand_in(kind, reader))[:5]

newest_for(kind_of(user), reader=user.pk)       # a guest's pk is None: give 0
"""

from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from .models import Member


class Kind(NamedTuple):
    """All that a rule asks of a person before it makes a condition. Few people differ in it."""

    status: str
    is_active: bool
    is_proven: bool
    is_staff: bool
    is_superuser: bool
    is_moderator: bool
    is_organiser: bool
    is_host: bool


def kind_of(user) -> Kind | None:
    """None for guests."""
    if not user.is_authenticated:
        return None
    return Kind(
        user.status,
        user.is_active,
        bool(user.address_proven_at),
        user.is_staff,
        user.is_superuser,
        user.is_moderator,
        user.is_organiser,
        user.is_host,
    )


def stand_in(kind: Kind | None, pk: int, email: str = ""):
    """Somebody of this kind, whom every rule takes for the reader. Knows nothing of whose words they do not want to see
    (Member.unwanted): readers who keep somebody away ask the ORM."""
    if kind is None:
        return AnonymousUser()
    flags = kind._asdict()
    proven_at = timezone.now() if flags.pop("is_proven") else None
    return Member(pk=pk, email=email, address_proven_at=proven_at, **flags)
