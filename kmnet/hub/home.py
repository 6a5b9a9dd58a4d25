"""What a member's home and the landing page show: each a fixed number of queries, each list finite."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext, ngettext
from taggit.models import Tag

from discussions.models import Following, Thread
from events.models import Event, Registration
from kmnet.core.fixed import fixed
from kmnet.core.vocabulary import expand
from members.models import Member
from members.permissions import can_moderate, is_full_member
from members.readers import kind_of, stand_in
from members.visibility import Shown, level_to
from resources.models import Resource

from . import joining, moderation, words

QUESTIONS, REPLIES, PLACES, COMING, RESOURCES, NEWCOMERS = 3, 5, 4, 2, 3, 3
ASKED_WITHIN = timedelta(days=60)  # older questions wait in the list of unanswered ones
ADDED_WITHIN = timedelta(days=14)
ARRIVED_WITHIN = timedelta(days=7)


@dataclass
class Agenda:
    """What needs this member today, in the order of the page."""

    helps_with: list[Tag] = field(default_factory=list)
    questions: list[Thread] = field(default_factory=list)
    replies: list[Thread] = field(default_factory=list)
    places: list[Registration] = field(default_factory=list)
    coming: list[Event] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    newcomers: list[Member] = field(default_factory=list)
    reports: int = 0
    joining: int = 0

    @property
    def matched(self) -> int:
        return sum(1 for thread in self.questions if thread.is_match)

    @property
    def offer(self) -> Registration | None:
        """A place that is held for this member and runs out."""
        return next((place for place in self.places if place.has_open_offer()), None)

    @property
    def is_empty(self) -> bool:
        return not (
            self.questions or self.replies or self.places or self.coming or self.resources or self.newcomers
        )

    @property
    def sentence(self) -> str:
        """The one thing that is the case; what runs out comes first."""
        if self.offer:
            return gettext("A place is held for you.")
        if self.questions:
            count = len(self.questions)
            if self.matched == count:
                return ngettext(
                    "%(count)s person could use what you know.",
                    "%(count)s people could use what you know.",
                    count,
                ) % {"count": words.capital(count)}
            return ngettext(
                "%(count)s question waits for an answer.", "%(count)s questions wait for an answer.", count
            ) % {"count": words.capital(count)}
        if self.replies:
            return ngettext(
                "%(count)s thread of yours has something new.",
                "%(count)s threads of yours have something new.",
                len(self.replies),
            ) % {"count": words.capital(len(self.replies))}
        if self.newcomers:
            return ngettext(
                "%(count)s newcomer would be glad of a hello.",
                "%(count)s newcomers would be glad of a hello.",
                len(self.newcomers),
            ) % {"count": words.capital(len(self.newcomers))}
        return gettext("Nothing waits for you today.")

    @property
    def time_needed(self) -> str:
        minutes = 3 * len(self.questions) + len(self.replies) + len(self.resources) + len(self.newcomers)
        return words.reading_time(minutes) if minutes else ""


@fixed
def _tags_of(*, member):
    return Tag.objects.filter(helpers__member=member).order_by("name")


def tags_of(member) -> tuple[list[Tag], set[str]]:
    """What the member can help with, and the slugs of all its spellings."""
    tags = _tags_of(member=member.pk)
    return tags, {slugify(word) for tag in tags for word in (*expand(tag.name), tag.name)} | {
        tag.slug for tag in tags
    }


def matching(threads: QuerySet, slugs: set[str]) -> QuerySet:
    """Those that the member said they can help with first; `is_match` tells which."""
    tagged = Thread.tags.through.objects.filter(
        content_type__app_label="discussions",
        content_type__model="thread",
        object_id=OuterRef("pk"),
        tag__slug__any_of=list(slugs),
    )
    return threads.annotate(is_match=Exists(tagged))


def open_questions(member, slugs: set[str], now) -> QuerySet:
    """Unanswered questions of others, seen and not muted; matches first, then the longest waiting."""
    asked = (
        Thread.objects.visible_to(member)
        .unanswered()
        .not_muted_by(member)
        .exclude(Following.of(member).began())
        .exclude(author__in=member.unwanted)
        .filter(created_at__gt=now - ASKED_WITHIN)
    )
    return (
        matching(asked, slugs)
        .select_related("space", "author__profile")
        .annotate(
            author_level=level_to(member, "author"),
            rank=Case(When(is_match=True, then=Value(0)), default=Value(1), output_field=IntegerField()),
        )
        .order_by("rank", "created_at", "pk")
    )


def replies_to(member) -> QuerySet:
    """Threads that the member started or follows, with posts to read."""
    mine = Following.of(member)
    return (
        Thread.objects.visible_to(member)
        .shown()
        .not_muted_by(member)  # asks for both at once
        .unread_by(member)
        .filter(mine.began() | mine.followed())
        .exclude(mine.wrote("last_post__"))
        .exclude(last_post__author__in=member.unwanted)
        .with_reading(member)
        .select_related("space", "last_post__author")
        .latest_first()
    )


def places_of(member, now) -> QuerySet:
    """The member's own registrations for what is still to come."""
    return (
        Registration.objects.live()
        .for_member(member)
        .filter(event__in=Event.objects.visible_to(member).upcoming(now), event__cancelled_at__isnull=True)
        .select_related("event")
        .order_by("event__starts_at", "event_id")
    )


def newcomers_for(member, now) -> QuerySet:
    return (
        Member.objects.listed_for(member)
        .exclude(pk=member.pk)
        .filter(joined_at__gt=now - ARRIVED_WITHIN, onboarded_at__isnull=False, greeting__isnull=True)
        .with_level(member)
        .select_related("profile")
        .order_by("-joined_at", "-pk")
    )


def show_authors(threads: list[Thread]) -> list[Thread]:
    """Each author as the reader may see them; `author_level` came along."""
    for thread in threads:
        thread.author.shown = Shown(thread.author.profile, thread.author_level)
    return threads


def show_newcomers(newcomers: list[Member], reader) -> list[Member]:
    for newcomer in newcomers:
        newcomer.shown = Shown.to(reader, newcomer.profile)
    return newcomers


# --- the same for a kind of reader: their SQL is made once ------------------------------------------------------------
@fixed
def _places(kind, *, reader, address, now):
    return places_of(stand_in(kind, reader, address), now)[:PLACES]


@fixed
def _resources(kind, *, reader, since):
    resources = Resource.objects.visible_to(stand_in(kind, reader)).filter(published_at__gt=since)
    return (
        resources.exclude(added_by=reader).defer("csl", "search").order_by("-published_at", "-pk")[:RESOURCES]
    )


@fixed
def _coming(kind, *, reader, address, taken, now):
    member = stand_in(kind, reader, address)
    return (
        Event.objects.visible_to(member)
        .upcoming(now)
        .filter(cancelled_at__isnull=True, rehearsal_of__isnull=True, starts_at__gt=now)
        .exclude(pk__any_of=taken)
        .with_card(member, now)[:COMING]
    )


def agenda_for(member) -> Agenda:
    now = timezone.now()
    helps_with, slugs = tags_of(member)
    kind, reader = kind_of(member), {"reader": member.pk}
    questions = list(open_questions(member, slugs, now)[:QUESTIONS])  # shaped by what they follow: not fixed
    places = _places(kind, **reader, address=member.email, now=now)
    agenda = Agenda(
        helps_with=helps_with,
        questions=show_authors(questions),
        replies=list(replies_to(member)[:REPLIES]),
        places=places,
        resources=_resources(kind, **reader, since=now - ADDED_WITHIN),
    )
    taken = [place.event_id for place in places]
    agenda.coming = _coming(kind, **reader, address=member.email, taken=taken, now=now)
    if member.is_host and is_full_member(member):
        agenda.newcomers = show_newcomers(list(newcomers_for(member, now)[:NEWCOMERS]), member)
    if can_moderate(member):
        agenda.reports = moderation.waiting_count()
        agenda.joining = joining.requests().count()
    return agenda


@dataclass
class Landing:
    """What anybody may see. The template leaves out what is empty: no zero counts."""

    next_event: Event | None = None
    events: list[Event] = field(default_factory=list)
    answered: list[Thread] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    member_count: int = 0


def landing() -> Landing:
    now, guest = timezone.now(), AnonymousUser()
    events = list(
        Event.objects.visible_to(guest).upcoming(now).filter(cancelled_at__isnull=True).with_card(guest)[:3]
    )
    return Landing(
        next_event=events[0] if events else None,
        events=events,
        answered=list(
            Thread.objects.visible_to(guest)
            .shown()
            .filter(accepted_post__isnull=False)
            .select_related("space", "author")
            .order_by("-accepted_at", "-pk")[:3]
        ),
        resources=list(
            Resource.objects.visible_to(guest).defer("csl", "search").order_by("-published_at", "-pk")[:3]
        ),
        member_count=Member.objects.full().count(),
    )
