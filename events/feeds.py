"""What calendar programs fetch, again and again: all public events, one member's own, one group's.

A member's address is secret: whoever has it reads what that member goes to. It is signed, so that the key in our
database alone opens nothing; a new key ends the old address. It stops with the member's right to read, at once.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.signing import BadSignature, Signer
from django.db.models import CharField, Exists, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Group, Member
from members.permissions import is_full_member

from . import calendar
from .models import CalendarFeed, Event, Registration, Session, Status

KEPT_AFTER = timedelta(days=180)  # so long a past event stays in the feeds
MOST = 1000
# What an entry is to somebody who has no place yet, or has not said that they come: its title, and that it is not firm.
NOT_FIRM = {
    Status.SOFT: _("Are you coming? %(title)s"),
    Status.OFFERED: _("A place is offered to you: %(title)s"),
    Status.WAITING: _("On the waiting list: %(title)s"),
    Status.REQUESTED: _("Asked for a place: %(title)s"),
}


class Ended(Exception):
    """This address was replaced by another one, or given up."""


def _signer() -> Signer:
    return Signer(salt="kmnet.calendar_feed", sep=".")


def token_of(feed: CalendarFeed) -> str:
    """What stands in the address."""
    return _signer().sign(f"{feed.pk}.{feed.key}")


def own_url(feed: CalendarFeed) -> str:
    return settings.SITE_URL + reverse("feeds:own", args=[token_of(feed)])


def group_url(feed: CalendarFeed, group: Group) -> str:
    return settings.SITE_URL + reverse("feeds:group", args=[token_of(feed), group.pk])


def public_url() -> str:
    return settings.SITE_URL + reverse("feeds:public")


def reader_of(token: str) -> Member | None:
    """Whose address this is; None if nobody's, or of somebody who may not read now. Raises Ended."""
    try:
        number, _dot, key = _signer().unsign(token).partition(".")
    except BadSignature:
        return None
    feed = CalendarFeed.objects.select_related("member").filter(pk=number).first()
    if feed is None or feed.key != key:
        raise Ended
    return feed.member if is_full_member(feed.member) else None


# --- what is in them ---------------------------------------------------------------------------------------------------
def public_feed(*, zone: str) -> bytes:
    events = _lately(Event.objects.visible_to(AnonymousUser()).published())
    return calendar.feed(_firm(events), name=gettext("kmnet: events"), zone=zone)


def group_feed(group: Group, reader: Member) -> bytes:
    """Only for somebody who may read the group; whoever calls has asked."""
    events = _lately(Event.objects.visible_to(reader).published().filter(group=group))
    return calendar.feed(_firm(events), name=group.name, zone=reader.time_zone)


def own_feed(member: Member) -> bytes:
    """Where they have a place or wait for one, and what they organise or speak at. Not what they want recorded only."""
    return calendar.feed(_own(member), name=gettext("kmnet: my events"), zone=member.time_zone)


def _own(member: Member) -> Iterator[tuple[Event, str, str]]:
    mine = Registration.objects.live().exclude(status=Status.RECORDING).for_member(member)
    mine = mine.filter(event=OuterRef("pk")).values("status")[:1]
    speaks = Session.objects.filter(event=OuterRef("pk"), speakers__member=member)
    organises = Event.organisers.through.objects.filter(event=OuterRef("pk"), member=member)
    events = Event.objects.visible_to(member).published()
    events = events.annotate(my_status=Subquery(mine, output_field=CharField()), is_theirs=Exists(organises))
    events = events.annotate(speaks=Exists(speaks))
    for event in _lately(events.filter(Q(my_status__isnull=False) | Q(is_theirs=True) | Q(speaks=True))):
        mark = NOT_FIRM.get(event.my_status)
        if mark is None or event.is_theirs or event.speaks:
            yield event, calendar.CONFIRMED, ""
        else:
            yield event, calendar.TENTATIVE, str(mark)


def _lately(events):
    """In the order of their start; the latest ones, if there are more than a calendar program would take."""
    lately = events.filter(
        Q(ends_at__gt=timezone.now() - KEPT_AFTER) | Q(postponed_at__isnull=False, cancelled_at__isnull=True)
    )
    return reversed(lately.only(*calendar.COLUMNS).order_by("-starts_at", "-pk")[:MOST])


def _firm(events) -> Iterator[tuple[Event, str, str]]:
    for event in events:
        yield event, calendar.CONFIRMED, ""
