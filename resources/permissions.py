"""Who may do what with a resource. An anonymous visitor may be passed everywhere."""

from datetime import timedelta

from django.utils import timezone

from members.models import may_read_group
from members.permissions import can_moderate, can_write, is_full_member

from .models import Derivative, Relation, Resource, ResourceFile, Story, StoryMask, Visibility

TAKEN_BACK_FOR = timedelta(days=30)  # after it was added; later, moderators are asked


def can_view_resource(user, resource: Resource) -> bool:
    """The same rule as ResourceQuerySet.readable_by; files follow their resource."""
    if not is_for(user, resource):
        return False
    if is_full_member(user) and user.pk in (resource.added_by_id, resource.keeper_id):
        return True
    shown = resource.state == Resource.State.VISIBLE and resource.published_at is not None
    return shown or can_moderate(user)


def is_for(user, resource: Resource) -> bool:
    """The same rule as models.audience_rule."""
    if resource.visibility == Visibility.GROUP:
        found = user.pk is not None and resource.found_for == user.pk
        return found or may_read_group(user, resource.group_id)
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


def can_take_on(user, resource: Resource) -> bool:
    """Look after it, where nobody does or one is asked to."""
    return can_write(user) and can_view_resource(user, resource) and resource.state != Resource.State.HIDDEN


def can_merge(user, kept: Resource, gone: Resource) -> bool:
    """A moderator who sees both, or whoever looks after both. What is held becomes part of what is seen only by a
    moderator, who has looked at it then."""
    if Resource.State.HIDDEN in (kept.state, gone.state) or kept.state != Resource.State.VISIBLE:
        return False
    if can_moderate(user):
        return can_view_resource(user, kept) and can_view_resource(user, gone)
    return (
        gone.state == Resource.State.VISIBLE
        and can_edit_resource(user, kept)
        and can_edit_resource(user, gone)
    )


def can_delete_own(user, resource: Resource) -> bool:
    """Who added it and looks after it takes it back at once while it is new here."""
    mine = can_write(user) and resource.keeper_id == resource.added_by_id == user.pk
    young = resource.created_at > timezone.now() - TAKEN_BACK_FOR
    return mine and young and resource.state != Resource.State.HIDDEN


# --- versions, derivatives, links ------------------------------------------------------------------------------------
def is_met(user, resource: Resource) -> bool:
    """Stands in the library for this person, in lists too. The same rule as ResourceQuerySet.visible_to."""
    shown = resource.state == Resource.State.VISIBLE and resource.published_at is not None
    return shown and is_for(user, resource)


def can_derive(user, resource: Resource) -> bool:
    """May make a version of it for others: anybody who writes here and meets it; its keeper also while it is held."""
    return can_write(user) and (is_met(user, resource) or can_edit_resource(user, resource))


def can_change_derivative(user, derivative: Derivative) -> bool:
    """May say who checked it. Needs both records."""
    return can_edit_resource(user, derivative.child) and can_view_resource(user, derivative.parent)


def can_detach_derivative(user, derivative: Derivative) -> bool:
    """May say that the one was not made from the other. Needs both records."""
    if not (can_view_resource(user, derivative.child) and can_view_resource(user, derivative.parent)):
        return False
    own = can_edit_resource(user, derivative.child) or can_edit_resource(user, derivative.parent)
    return own or can_moderate(user)


def can_relate(user, resource: Resource, kind: str, other: Resource) -> bool:
    """Who looks after `resource` says what it goes with. That it is newer than another one stands as a notice on that
    one's page: for this one must look after both, or be a moderator."""
    if not (can_write(user) and can_view_resource(user, resource) and is_met(user, other)):
        return False
    if can_moderate(user) and is_met(user, resource):
        return True
    wanted = [resource, other] if kind == Relation.Kind.NEWER else [resource]
    return all(can_edit_resource(user, one) for one in wanted)


def can_remove_relation(user, relation: Relation) -> bool:
    """Who looks after one of the two; or a moderator. Needs both records."""
    if not (can_view_resource(user, relation.resource) and can_view_resource(user, relation.other)):
        return False
    own = can_edit_resource(user, relation.resource) or can_edit_resource(user, relation.other)
    return own or can_moderate(user)


# --- used ------------------------------------------------------------------------------------------------------------
def can_tell_story(user, resource: Resource) -> bool:
    return can_write(user) and is_met(user, resource)


def can_mark_used(user, resource: Resource) -> bool:
    """Not who brought it or looks after it: the number tells how far it travelled."""
    return can_tell_story(user, resource) and user.pk not in (resource.added_by_id, resource.keeper_id)


def is_told_by(user, story: Story) -> bool:
    """Theirs, with their name or without it: for their own pages alone."""
    if not user.is_authenticated:
        return False
    return story.author_id == user.pk or StoryMask.objects.filter(story=story, author=user).exists()


def can_view_story(user, story: Story) -> bool:
    """The same rule as StoryQuerySet.visible_to; beside it their own, and for moderators what is hidden. Needs its
    record."""
    if not is_met(user, story.resource):
        return False
    return story.state == Story.State.VISIBLE or can_moderate(user) or is_told_by(user, story)


def can_edit_story(user, story: Story) -> bool:
    """What a moderator has hidden stays as it was judged. Needs its record."""
    return (
        can_tell_story(user, story.resource)
        and story.state == Story.State.VISIBLE
        and is_told_by(user, story)
    )


def may_take_back_story(user, story: Story) -> bool:
    """The words are theirs, also while they are silenced; what was hidden too."""
    return is_full_member(user) and is_told_by(user, story)


def can_hide_story(user, story: Story) -> bool:
    return can_moderate(user) and is_for(user, story.resource)
