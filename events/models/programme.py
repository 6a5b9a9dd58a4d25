"""The programme: what happens within an event, and who speaks."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class SessionKind(models.TextChoices):
    PRESENTATION = "presentation", _("presentation")
    TALK = "talk", _("talk")
    PANEL = "panel", _("questions and answers")
    WORKSHOP = "workshop", _("workshop")
    BREAK = "break", _("break")


class Speaker(models.Model):
    """Who speaks; a member or not."""

    name = models.CharField(_("name"), max_length=120)
    about = models.CharField(_("about"), max_length=240, blank=True)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="speaks_as"
    )

    class Meta:
        verbose_name = _("speaker")
        verbose_name_plural = _("speakers")
        ordering = ("name", "pk")

    def __str__(self):
        return self.name


class Session(models.Model):
    """One item of an event’s programme."""

    event = models.ForeignKey("events.Event", models.CASCADE, related_name="sessions")
    kind = models.CharField(_("kind"), max_length=12, choices=SessionKind, default=SessionKind.TALK)
    title = models.CharField(_("title"), max_length=200)
    summary = models.CharField(_("about"), max_length=500, blank=True)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    speakers = models.ManyToManyField(Speaker, blank=True, related_name="sessions")

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ("order", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="session_ends_after_it_starts",
            )
        ]

    def __str__(self):
        return self.title
