"""Those who wait to be let in, and those who wait for a hello."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from discussions.models import Kind, Thread
from kmnet.core.models import CommunitySettings
from members.models import Greeting, JoinRequest, Member, Status, blockers_of, unread_by
from members.visibility import Shown

MOST = 100
NEW_FOR = timedelta(days=30)


# --- to be let in ----------------------------------------------------------------------------------------------------
@dataclass
class Asking:
    """One request, with what the person tells about themselves so far."""

    request: JoinRequest
    due_at: datetime

    @property
    def member(self) -> Member:
        return self.request.member

    @property
    def shown(self) -> Shown:
        return self.member.profile.as_members_saw_it

    @property
    def is_late(self) -> bool:
        return self.due_at < timezone.now()


def after_working_days(since: datetime, days: int) -> datetime:
    """So many days later, Saturdays and Sundays not counted."""
    moment = since
    while days > 0:
        moment += timedelta(days=1)
        if moment.weekday() < 5:
            days -= 1
    return moment


def requests() -> QuerySet[JoinRequest]:
    """Whoever has proven their address and waits."""
    return JoinRequest.objects.filter(
        state=JoinRequest.State.WAITING, waits_since__isnull=False, member__status=Status.PENDING
    )


def asking() -> list[Asking]:
    """The longest waiting first; the same number of queries for 1 and for 50."""
    days = CommunitySettings.load().join_wait_days
    rows = (
        requests()
        .select_related("member__profile")
        .prefetch_related("member__profile__roles")
        .order_by("waits_since", "pk")[:MOST]
    )
    return [Asking(row, after_working_days(row.waits_since, days)) for row in rows]


def decided(length: int = 8) -> QuerySet[JoinRequest]:
    return (
        JoinRequest.objects.exclude(state=JoinRequest.State.WAITING)
        .exclude(member__status=Status.ERASED)
        .select_related("member", "decided_by")
        .order_by("-decided_at", "-pk")[:length]
    )


# --- a hello ---------------------------------------------------------------------------------------------------------
def to_greet(host: Member) -> QuerySet[Member]:
    """Full members since not longer than a month whom no host has greeted; none who keeps away from this host, nor
    one from whom this host does."""
    since = timezone.now() - NEW_FOR
    return (
        Member.objects.full()
        .filter(Q(joined_at__gt=since) | Q(join_request__decided_at__gt=since), greeting__isnull=True)
        .filter(is_host=False, is_moderator=False, is_staff=False)
        .exclude(pk=host.pk)
        .exclude(pk__in=blockers_of(host))
        .exclude(pk__in=unread_by(host))
    )


@dataclass
class Newcomer:
    """As this host may see them."""

    shown: Shown
    introduction: Thread | None = None

    @property
    def member(self) -> Member:
        return self.shown.member


def newcomers(host: Member, members: list[Member]) -> list[Newcomer]:
    """Needs with_card(host)."""
    threads = (
        Thread.objects.visible_to(host)
        .shown()
        .filter(author__in=members, kind=Kind.INTRODUCTION)
        .select_related("space")
        .order_by("pk")
    )
    introductions: dict[int, Thread] = {}
    for thread in threads:
        introductions.setdefault(thread.author_id, thread)
    return [Newcomer(Shown.to(host, member.profile), introductions.get(member.pk)) for member in members]


def greeted(host: Member, length: int = 8) -> QuerySet[Greeting]:
    return (
        Greeting.objects.filter(newcomer__in=Member.objects.full())
        .exclude(newcomer__in=blockers_of(host))
        .select_related("newcomer", "host")
        .order_by("-at", "-pk")[:length]
    )
