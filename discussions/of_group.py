"""What a group talks about, for its page."""

from django.urls import reverse
from django.utils.translation import gettext as _

from kmnet.core.group_contents import Found
from members.group_permissions import can_lead_group, is_in
from members.permissions import can_write

from .listing import complete
from .models import MayStart, Space, Thread


def find(group, viewer, limit: int) -> Found:
    """The latest threads of the group's spaces. Its convenor may open a space where there is none."""
    leads = can_lead_group(viewer, group)
    threads = Thread.objects.visible_to(viewer).shown().filter(space__group=group)
    rows = list(threads.with_card(viewer).latest_first()[:limit])
    complete(rows)
    spaces = [thread.space for thread in rows]
    if not rows:
        spaces = list(Space.objects.visible_to(viewer).filter(group=group).order_by("position", "pk"))
    if not spaces:
        begin = (_("Open a space to talk"), reverse("discussions:open_for_group", args=[group.slug]))
        return Found(begin=begin if leads else None)
    begin = None
    if can_write(viewer) and is_in(viewer, group):
        free = [space for space in spaces if leads or space.may_start == MayStart.MEMBERS]
        begin = (
            (_("Start a conversation"), reverse("discussions:ask_in", args=[free[0].slug])) if free else None
        )
    return Found(rows=rows, more_href=spaces[0].get_absolute_url() if rows else "", begin=begin)
