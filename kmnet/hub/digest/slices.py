"""The letters of a slice: what each holds, whether that is still so, and what its pieces are made of."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from discussions.models import Post, Thread
from events.models import Event
from kmnet.core.mail.holding import zone_named
from kmnet.core.text import plain_text
from kmnet.hub.models import DigestRun, DigestSchedule
from members.models import Member, Profile
from members.readers import kind_of
from members.visibility import Shown
from resources.models import Resource

from .choosing import FOR_LINES, GLANCE, LINE, Choice, Minutes, choose, choose_lines
from .others import RESOURCES, Others, gather
from .press import Order, Press, Section
from .readers import Reader, boundaries, groups_of_others, groups_read, meet
from .talks import News, Talks

logger = logging.getLogger(__name__)
EXCERPT = 180  # characters
FRESH_FOR = 2  # seconds that an answer about what may still be shown counts


@dataclass
class Plan:
    """What one letter holds, before it is put into words."""

    reader: Reader
    choice: Choice
    others: Others
    minutes: float = 0.0  # that it takes
    more_resources: int = 0

    @property
    def is_empty(self) -> bool:
        return not (any(self.choice.talks) or any(vars(self.others).values()))

    @property
    def posts(self) -> list[int]:
        return [news.first.pk for news in self.choice.talks]


def plan_letter(reader: Reader, talks: Talks, others: Others) -> Plan:
    """Pack what there is into the minutes that the reader has: conversations first, but some time is kept for lines."""
    minutes = Minutes(reader.minutes)
    lines = (
        (others.places, GLANCE),
        (others.events, LINE),
        (others.resources[:RESOURCES], LINE),
        (others.newcomers, GLANCE),
        (others.outcomes, GLANCE),
    )
    kept = min(FOR_LINES * minutes.given, sum(len(some) * cost for some, cost in lines))
    minutes.left -= kept
    choice = choose(reader, talks, minutes)
    minutes.left += kept
    told = {news.talk.pk for news in choice.talks}
    outcomes = [one for one in others.outcomes if one.thread.pk not in told]
    places, events, resources, newcomers, outcomes = choose_lines(minutes, *lines[:4], (outcomes, GLANCE))
    fitting = Others(places, outcomes, events, resources, newcomers)
    more = len(others.resources) - len(resources) if resources else 0
    return Plan(reader, choice, fitting, minutes.given - minutes.left, more)


@dataclass
class Words:
    """What is needed of the threads, posts and people that the letters of a slice name."""

    posts: dict[int, Post] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)
    profiles: dict[int, Profile] = field(default_factory=dict)  # of those who ask, by member
    groups: dict[int, set[int]] = field(default_factory=dict)
    excerpts: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, plans: Iterable[Plan]) -> "Words":
        plans = list(plans)
        posts = {pk for plan in plans for pk in plan.posts}
        threads = {news.talk.pk for plan in plans for news in plan.choice.talks}
        if not posts:
            return cls()
        asking = {news.talk.author_id for plan in plans for news in plan.choice.questions}
        found = Post.objects.filter(pk__any_of=list(posts)).select_related("author")
        vectors = ("search_vector", "search_groups", "search_public", "search_looking", "about")
        return cls(
            {post.pk: post for post in found.defer("search", "source", "heading")},
            {
                thread.pk: thread
                for thread in Thread.objects.filter(pk__any_of=list(threads)).select_related(
                    "space", "author"
                )
            },
            {
                profile.member_id: profile
                for profile in Profile.objects.filter(member__any_of=list(asking)).defer(*vectors)
            },
            groups_of_others(asking),
        )

    def excerpt(self, pk: int) -> str:
        found = self.excerpts.get(pk)
        if found is None:
            found = self.excerpts[pk] = shorten(plain_text(self.posts[pk].html[: EXCERPT * 10]))
        return found


def shorten(text: str) -> str:
    if len(text) <= EXCERPT:
        return text
    return text[:EXCERPT].rsplit(" ", 1)[0].rstrip(" ,;:.-–") + "…"


@dataclass
class Still:
    """What of all that the letters of a slice hold may still be shown, as of a moment ago."""

    spaces: dict[int, int]  # of threads that are shown, their space
    posts: dict[int, tuple[int, int]]  # thread and number: moderators move posts
    resources: set[int]
    events: set[int]
    groups: dict[int, dict[int, bool]]  # of readers
    unwanted: dict[int, frozenset[int]]

    @classmethod
    def of(cls, plans: Iterable[Plan]) -> "Still":
        plans = list(plans)
        ids = [plan.reader.pk for plan in plans]
        news = [news for plan in plans for news in plan.choice.talks]
        threads = {one.talk.pk for one in news} | {
            o.thread.pk for plan in plans for o in plan.others.outcomes
        }
        posts = Post.objects.shown().filter(pk__any_of=list({one.first.pk for one in news}))
        resources = {found.resource.pk for plan in plans for found in plan.others.resources}
        events = {event.pk for plan in plans for event in plan.others.events}
        events |= {place.event_id for plan in plans for place in plan.others.places}
        shown = Thread.objects.shown().filter(pk__any_of=list(threads), merged_into__isnull=True)
        coming = Event.objects.published().filter(pk__any_of=list(events), cancelled_at__isnull=True)
        return cls(
            dict(shown.values_list("pk", "space")),
            {
                pk: (thread, number)
                for pk, thread, number in posts.filter(withdrawn_at__isnull=True).values_list(
                    "pk", "thread", "number"
                )
            },
            set(Resource.objects.published().filter(pk__any_of=list(resources)).values_list("pk", flat=True)),
            set(coming.values_list("pk", flat=True)),
            groups_read(ids),
            boundaries(ids)[0],
        )

    def holds(self, plan: Plan) -> bool:
        reader, others = plan.reader, plan.others
        return (
            all(
                self.spaces.get(news.talk.pk) == news.talk.space_id
                and self.posts.get(news.first.pk) == (news.talk.pk, news.first.number)
                for news in plan.choice.talks
            )
            and all(self.spaces.get(one.thread.pk) == one.thread.space_id for one in others.outcomes)
            and all(found.resource.pk in self.resources for found in others.resources)
            and all(event.pk in self.events for event in others.events)
            and all(place.event_id in self.events for place in others.places)
            and self.groups.get(reader.pk, {}) == reader.groups_read
            and self.unwanted[reader.pk] == reader.unwanted
        )


class Slice:
    """The letters of some hundred members at a time."""

    def __init__(self, runs: Iterable[DigestRun], *, for_others: bool = False):
        """Runs come with their member and profile, as those of `runs_of`."""
        runs, self.now = list(runs), timezone.now()
        since = min((run.since for run in runs), default=None)
        talks = Talks.covering(since)
        readers = meet(runs, list(talks.by_id), for_others=for_others)
        others = gather(readers.values(), self.now)
        self.plans = {pk: plan_letter(reader, talks, others[pk]) for pk, reader in readers.items()}
        self.words = Words.of(self.plans.values())
        self.next_due = dict(
            DigestSchedule.objects.filter(member__any_of=[run.member_id for run in runs]).values_list(
                "member", "next_due_at"
            )
        )
        self.press = Press(self.now)
        self._still, self._looked_at = None, time.monotonic()

    def holds(self, run_pk: int, member: Member) -> bool:
        """Is what was gathered for this letter still so? `member` is the reader as they are now.

        What may have changed for anybody (hidden, taken back, moved, a group that somebody left) is asked for the whole
        slice, by the querysets of the pages, and anew after FRESH_FOR seconds."""
        plan = self.plans.get(run_pk)
        if plan is None or kind_of(member) != kind_of(plan.reader.member):
            return False
        if time.monotonic() - self._looked_at > FRESH_FOR:
            self._still, self._looked_at = Still.of(self.plans.values()), time.monotonic()
        return self._still is None or self._still.holds(plan)

    def _talk(self, kind: str, news: News, *key, **more_context) -> Order:
        more = len(news.posts) - 1

        def context():
            thread, post = self.words.threads[news.talk.pk], self.words.posts[news.first.pk]
            return {
                "thread": thread,
                "post": post,
                "more": more,
                "excerpt": self.words.excerpt(post.pk),
                "url": settings.SITE_URL + thread.url_of(post.number),
                **more_context,
            }

        return Order((kind, news.first.pk, more, *key), kind, context)

    def _question(self, news: News, reader: Reader) -> Order:
        profile = self.words.profiles.get(news.talk.author_id)
        level = reader.level_to(news.talk.author_id, self.words.groups.get(news.talk.author_id, ()))
        place = Shown(profile, level).place if profile else ""
        return self._talk("question", news, place, place=place, days=(self.now - news.talk.created_at).days)

    def sections(self, plan: Plan) -> list[Section]:
        """What the letter is made of, in the language and zone that are active; without empty sections."""
        choice, others, zone = plan.choice, plan.others, timezone.get_current_timezone_name()
        resources = [
            Order(
                ("resource", found.resource.pk, found.because, found.asked),
                "resource",
                lambda found=found: {
                    "resource": found.resource,
                    "because": found.because,
                    "asked": found.asked,
                },
            )
            for found in others.resources
        ]
        if plan.more_resources:
            more = {"count": plan.more_resources}
            resources.append(Order(("more", plan.more_resources), "more", lambda: more))
        sections = [
            Section(
                gettext("Could you answer?"),
                [self._question(news, plan.reader) for news in choice.questions],
            ),
            Section(gettext("Replies to you"), [self._talk("reply", news) for news in choice.replies]),
            Section(
                gettext("In threads that you follow"), [self._talk("talk", news) for news in choice.followed]
            ),
            Section(gettext("In your spaces"), [self._talk("talk", news) for news in choice.rest]),
            Section(
                ngettext("Your next event", "Your next events", len(others.places)),
                [
                    Order(
                        ("place", one.pk, zone), "place", lambda one=one: {"place": one, "event": one.event}
                    )
                    for one in others.places
                ],
            ),
            Section(
                gettext("Coming events"),
                [
                    Order(("event", event.pk, zone), "event", lambda event=event: {"event": event})
                    for event in others.events
                ],
            ),
            Section(gettext("New in the library"), resources),
            Section(
                gettext("Say hello"),
                [
                    Order(
                        ("newcomer", member.pk, shown.headline),
                        "newcomer",
                        lambda member=member, shown=shown: {"newcomer": member, "headline": shown.headline},
                    )
                    for member, shown in others.newcomers
                ],
            ),
            Section(
                gettext("What became of what you asked"),
                [
                    Order(
                        ("outcome", one.thread.pk),
                        "outcome",
                        lambda one=one: {"thread": one.thread, "accepted": one.accepted},
                    )
                    for one in others.outcomes
                ],
            ),
        ]
        return [section for section in sections if section.orders]

    def print(self, plan: Plan, context: dict) -> tuple[str, str]:
        """The sections of one letter in HTML and text. The first letter of a language makes the pieces of all of it."""
        sections = self.sections(plan)
        if self.press.lacks(order for section in sections for order in section.orders):
            language = translation.get_language()
            together = [one for one in self.plans.values() if one.reader.member.language == language]
            try:
                self.press.make(self._orders([*together, plan]), context)
            except (
                Exception
            ):  # one item that cannot be put into words keeps its own readers' letters back, not all
                logger.exception("the items of a slice of digests could not be made together")
                self.press.make(self._orders([plan]), context)
        return self.press.sections(sections)

    def _orders(self, plans: Iterable[Plan]) -> Iterator[Order]:
        for plan in plans:
            with timezone.override(zone_named(plan.reader.member.time_zone)):
                for section in self.sections(plan):
                    yield from section.orders

    def askers(self, plan: Plan) -> list[str]:
        names = [self.words.threads[news.talk.pk].author.get_short_name() for news in plan.choice.questions]
        return list(dict.fromkeys(names))
