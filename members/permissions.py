"""Who may do what, as far as it depends on the member alone. An anonymous visitor may be passed everywhere."""

from .models import Member, Status
from .models.member import is_full
from .visibility import has_something_public


def is_full_member(user) -> bool:
    """Address proven and approved: reads members' pages. The same rule as Member.objects.full()."""
    return is_full(user)


def can_write(user) -> bool:
    """May post, react, report, register, add. A silenced member reads, but does not write."""
    return is_full_member(user) and user.status == Status.ACTIVE


def can_moderate(user) -> bool:
    return can_write(user) and (user.is_moderator or user.is_superuser)


def can_administer(user) -> bool:
    return can_write(user) and user.is_superuser


def can_organise(user) -> bool:
    """May create events."""
    return can_write(user) and (user.is_organiser or user.is_moderator or user.is_superuser)


def can_view_profile(user, member: Member) -> bool:
    """The same rule as Member.objects.profile_visible_to()."""
    if user.is_authenticated and user.pk == member.pk:
        return True
    return is_full_member(member) and (is_full_member(user) or has_something_public(member.profile))


def can_change_standing(user, member: Member) -> bool:
    """Moderators suspend and silence members, never one another, an admin or themselves."""
    if not can_moderate(user) or user.pk == member.pk:
        return False
    return user.is_superuser or not (member.is_moderator or member.is_staff)
