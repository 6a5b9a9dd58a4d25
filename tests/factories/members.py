"""make_member(): a full, active member whose address is proven, unless told otherwise."""

from itertools import count

from django.utils import timezone

from members.models import Member
from members.services import create_member, index_profile

numbers = count(1)
PASSWORD = "between-worlds"


def make_member(*, profile: dict | None = None, **fields) -> Member:
    """`profile` sets columns of the profile; the rest goes to services.create_member."""
    number = next(numbers)
    fields.setdefault("name", f"Member {number}")
    fields.setdefault("email", f"member{number}@example.org")
    fields.setdefault("password", PASSWORD)
    fields.setdefault("address_proven", True)
    for moment in ("agreed_at", "onboarded_at"):
        fields.setdefault(moment, timezone.now())
    member = create_member(**fields)
    if profile:
        for key, value in profile.items():
            setattr(member.profile, key, value)
        member.profile.save()
        index_profile(member.profile, has_lists=False)
    return member
