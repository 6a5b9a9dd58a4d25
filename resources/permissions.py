"""Who may do what with a resource. An anonymous visitor may be passed everywhere."""

from members.models import may_read_group
from members.permissions import can_moderate, can_write, is_full_member

from .models import Resource, Visibility


def can_view_resource(user, resource: Resource) -> bool:
    """The same rule as ResourceQuerySet.readable_by; files follow their resource."""
    if is_full_member(user) and user.pk in (resource.added_by_id, resource.keeper_id):
        return True
    if not is_for(user, resource):
        return False
    shown = resource.state == Resource.State.VISIBLE and resource.published_at is not None
    return shown or can_moderate(user)


def is_for(user, resource: Resource) -> bool:
    """The same rule as models.audience_rule."""
    if resource.visibility == Visibility.GROUP:
        return may_read_group(user, resource.group_id)
    return resource.visibility == Visibility.PUBLIC or is_full_member(user)


def can_add_resource(user) -> bool:
    return can_write(user)


def can_edit_resource(user, resource: Resource) -> bool:
    """Only who looks after it: moderators hide, they do not rewrite. What is hidden stays as it was judged."""
    return can_write(user) and resource.keeper_id == user.pk and resource.state != Resource.State.HIDDEN


def can_hide_resource(user, resource: Resource) -> bool:
    return can_moderate(user)
