"""Who hears of what happens in the library. Asked when it is told, so it leaves out who may no longer see it."""

from kmnet.core.models import Activity
from members.models import Member

from .models import Resource
from .permissions import is_met


def _those_who_meet(resource: Resource | None, ids) -> set[int]:
    if resource is None:
        return set()
    members = Member.objects.full().filter(pk__in={pk for pk in ids if pk})
    return {member.pk for member in members if is_met(member, resource)}


def of_story(activity: Activity) -> set[int]:
    """Who brought the record, and who looks after it."""
    resource = activity.target
    story = resource.stories.shown().filter(pk=activity.data.get("story")).first()
    if story is None:
        return set()
    own = story.author_id or getattr(getattr(story, "mask", None), "author_id", None)
    return _those_who_meet(resource, {resource.added_by_id, resource.keeper_id}) - {own}


def of_derivative(activity: Activity) -> set[int]:
    """Who brought the record that it was made from, and who looks after that."""
    parent = Resource.objects.published().filter(pk=activity.data.get("parent")).first()
    if parent is None:
        return set()
    told = _those_who_meet(parent, {parent.added_by_id, parent.keeper_id})
    return _those_who_meet(activity.target, told)


def of_version(activity: Activity) -> set[int]:
    """Who saved it, said that they use it, or told what became of it with their name."""
    resource = activity.target
    ids = set(resource.saves.values_list("member", flat=True))
    ids |= set(resource.used_marks.values_list("member", flat=True))
    ids |= set(resource.stories.shown().values_list("author", flat=True))
    return _those_who_meet(resource, ids)
