"""Who may do what with a resource. An anonymous visitor may be passed everywhere."""

from datetime import timedelta

from django.utils import timezone

from members.models import may_read_group
from members.permissions import can_moderate, can_write, is_full_member

from .models import Resource, ResourceFile, Visibility

TAKEN_BACK_FOR = timedelta(days=30)  # after it was added; later, moderators are asked


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


def can_open_files(user, resource: Resource) -> bool:
    """The same rule as ResourceQuerySet.with_open_files_for: for the bytes, the thumbnails and the words of its files, and
    for whatever tells their addresses. A file that waits for the scanner is open to nobody: see can_open_file."""
    narrower = resource.files_for == Visibility.MEMBERS and not is_full_member(user)
    return can_view_resource(user, resource) and not narrower


def can_open_file(user, file: ResourceFile) -> bool:
    """One file of a record, or one that its sender has kept for a form."""
    if not file.is_open:
        return False
    if file.resource is None:
        return bool(user.is_authenticated and file.added_by_id == user.pk)
    return can_open_files(user, file.resource)


def can_see_file(user, file: ResourceFile) -> bool:
    """That there is such a file, and how it is called: for whoever sees the record, once the scanner has passed it; until
    then for its sender alone. The same rule as ResourceFileQuerySet.listed_for, which is asked of records one may open."""
    if user.is_authenticated and file.added_by_id == user.pk:
        return file.resource is None or can_view_resource(user, file.resource)
    return file.is_open and file.resource is not None and can_view_resource(user, file.resource)


def can_add_resource(user) -> bool:
    return can_write(user)


def can_edit_resource(user, resource: Resource) -> bool:
    """Only who looks after it: moderators hide, they do not rewrite. What is hidden stays as it was judged."""
    return can_write(user) and resource.keeper_id == user.pk and resource.state != Resource.State.HIDDEN


def can_hide_resource(user, resource: Resource) -> bool:
    return can_moderate(user)


def can_take_down(user, resource: Resource) -> bool:
    """A moderator, of what they see or what was hidden; nobody by this way of what they look after, but an admin."""
    if not can_moderate(user) or (resource.keeper_id == user.pk and not user.is_superuser):
        return False
    return resource.state == Resource.State.HIDDEN or can_view_resource(user, resource)


def can_delete_own(user, resource: Resource) -> bool:
    """Who added it and looks after it takes it back at once while it is new here."""
    mine = can_write(user) and resource.keeper_id == resource.added_by_id == user.pk
    young = resource.created_at > timezone.now() - TAKEN_BACK_FOR
    return mine and young and resource.state != Resource.State.HIDDEN
