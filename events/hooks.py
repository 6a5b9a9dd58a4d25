"""What this app registers with core."""

from django.utils.translation import gettext_lazy as _

from kmnet.core import activity, mail, search
from kmnet.core.frame import MenuItem, register_menu_item
from members.permissions import can_organise

from . import mails
from .search import find_events

for kind in mails.KINDS:
    mail.register(kind)

activity.register(activity.ActivityType("events.published", "events/_published.html"))
activity.register(activity.ActivityType("events.registered", "events/_registered.html"))

search.register(search.SearchSource(key="events", label="Events", order=20, search=find_events))
register_menu_item(MenuItem(_("Organise an event"), "/events/new/", can_organise, order=60))
