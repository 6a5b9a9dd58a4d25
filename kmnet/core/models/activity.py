from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ActivityQuerySet(models.QuerySet):
    def waiting(self):
        """Deeds whose notifications have not gone out yet."""
        return self.filter(fanned_out_at__isnull=True)


class Activity(models.Model):
    """One deed, written in the deed's own transaction; feeds, notifications and mails grow from it."""

    verb = models.CharField(_("verb"), max_length=60)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="activities"
    )
    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)
    fanned_out_at = models.DateTimeField(null=True, blank=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        indexes = [
            models.Index(fields=["target_type", "target_id", "-at"], name="activity_of_target"),
            models.Index(fields=["-at", "-id"], name="activity_latest"),
            models.Index(
                fields=["id"], name="activity_waiting", condition=models.Q(fanned_out_at__isnull=True)
            ),
        ]

    def __str__(self):
        return f"{self.verb} {self.pk}"


class NotificationQuerySet(models.QuerySet):
    def unread(self):
        return self.filter(read_at__isnull=True)


class Notification(models.Model):
    """One deed told to one member."""

    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="notifications")
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(fields=["activity", "recipient"], name="one_notification_per_deed")
        ]
        indexes = [
            models.Index(fields=["recipient", "-id"], name="notification_of_member"),
            models.Index(
                fields=["recipient"], name="notification_unread", condition=models.Q(read_at__isnull=True)
            ),
        ]

    def __str__(self):
        return f"notification {self.pk}"
