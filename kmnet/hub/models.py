"""The digest's own rows. Everything else the hub shows belongs to the apps."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

EMPTY = models.Value([], output_field=ArrayField(models.PositiveSmallIntegerField()))


class DigestScheduleQuerySet(models.QuerySet):
    def due(self, now):
        return self.filter(next_due_at__lte=now).order_by("next_due_at", "pk")


class DigestSchedule(models.Model):
    """When a member's next digest is due, and up to when the last one told.

    It repeats the choices that the time was worked out from, so that a change of the profile or of the time zone, by
    whatever way it came, is seen by comparing (see services.refresh_schedules).
    """

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digest_schedule"
    )
    frequency = models.CharField(_("how often"), max_length=10)
    weekday = models.PositiveSmallIntegerField(_("weekday"))
    hour = models.PositiveSmallIntegerField(_("hour"))
    time_zone = models.CharField(_("time zone"), max_length=64)
    days = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name=_("days"), default=list, db_default=EMPTY
    )
    paused_until = models.DateField(_("no mail until"), null=True)
    next_due_at = models.DateTimeField(_("next due"), null=True)
    covered_until = models.DateTimeField(_("told up to"))
    looked_ahead_until = models.DateTimeField(_("own events told up to"), null=True)

    objects = DigestScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("digest schedule")
        verbose_name_plural = _("digest schedules")
        indexes = [
            models.Index(
                fields=["next_due_at", "id"],
                condition=Q(next_due_at__isnull=False),
                name="digest_schedule_due",
            )
        ]

    def __str__(self):
        return f"digest schedule {self.pk}"


class DigestRun(models.Model):
    """One digest to one member: the window it covers is fixed before anything is composed."""

    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digest_runs")
    period = models.CharField(_("period"), max_length=10, help_text=_("The member’s local day."))
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    due_at = models.DateTimeField(_("due"))
    ahead_from = models.DateTimeField(_("own events from"))
    ahead_until = models.DateTimeField(_("own events until"))
    created_at = models.DateTimeField(_("queued"), auto_now_add=True)
    read_at = models.DateTimeField(_("marked as read"), null=True, blank=True)

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        constraints = [
            models.UniqueConstraint(fields=["member", "period"], name="one_digest_per_member_and_period"),
            # With the schedule's covered_until this makes windows follow one another: nothing twice, nothing skipped.
            models.UniqueConstraint(fields=["member", "since"], name="one_digest_from_a_moment"),
            models.CheckConstraint(condition=Q(since__lt=F("until")), name="digest_window_runs_forward"),
        ]

    def __str__(self):
        return f"digest {self.pk}"

    @property
    def dedupe_key(self) -> str:
        return f"hub.digest:{self.pk}"
