"""Who decides about what members reported."""

from kmnet.core.moderation import Moderated
from members.permissions import can_administer, can_moderate


def can_decide(user, kind: Moderated, target) -> bool:
    """Moderators, but nobody about their own things; an admin may, where there is nobody else, and it is logged."""
    return can_moderate(user) and (kind.author_id(target) != user.pk or can_administer(user))
