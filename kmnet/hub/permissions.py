"""Who decides about what members reported, and who sees what is owed."""

from kmnet.core.moderation import Moderated
from members.permissions import can_administer, can_moderate, can_write


def can_decide(user, kind: Moderated, target) -> bool:
    """Moderators, but nobody about their own things; an admin may, where there is nobody else, and it is logged."""
    return can_moderate(user) and (kind.writer_id(target) != user.pk or can_administer(user))


def can_see_replies(user) -> bool:
    """Those who run the community: how long people wait for a reply, and who waits now."""
    return can_write(user) and (user.is_host or user.is_organiser or can_moderate(user))
