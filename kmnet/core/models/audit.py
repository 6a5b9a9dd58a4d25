from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """What a moderator, an admin or an organiser did to somebody else's things. A trigger refuses change and removal."""

    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,  # the entry outlives the account; the id then leads nowhere
        related_name="+",
        verbose_name=_("who"),
    )
    verb = models.CharField(_("what"), max_length=60)
    target_type = models.ForeignKey(ContentType, null=True, on_delete=models.DO_NOTHING, db_constraint=False)
    target_id = models.BigIntegerField(null=True)
    reason = models.TextField(_("why"), blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("entry of the log")
        verbose_name_plural = _("log of acts")
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_latest"),
            models.Index(fields=["target_type", "target_id", "-at"], name="audit_of_target"),
        ]

    def __str__(self):
        return f"{self.verb} {self.pk}"
