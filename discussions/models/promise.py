"""The reply promise: every question and every first post, also one that is a reply, is owed a reply by another person."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.models.moderation import Hideable

from .post import Post
from .thread import Thread


class OwedReplyQuerySet(models.QuerySet):
    def owed(self):
        """Those to which nobody else has replied, while the thread stands and waits, and the words stand."""
        thread_waits = Q(
            post__isnull=True, thread__first_reply_at__isnull=True, thread__accepted_post__isnull=True
        )
        return self.filter(
            thread_waits | Q(post__state=Hideable.State.VISIBLE),
            kept_at__isnull=True,
            thread__state=Hideable.State.VISIBLE,
            thread__closed_at__isnull=True,
        )


class OwedReply(models.Model):
    """One clock, from its start to the first reply by another person: that of the thread, or, with `post`, that of
    somebody's first words ever, which are a reply in it. A post's clock goes where the post goes."""

    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="clocks", verbose_name=_("thread")
    )
    post = models.OneToOneField(
        Post,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="clock",
        verbose_name=_("first words"),
    )
    started_at = models.DateTimeField(_("asked"), default=timezone.now)
    ask_at = models.DateTimeField(_("members are asked"))
    asked_at = models.DateTimeField(_("members were asked"), null=True, blank=True)
    host_at = models.DateTimeField(_("a host is asked"))
    host_told_at = models.DateTimeField(_("a host was asked"), null=True, blank=True)
    kept_at = models.DateTimeField(_("first reply by somebody else"), null=True, blank=True)

    objects = OwedReplyQuerySet.as_manager()

    class Meta:
        verbose_name = _("owed reply")
        verbose_name_plural = _("owed replies")
        constraints = [
            models.UniqueConstraint(
                fields=["thread"], condition=Q(post__isnull=True), name="one_clock_per_thread"
            )
        ]
        indexes = [
            models.Index(
                fields=["ask_at"],
                name="owed_open",
                condition=Q(kept_at__isnull=True),
            ),
            models.Index(fields=["started_at"], name="owed_by_start"),
        ]

    def __str__(self):
        return f"owed reply {self.pk}"

    def get_absolute_url(self):
        """Of what waits. Needs `thread` with its `space`."""
        return self.thread.url_of(self.post.number) if self.post_id else self.thread.get_absolute_url()

    @property
    def shown_author(self):
        """As readers see them."""
        return self.post.author if self.post_id else self.thread.author

    @property
    def is_first_words(self) -> bool:
        """Had nothing of theirs appeared before?"""
        return self.post_id is not None or self.thread.is_authors_first


class AskedToAnswer(models.Model):
    """A member was asked, once, whether they could answer; not again for a while."""

    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="askings", verbose_name=_("thread")
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("member")
    )
    as_host = models.BooleanField(_("as a host"), default=False)
    why = models.CharField(_("why this member"), max_length=200, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("request to answer")
        verbose_name_plural = _("requests to answer")
        constraints = [models.UniqueConstraint(fields=["thread", "member"], name="asked_once_per_thread")]
        indexes = [models.Index(fields=["member", "-at"], name="askings_of_member")]

    def __str__(self):
        return f"request {self.pk}"
