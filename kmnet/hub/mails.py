"""The hub's mails: the digest, and word to an author about a moderator's decision. Composed when they are sent."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from discussions.models import Post, ReadState, Thread, written_by
from discussions.permissions import is_author
from events.models import Event, Registration
from kmnet.core import moderation as core
from kmnet.core import tokens
from kmnet.core.mail import MailContent, Withhold
from kmnet.core.models import Activity, AuditEntry, Hideable, OutgoingMail
from kmnet.core.models.mail import MailState
from kmnet.core.text import excerpt
from members.models import Member
from members.visibility import level_to
from resources.models import Resource

from . import home, words
from .models import DigestRun, DigestSchedule
from .schedule import NEVER, WEEKLY

QUESTIONS, ANSWERS, THREADS, EVENTS, RESOURCES, NEWCOMERS = 3, 5, 7, 3, 5, 5
MOST_THREADS = 100  # looked at in full; of more than that only the number is told
MARK_READ_FOR = timedelta(days=90)


def _questions(count: int) -> str:
    return ngettext("%(count)s question you could answer", "%(count)s questions you could answer", count)


def _answers(count: int) -> str:
    return ngettext("%(count)s reply to you", "%(count)s replies to you", count)


def _threads(count: int) -> str:
    return ngettext("%(count)s conversation", "%(count)s conversations", count)


def _events(count: int) -> str:
    return ngettext("%(count)s event", "%(count)s events", count)


def _resources(count: int) -> str:
    return ngettext("%(count)s new resource", "%(count)s new resources", count)


def _newcomers(count: int) -> str:
    return ngettext("%(count)s newcomer", "%(count)s newcomers", count)


@dataclass
class Letter:
    """What one digest holds: only what is new in its window, still there, still visible, and not read meanwhile."""

    questions: list[Thread] = field(default_factory=list)
    answers: list[Thread] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    more_threads: int = 0
    places: list[Registration] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    more_resources: int = 0
    newcomers: list[Member] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any(vars(self).values())

    @property
    def has_threads(self) -> bool:
        return bool(self.questions or self.answers or self.threads)

    @property
    def summary(self) -> str:
        """“Two questions you could answer, one reply to you.” What is not there is not counted."""
        threads, resources = len(self.threads) + self.more_threads, len(self.resources) + self.more_resources
        counted = [
            (len(self.questions), _questions),
            (len(self.answers), _answers),
            (threads, _threads),
            (len(self.places) + len(self.events), _events),
            (resources, _resources),
            (len(self.newcomers), _newcomers),
        ]
        parts = [phrase(count) % {"count": words.in_words(count)} for count, phrase in counted if count]
        return capfirst(gettext(", ").join(parts))

    @property
    def time_needed(self) -> str:
        minutes = 2 * len(self.questions) + len(self.answers) + len(self.threads) + len(self.resources) // 2
        return words.reading_time(minutes)


def mailed_posts(member, since) -> list[int]:
    """Posts that went to this member by a mail of their own, or are about to: the digest does not repeat them."""
    refs = OutgoingMail.objects.filter(
        member=member,
        kind__startswith="discussions.",
        state__in=(MailState.SENT, MailState.WAITING),
        created_at__gt=since,
    ).values_list("refs__activity", flat=True)
    deeds = Activity.objects.filter(pk__in=list(refs), target_type=ContentType.objects.get_for_model(Post))
    return list(deeds.values_list("target_id", flat=True))


def first_news(member, since, until) -> QuerySet:
    """The earliest post of the window that this member has neither read nor had by mail, in the thread at hand."""
    read = ReadState.objects.filter(
        thread=OuterRef("thread"), member=member, numbers__has_number=OuterRef("number")
    )
    return (
        Post.objects.shown()
        .filter(thread=OuterRef("pk"), published_at__gt=since, published_at__lte=until)
        .filter(withdrawn_at__isnull=True)
        .exclude(written_by(member))
        .exclude(author__in=member.unwanted)
        .exclude(pk__in=mailed_posts(member, since))
        .exclude(Exists(read))
        .order_by("number")
    )


def news_threads(member, since, until) -> list[Thread]:
    """Threads with news of the window, each with the first of it as `news`; the same number of queries for any number."""
    _tags, slugs = home.tags_of(member)
    news = first_news(member, since, until).values("pk")[:1]
    threads = list(
        home.matching(Thread.objects.for_digest(member, since, until), slugs)
        .annotate(author_level=level_to(member, "author"))
        .annotate(news_id=Subquery(news, output_field=IntegerField()))
        .filter(news_id__isnull=False)
        .exclude(author__in=member.unwanted)
        .select_related("space", "author__profile")
    )
    posts = Post.objects.select_related("author").in_bulk(
        [thread.news_id for thread in threads[:MOST_THREADS]]
    )
    for thread in threads[:MOST_THREADS]:
        thread.news = posts[thread.news_id]
        thread.news_excerpt = excerpt(thread.news.source, 180)
        thread.news_url = settings.SITE_URL + thread.url_of(thread.news.number)
    return home.show_authors(threads)


def gather(run: DigestRun, *, for_others: bool = False) -> Letter:
    """Compose from the window, asking anew what this member may see and has read. `for_others`: somebody else looks at
    it, who must not learn from it which threads the member began without their name."""
    member, now = run.member, timezone.now()
    letter = Letter()
    rest = []
    threads = news_threads(member, run.since, run.until)
    if for_others:
        threads = [thread for thread in threads if not thread.mask_id]
    for thread in threads[:MOST_THREADS]:
        if thread.waits_for_an_answer and thread.is_match and len(letter.questions) < QUESTIONS:
            letter.questions.append(thread)
        elif is_author(member, thread) and len(letter.answers) < ANSWERS:
            letter.answers.append(thread)
        else:
            rest.append(thread)
    letter.threads = rest[:THREADS]
    letter.more_threads = max(0, len(rest) - THREADS) + max(0, len(threads) - MOST_THREADS)
    letter.places = list(
        home.places_of(member, now).filter(
            event__starts_at__gt=max(now, run.ahead_from), event__starts_at__lte=run.ahead_until
        )[:EVENTS]
    )
    letter.events = list(
        Event.objects.for_digest(member, run.since, run.until)
        .filter(starts_at__gt=now)
        .exclude(pk__in=[place.event_id for place in letter.places])[:EVENTS]
    )
    resources = Resource.objects.for_digest(member, run.since, run.until).defer("csl", "search")
    letter.resources = list(resources[:RESOURCES])
    if len(letter.resources) == RESOURCES:
        letter.more_resources = max(0, resources.count() - RESOURCES)
    if member.is_host:
        arrived = home.newcomers_for(member, now).filter(
            onboarded_at__gt=run.since, onboarded_at__lte=run.until
        )
        letter.newcomers = home.show_newcomers(list(arrived[:NEWCOMERS]), member)
    return letter


def compose_digest(outgoing) -> MailContent:
    run = DigestRun.objects.select_related("member__profile").get(pk=outgoing.refs["run"])
    if run.member.profile.digest == NEVER:
        raise Withhold("the member wants no digest any more")
    letter = gather(run, for_others=outgoing.is_preview)
    if letter.is_empty:
        raise Withhold("nothing new")
    now = timezone.localtime()  # the sender has activated the receiver's zone
    token = tokens.make("digest-read", lifetime=MARK_READ_FOR, run=run.pk)
    return MailContent(
        context={
            "letter": letter,
            "greeting": words.greeting(now, run.member.get_short_name()),
            "today": now,
            "next_due": DigestSchedule.objects.filter(member=run.member_id)
            .values_list("next_due_at", flat=True)
            .first(),
            "mark_read_url": settings.SITE_URL + reverse("hub:digest_read", args=[token]),
            "why": why_digest(run.member),
        }
    )


def why_digest(member) -> str:
    profile = member.profile
    if profile.digest == WEEKLY:
        return gettext("You get this letter on %(days)s, when there is something new for you.") % {
            "days": words.WEEKDAYS[profile.digest_weekday]
        }
    return gettext("You get this letter every morning on which there is something new for you.")


def _decided(outgoing, *, hidden: bool) -> MailContent:
    app_label, _dot, model_name = outgoing.refs["kind"].partition(".")
    kind = core.kind_named(app_label, model_name)
    target = kind and kind.model._default_manager.filter(pk=outgoing.refs["id"]).first()
    if target is None:
        raise Withhold("it is gone")
    if outgoing.is_preview and kind.writer_id(target) != kind.author_id(target):
        raise Withhold("written without a name: it is shown to its receiver only")
    if (target.state == Hideable.State.HIDDEN) != hidden:
        raise Withhold("decided otherwise before this was sent")
    entry = AuditEntry.objects.filter(pk=outgoing.refs.get("entry")).first()
    return MailContent(
        context={
            "kind_label": kind.label,
            "title": kind.title(target),
            "url": settings.SITE_URL + kind.url(target),
            "reason": entry.reason if entry else "",
            "by_reports": entry is not None and entry.verb == core.HIDDEN_AT_ONCE,
            "again_url": settings.SITE_URL + reverse("hub:ask_again", args=[outgoing.refs["kind"], target.pk])
            if hidden and outgoing.member and kind.is_by(outgoing.member, target)
            else "",
            "may_open": kind.visible_to(outgoing.member or AnonymousUser()).filter(pk=target.pk).exists(),
        }
    )


def compose_hidden(outgoing) -> MailContent:
    return _decided(outgoing, hidden=True)


def compose_restored(outgoing) -> MailContent:
    return _decided(outgoing, hidden=False)
