"""When a group meets, for its page."""

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from kmnet.core.group_contents import Found
from members.group_permissions import is_in

from .models import Event
from .permissions import can_create_event


def meetings(group, viewer, limit: int) -> list[Event]:
    """The next and the last few, in one query for both parts of the page."""
    key = (viewer.pk, limit)
    if getattr(group, "meetings_for", None) != key:
        seen = Event.objects.visible_to(viewer).filter(group=group)
        near = Q(pk__in=seen.upcoming().values("pk")[:limit]) | Q(pk__in=seen.past().values("pk")[:limit])
        group.meetings = list(Event.objects.filter(near).with_card(viewer).order_by("starts_at", "pk"))
        group.meetings_for = key
    return group.meetings


def coming(group, viewer, limit: int) -> Found:
    """Its coming events; an organiser who is in the group may plan one."""
    may_plan = can_create_event(viewer) and is_in(viewer, group)
    begin = (_("Plan a meeting"), f"{reverse('events:create')}?group={group.pk}") if may_plan else None
    return Found(rows=[event for event in meetings(group, viewer, limit) if not event.is_over()], begin=begin)


def past(group, viewer, limit: int) -> Found:
    """What it has behind it, the last one first."""
    return Found(rows=[event for event in reversed(meetings(group, viewer, limit)) if event.is_over()])
