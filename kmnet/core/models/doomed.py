from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DoomedFile(models.Model):
    """A stored file that nobody may find any more: its row was deleted in the transaction that wrote this one."""

    name = models.CharField(max_length=255, unique=True)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("file to be deleted")
        verbose_name_plural = _("files to be deleted")

    def __str__(self):
        return f"doomed file {self.pk}"
