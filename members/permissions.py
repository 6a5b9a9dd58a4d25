"""Who may do what, as far as it depends on the member alone. An anonymous visitor may be passed everywhere."""

from .models import Status


def is_full_member(user) -> bool:
    """Address proven and approved: reads members' pages. (Nobody signs in with an unproven address.)"""
    return bool(user.is_authenticated and user.is_active and user.status in (Status.ACTIVE, Status.SILENCED))


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
