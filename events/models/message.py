"""What organisers write to the people of their event."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Audience(models.TextChoices):
    PLACES = "places", _("everyone with a place")
    SILENT = "silent", _("with a place, no answer yet")
    WAITING = "waiting", _("on the waiting list")
    REQUESTED = "requested", _("waiting for approval")
    RECORDING = "recording", _("recording only")
    CAME = "came", _("people who came")
    MISSED = "missed", _("people who had a place and did not come")


class EventMessage(models.Model):
    """Written once; one mail for each whom it goes to stands in the outbox from the same transaction."""

    event = models.ForeignKey("events.Event", models.CASCADE, related_name="letters")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    audience = models.CharField(_("to"), max_length=12, choices=Audience)
    subject = models.CharField(_("subject"), max_length=160)
    body = models.TextField(_("message"), max_length=10_000)
    body_html = models.TextField(editable=False, blank=True)
    render_version = models.PositiveSmallIntegerField(editable=False, default=0)
    sent_at = models.DateTimeField(_("sent"), auto_now_add=True)
    told_count = models.PositiveIntegerField(_("goes to"), default=0)
    submit_key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    class Meta:
        verbose_name = _("message to the people of an event")
        verbose_name_plural = _("messages to the people of events")
        ordering = ("-sent_at", "-pk")

    def __str__(self):
        return self.subject
