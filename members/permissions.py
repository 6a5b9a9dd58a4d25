"""Who may do what, as far as it depends on the member alone. An anonymous visitor may be passed everywhere."""

from .models import Introduction, IntroductionState, Member, Status, has_blocked
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


def can_invite(user) -> bool:
    """May invite somebody by mail, or by a link for several."""
    return can_write(user) and (user.is_host or user.is_organiser or user.is_moderator or user.is_superuser)


def can_bring_in(user) -> bool:
    """May bring in a mailing list. Moderators do not: it is not their task."""
    return can_write(user) and (user.is_organiser or user.is_superuser)


def can_greet(user) -> bool:
    """A host: sees who is new, and says hello."""
    return can_write(user) and user.is_host


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


# --- ties ------------------------------------------------------------------------------------------------------------
def can_contact(sender, receiver) -> bool:
    """May `sender` write to `receiver`, or bring others to them? Not somebody whom the receiver blocks.

    A no must look like any other no of the place where it is asked: nobody is told that they are blocked."""
    return (
        can_write(sender)
        and is_full_member(receiver)
        and sender.pk != receiver.pk
        and not has_blocked(receiver, sender)
    )


def can_propose_introduction(user, one: Member, other: Member) -> bool:
    """Any member who may write, for two others. Whether one of the three keeps another away is no part of it: a
    refusal would tell."""
    return can_write(user) and all(is_full_member(member) and member.pk != user.pk for member in (one, other))


def can_view_introduction(user, introduction: Introduction) -> bool:
    """The same rule as Introduction.objects.visible_to()."""
    if not user.is_authenticated:
        return False
    if user.pk == introduction.proposer_id:
        return True
    return (
        user.pk in introduction.pair
        and not introduction.goes_nowhere
        and introduction.state != IntroductionState.WITHDRAWN
    )
