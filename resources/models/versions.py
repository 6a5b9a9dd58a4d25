"""What belongs to a record: its versions, what was made from it for others, and what it goes with."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .resource import Resource


class ResourceVersion(models.Model):
    """One version of a record, from the second on; its files carry the number. The newest is what the record says."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField(_("number"))
    changes = models.CharField(_("what is new in it"), max_length=500, blank=True)
    csl = models.JSONField(default=dict, blank=True)  # as it was cited while it was the newest
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        verbose_name = _("version of a resource")
        verbose_name_plural = _("versions of resources")
        constraints = [
            models.UniqueConstraint(fields=["resource", "number"], name="one_version_per_number"),
            models.CheckConstraint(condition=Q(number__gte=1), name="version_numbers_begin_at_one"),
        ]

    def __str__(self):
        return f"version {self.number} of resource {self.resource_id}"


class Derivative(models.Model):
    """A record that was made from another one, for somebody who needs it differently."""

    class Kind(models.TextChoices):
        PLAIN = "plain-language", _("Plain language")
        EASY = "easy-read", _("Easy read")
        INFOGRAPHIC = "infographic", _("Infographic")
        AUDIO = "audio", _("Audio")
        VIDEO = "video", _("Video")
        TRANSLATION = "translation", _("Translation")
        SLIDES = "slides", _("Slides")

    class Checked(models.TextChoices):
        LAY = "lay", _("by lay readers")
        PROFESSIONAL = "professional", _("by a professional")
        NOBODY = "nobody", _("by nobody yet")

    parent = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="derivatives")
    child = models.OneToOneField(Resource, on_delete=models.CASCADE, related_name="derived_from")
    kind = models.CharField(_("kind"), max_length=14, choices=Kind)
    checked = models.CharField(_("checked"), max_length=12, choices=Checked, default=Checked.NOBODY)
    checked_note = models.CharField(_("who, and how"), max_length=200, blank=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = _("derivative")
        verbose_name_plural = _("derivatives")
        constraints = [
            models.CheckConstraint(condition=~Q(parent=F("child")), name="derivative_of_another_record")
        ]

    def __str__(self):
        return f"{self.kind} of resource {self.parent_id}"


class Relation(models.Model):
    """A typed link from one record to another; read backwards it has another word (INVERSE)."""

    class Kind(models.TextChoices):
        NEWER = "newer", _("is a newer version of")
        PART = "part", _("is part of")
        SUPPLEMENT = "supplement", _("supplements")
        RESPONSE = "response", _("responds to")
        RELATED = "related", _("goes well with")

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="relations")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    other = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="relations_back")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = _("link between resources")
        verbose_name_plural = _("links between resources")
        constraints = [
            models.UniqueConstraint(fields=["resource", "kind", "other"], name="one_relation_once"),
            models.CheckConstraint(condition=~Q(resource=F("other")), name="relation_to_another_record"),
        ]

    def __str__(self):
        return f"{self.resource_id} {self.kind} {self.other_id}"
