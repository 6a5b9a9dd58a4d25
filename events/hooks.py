"""What this app registers with core."""

from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kmnet.core import activity, contributions, free_tags, group_contents, mail, search, sitemap
from kmnet.core.frame import MenuItem, register_menu_item
from members.permissions import can_organise

from . import mails, of_group
from .models import Event, Session
from .models.event import Visibility
from .search import find_events

for kind in mails.KINDS:
    mail.register(kind)

activity.register(activity.ActivityType("events.published", "events/_published.html"))

search.register(search.SearchSource(key="events", label="Events", order=20, search=find_events))
register_menu_item(MenuItem(_("Organise an event"), "/events/new/", can_organise, order=60))


# --- contributions ---------------------------------------------------------------------------------------------------
def spoken_at(member, viewer):
    """Published events at which they speak, or spoke."""
    talks = Session.objects.filter(event=OuterRef("pk"), speakers__member=member)
    return Event.objects.visible_to(viewer).published().filter(Exists(talks), cancelled_at__isnull=True)


def talk_line(event: Event) -> contributions.Contribution:
    over = event.ends_at <= timezone.now()
    return contributions.Contribution(
        url=event.get_absolute_url(),
        title=event.title,
        at=event.starts_at,
        meta=gettext("Spoke at this event") if over else gettext("Speaks at this event"),
        icon="calendar",
    )


contributions.register(
    contributions.Contributions(
        key="talks",
        label=_("Talks"),
        position=40,
        rows_of=spoken_at,
        order=["-starts_at", "-pk"],
        show=talk_line,
    )
)

group_contents.register(
    group_contents.GroupContents(
        key="events",
        label=_("Next meeting"),
        order=10,
        template="events/_group_events.html",
        find=of_group.coming,
    )
)
group_contents.register(
    group_contents.GroupContents(
        key="meetings",
        label=_("Meetings so far"),
        order=30,
        template="events/_group_meetings.html",
        find=of_group.past,
        beside=True,
    )
)


def open_to_guests():
    return Event.objects.visible_to(AnonymousUser()).published().only("pk", "slug")


sitemap.register(sitemap.Mapped("events", open_to_guests))


# --- free tags that many use -------------------------------------------------------------------------------------------
def tags_that_members_meet():
    met = Event.objects.published().filter(group__isnull=True, visibility__lte=Visibility.MEMBERS)
    tagged = Event.tags.through.objects.filter(content_type=ContentType.objects.get_for_model(Event))
    return tagged.filter(object_id__in=met.values("pk")).values_list("tag_id", flat=True)


free_tags.register(
    free_tags.TagBearer(
        "events", tags_that_members_meet, lambda tag, term, named: free_tags.retag(Event, tag, named)
    )
)
