"""Becoming a member: the account, the proof of the address, the agreement, the first steps."""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core import activity, audit, mail
from kmnet.core.models import CommunitySettings
from kmnet.core.models.community import JoinPolicy

from .. import names
from ..models import How, JoinRequest, Member, Profile, Status
from ..permissions import can_moderate, is_full_member
from ..signals import address_proven
from .consents import record_agreement
from .handles import HandleTaken, change_handle, is_handle_free
from .invitations import find_invitation, use_invitation
from .profiles import index_blank_profile, index_profile

WELCOME_AFTER = timedelta(days=1)  # for whoever has left the first steps; done, they are welcomed at once
MOST_WORDS = 1000  # of an answer


class NotInvited(Exception):
    """People join by invitation now, and no invitation that still works for this person was shown."""


# --- handles ---------------------------------------------------------------------------------------------------------
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
    index_blank_profile(profile)
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
def save_joining_member(
    member: Member, *, answers: Iterable[tuple[str, str]] = (), invitation_token: str = ""
) -> Member:
    """Store somebody who came by a page, whatever the way; `settle_new_member` decides what they are.

    Raises NotInvited; then nothing is stored."""
    _save_new(member)
    record_agreement(member=member, how=How.JOINING)
    return settle_new_member(member=member, answers=answers, invitation_token=invitation_token)


def present_policy() -> CommunitySettings:
    """As it stands in the database: what was decided a moment ago counts, not what a cache still says."""
    return CommunitySettings.objects.filter(pk=1).first() or CommunitySettings(pk=1)


def questions_asked() -> list[str]:
    """What somebody who joins is asked at present; nothing where no moderator approves."""
    community = present_policy()
    if community.join_policy != JoinPolicy.APPROVAL:
        return []
    return [question for question in (community.join_question_1, community.join_question_2) if question]


def needs_invitation() -> bool:
    return present_policy().join_policy == JoinPolicy.INVITATION


def is_door_open(*, invitation_token: str = "") -> bool:
    """May somebody join at present, with this invitation if any? The gate itself asks again, under its lock."""
    if not needs_invitation():
        return True
    return find_invitation(invitation_token) is not None


@transaction.atomic
def settle_new_member(
    *, member: Member, answers: Iterable[tuple[str, str]] = (), invitation_token: str = ""
) -> Member:
    """The one gate of every way in: whether a stored new member is in, waits for a moderator, or may not come.

    An invitation is used up here (locked; see use_invitation); it opens a community that is by invitation, and spares
    nobody the approval or the proof of the address. Raises NotInvited: the caller's transaction must not commit."""
    policy = present_policy().join_policy
    invitation = use_invitation(member=member, token=invitation_token) if invitation_token else None
    if policy == JoinPolicy.INVITATION and invitation is None:
        raise NotInvited
    if policy == JoinPolicy.APPROVAL:
        _must_wait(member, answers)
    return member


def _must_wait(member: Member, answers: Iterable[tuple[str, str]] = ()) -> JoinRequest:
    member.status = Status.PENDING
    member.save(update_fields=["status"])
    request, _made = JoinRequest.objects.get_or_create(
        member=member, defaults={"answers": _clean_answers(answers)}
    )
    return request


def _clean_answers(answers: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [[question, answer[:MOST_WORDS]] for question, answer in answers if answer.strip()]


@transaction.atomic
def answer_questions(*, member: Member, answers: Iterable[tuple[str, str]]) -> bool:
    """Somebody who waits tells what they were not asked when they came; once, and not after the decision."""
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    request = JoinRequest.objects.filter(member=member, state=JoinRequest.State.WAITING, answers=[]).first()
    if request is None:
        return False
    request.answers = _clean_answers(answers)
    request.save(update_fields=["answers"])
    return True


@transaction.atomic
def prove_address(*, member: Member, address: str = "") -> None:
    """The address is theirs: from now on they are a full member, if nobody must approve them.

    Announces `address_proven` for this address every time. Who answers may lock events, so the member's row is locked
    after that. A community that has closed its door since they began lets them wait for a moderator."""
    address_proven.send(sender=Member, member=member, address=address or member.email)
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.address_proven_at:
        return
    member.address_proven_at = timezone.now()
    member.save(update_fields=["address_proven_at"])
    if _door_was_closed_to(member):
        _must_wait(member)
    if is_full_member(member):
        _come_in(member)
    elif member.status == Status.PENDING:
        request = _must_wait(member)
        request.waits_since = member.address_proven_at
        request.save(update_fields=["waits_since"])
        mail.queue("members.waiting", member=member, dedupe_key=f"members.waiting:{member.pk}")


def _door_was_closed_to(member: Member) -> bool:
    """Between joining and the proof of the address; not to staff, nor to whom a moderator has let in."""
    if member.status != Status.ACTIVE or member.is_staff:
        return False
    if JoinRequest.objects.filter(member=member, state=JoinRequest.State.APPROVED).exists():
        return False
    policy = present_policy().join_policy
    if policy == JoinPolicy.INVITATION:
        return not hasattr(member, "invitation_used")
    return policy == JoinPolicy.APPROVAL


def _come_in(member: Member) -> None:
    """From now on a full member: hosts hear of it, and they are welcomed."""
    activity.record("members.joined", actor=member, target=member)
    _queue_welcome(member, now=member.onboarded_at is not None)


def _queue_welcome(member: Member, *, now: bool) -> None:
    key = f"members.welcome:{member.pk}"
    if now and mail.hasten(dedupe_key=key):
        return
    due_at = None if now else timezone.now() + WELCOME_AFTER
    mail.queue("members.welcome", member=member, dedupe_key=key, due_at=due_at)


@transaction.atomic
def approve_member(*, member: Member, actor: Member, reason: str = "") -> bool:
    """Let in somebody who waits; whether it was this call that did. Locks the member: approving twice is once."""
    if not can_moderate(actor):
        raise PermissionDenied
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.status != Status.PENDING:
        return False
    member.status = Status.ACTIVE
    member.save(update_fields=["status"])
    _decide(member, actor, JoinRequest.State.APPROVED, reason)
    audit.record_act(actor=actor, verb="members.approved", target=member, reason=reason)
    if is_full_member(member):
        mail.queue("members.let_in", member=member, dedupe_key=f"members.let_in:{member.pk}")
        _come_in(member)
    return True


@transaction.atomic
def decline_member(*, member: Member, actor: Member, reason: str) -> bool:
    """Not this time: they stay outside, and are told why, kindly. Whether it was this call that did. Locks the member.

    Needs a reason. A moderator may still let them in later."""
    reason = reason.strip()
    if not can_moderate(actor):
        raise PermissionDenied
    if not reason:
        raise ValidationError(_("Please say why; they will read it."), code="reason")
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.status != Status.PENDING:
        return False
    if JoinRequest.objects.filter(member=member, state=JoinRequest.State.DECLINED).exists():
        return False
    request = _decide(member, actor, JoinRequest.State.DECLINED, reason)
    audit.record_act(actor=actor, verb="members.declined", target=member, reason=reason)
    mail.queue("members.declined", member=member, dedupe_key=f"members.declined:{request.pk}")
    return True


def _decide(member: Member, actor: Member, state: str, reason: str) -> JoinRequest:
    request, _made = JoinRequest.objects.get_or_create(member=member)
    request.state, request.reason = state, reason[:500]
    request.decided_by, request.decided_at = actor, timezone.now()
    request.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    return request


@transaction.atomic
def finish_welcome(*, member: Member) -> None:
    """The first steps are done: a mail welcomes them, once; whoever waits for a moderator gets it when they are in."""
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.onboarded_at is not None:
        return
    member.onboarded_at = timezone.now()
    member.save(update_fields=["onboarded_at"])
    if is_full_member(member):
        _queue_welcome(member, now=True)


def note_presence(*, member: Member) -> None:
    """They were here today: signed in, visited, did something, also by mail. Writes at most once a day."""
    today = timezone.now().date()
    if member.last_seen_on < today:
        Member.objects.filter(pk=member.pk, last_seen_on__lt=today).update(last_seen_on=today)
        member.last_seen_on = today


def note_presence_of(member_id: int) -> None:
    """The same for somebody who is not signed in: they answered by mail, or pressed a button behind a mail's link."""
    today = timezone.now().date()
    Member.objects.filter(pk=member_id, last_seen_on__lt=today).update(last_seen_on=today)


def change_time_zone(*, member: Member, time_zone: str) -> None:
    if member.time_zone != time_zone:
        member.time_zone = time_zone
        member.save(update_fields=["time_zone"])


# --- the account -----------------------------------------------------------------------------------------------------
@transaction.atomic
def change_account(*, member: Member, name: str, handle: str, time_zone: str, language: str) -> Member:
    """Change name, handle, time zone and language. The old handle stays theirs, and redirects.

    Raises HandleTaken, HandleTooLike, TooManyHandles."""
    member = Member.objects.select_for_update().get(pk=member.pk)
    if handle != member.handle:
        change_handle(member=member, handle=handle)
    member.name = names.clean_name(name)
    member.time_zone, member.language = time_zone, language
    try:
        with transaction.atomic():
            member.save(update_fields=["name", "handle", "time_zone", "language"])
    except IntegrityError as error:  # somebody took it since we asked
        raise HandleTaken from error
    index_profile(member.profile)
    return member
