"""Who may do what with a resource. An anonymous visitor may be passed everywhere."""

from members.permissions import can_moderate, can_write, is_full_member

from .models import Resource, Visibility


def can_view_resource(user, resource: Resource) -> bool:
    """The same rule as ResourceQuerySet.readable_by; files follow their resource."""
    if can_moderate(user):
        return True
    shown = resource.state == Resource.State.VISIBLE and resource.published_at is not None
    if is_full_member(user):
        return shown or resource.added_by_id == user.pk
    return shown and resource.visibility == Visibility.PUBLIC


def can_add_resource(user) -> bool:
    return can_write(user)


def can_edit_resource(user, resource: Resource) -> bool:
    """Only who added it: moderators hide, they do not rewrite. What is hidden stays as it was judged."""
    return can_write(user) and resource.added_by_id == user.pk and resource.state != Resource.State.HIDDEN


def can_hide_resource(user, resource: Resource) -> bool:
    return can_moderate(user)
