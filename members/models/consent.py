"""Who agreed to what: which text, when, how, and when they took it back."""

import hashlib

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Purpose(models.TextChoices):
    AGREEMENT = "agreement", _("How we treat each other")
    PRIVACY = "privacy", _("Privacy notice")
    NEWS = "news", _("Letters about the community itself")


# Given and taken back freely. The agreement ends with the account; the notice is told, not asked.
OPTIONAL = (Purpose.NEWS,)


class How(models.TextChoices):
    JOINING = "joining", _("when joining")
    FIRST_STEPS = "first_steps", _("in the first steps")
    SETTINGS = "settings", _("in the settings")
    NEW_VERSION = "new_version", _("when a new version came")


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class ConsentText(models.Model):
    """What was read before the box was ticked: each wording is stored once, and never changes."""

    purpose = models.CharField(_("what for"), max_length=12, choices=Purpose)
    version = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"))
    text_hash = models.CharField(_("SHA-256 of the text"), max_length=64)
    since = models.DateTimeField(_("first shown"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("text that is agreed to")
        verbose_name_plural = _("texts that are agreed to")
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "version", "text_hash"], name="consent_text_is_stored_once"
            )
        ]

    def __str__(self):
        return f"{self.get_purpose_display()}, {self.version}"


class ConsentQuerySet(models.QuerySet):
    def standing(self):
        return self.filter(withdrawn_at__isnull=True)


class Consent(models.Model):
    """One person's yes to one text. A later yes is a row of its own; a withdrawal closes the row and keeps it."""

    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="consents")
    text = models.ForeignKey(ConsentText, models.PROTECT, related_name="consents")
    # Stands here too, so that "who wants letters" needs no join.
    purpose = models.CharField(_("what for"), max_length=12, choices=Purpose)
    given_at = models.DateTimeField(_("given"), default=timezone.now)
    withdrawn_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    how = models.CharField(_("how"), max_length=12, choices=How)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "text"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_standing_consent_per_text",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("given_at")),
                name="consent_is_withdrawn_after_it_was_given",
            ),
        ]
        indexes = [
            models.Index(
                fields=["purpose", "member"],
                condition=Q(withdrawn_at__isnull=True),
                name="consents_standing",
            )
        ]

    def __str__(self):
        return f"consent {self.pk}"
