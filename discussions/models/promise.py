"""The reply promise: every question and every first post is owed a reply by another person."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.models.moderation import Hideable

from .thread import Thread


class OwedReplyQuerySet(models.QuerySet):
    def owed(self):
        """Those to which nobody else has replied, while the thread stands and waits."""
        return self.filter(
            kept_at__isnull=True,
            thread__state=Hideable.State.VISIBLE,
            thread__first_reply_at__isnull=True,
            thread__accepted_post__isnull=True,
            thread__closed_at__isnull=True,
        )


class OwedReply(models.Model):
    """The clock of one thread: from its start to the first reply by another person."""

    thread = models.OneToOneField(
        Thread, on_delete=models.CASCADE, related_name="owed_reply", verbose_name=_("thread")
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
