from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class HideableQuerySet(models.QuerySet):
    def shown(self):
        """Neither held back nor hidden."""
        return self.filter(state=Hideable.State.VISIBLE)


class Hideable(models.Model):
    """Something that moderators may hide (never rewrite) and restore, and that may be held before it appears.

    Its app supplies the services that do so; they write the log (kmnet.core.audit) in the same transaction.
    """

    class State(models.TextChoices):
        VISIBLE = "visible", _("visible")
        HELD = "held", _("held until a moderator has looked")
        HIDDEN = "hidden", _("hidden")

    state = models.CharField(_("state"), max_length=8, choices=State, default=State.VISIBLE)
    hidden_at = models.DateTimeField(_("hidden"), null=True, blank=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    hidden_reason = models.TextField(_("reason for hiding"), blank=True)

    class Meta:
        abstract = True


class Flag(models.Model):
    """A member tells the moderators about something."""

    class Reason(models.TextChoices):
        IDENTIFIES = "identifies", _("It may identify a patient or another person")
        UNKIND = "unkind", _("It is unkind or disrespectful")
        SPAM = "spam", _("It is advertising or spam")
        WRONG = "wrong", _("It could harm somebody who acts on it")
        RIGHTS = "rights", _("It uses somebody’s work without leave")
        OTHER = "other", _("Something else")
        REVIEW = "review", _("Its author asks for another look")  # of what was hidden; no report

    class State(models.TextChoices):
        OPEN = "open", _("open")
        UPHELD = "upheld", _("acted on")
        DISMISSED = "dismissed", _("looked at, no action")

    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="flags",
        verbose_name=_("reporter"),
    )
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    rule = models.CharField(
        _("what it breaks"), max_length=120, blank=True
    )  # as the agreement named it at that time
    agreement_version = models.PositiveIntegerField(null=True, blank=True, editable=False)
    note = models.TextField(_("in their words"), blank=True)
    created_at = models.DateTimeField(_("reported"), default=timezone.now)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    resolution = models.TextField(_("why so"), blank=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [
            models.UniqueConstraint(
                fields=["target_type", "target_id", "reporter"],
                condition=Q(state="open"),
                name="one_open_report_per_member_and_thing",
            ),
            models.CheckConstraint(
                condition=Q(state="open", resolved_at__isnull=True)
                | (~Q(state="open") & Q(resolved_at__isnull=False)),
                name="resolved_reports_say_when",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="flags_open", condition=Q(state="open")),
            models.Index(fields=["target_type", "target_id"], name="flags_of_target"),
        ]

    def __str__(self):
        return f"report {self.pk}"

    @property
    def is_request(self) -> bool:
        """By the author, to have it shown again."""
        return self.reason == self.Reason.REVIEW
