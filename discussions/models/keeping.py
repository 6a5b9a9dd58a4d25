"""What a member keeps for themselves: text not sent yet, posts to come back to, files put into posts."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .post import Post
from .thread import Thread


class Draft(models.Model):
    """Text that was typed and not sent. `key` says where: "ask", "ask:<space>", "reply:<thread>", "edit:<post>",
    "message". `data` holds the `fields` of that form by name, the `tab` that wrote them, and `beside` what other tabs
    wrote; only services.drafts looks into it."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="drafts",
        verbose_name=_("member"),
    )
    key = models.CharField(_("for"), max_length=80)
    thread = models.ForeignKey(
        Thread,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="drafts",
        verbose_name=_("thread"),
    )
    data = models.JSONField(_("what was typed"), default=dict)
    revision = models.PositiveIntegerField(default=1, editable=False)  # goes up with every save
    created_at = models.DateTimeField(_("begun"), default=timezone.now)
    updated_at = models.DateTimeField(_("saved"), default=timezone.now)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [models.UniqueConstraint(fields=["member", "key"], name="one_draft_per_place")]
        indexes = [models.Index(fields=["member", "-updated_at"], name="drafts_of_member")]

    def __str__(self):
        return f"draft {self.pk}"


class Bookmark(models.Model):
    """A post to come back to, perhaps with a day on which to be reminded."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="bookmarks",
        verbose_name=_("member"),
    )
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="bookmarks", verbose_name=_("post"))
    note = models.CharField(_("note to myself"), max_length=200, blank=True)
    remind_at = models.DateTimeField(_("remind me"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    not_reminded = models.CharField(_("why there was no reminder"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("kept"), default=timezone.now)

    class Meta:
        verbose_name = _("bookmark")
        verbose_name_plural = _("bookmarks")
        constraints = [models.UniqueConstraint(fields=["member", "post"], name="one_bookmark_per_post")]
        indexes = [
            models.Index(fields=["member", "-created_at"], name="bookmarks_of_member"),
            models.Index(
                fields=["remind_at"],
                name="bookmarks_to_remind",
                condition=Q(reminded_at__isnull=True, remind_at__isnull=False),
            ),
        ]

    def __str__(self):
        return f"bookmark {self.pk}"
