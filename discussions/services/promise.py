"""The reply promise: every question and every first post is owed a reply by another person.

Its clock starts when the thread appears. After some hours (Monday to Friday, in the asker's zone) three members who said
that they can help are asked, once and gently; later a host is. All of it is told through kmnet.core.activity.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Lower
from django.utils import timezone
from taggit.models import Tag

from kmnet.core import activity, jobs
from kmnet.core.models import MailChoice
from kmnet.core.moments import after_weekday_hours
from kmnet.core.text import fold
from kmnet.core.vocabulary import expand, known_phrases
from members.models import Boundary, GroupMember, Member, Profile, SeenBy, Status
from members.models.group import IN_IT

from ..models import (
    AskedToAnswer,
    DiscussionSettings,
    Kind,
    Level,
    OwedReply,
    Post,
    SpaceLevel,
    TagLevel,
    Thread,
    ThreadWatch,
)

ASKED_AT_ONCE = 3
HERE_WITHIN = timedelta(days=180)  # who was not here for so long is not asked
LATEST = timedelta(days=14)  # a clock that nobody served for so long (the site was down) asks nobody any more
SLICE = 50
CATEGORY = "could_answer"
LOCK = 7_230_160_061  # one chooses at a time, so that nobody is chosen twice within the days of rest


# --- the clock -------------------------------------------------------------------------------------------------------
def is_owed(thread: Thread) -> bool:
    """Questions, and whatever somebody begins who has never written here before; not what hosts announce."""
    if thread.kind in (Kind.ANNOUNCEMENT, Kind.CONVERSATION):
        return False
    return thread.kind == Kind.QUESTION or thread.is_authors_first


def start_clock(thread: Thread, *, at: datetime) -> None:
    """Part of the transaction in which the thread appears. A thread that appears again keeps its clock."""
    if not is_owed(thread):
        return
    settings = DiscussionSettings.load()
    zone = asker_of(thread).time_zone
    OwedReply.objects.get_or_create(
        thread=thread,
        defaults={
            "started_at": at,
            "ask_at": after_weekday_hours(at, settings.promise_ask_hours, zone),
            "host_at": after_weekday_hours(at, settings.promise_host_hours, zone),
        },
    )


def note_first_reply(thread: Thread) -> None:
    """The clock stops at the first reply by somebody else that stands; where that one goes, it runs again."""
    OwedReply.objects.filter(thread=thread).update(kept_at=thread.first_reply_at)


def asker_of(thread: Thread) -> Member:
    """Who began it, behind a mask too; None of it is for showing."""
    if thread.mask_id and thread.mask.member_id:
        return thread.mask.member
    return thread.author


# --- asking ----------------------------------------------------------------------------------------------------------
def serve_due(*, now: datetime | None = None) -> int:
    """Ask for every thread whose time has come; return how many members and hosts were asked.

    Any number of workers may do so at once: each clock is locked by one of them, the others skip it.
    """
    now = now or timezone.now()
    due = OwedReply.objects.owed()
    members = due.filter(asked_at__isnull=True, ask_at__lte=now).order_by("ask_at")
    asked = jobs.each(
        list(members.values_list("pk", flat=True)[:SLICE]),
        lambda pk: ask_members(owed_id=pk, now=now),
        what="members asked, clock",
    )
    hosts = due.filter(host_told_at__isnull=True, host_at__lte=now).order_by("host_at")
    return asked + jobs.each(
        list(hosts.values_list("pk", flat=True)[:SLICE]),
        lambda pk: ask_host(owed_id=pk, now=now),
        what="host asked, clock",
    )


def _lock_clock(pk: int, **still) -> OwedReply | None:
    clocks = OwedReply.objects.owed().select_for_update(skip_locked=True, of=("self",))
    clock = (
        clocks.select_related("thread__space", "thread__author", "thread__mask")
        .filter(pk=pk, **still)
        .first()
    )
    if clock is not None:
        lock_choosing()
    return clock


def lock_choosing() -> None:
    """Until the transaction ends nobody else chooses."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


@transaction.atomic
def ask_members(*, owed_id: int, now: datetime) -> int:
    """Ask up to three willing members, once. Locks the clock, and the choosing among all clocks."""
    clock = _lock_clock(owed_id, asked_at__isnull=True, ask_at__lte=now)
    if clock is None:
        return 0
    clock.asked_at = now
    clock.save(update_fields=["asked_at"])
    chosen = [] if now - clock.ask_at > LATEST else who_could_answer(clock.thread, now=now)
    _ask(clock.thread, chosen, now=now, verb="discussions.could_answer")
    return len(chosen)


@transaction.atomic
def ask_host(*, owed_id: int, now: datetime) -> int:
    """Ask one host, once: the one whose turn it is. Locks the clock, and the choosing among all clocks."""
    clock = _lock_clock(owed_id, host_told_at__isnull=True, host_at__lte=now)
    if clock is None:
        return 0
    clock.host_told_at = now
    clock.save(update_fields=["host_told_at"])
    host = None if now - clock.host_at > LATEST else whose_turn(clock.thread)
    if host is None:
        return 0
    _ask(clock.thread, [Helper(host.pk, "")], now=now, verb="discussions.owed", as_host=True)
    return 1


@dataclass(frozen=True)
class Helper:
    """Somebody to ask, and which of their own words were why."""

    member_id: int
    why: str


def _ask(thread: Thread, helpers: list[Helper], *, now: datetime, verb: str, as_host: bool = False) -> None:
    if not helpers:
        return
    for helper in helpers:
        AskedToAnswer.objects.update_or_create(
            thread=thread,
            member_id=helper.member_id,
            defaults={"as_host": as_host, "why": helper.why[:200], "at": now},
        )
    activity.record(
        verb, actor=None, target=thread, data={"members": [helper.member_id for helper in helpers]}, at=now
    )


def who_could_answer(thread: Thread, *, now: datetime) -> list[Helper]:
    """The three whose “can help with”, as they show it to members, has most in common with the thread; among equals
    those who were asked longest ago. They speak its language, were here lately, and were not asked for some days."""
    words = words_of(thread)
    spelled = Tag.objects.annotate(plain=Lower("name")).filter(plain__in={word.lower() for word in words})
    tags = list(spelled.values_list("pk", flat=True))
    if not tags:
        return []
    asker, settings = asker_of(thread), DiscussionSettings.load()
    first = Post.objects.filter(thread=thread, number=1).values_list("language", flat=True).first() or ""
    language = first.partition("-")[0]
    people = readers(thread).filter(last_seen_on__gte=(now - HERE_WITHIN).date())
    rested = AskedToAnswer.objects.filter(
        member=OuterRef("member"), at__gt=now - timedelta(days=settings.promise_rest_days)
    )
    found = (
        Profile.objects.filter(
            can_help__in=tags,
            can_help_seen_by__lte=SeenBy.MEMBERS,
            state=Profile.State.VISIBLE,
            member__in=people,
        )
        .filter(Q(languages_work=[]) | Q(languages_work__contains=[language]))
        .filter(Q(paused_until__isnull=True) | Q(paused_until__lt=now.date()))
        .exclude(member=asker.pk)
        .exclude(Exists(rested))
        .exclude(Exists(kept_apart(asker.pk)))
        .exclude(Exists(Post.objects.filter(thread=thread, author=OuterRef("member"))))
        .exclude(Exists(muted(ThreadWatch, thread=thread)))
        .exclude(Exists(muted(SpaceLevel, space=thread.space_id)))
        .exclude(Exists(muted(TagLevel, tag__in=thread.tags.all())))
        .exclude(
            Exists(
                MailChoice.objects.filter(
                    member=OuterRef("member"), category=CATEGORY, how=MailChoice.How.NEVER
                )
            )
        )
    )
    asked = AskedToAnswer.objects.filter(member=OuterRef("member")).order_by("-at")
    ranked = (
        found.annotate(
            alike=Count("can_help", distinct=True),
            asked=Subquery(asked.values("at")[:1]),
        )
        .order_by("-alike", F("asked").asc(nulls_first=True), "-member__last_seen_on", "member_id")
        .values_list("member_id", flat=True)[:ASKED_AT_ONCE]
    )
    chosen = list(ranked)
    own: dict[int, list[str]] = {}
    through = Profile.can_help.through.objects.filter(profile__member__in=chosen, tag__in=tags)
    for member, name in through.order_by("tag__name").values_list("profile__member", "tag__name"):
        own.setdefault(member, []).append(name)
    return [Helper(pk, ", ".join(own[pk])) for pk in chosen]


def words_of(thread: Thread) -> set[str]:
    """Its tags, and the words of the vocabulary in its title, with all that means the same."""
    title = f" {fold(thread.title)} "
    phrases = known_phrases()
    words = {name for tag in thread.tags.names() for name in (tag, *expand(tag))}
    for phrase, same in phrases.items():
        if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", title):
            words |= {phrase, *same}
    return words


def readers(thread: Thread):
    """Members who may write in the thread."""
    people = Member.objects.full().filter(status=Status.ACTIVE)
    if thread.space.group_id:
        inside = GroupMember.objects.filter(group=thread.space.group_id, standing__in=IN_IT)
        people = people.filter(pk__in=inside.values("member"))
    return people


def kept_apart(asker_id: int):
    """Boundaries between the asker and the member of the outer query, whoever drew them."""
    return Boundary.objects.filter(
        Q(owner=asker_id, other=OuterRef("member")) | Q(owner=OuterRef("member"), other=asker_id)
    )


def muted(model, **where):
    """What the member of the outer query does not want to hear of now."""
    stands = Q(until__isnull=True) | Q(until__gt=timezone.now())
    return model.objects.filter(stands, member=OuterRef("member"), level=Level.MUTED, **where)


def whose_turn(thread: Thread) -> Member | None:
    """The host who speaks the thread's language and was asked longest ago; where there is no host, a moderator."""
    language = Post.objects.filter(thread=thread, number=1).values_list("language", flat=True).first() or ""
    asked = AskedToAnswer.objects.filter(member=OuterRef("pk"), as_host=True).order_by("-at").values("at")[:1]
    people = (
        readers(thread)
        .exclude(pk=asker_of(thread).pk)
        .annotate(
            asked=Subquery(asked),
            speaks=Q(profile__languages_work__contains=[language.partition("-")[0]]),
        )
        .order_by("-speaks", F("asked").asc(nulls_first=True), "pk")
    )
    return people.filter(is_host=True).first() or people.filter(is_moderator=True).first()
