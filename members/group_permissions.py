"""Who may do what with a group. An anonymous visitor may be passed everywhere."""

from .models import Group, GroupMember, is_convenor, may_read_group
from .permissions import can_moderate, can_write, is_full_member


def can_make_group(user) -> bool:
    return can_write(user)


def can_view_group(user, group: Group) -> bool:
    """May open its page; the same rule as Group.objects.visible_to."""
    if not is_full_member(user):
        return False
    if group.is_listed and group.is_shown and not group.is_closed:
        return True
    return GroupMember.objects.filter(group=group.pk, member=user.pk).exists()


def can_view_members(user, group: Group) -> bool:
    """Who is in a listed group is seen by every member; who is in a private one, by those in it."""
    if group.is_listed and group.is_shown and not group.is_closed:
        return is_full_member(user)
    return may_read_group(user, group.pk)


def can_lead_group(user, group: Group) -> bool:
    """Its convenors: edit, invite, answer requests, remove, hand over, close."""
    return can_write(user) and not group.is_closed and is_convenor(user, group.pk)


def can_order_group(user, group: Group) -> bool:
    """Moderators keep order in the groups that everybody sees; what they do is logged."""
    return can_moderate(user) and group.is_listed and can_view_group(user, group)


def can_report_group(user, group: Group) -> bool:
    return can_write(user) and can_view_group(user, group)
