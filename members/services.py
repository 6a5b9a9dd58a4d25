"""Every write about members: joining, their profile, their standing."""

import secrets

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from . import names
from .models import Member, OldHandle, Profile


class HandleTaken(ValidationError):
    """Somebody has, or had, this handle."""


def is_handle_free(handle: str, *, member: Member | None = None) -> bool:
    """Free for this member: nobody else has it or had it (an old handle redirects to its first owner)."""
    wanted = handle.lower()
    taken = Member.objects.alias(low=Lower("handle")).filter(low=wanted)
    former = OldHandle.objects.alias(low=Lower("handle")).filter(low=wanted)
    if member is not None:
        taken, former = taken.exclude(pk=member.pk), former.exclude(member=member)
    return not taken.exists() and not former.exists()


def make_handle(name: str) -> str:
    """A free handle made from the name: ana-silva, then ana-silva-2, and so on."""
    stem = names.handle_from(name)
    tries = [stem, *(f"{stem}-{number}" for number in range(2, 10))]
    for handle in tries if stem != "member" and stem not in names.RESERVED else ():
        if is_handle_free(handle):
            return handle
    return f"{stem}-{secrets.token_hex(3)}"


def save_new_member(member: Member, *, handle: str | None = None) -> Member:
    """Store a new member with a free handle and an empty profile. The last part of every way to join."""
    wanted = names.clean_handle(handle) if handle else None
    for attempt in range(5):
        member.handle = wanted or make_handle(member.name)
        try:
            with transaction.atomic():  # two people of one name may join at the same moment
                member.save()
                Profile.objects.create(member=member)
        except IntegrityError as error:
            if "one_member_per_handle" not in str(error):
                raise
            if wanted or attempt == 4:
                raise HandleTaken("This handle is taken.") from error
            member.pk = None
            continue
        return member
    raise AssertionError("unreachable")


@transaction.atomic
def create_member(
    *,
    email: str,
    name: str,
    handle: str | None = None,
    password: str | None = None,
    time_zone: str = "UTC",
    language: str = "en",
    address_proven: bool = False,
    **flags,
) -> Member:
    """Make a member without the join page: for commands, imports, demo data and tests."""
    member = Member(
        email=Member.objects.normalize_email(email),
        name=names.clean_name(name),
        time_zone=time_zone,
        language=language,
        **flags,
    )
    if address_proven:
        member.address_proven_at = timezone.now()
    member.set_password(password)
    save_new_member(member, handle=handle)
    EmailAddress.objects.create(
        user=member, email=member.email.lower(), verified=address_proven, primary=True
    )
    return member
