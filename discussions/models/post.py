from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.models.moderation import Hideable, HideableQuerySet
from members.permissions import can_moderate

from .masked import AuthorField, written_by
from .private import seat_rule
from .taking_back import UNDO, MayBeTakenBack
from .thread import NEW_HERE, Kind, Thread, visible_rule


def words_rule(user) -> Q:
    """Which posts show their words to somebody who is no moderator there, as a condition."""
    shown = Q(state=Hideable.State.VISIBLE)
    return shown | written_by(user) if user.is_authenticated else shown


def post_rule(user) -> Q:
    """Which posts outside of conversations this person may read, as a condition."""
    rule = visible_rule(user, "thread__")
    return rule if can_moderate(user) else rule & words_rule(user)


class HeldFor(models.TextChoices):
    """Why a moderator looks at a post before it appears."""

    NEW = "new", _("first words of somebody new")
    LINKS = "links", _("links to other places, by somebody new")
    ASKED = "asked", _("to be looked at first")
    MAIL = "mail", _("came by mail, and nothing proves its sender")


class PostQuerySet(HideableQuerySet):
    def visible_to(self, user):
        """Posts whose words this person may read, all but those of conversations; by the same rule as
        permissions.can_view_post."""
        return self.filter(post_rule(user))

    def readable_by(self, user):
        """Posts whose words this person may read, those of their conversations too (where a moderator is as anybody);
        the same rule as permissions.can_view_post."""
        talks = Q(thread__kind=Kind.CONVERSATION) & seat_rule(user) & words_rule(user)
        return self.filter(post_rule(user) | talks)

    def published(self):
        """Posts that have their number: all but those held before they ever appeared."""
        return self.filter(number__isnull=False)

    def on_pages(self):
        """Published, and not taken back with nothing below: what a page of a thread is made of, stubs included."""
        return self.published().filter(gone=False)

    def taken_back(self):
        """By their authors, with words that are still there."""
        return self.filter(deleted_at__isnull=False, wiped_at__isnull=True)

    def in_branches(self):
        """Each post before its replies, replies in the order of their numbers."""
        return self.order_by("path")

    def with_page(self):
        """All that a thread page shows of a post; not the source, nor the search vector."""
        return self.select_related("author", "parent__author").defer(
            "source",
            "search",
            "heading",
            "parent__source",
            "parent__html",
            "parent__search",
            "parent__heading",
        )


class PostManager(models.Manager.from_queryset(PostQuerySet)):
    def get_queryset(self):
        return super().get_queryset().defer("search")  # only the index reads it


class Post(MayBeTakenBack):
    """What one person wrote: the first post of a thread, or a reply to it or to another reply."""

    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="posts", verbose_name=_("thread"), db_index=False
    )  # three indexes begin with it; one of its own would be taken where these read less
    number = models.PositiveIntegerField(_("number"), null=True, blank=True)  # given when published
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="replies",
        verbose_name=_("reply to"),
    )
    # The numbers of the posts above it and its own. Their order is branch order, so a page anywhere in a long thread
    # is one range of one index. Beyond MAX_DEPTH a reply stands beside the post it answers (an index entry has a limit).
    path = ArrayField(models.IntegerField(), null=True, blank=True, editable=False)
    author = AuthorField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="posts", verbose_name=_("author")
    )
    source = models.TextField(_("text"))
    html = models.TextField(editable=False)
    render_version = models.PositiveSmallIntegerField(default=0, editable=False)
    language = models.CharField(_("language"), max_length=12, blank=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    edited_at = models.DateTimeField(_("edited"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(
        _("words taken away"), null=True, blank=True, editable=False
    )  # its author left and took the words along; the row stays, since others replied to it
    deleted_at = models.DateTimeField(
        _("taken back"), null=True, blank=True, editable=False
    )  # by its author; see taking_back.py
    gone = models.BooleanField(
        default=False, db_default=False, editable=False
    )  # taken back, and nothing is left below it
    wiped_at = models.DateTimeField(_("words wiped"), null=True, blank=True, editable=False)
    mask = models.ForeignKey(
        "Mask", null=True, blank=True, on_delete=models.SET_NULL, related_name="posts", editable=False
    )
    mask_name = models.CharField(
        max_length=40, blank=True, db_default="", editable=False
    )  # instead of the author’s
    is_authors_first = models.BooleanField(default=False, editable=False)  # nothing of theirs appeared before
    held_for = models.CharField(
        _("why it was held"), max_length=8, choices=HeldFor, blank=True, db_default="", editable=False
    )  # stays when it is released: how long that took is what the next writer is told
    alerted_at = models.DateTimeField(
        null=True, blank=True, editable=False
    )  # hosts heard that it waits too long
    submit_key = models.UUIDField(null=True, blank=True, editable=False)
    cut_words = models.TextField(
        _("cut from the mail"), blank=True, default="", db_default="", editable=False
    )  # of a post that came by mail: quotation and signature, for its author and moderators
    heading = models.CharField(
        max_length=600, blank=True, editable=False
    )  # title and tags of the thread on its first post, so that one index answers a search
    search = models.GeneratedField(
        expression=SearchVector("heading", weight="A", config="kmnet")
        + SearchVector("source", weight="B", config="kmnet"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    MAX_DEPTH = 400

    objects = PostManager()

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        constraints = [
            models.UniqueConstraint(fields=["thread", "number"], name="one_post_per_number"),
            models.UniqueConstraint(fields=["author", "submit_key"], name="one_post_per_submit"),
            models.CheckConstraint(
                condition=Q(number__isnull=False, path__isnull=False, published_at__isnull=False)
                | Q(number__isnull=True, path__isnull=True, published_at__isnull=True) & ~Q(state="visible"),
                name="shown_posts_have_numbers",
            ),
            models.UniqueConstraint(
                fields=["author"], condition=Q(is_authors_first=True), name="one_first_post_per_author"
            ),
            models.CheckConstraint(
                condition=~Q(number=1) | Q(parent__isnull=True), name="first_post_answers_none"
            ),
            models.CheckConstraint(
                condition=~Q(state="deleted") | Q(deleted_at__isnull=False), name="taken_back_says_when"
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=False) | Q(gone=False, wiped_at__isnull=True),
                name="only_what_was_taken_back_is_gone",
            ),
            models.CheckConstraint(
                condition=Q(wiped_at__isnull=True) | Q(source="", html="", heading=""),
                name="wiped_words_are_gone",
            ),
        ]
        indexes = [
            models.Index(fields=["thread", "path"], name="posts_in_branches"),
            models.Index(fields=["author", "-published_at"], name="posts_of_author"),
            models.Index(fields=["thread", "published_at", "number"], name="posts_by_moment"),
            models.Index(fields=["thread"], name="posts_held", condition=Q(number__isnull=True)),
            models.Index(fields=["-published_at"], name="posts_once_held", condition=~Q(held_for="")),
            models.Index(
                fields=["deleted_at"],
                name="posts_to_wipe",
                condition=Q(deleted_at__isnull=False, wiped_at__isnull=True),
            ),
            models.Index(fields=["render_version", "id"], name="posts_by_rendering"),
            GinIndex(fields=["search"], name="posts_search"),
            GinIndex(fields=["search"], name="first_posts_search", condition=Q(number=1)),
        ]

    def __str__(self):
        return f"post {self.pk}"

    def get_absolute_url(self):
        """Needs `thread` with its `space`."""
        return self.thread.url_of(self.number) if self.number else self.thread.get_absolute_url()

    @property
    def is_first(self) -> bool:
        return self.number == 1

    @property
    def welcomes(self) -> bool:
        """Nothing of its author's appeared before, and that is not long ago: others say hello."""
        return self.is_authors_first and self.published_at > timezone.now() - NEW_HERE

    @property
    def leads(self) -> bool:
        """The post that began the thread, held or not."""
        if self.is_first:
            return not self.thread.is_conversation
        return self.number is None and bool(self.heading)

    @property
    def is_shown(self) -> bool:
        return self.state == self.State.VISIBLE

    @property
    def is_taken_back(self) -> bool:
        return self.deleted_at is not None

    @property
    def undo_until(self):
        """Until when its author may have it back; None where that is over, or it was never taken back."""
        if self.state != self.State.DELETED or self.wiped_at or self.deleted_at + UNDO < timezone.now():
            return None
        return self.deleted_at + UNDO

    @property
    def depth(self) -> int:
        """0 for the first post and replies to it."""
        return len(self.path) - 1 if self.path else 0


class PostVersion(models.Model):
    """What a post said before an edit."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="versions")
    source = models.TextField(_("text"))
    title = models.CharField(_("title"), max_length=160, blank=True)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("edited by"),
    )
    replaced_at = models.DateTimeField(_("until"), default=timezone.now)
    withheld = models.BooleanField(
        default=False, db_default=False, editable=False
    )  # it was hidden, mended and shown again: what it said before is for its author and the moderators

    class Meta:
        verbose_name = _("earlier version")
        verbose_name_plural = _("earlier versions")
        indexes = [models.Index(fields=["post", "-replaced_at"], name="versions_of_post")]

    def __str__(self):
        return f"version {self.pk}"
