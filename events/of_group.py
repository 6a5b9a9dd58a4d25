"""When a group meets, for its page."""

from django.urls import reverse
from django.utils.translation import gettext as _

from kmnet.core.group_contents import Found
from members.group_permissions import is_in

from .models import Event
from .permissions import can_create_event


def coming(group, viewer, limit: int) -> Found:
    """Its coming events; an organiser who is in the group may plan one."""
    events = Event.objects.visible_to(viewer).filter(group=group).upcoming().with_card(viewer)
    may_plan = can_create_event(viewer) and is_in(viewer, group)
    begin = (_("Plan a meeting"), f"{reverse('events:create')}?group={group.pk}") if may_plan else None
    return Found(rows=list(events[:limit]), begin=begin)


def past(group, viewer, limit: int) -> Found:
    return Found(rows=list(Event.objects.visible_to(viewer).filter(group=group).past()[:limit]))
