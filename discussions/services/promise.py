"""The reply promise: every question and every first post is owed a reply by another person.

The clock of a thread starts when it appears, that of somebody's first words in another's thread when these do. After
some hours (Monday to Friday, in the asker's zone) three members who said that they can help are asked, once and gently;
later a host is. All of it is told through kmnet.core.activity.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
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
    if is_owed(thread):
        _start(thread, None, asker_of(thread), at)


def _start(thread: Thread, post: Post | None, owed_to: Member, at: datetime) -> None:
    ask_at, host_at = _times(owed_to, at)
    clock = OwedReply(thread=thread, post=post, started_at=at, ask_at=ask_at, host_at=host_at)
    OwedReply.objects.bulk_create([clock], ignore_conflicts=True)


def _times(owed_to: Member, at: datetime) -> tuple[datetime, datetime]:
    """When members are asked, and when a host is."""
    settings, zone = DiscussionSettings.load(), owed_to.time_zone
    return (
        after_weekday_hours(at, settings.promise_ask_hours, zone),
        after_weekday_hours(at, settings.promise_host_hours, zone),
    )


def note_reply(post: Post, *, at: datetime, is_first_reply: bool, somebody_waits: bool) -> None:
    """A reply appears: it stops the clock of the thread, where it is the first by another; those of first words in the
    thread that somebody else wrote, where some wait; and starts its own where it is first words. One question, or none.

    The caller holds the thread's lock.
    """
    if not (is_first_reply or somebody_waits or post.is_authors_first):
        return
    ask_at, host_at = _times(post.author, at) if post.is_authors_first else (at, at)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH stopped AS (
                UPDATE discussions_owedreply AS clock
                SET kept_at = %(at)s
                WHERE clock.thread_id = %(thread)s AND clock.kept_at IS NULL
                    AND (clock.post_id IS NULL AND %(is_first_reply)s OR EXISTS (
                        SELECT FROM discussions_post AS words
                        WHERE words.id = clock.post_id
                            AND NOT (words.author_id = %(author)s AND words.mask_id IS NOT DISTINCT FROM %(mask)s)
                    ))
            )
            INSERT INTO discussions_owedreply (thread_id, post_id, started_at, ask_at, host_at)
            SELECT %(thread)s, %(post)s, %(at)s, %(ask_at)s, %(host_at)s WHERE %(starts)s
            ON CONFLICT DO NOTHING
            """,
            {
                "at": at,
                "thread": post.thread_id,
                "is_first_reply": is_first_reply,
                "author": post.author_id,
                "mask": post.mask_id,
                "post": post.pk,
                "ask_at": ask_at,
                "host_at": host_at,
                "starts": post.is_authors_first,
            },
        )


def note_first_reply(thread: Thread) -> None:
    """The clock stops at the first reply by somebody else that stands; where that one goes, it runs again."""
    OwedReply.objects.filter(thread=thread, post=None).update(kept_at=thread.first_reply_at)


def waiting_in(thread_id: int) -> QuerySet[OwedReply]:
    """The clocks of first words in the thread that still run."""
    return OwedReply.objects.filter(thread=thread_id, post__isnull=False, kept_at__isnull=True)


def note_answers(thread: Thread) -> None:
    """What note_reply keeps up of first words, from the posts themselves; after hiding, restoring and moving."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE discussions_owedreply AS clock
            SET kept_at = (
                SELECT min(later.published_at)
                FROM discussions_post AS later
                WHERE later.thread_id = clock.thread_id
                    AND later.number > words.number  -- of posts that came from elsewhere either may be the other way
                    AND later.published_at > words.published_at
                    AND later.state = %s
                    AND NOT (later.author_id = words.author_id AND later.mask_id IS NOT DISTINCT FROM words.mask_id)
            )
            FROM discussions_post AS words
            WHERE words.id = clock.post_id AND clock.thread_id = %s
            """,
            [Post.State.VISIBLE, thread.pk],
        )


def follow_posts(posts: Iterable[int], thread: Thread) -> None:
    """These posts stand in this thread from now on, and so do their clocks."""
    OwedReply.objects.filter(post__in=posts).update(thread=thread)


def become_threads(post: Post) -> None:
    """First words with which a thread begins from now on: their clock is the thread's."""
    OwedReply.objects.filter(post=post).update(post=None)


def become_posts(post: Post, *, source: Thread, thread: Thread) -> None:
    """What began the one thread is a reply in the other. First words are still owed an answer there; what is owed, or was
    given, to anything else stands with the other thread's own clock."""
    clock = OwedReply.objects.filter(thread=source, post=None)
    if post.is_authors_first:
        clock.update(thread=thread, post=post)
        note_answers(thread)
    else:
        clock.delete()


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
        clocks.select_related("thread__space", "thread__author", "thread__mask", "post__author")
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
    chosen = [] if now - clock.ask_at > LATEST else who_could_answer(clock, now=now)
    _ask(clock, chosen, now=now, verb="discussions.could_answer")
    return len(chosen)


@transaction.atomic
def ask_host(*, owed_id: int, now: datetime) -> int:
    """Ask one host, once: the one whose turn it is. Locks the clock, and the choosing among all clocks."""
    clock = _lock_clock(owed_id, host_told_at__isnull=True, host_at__lte=now)
    if clock is None:
        return 0
    clock.host_told_at = now
    clock.save(update_fields=["host_told_at"])
    host = None if now - clock.host_at > LATEST else whose_turn(clock)
    if host is None:
        return 0
    _ask(clock, [Helper(host.pk, "")], now=now, verb="discussions.owed", as_host=True)
    return 1


@dataclass(frozen=True)
class Helper:
    """Somebody to ask, and which of their own words were why."""

    member_id: int
    why: str


def _ask(clock: OwedReply, helpers: list[Helper], *, now: datetime, verb: str, as_host: bool = False) -> None:
    if not helpers:
        return
    for helper in helpers:
        AskedToAnswer.objects.update_or_create(
            thread=clock.thread,
            member_id=helper.member_id,
            defaults={"as_host": as_host, "why": helper.why[:200], "at": now},
        )
    asked = [helper.member_id for helper in helpers]
    activity.record(verb, actor=None, target=clock.post or clock.thread, data={"members": asked}, at=now)


def owed_to(clock: OwedReply) -> Member:
    """Who waits for it, behind a mask too; None of it is for showing."""
    return clock.post.author if clock.post_id else asker_of(clock.thread)


def language_of(clock: OwedReply) -> str:
    """Of what waits, without its region; "" where it is not known."""
    if clock.post_id:
        return clock.post.language.partition("-")[0]
    first = Post.objects.filter(thread=clock.thread_id, number=1).values_list("language", flat=True).first()
    return (first or "").partition("-")[0]


def who_could_answer(clock: OwedReply, *, now: datetime) -> list[Helper]:
    """The three whose “can help with”, as they show it to members, has most in common with the thread; among equals
    those who were asked longest ago. They speak its language, were here lately, and were not asked for some days."""
    thread = clock.thread
    words = words_of(thread)
    spelled = Tag.objects.annotate(plain=Lower("name")).filter(plain__in={word.lower() for word in words})
    tags = list(spelled.values_list("pk", flat=True))
    if not tags:
        return []
    waiting = {owed_to(clock).pk, asker_of(thread).pk}
    settings, language = DiscussionSettings.load(), language_of(clock)
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
        .exclude(member__in=waiting)
        .exclude(Exists(rested))
        .exclude(Exists(kept_apart(waiting, "member")))
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


def kept_apart(waiting: set[int], member: str):
    """Boundaries between those who wait and the member of the outer query (in its field `member`), whoever drew them."""
    return Boundary.objects.filter(
        Q(owner__in=waiting, other=OuterRef(member)) | Q(owner=OuterRef(member), other__in=waiting)
    )


def muted(model, **where):
    """What the member of the outer query does not want to hear of now."""
    stands = Q(until__isnull=True) | Q(until__gt=timezone.now())
    return model.objects.filter(stands, member=OuterRef("member"), level=Level.MUTED, **where)


def whose_turn(clock: OwedReply) -> Member | None:
    """The host who speaks its language, keeps nobody away who waits, and was asked longest ago; where there is no such
    host, a moderator."""
    waiting = {owed_to(clock).pk, asker_of(clock.thread).pk}
    asked = AskedToAnswer.objects.filter(member=OuterRef("pk"), as_host=True).order_by("-at").values("at")[:1]
    people = (
        readers(clock.thread)
        .exclude(pk__in=waiting)
        .exclude(Exists(kept_apart(waiting, "pk")))
        .annotate(
            asked=Subquery(asked),
            speaks=Q(profile__languages_work__contains=[language_of(clock)]),
        )
        .order_by("-speaks", F("asked").asc(nulls_first=True), "pk")
    )
    return people.filter(is_host=True).first() or people.filter(is_moderator=True).first()
