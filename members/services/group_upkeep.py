"""Groups that lose whoever led them, and groups that moderators act on. Locks as in `groups`."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core import activity, audit, mail

from ..models import Group, GroupMember, Member, Standing, Status
from ..models.group import IN_IT
from ..permissions import can_moderate
from .groups import convenors_of, lock_group, lock_open, mark_closed, standing_of
from .standing import need_reason


# --- when somebody is suspended, or gone ---------------------------------------------------------------------------------
def _groups_with(member: Member):
    ids = GroupMember.objects.filter(member=member).order_by("group_id").values_list("group_id", flat=True)
    return [lock_group(pk) for pk in list(ids)]


def _successor(group: Group, besides: Member | None = None) -> GroupMember | None:
    """Who has been in it longest and may write."""
    writing = Member.objects.full().filter(status=Status.ACTIVE)
    if besides is not None:
        writing = writing.exclude(pk=besides.pk)
    return (
        GroupMember.objects.filter(group=group, standing=Standing.MEMBER, member__in=writing)
        .order_by("since", "pk")
        .first()
    )


def _hand_on(group: Group, row: GroupMember) -> bool:
    """If nobody else who may write leads the group, the longest-standing member does; False where there is none."""
    others = convenors_of(group).exclude(pk=row.pk)
    if others.filter(member__in=Member.objects.full().filter(status=Status.ACTIVE)).exists():
        return True
    heir = _successor(group, row.member)
    if heir is None:
        return others.exists()
    _lead_on(group, heir)
    return True


def _lead_on(group: Group, heir: GroupMember) -> None:
    heir.standing = Standing.CONVENOR
    heir.save(update_fields=["standing"])
    activity.record("groups.led", actor=None, target=group, data={"member": heir.member_id})


@transaction.atomic
def hand_on_groups_of(*, member: Member) -> None:
    """A suspended member leads nothing, nor does one who has asked to be deleted.

    Each group they led alone goes to its longest-standing member; where there is none to lead it, they stay convenor in
    name, and the moderators are told. Invitations and requests of theirs end. Locks their groups, by id.
    """
    for group in _groups_with(member):
        row = standing_of(group, member)
        if row is None:
            continue
        if row.standing not in IN_IT:
            row.delete()
        elif row.standing == Standing.CONVENOR and not group.is_closed:
            if _hand_on(group, row):
                row.standing = Standing.MEMBER
                row.save(update_fields=["standing"])
            else:
                _tell_moderators(group, row)


def _tell_moderators(group: Group, row: GroupMember) -> None:
    """By mail only: a private group is not on any of their pages."""
    moderators = Member.objects.full().filter(Q(is_moderator=True) | Q(is_superuser=True))
    for moderator in moderators.filter(status=Status.ACTIVE).exclude(pk=row.member_id).order_by("pk"):
        key = f"groups.unled:{row.pk}:{timezone.now().isoformat()}:{moderator.pk}"
        mail.queue("groups.unled", member=moderator, dedupe_key=key, refs={"group": group.pk})


@transaction.atomic
def forget_in_groups(*, member: Member) -> None:
    """A deleted account is in no group: what they led goes on as after a suspension, or closes where nobody is left.

    Locks their groups, by id.
    """
    for group in _groups_with(member):
        row = standing_of(group, member)
        if row is None:
            continue
        if row.standing == Standing.CONVENOR and not group.is_closed and not _hand_on(group, row):
            mark_closed(group)
        row.delete()
    GroupMember.objects.filter(invited_by=member).update(invited_by=None)
    Group.objects.filter(made_by=member).update(made_by=None)


@transaction.atomic
def hand_on_group(*, group: Group, actor: Member, reason: str) -> bool:
    """A moderator sees to it that somebody leads: if no convenor may write, the longest-standing member does.

    Logged. False where somebody leads already. Raises ValidationError where there is nobody.
    """
    reason = need_reason(reason)
    group = lock_open(group)
    if not can_moderate(actor):
        raise PermissionDenied
    writing = Member.objects.full().filter(status=Status.ACTIVE)
    if convenors_of(group).filter(member__in=writing).exists():
        return False
    heir = _successor(group)
    if heir is None:
        raise ValidationError(_("Nobody in this group may lead it."), code="nobody")
    _lead_on(group, heir)
    audit.record_act(
        actor=actor, verb="groups.handed_on", target=group, reason=reason, data={"member": heir.member_id}
    )
    return True


# --- keeping order ------------------------------------------------------------
@transaction.atomic
def hide_group(*, target: Group, actor: Member, reason: str) -> None:
    """Take a group out of sight of all who are not in it; nobody joins it meanwhile. Logged; twice is once."""
    reason = need_reason(reason)
    group = lock_group(target.pk)
    if not can_moderate(actor):
        raise PermissionDenied
    if group.state == Group.State.HIDDEN:
        return
    group.state, group.hidden_at = Group.State.HIDDEN, timezone.now()
    group.hidden_by, group.hidden_reason = actor, reason
    group.save(update_fields=["state", "hidden_at", "hidden_by", "hidden_reason"])
    audit.record_act(actor=actor, verb="groups.hidden", target=group, reason=reason)


@transaction.atomic
def restore_group(*, target: Group, actor: Member, reason: str) -> None:
    """Show it again."""
    reason = need_reason(reason)
    group = lock_group(target.pk)
    if not can_moderate(actor):
        raise PermissionDenied
    if group.state == Group.State.VISIBLE:
        return
    group.state, group.hidden_at, group.hidden_by, group.hidden_reason = Group.State.VISIBLE, None, None, ""
    group.save(update_fields=["state", "hidden_at", "hidden_by", "hidden_reason"])
    audit.record_act(actor=actor, verb="groups.restored", target=group, reason=reason)
