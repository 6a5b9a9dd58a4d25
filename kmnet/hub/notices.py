"""Notifications as people read them: one line per thread or thing, the newest deed on top."""

from dataclasses import dataclass, field

from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db.models import Prefetch, QuerySet

from discussions.models import Post, ThanksMonth, Thread
from events.models import Event
from kmnet.core import activity
from kmnet.core.fixed import Named
from kmnet.core.frame import MOST_COUNTED
from kmnet.core.models import Activity, Notification
from members.models import Group as MembersGroup
from members.models import Introduction, Member
from resources.models import Resource, ResourceFile

UNREAD_SHOWN = 200
# What the page would show as one line each: threads and other things, not the deeds. Not the words of those whom the
# member keeps away, and nothing that is gone. What was hidden since is told from this only when the page is opened.
UNREAD = Named(
    f"""
    SELECT count(*) FROM (
        SELECT DISTINCT CASE WHEN p.id IS NULL THEN a.target_type_id ELSE %(thread)s END, coalesce(p.thread_id, a.target_id)
        FROM (SELECT activity_id FROM core_notification WHERE recipient_id = %(member)s AND read_at IS NULL
              ORDER BY id DESC LIMIT {UNREAD_SHOWN}) n
        JOIN core_activity a ON a.id = n.activity_id
        LEFT JOIN discussions_post p ON a.target_type_id = %(post)s AND p.id = a.target_id
        WHERE (p.id IS NOT NULL OR a.target_type_id <> %(post)s)
          AND NOT EXISTS (SELECT FROM members_boundary b WHERE b.owner_id = %(member)s AND b.other_id = a.actor_id)
        LIMIT {MOST_COUNTED}) things
    """,
    member="bigint",
    post="integer",
    thread="integer",
)


@dataclass
class Group:
    """What happened to one thing; `latest` is shown in full, the others are counted."""

    notifications: list[Notification] = field(default_factory=list)

    @property
    def latest(self) -> Notification:
        return self.notifications[0]

    @property
    def template(self) -> str:
        return activity.get_type(self.latest.activity.verb).template

    @property
    def others(self) -> int:
        return len(self.notifications) - 1

    @property
    def ids(self) -> str:
        """For the button that marks this line: what is new of it now, and nothing that comes later."""
        return " ".join(str(row.pk) for row in self.notifications if row.read_at is None)

    @property
    def is_unread(self) -> bool:
        return any(notification.read_at is None for notification in self.notifications)


def things_seen_by(member) -> list[QuerySet]:
    """What a deed can be about, with all that its line shows, as far as this member may see it."""
    return [
        Post.objects.readable_by(member)
        .select_related("thread__space", "author")
        .defer("source", "html", "heading"),
        Thread.objects.readable_by(member).select_related("space", "author"),
        ThanksMonth.objects.filter(author=member),
        Event.objects.visible_to(member),
        Resource.objects.visible_to(member).defer("csl", "search"),
        ResourceFile.objects.filter(added_by=member).select_related("resource"),
        MembersGroup.objects.visible_to(member),
        Member.objects.profile_visible_to(member).select_related("profile"),
        Introduction.objects.visible_to(member).select_related("first", "second"),
    ]


def with_things(notifications: QuerySet, member) -> QuerySet:
    """Each with its deed, who did it, and the thing; the same number of queries for 1 and for 50."""
    deeds = Activity.objects.select_related("actor").prefetch_related(
        GenericPrefetch("target", things_seen_by(member))
    )
    return notifications.prefetch_related(Prefetch("activity", queryset=deeds))


def grouped(notifications: list[Notification]) -> list[Group]:
    """By thread or thing, in the order of the newest deed of each. What the reader may no longer see is left out."""
    groups: dict[tuple, Group] = {}
    for notification in notifications:
        deed = notification.activity
        if deed.target is None or activity.get_type(deed.verb) is None:
            continue
        groups.setdefault(_key(deed), Group()).notifications.append(notification)
    return list(groups.values())


def _key(deed: Activity) -> tuple:
    if isinstance(deed.target, Post):
        return ("thread", deed.target.thread_id)
    if isinstance(deed.target, Thread):
        return ("thread", deed.target_id)
    return (ContentType.objects.get_for_id(deed.target_type_id).model, deed.target_id)


def count_unread(member_id: int) -> int:
    """How many lines of the page are new, at most MOST_COUNTED; one query, for the bell on every page."""
    types = ContentType.objects
    post, thread = types.get_for_model(Post).pk, types.get_for_model(Thread).pk
    return UNREAD.rows(member=member_id, post=post, thread=thread)[0][0]


def unread_of(member) -> list[Group]:
    """What is new. What was told but can no longer be seen counts as read from here on, or the bell would ring for ever."""
    rows = Notification.objects.unread().filter(recipient=member)
    rows = rows.exclude(activity__actor__in=member.unwanted).order_by("-pk")[:UNREAD_SHOWN]
    rows = list(with_things(rows, member))
    gone = [
        row.pk for row in rows if row.activity.target is None or activity.get_type(row.activity.verb) is None
    ]
    if gone:
        activity.mark_rows_read(member=member, ids=gone)
    return grouped(rows)
