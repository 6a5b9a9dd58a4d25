from datetime import timedelta
from functools import cache

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, Exists, F, FilteredRelation, OuterRef, Q, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager

from kmnet.core.models.moderation import Hideable, HideableQuerySet
from members.permissions import can_moderate

from .levels import Following
from .masked import AuthorField, written_by
from .numbers import HowMany, IsEmpty, Lowest, NumbersField, OwedCount, OwedFirst, Unread
from .private import taking_part
from .reading import Owed, ReadState, ThreadWatch
from .space import Space, readable_rule
from .taking_back import MayBeTakenBack

EMPTY = models.Value([], output_field=ArrayField(models.IntegerField()))
NOT_IN_ROWS = (
    "closed_reason",
    "hidden_reason",
    "hidden_at",
    "hidden_by",
    "accepted_at",
    "accepted_by",
    "merged_into",
)
NEW_HERE = timedelta(days=14)  # for so long a first post is one to be welcomed


@cache
def base_url() -> str:
    return reverse("discussions:index")


class Kind(models.TextChoices):
    DISCUSSION = "discussion", _("discussion")
    QUESTION = "question", _("question")
    INTRODUCTION = "introduction", _("introduction")
    ANNOUNCEMENT = "announcement", _("announcement")
    POLL = "poll", _("poll")
    CONVERSATION = "conversation", _("private conversation")


def visible_rule(user, prefix: str = "") -> Q:
    """Which threads this person may see, as a condition: on threads, or with a prefix on what hangs on them."""
    rule = readable_rule(user, f"{prefix}space__") & Q(**{f"{prefix}merged_into__isnull": True})
    if can_moderate(user):
        return rule
    shown = Q(**{f"{prefix}state": Hideable.State.VISIBLE})
    if user.is_authenticated:
        shown |= written_by(user, prefix)
    return rule & shown


class ThreadQuerySet(HideableQuerySet):
    def visible_to(self, user):
        """All but conversations, by the same rule as permissions.can_view_thread: lists, searches, digests, counts."""
        return self.filter(visible_rule(user))

    def in_spaces(self, space_ids, user):
        """visible_to, for whoever has looked up already which spaces this person reads: no join."""
        return self.filter(space_id__in=space_ids).seen_of(user)

    def seen_of(self, user):
        """Of threads in spaces that this person reads, those that they may see."""
        found = self.filter(merged_into__isnull=True)
        if can_moderate(user):
            return found
        shown = Q(state=Hideable.State.VISIBLE)
        return found.filter(shown | written_by(user) if user.is_authenticated else shown)

    def readable_by(self, user):
        """What this person may open, conversations too; the same rule as permissions.can_view_thread."""
        return self.filter(visible_rule(user) | Q(kind=Kind.CONVERSATION, pk__in=taking_part(user)))

    def unanswered(self):
        """Open questions where a person is needed: nobody but the asker has replied, or it was said to be still open."""
        return self.shown().filter(
            Q(first_reply_at__isnull=True) | Q(still_open_at__isnull=False),
            kind=Kind.QUESTION,
            accepted_post__isnull=True,
            closed_at__isnull=True,
        )

    def unsettled(self):
        """Open questions that have no chosen answer, with replies or without."""
        return self.shown().filter(kind=Kind.QUESTION, accepted_post__isnull=True, closed_at__isnull=True)

    def with_reading(self, user):
        """Each with `unread_count`, `first_unread` (a number or None), `opened` (the member was here before)."""
        if not user.is_authenticated:
            return self.annotate(
                unread_count=models.Value(0),
                first_unread=models.Value(None, output_field=models.IntegerField()),
                opened=models.Value(False),
            )
        unread = Unread(read="my_reading__numbers")
        untouched = Q(my_reading__isnull=True)
        since = Owed.to(user).expression()
        return self._joined_reading(user).annotate(
            unread_count=Case(When(untouched, then=OwedCount(since)), default=HowMany(unread)),
            first_unread=Case(When(untouched, then=OwedFirst(since)), default=Lowest(unread)),
            opened=Q(my_reading__isnull=False),
        )

    def _joined_reading(self, user):
        if "my_reading" in self.query._filtered_relations:  # one join, however the methods are chained
            return self
        return self.annotate(
            my_reading=FilteredRelation("read_states", condition=Q(read_states__member=user))
        )

    def with_row(self, user):
        """The columns that a row of a list shows; listing.complete() brings people, tags and spaces along."""
        return self.defer(*NOT_IN_ROWS).with_reading(user)

    def with_card(self, user):
        """As with_row, with the space."""
        return self.select_related("space").with_row(user)

    def with_page(self, user):
        """All that the thread's own page shows around its posts: `read_numbers`, `seen_at`, `watch_until` and
        `draft_at` (a reply was begun) too."""
        threads = self.select_related("space", "author", "accepted_post__author", "accepted_by").defer(
            "accepted_post__search", "accepted_post__source", "accepted_post__heading"
        )
        threads = threads.with_reading(user)
        if not user.is_authenticated:
            return threads
        from .keeping import Draft  # drafts know threads

        mine = ThreadWatch.objects.filter(thread=OuterRef("pk"), member=user).values("until")[:1]
        begun = Draft.objects.filter(thread=OuterRef("pk"), member=user, key__startswith="reply:")
        return threads.annotate(
            draft_at=models.Subquery(begun.values("updated_at")[:1]),
            read_numbers=F("my_reading__numbers"),
            seen_at=F("my_reading__seen_at"),
            watch_until=models.Subquery(mine),
        )

    def unread_by(self, user, space_ids=None):
        """Threads with posts that this member has not read. The moment keeps the search short: nobody walks through
        what was read years ago; `space_ids`, where only threads of these are sought, may make it shorter."""
        if not user.is_authenticated:
            return self.none()
        owed = Owed.to(user)
        return self._joined_reading(user).filter(
            Q(my_reading__isnull=False) | Q(last_post_at__gt=owed.expression()),
            ~IsEmpty(Unread(read="my_reading__numbers")),
            last_post_at__gt=owed.floor(space_ids),
        )

    def watched_by(self, user):
        """Threads that this member watches or tracks; the same rule as Following.level."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Following.of(user).followed())

    def not_muted_by(self, user):
        """Without the threads of which this member wants to hear nothing; the same rule as Following.level."""
        return self.exclude(Following.of(user).muted())

    def for_digest(self, member, since, until):
        """What happened between the two moments in threads where this member has posts by others to read."""
        from .post import Post  # posts know threads

        news = Post.objects.shown().filter(
            thread=OuterRef("pk"), published_at__gt=since, published_at__lte=until
        )
        news = news.exclude(written_by(member)).exclude(
            Exists(
                ReadState.objects.filter(
                    thread=OuterRef("thread"), member=member, numbers__has_number=OuterRef("number")
                )
            )
        )
        return (
            self.shown()
            .visible_to(member)
            .filter(last_post_at__gt=since)
            .filter(Exists(news))
            .not_muted_by(member)
            .order_by("-last_post_at", "-pk")
        )

    def pinned(self):
        """Pinned, and not longer ago than it was meant to be; the latest pin first."""
        return self.shown().filter(pinned_until__gt=timezone.now()).order_by("-pinned_at", "-pk")

    def latest_first(self):
        return self.order_by("-last_post_at", "-pk")


class Thread(MayBeTakenBack):
    """A question, a discussion: its first post and the replies. Its state follows that of the first post."""

    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, related_name="threads", verbose_name=_("space")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.DISCUSSION)
    title = models.CharField(_("title"), max_length=160)
    slug = models.SlugField(max_length=80)
    excerpt = models.CharField(max_length=300, blank=True)
    author = AuthorField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="threads", verbose_name=_("author")
    )
    created_at = models.DateTimeField(_("started"), default=timezone.now)
    last_number = models.PositiveIntegerField(default=0, editable=False)  # numbers given so far: no gap
    gone_numbers = NumbersField(
        default=list, editable=False
    )  # of posts that are hidden: nobody owes them a look
    reply_count = models.PositiveIntegerField(default=0, editable=False)  # replies that are shown
    last_post = models.ForeignKey(
        "Post", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    last_post_at = models.DateTimeField(_("latest post"), default=timezone.now)
    people = ArrayField(
        models.BigIntegerField(), default=list, editable=False
    )  # latest authors, newest first
    first_reply_at = models.DateTimeField(_("first reply by somebody else"), null=True, blank=True)
    accepted_post = models.ForeignKey(
        "Post", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("answer")
    )
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_authors_first = models.BooleanField(default=False, editable=False)  # as on its first post
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_reason = models.CharField(_("why closed"), max_length=300, blank=True)
    still_open_at = models.DateTimeField(
        _("said to be still open"), null=True, blank=True
    )  # the asker, or a host: the replies so far do not answer it
    pinned_at = models.DateTimeField(_("pinned"), null=True, blank=True)
    pinned_until = models.DateTimeField(_("pinned until"), null=True, blank=True)
    slow_seconds = models.PositiveIntegerField(_("seconds between two posts of one person"), default=0)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,  # what is left of a merged thread is the way to the other
        related_name="+",
        verbose_name=_("merged into"),
    )
    mask = models.ForeignKey(
        "Mask", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    mask_name = models.CharField(max_length=40, blank=True, editable=False)  # instead of the author’s

    # The ids of its tags, in their order; a trigger keeps them, so that a list filters without a join.
    tag_ids = ArrayField(models.IntegerField(), default=list, db_default=EMPTY, editable=False)

    tags = TaggableManager(blank=True)
    objects = ThreadQuerySet.as_manager()

    class Meta:
        verbose_name = _("thread")
        verbose_name_plural = _("threads")
        constraints = [
            models.CheckConstraint(
                condition=Q(accepted_post__isnull=True) | Q(kind=Kind.QUESTION),
                name="only_questions_have_answers",
            ),
            models.CheckConstraint(
                condition=Q(pinned_at__isnull=True, pinned_until__isnull=True)
                | Q(pinned_at__isnull=False, pinned_until__isnull=False),
                name="pins_have_an_end",
            ),
        ]
        indexes = [
            models.Index(F("last_post_at").desc(), F("id").desc(), name="threads_latest"),
            models.Index("space", F("last_post_at").desc(), F("id").desc(), name="threads_latest_in_space"),
            models.Index("author", F("last_post_at").desc(), F("id").desc(), name="threads_of_author"),
            models.Index("space", "id", name="threads_newest_in_space"),
            models.Index("kind", F("last_post_at").desc(), F("id").desc(), name="threads_of_kind"),
            models.Index(
                "space", "pinned_until", name="threads_pinned", condition=Q(pinned_until__isnull=False)
            ),
            models.Index(
                F("last_post_at").desc(),
                F("id").desc(),
                name="threads_waiting",
                condition=Q(kind=Kind.QUESTION, accepted_post__isnull=True, closed_at__isnull=True)
                & (Q(first_reply_at__isnull=True) | Q(still_open_at__isnull=False)),
            ),
            models.Index(
                F("last_post_at").desc(),
                F("id").desc(),
                name="threads_unsettled",
                condition=Q(kind=Kind.QUESTION, accepted_post__isnull=True, closed_at__isnull=True),
            ),
            GinIndex(fields=["tag_ids"], name="threads_by_tag"),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        """Needs `space` where it is no conversation; lists fetch it along. What reverse() would give, without its work
        for each row of a list."""
        if self.is_conversation:
            return reverse("messages:conversation", args=[self.pk])
        return f"{base_url()}{self.space.slug}/{self.pk}-{self.slug}/"

    def url_of(self, number: int) -> str:
        """The permanent address of one post."""
        return f"{self.get_absolute_url()}?post={number}#post-{number}"

    @property
    def is_conversation(self) -> bool:
        return self.kind == Kind.CONVERSATION

    @property
    def is_question(self) -> bool:
        return self.kind == Kind.QUESTION

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    @property
    def news_from(self) -> int | None:
        """The number of the first unread post, where the page would not begin with it anyway: for whoever was here before,
        and for whoever never was and has said of what was here that they are caught up. Needs with_reading()."""
        return self.first_unread if self.opened or (self.first_unread or 0) > 1 else None

    @property
    def is_pinned(self) -> bool:
        return self.pinned_until is not None and self.pinned_until > timezone.now()

    @property
    def is_shown(self) -> bool:
        return self.state == self.State.VISIBLE

    @property
    def welcomes(self) -> bool:
        """Nothing of its author's appeared before, and that is not long ago: others say hello."""
        return self.is_authors_first and self.created_at > timezone.now() - NEW_HERE

    @property
    def waits_for_an_answer(self) -> bool:
        """The one use of marigold: a person is needed."""
        return (
            self.is_question
            and self.is_shown
            and (self.first_reply_at is None or self.still_open_at is not None)
            and self.accepted_post_id is None
            and not self.is_closed
        )
