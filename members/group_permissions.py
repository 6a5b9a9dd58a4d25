"""Who may do what with a group. An anonymous visitor may be passed everywhere."""

from .models import Group, GroupMember, Standing
from .models.group import IN_IT
from .permissions import can_moderate, can_write, is_full_member


def standing_with(user, group: Group) -> str:
    """Where this person stands with the group, "" for nowhere. A page that has fetched it along (`seen_by`, with_card)
    asks no more; services hold the row afresh, and ask."""
    if not user.is_authenticated:
        return ""
    if getattr(group, "seen_by", None) == user.pk:
        return group.my_standing
    rows = GroupMember.objects.filter(group=group.pk, member=user.pk)
    return rows.values_list("standing", flat=True).first() or ""


def is_in(user, group: Group) -> bool:
    """In it, and it is open: the same rule as models.is_in_group."""
    return not group.is_closed and standing_with(user, group) in IN_IT


def can_make_group(user) -> bool:
    return can_write(user)


def can_view_group(user, group: Group) -> bool:
    """May open its page; the same rule as Group.objects.visible_to."""
    if not is_full_member(user):
        return False
    if group.is_listed and group.is_shown and not group.is_closed:
        return True
    return bool(standing_with(user, group))


def can_view_members(user, group: Group) -> bool:
    """Who is in a listed group is seen by every member; who is in a private one, by those in it."""
    if group.is_listed and group.is_shown and not group.is_closed:
        return is_full_member(user)
    return is_full_member(user) and standing_with(user, group) in IN_IT


def can_lead_group(user, group: Group) -> bool:
    """Its convenors: edit, invite, answer requests, remove, hand over, close."""
    return can_write(user) and not group.is_closed and standing_with(user, group) == Standing.CONVENOR


def can_order_group(user, group: Group) -> bool:
    """Moderators keep order in the groups that everybody sees; what they do is logged."""
    return can_moderate(user) and group.is_listed and can_view_group(user, group)


def can_report_group(user, group: Group) -> bool:
    return can_write(user) and can_view_group(user, group)
