"""Becoming a member: the account, the proof of the address, the agreement, the first steps."""

import secrets

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core import activity, audit, mail
from kmnet.core.models import CommunitySettings

from .. import names
from ..models import How, Member, OldHandle, Profile, Status
from ..permissions import can_moderate, is_full_member
from .consents import record_agreement
from .profiles import index_profile


class HandleTaken(ValidationError):
    """Somebody has, or had, this handle."""

    def __init__(self):
        super().__init__(_("Somebody else has this handle. Please choose another."), code="taken")


# --- handles ---------------------------------------------------------------------------------------------------------
def is_handle_free(handle: str, *, member: Member | None = None) -> bool:
    """Free for this member: nobody else has it or had it (an old handle redirects to its owner)."""
    wanted = handle.lower()
    taken = Member.objects.alias(low=Lower("handle")).filter(low=wanted)
    former = OldHandle.objects.alias(low=Lower("handle")).filter(low=wanted)
    if member is not None:
        taken, former = taken.exclude(pk=member.pk), former.exclude(member=member)
    return not taken.exists() and not former.exists()


def make_handle(name: str) -> str:
    """A free handle made from the name: ana-silva, then ana-silva-2, and so on."""
    stem = names.handle_from(name)
    if stem != "member" and stem not in names.RESERVED:
        for handle in (stem, *(f"{stem}-{number}" for number in range(2, 10))):
            if is_handle_free(handle):
                return handle
    return f"{stem}-{secrets.token_hex(3)}"


# --- joining ---------------------------------------------------------------------------------------------------------
def _save_new(member: Member, *, handle: str | None = None) -> Member:
    """Store a new member with a free handle and an empty profile."""
    wanted = names.clean_handle(handle) if handle else None
    if wanted and not is_handle_free(wanted):
        raise HandleTaken
    for attempt in range(5):
        member.handle = wanted or make_handle(member.name)
        try:
            with transaction.atomic():  # two people of one name may join at the same moment
                member.save()
                profile = Profile.objects.create(member=member)
        except IntegrityError as error:
            if "one_member_per_handle" not in str(error):
                raise
            if wanted or attempt == 4:
                raise HandleTaken from error
            member.pk = None
            continue
        break
    index_profile(profile)
    return member


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
    """Make a member without the join page: for commands, imports, demo data and tests. Tells nobody."""
    member = Member(
        email=Member.objects.normalize_email(email),
        name=names.clean_name(name),
        time_zone=time_zone,
        language=language,
        **{"joined_at": timezone.now(), **flags},
    )
    if address_proven:
        member.address_proven_at = timezone.now()
    member.set_password(password)
    _save_new(member, handle=handle)
    EmailAddress.objects.create(
        user=member, email=member.email.lower(), verified=address_proven, primary=True
    )
    return member


@transaction.atomic
def save_joining_member(member: Member) -> Member:
    """Store somebody who came by the join page: agreed, address not proven yet, approved or not as the policy says."""
    if CommunitySettings.load().join_policy == "approval":
        member.status = Status.PENDING
    _save_new(member)
    record_agreement(member=member, how=How.JOINING)
    return member


@transaction.atomic
def prove_address(*, member: Member) -> None:
    """The address is theirs: from now on they are a full member, if nobody must approve them."""
    member = Member.objects.select_for_update().get(pk=member.pk)
    if member.address_proven_at:
        return
    member.address_proven_at = timezone.now()
    member.save(update_fields=["address_proven_at"])
    if is_full_member(member):
        activity.record("members.joined", actor=member, target=member)


@transaction.atomic
def approve_member(*, member: Member, actor: Member, reason: str = "") -> None:
    """Let in somebody who waits. Approving twice does nothing."""
    if not can_moderate(actor):
        raise PermissionDenied
    member = Member.objects.select_for_update().get(pk=member.pk)
    if member.status != Status.PENDING:
        return
    member.status = Status.ACTIVE
    member.save(update_fields=["status"])
    audit.record_act(actor=actor, verb="members.approved", target=member, reason=reason)
    if is_full_member(member):
        activity.record("members.joined", actor=member, target=member)


@transaction.atomic
def finish_welcome(*, member: Member) -> None:
    """The first steps are done: a mail welcomes them, once."""
    member = Member.objects.select_for_update().get(pk=member.pk)
    if member.onboarded_at is not None:
        return
    member.onboarded_at = timezone.now()
    member.save(update_fields=["onboarded_at"])
    mail.queue("members.welcome", member=member, dedupe_key=f"members.welcome:{member.pk}")


def note_presence(*, member: Member) -> None:
    """They did something today. Asked at sign-in and at each deed; writes at most once a day."""
    today = timezone.now().date()
    if member.last_seen_on < today:
        Member.objects.filter(pk=member.pk, last_seen_on__lt=today).update(last_seen_on=today)
        member.last_seen_on = today


def change_time_zone(*, member: Member, time_zone: str) -> None:
    if member.time_zone != time_zone:
        member.time_zone = time_zone
        member.save(update_fields=["time_zone"])


# --- the account -----------------------------------------------------------------------------------------------------
@transaction.atomic
def change_account(*, member: Member, name: str, handle: str, time_zone: str, language: str) -> Member:
    """Change name, handle, time zone and language. The old handle stays theirs, and redirects.

    Raises HandleTaken."""
    member = Member.objects.select_for_update().get(pk=member.pk)
    handle = handle if handle == member.handle else names.clean_handle(handle)
    if handle != member.handle:
        if not is_handle_free(handle, member=member):
            raise HandleTaken
        OldHandle.objects.filter(member=member, handle=handle).delete()  # back to one they had
        OldHandle.objects.get_or_create(handle=member.handle, member=member)
    member.name, member.handle = names.clean_name(name), handle
    member.time_zone, member.language = time_zone, language
    try:
        with transaction.atomic():
            member.save(update_fields=["name", "handle", "time_zone", "language"])
    except IntegrityError as error:  # somebody took it since we asked
        raise HandleTaken from error
    index_profile(member.profile)
    return member
