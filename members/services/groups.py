"""Groups: making, joining, inviting, leading, leaving, closing.

Every service locks the group's row first and reads the standing afterwards, so that whoever comes and goes does so one
after the other: no group is ever without a convenor, nobody stands with a group twice. The lock leaves others free to
write rows that point to the group.
"""

import secrets
import uuid
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Case, IntegerField, Value, When
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from kmnet.core import activity, audit

from .. import group_permissions as may
from ..models import Group, GroupMember, Joining, Member, Standing
from ..models.group import IN_IT, RESERVED
from ..permissions import can_write, is_full_member
from ..signals import leaving_group, left_group
from .standing import need_reason

MOST_LED = 20  # groups that one member may convene at a time
MOST_A_DAY = 5  # groups that one member may make in a day
MOST_INVITED = 100  # invitations of one group that wait at a time


class GroupClosed(Exception):
    """The group was closed; it may have happened while something was being typed."""


class LastConvenor(Exception):
    """The only convenor must hand over first, or close the group."""


class TooManyGroups(ValidationError):
    """This member has made, or leads, as many groups as one may."""


class TooManyInvited(ValidationError):
    """So many invitations of this group wait for an answer that no more may be added."""


def lock_group(group_id: int) -> Group:
    """The group's row, locked until the transaction ends, others' foreign keys to it excepted."""
    return Group.objects.select_for_update(no_key=True, of=("self",)).get(pk=group_id)


def lock_open(group: Group) -> Group:
    group = lock_group(group.pk)
    if group.is_closed:
        raise GroupClosed
    return group


def standing_of(group: Group, member: Member) -> GroupMember | None:
    return GroupMember.objects.filter(group=group, member=member).first()


def convenors_of(group: Group):
    return GroupMember.objects.filter(group=group, standing=Standing.CONVENOR)


def make_slug(name: str, *, is_listed: bool) -> str:
    """A free address. A private group's ends in letters that nobody guesses, so that no address tells of one."""
    stem = slugify(name)[:48].strip("-") or "group"
    if not is_listed:
        return f"{stem}-{secrets.token_hex(3)}"
    for slug in (stem, *(f"{stem}-{number}" for number in range(2, 20))):
        if slug not in RESERVED and not slug.isdigit() and not Group.objects.filter(slug=slug).exists():
            return slug
    return f"{stem}-{secrets.token_hex(3)}"


# --- making and changing ------------------------------------------------------------
@transaction.atomic
def make_group(
    *,
    actor: Member,
    name: str,
    purpose: str = "",
    ways: str = "",
    joining: str = Joining.OPEN,
    is_listed: bool = True,
    submit_key: uuid.UUID | None = None,
) -> Group:
    """A new group with its maker as convenor. The same submit key twice is one group.

    Locks the maker's row, so that the limits hold under parallel presses. Raises TooManyGroups.
    """
    actor = Member.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if not may.can_make_group(actor):
        raise PermissionDenied
    key = submit_key or uuid.uuid4()
    made = Group.objects.filter(submit_key=key, made_by=actor).first()
    if made is not None:
        return made
    _check_limits(actor)
    for attempt in range(5):
        group = Group(
            slug=make_slug(name, is_listed=is_listed),
            name=name,
            purpose=purpose,
            ways=ways,
            joining=joining if is_listed else Joining.INVITATION,
            is_listed=is_listed,
            made_by=actor,
            submit_key=key,
            created_at=timezone.now(),
        )
        try:
            with transaction.atomic():  # two groups of one name may be made at the same moment
                group.save()
        except IntegrityError as error:
            if "one_group_per_address" not in str(error) or attempt == 4:
                raise
            continue
        break
    GroupMember.objects.create(group=group, member=actor, standing=Standing.CONVENOR, since=group.created_at)
    return group


def _check_limits(actor: Member) -> None:
    led = _led_by(actor).count()
    today = Group.objects.filter(made_by=actor, created_at__gt=timezone.now() - timedelta(days=1))
    if led >= MOST_LED:
        raise TooManyGroups(
            _("You lead %(count)d groups. Please hand one over, or close it, before you make another."),
            params={"count": led},
        )
    if today.count() >= MOST_A_DAY:
        raise TooManyGroups(_("You have made several groups today. Please make the next one tomorrow."))


def _led_by(member: Member):
    return GroupMember.objects.in_it().filter(member=member, standing=Standing.CONVENOR)


@transaction.atomic
def edit_group(
    *, actor: Member, group: Group, name: str, purpose: str, ways: str, joining: str, is_listed: bool
) -> Group:
    """What a group says of itself, and how one joins. Its address stays. Whoever asked to join goes on waiting.

    Raises GroupClosed.
    """
    group = lock_open(group)
    if not may.can_lead_group(actor, group):
        raise PermissionDenied
    group.name, group.purpose, group.ways = name, purpose, ways
    group.joining = (
        joining if is_listed else Joining.INVITATION
    )  # nobody asks to join what they do not know of
    group.is_listed = is_listed
    group.save(update_fields=["name", "purpose", "ways", "joining", "is_listed"])
    return group


@transaction.atomic
def close_group(*, actor: Member, group: Group) -> Group:
    """Nobody joins or writes any more; those in it may go on reading. Closing twice does nothing."""
    group = lock_group(group.pk)
    if group.is_closed:
        return group
    if not may.can_lead_group(actor, group):
        raise PermissionDenied
    mark_closed(group)
    return group


def mark_closed(group: Group) -> None:
    group.closed_at = timezone.now()
    group.save(update_fields=["closed_at"])
    GroupMember.objects.filter(group=group).exclude(standing__in=IN_IT).delete()


# --- coming in ------------------------------------------------------------
@transaction.atomic
def join_group(*, member: Member, group: Group) -> GroupMember:
    """Into an open group at once; into one by request the request is written, and its convenors are told.

    Whoever is invited comes in. Twice is once. Raises GroupClosed, PermissionDenied (by invitation only; not seen).
    """
    group = lock_open(group)
    mine = standing_of(group, member)
    if mine is not None and mine.standing in IN_IT:
        return mine
    if not can_write(member):
        raise PermissionDenied
    if mine is not None and mine.standing == Standing.INVITED:
        return _come_in(mine)
    if not may.can_view_group(member, group) or group.joining == Joining.INVITATION or not group.is_shown:
        raise PermissionDenied
    if group.joining == Joining.OPEN:
        return _come_in(mine or GroupMember(group=group, member=member))
    if mine is None:
        mine = GroupMember.objects.create(
            group=group, member=member, standing=Standing.REQUESTED, since=timezone.now()
        )
        activity.record("groups.requested", actor=member, target=group, data={"standing": mine.pk})
    return mine


def _come_in(row: GroupMember) -> GroupMember:
    row.standing, row.since = Standing.MEMBER, timezone.now()
    row.save()
    return row


@transaction.atomic
def answer_request(*, actor: Member, group: Group, member: Member, admit: bool) -> bool:
    """A convenor lets somebody in, who is told, or not, which they see on the group's page alone.

    False where the request is not there any more (answered by another convenor, or taken back). Raises GroupClosed.
    """
    group = lock_open(group)
    if not may.can_lead_group(actor, group):
        raise PermissionDenied
    row = standing_of(group, member)
    if row is None or row.standing != Standing.REQUESTED:
        return False
    if not admit:
        row.delete()
        return True
    if not is_full_member(member):
        raise PermissionDenied
    _come_in(row)
    activity.record("groups.admitted", actor=actor, target=group, data={"member": member.pk})
    return True


@transaction.atomic
def invite_member(*, actor: Member, group: Group, member: Member) -> GroupMember:
    """A convenor invites somebody, who is told. Who asked to join comes in by it. Twice is once.

    Somebody who keeps the convenor at a distance is invited like anybody, as far as the convenor can tell, and hears
    nothing. Raises GroupClosed, TooManyInvited.
    """
    group = lock_open(group)
    if not may.can_lead_group(actor, group) or not is_full_member(member):
        raise PermissionDenied
    row = standing_of(group, member)
    if row is not None and row.standing == Standing.REQUESTED:
        _come_in(row)
        activity.record("groups.admitted", actor=actor, target=group, data={"member": member.pk})
        return row
    if row is not None:
        return row
    if GroupMember.objects.filter(group=group, standing=Standing.INVITED).count() >= MOST_INVITED:
        raise TooManyInvited(_("So many people are invited already. Please wait until some have answered."))
    row = GroupMember.objects.create(
        group=group, member=member, standing=Standing.INVITED, invited_by=actor, since=timezone.now()
    )
    activity.record("groups.invited", actor=actor, target=group, data={"member": member.pk})
    return row


@transaction.atomic
def withdraw_invitation(*, actor: Member, group: Group, member: Member) -> bool:
    """A convenor takes an invitation back; False where there is none any more."""
    group = lock_group(group.pk)
    if not may.can_lead_group(actor, group):
        raise PermissionDenied
    waiting = GroupMember.objects.filter(group=group, member=member, standing=Standing.INVITED)
    return bool(waiting.delete()[0])


@transaction.atomic
def step_back(*, member: Member, group: Group) -> bool:
    """Decline an invitation, or take back a request; False where there is none. A silenced member may."""
    group = lock_group(group.pk)
    waiting = GroupMember.objects.filter(group=group, member=member).exclude(standing__in=IN_IT)
    return bool(waiting.delete()[0])


# --- leading ------------------------------------------------------------
@transaction.atomic
def make_convenor(*, actor: Member, group: Group, member: Member) -> GroupMember:
    """A convenor shares the lead with somebody who is in the group. Raises GroupClosed."""
    group = lock_open(group)
    row = standing_of(group, member)
    if not may.can_lead_group(actor, group) or row is None or row.standing not in IN_IT:
        raise PermissionDenied
    if not can_write(Member.objects.get(pk=member.pk)):  # read now: who is suspended meanwhile leads nothing
        raise PermissionDenied
    if row.standing != Standing.CONVENOR:
        row.standing = Standing.CONVENOR
        row.save(update_fields=["standing"])
        activity.record("groups.led", actor=actor, target=group, data={"member": member.pk})
    return row


@transaction.atomic
def unmake_convenor(*, actor: Member, group: Group, member: Member) -> GroupMember:
    """A convenor gives the lead back, or takes it from another. Raises LastConvenor, GroupClosed."""
    group = lock_open(group)
    row = standing_of(group, member)
    if not may.can_lead_group(actor, group) or row is None or row.standing not in IN_IT:
        raise PermissionDenied
    if row.standing == Standing.CONVENOR:
        _check_not_last(group, row)
        row.standing = Standing.MEMBER
        row.save(update_fields=["standing"])
    return row


def _check_not_last(group: Group, row: GroupMember) -> None:
    leads = row.standing == Standing.CONVENOR and not group.is_closed
    if leads and not convenors_of(group).exclude(pk=row.pk).exists():
        raise LastConvenor


def is_held_in_group(*, member: Member, group_id: int) -> bool:
    """As is_in_group, and true until the transaction ends: locks the standing, so that whoever leaves or is taken out
    waits, and then finds what was written meanwhile."""
    standing = GroupMember.objects.in_it().filter(member=member.pk, group=group_id)
    return standing.select_for_update(no_key=True, of=("self",)).first() is not None


# --- leaving ------------------------------------------------------------
@transaction.atomic
def leave_group(*, member: Member, group: Group) -> bool:
    """Out of the group; places at its coming events go to others. False where they were not in it.

    Raises LastConvenor: whoever leads alone hands over first, or closes the group. A silenced member may leave.
    """
    leaving_group.send(sender=Group, member=member, group=group)
    group = lock_group(group.pk)
    row = standing_of(group, member)
    if row is None or row.standing not in IN_IT:
        return False
    _check_not_last(group, row)
    _take_out(row, group)
    return True


@transaction.atomic
def remove_member(*, actor: Member, group: Group, member: Member, reason: str = "") -> bool:
    """Somebody is taken out: by a convenor, or by a moderator of a group they can see, with a reason for the log.

    A convenor is first made a member again. False where they were not in it. Raises LastConvenor.
    """
    leaving_group.send(sender=Group, member=member, group=group)
    group = lock_group(group.pk)
    row = standing_of(group, member)
    if row is None or row.standing not in IN_IT:
        return False
    leads = may.can_lead_group(actor, group)
    if actor.pk == member.pk or not (leads or may.can_order_group(actor, group)):
        raise PermissionDenied
    if row.standing == Standing.CONVENOR:
        raise PermissionDenied
    if not leads:
        reason = need_reason(reason)
        audit.record_act(
            actor=actor, verb="groups.member_removed", target=group, reason=reason, data={"member": member.pk}
        )
    _take_out(row, group)
    return True


def _take_out(row: GroupMember, group: Group) -> None:
    member = row.member
    row.delete()
    left_group.send(sender=Group, member=member, group=group)


# --- the list ------------------------------------------------------------
def in_page_order(standings):
    """Convenors first, then by when they came."""
    first = Case(
        When(standing=Standing.CONVENOR, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    return standings.annotate(rank=first).order_by("rank", "since", "pk")
