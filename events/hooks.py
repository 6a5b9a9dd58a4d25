"""What this app registers with core."""

from kmnet.core import activity, mail, search

from . import mails
from .search import find_events

for kind in mails.KINDS:
    mail.register(kind)

activity.register(activity.ActivityType("events.published", "events/_published.html"))
activity.register(activity.ActivityType("events.registered", "events/_registered.html"))

search.register(search.SearchSource(key="events", label="Events", order=20, search=find_events))
