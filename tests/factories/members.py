"""make_member(): a full, active member whose address is proven, unless told otherwise."""

from itertools import count

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from kmnet.core.rows import insert, together
from members import names
from members.models import Member, Profile
from members.services import create_member, index_profile
from members.services.joining import make_handle
from members.services.profiles import index_blank_profile

numbers = count(1)
PASSWORD = "between-worlds"


def make_member(*, profile: dict | None = None, **fields) -> Member:
    """`profile` sets columns of the profile; the rest are arguments of services.create_member, and the rows are as that
    service leaves them (tests/members/test_services.py)."""
    number = next(numbers)
    fields.setdefault("name", f"Member {number}")
    fields.setdefault("email", f"member{number}@example.org")
    fields.setdefault("password", PASSWORD)
    fields.setdefault("address_proven", True)
    for moment in ("agreed_at", "onboarded_at"):
        fields.setdefault(moment, timezone.now())
    member = create_member(**fields) if "handle" in fields else _create(number, **fields)
    if profile:
        for key, value in profile.items():
            setattr(member.profile, key, value)
        member.profile.save()
        index_profile(member.profile, has_lists=False)
    return member


@transaction.atomic(savepoint=False)
def _create(number, *, email, name, password, address_proven, **fields) -> Member:
    """Half of all that the tests write are members: here each takes three messages to the database and not eleven."""
    now = timezone.now()
    member = Member(
        email=Member.objects.normalize_email(email),
        name=names.clean_name(name),
        **{"joined_at": now, **fields},
    )
    member.address_proven_at = member.address_proven_at or (now if address_proven else None)
    member.set_password(password)
    is_numbered = name == f"Member {number}"
    member.handle = f"member-{number}" if is_numbered else make_handle(member.name)
    member._password, member.name_key = None, names.plain(member.name)[:160]
    insert(member)
    address = EmailAddress(user=member, email=member.email.lower(), verified=address_proven, primary=True)
    profile = Profile(member=member)
    with together():
        insert(address, needs_key=False)
        insert(profile)
    index_blank_profile(profile)
    return member
