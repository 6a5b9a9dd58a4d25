from django.db import models
from django.utils.translation import gettext_lazy as _


class JobState(models.Model):
    """How one piece of periodic work is doing. What is to be done stands in the rows that it claims, never here."""

    name = models.CharField(max_length=60, primary_key=True)
    begun_at = models.DateTimeField(_("last begun"), null=True)
    ended_at = models.DateTimeField(_("last ended"), null=True)  # well or not
    well_at = models.DateTimeField(_("last ended well"), null=True)
    seconds = models.FloatField(_("took (seconds)"), default=0)
    served = models.PositiveIntegerField(_("served the last time"), default=0)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failed_at = models.DateTimeField(_("last failure"), null=True)
    failure = models.TextField(_("what failed"), blank=True)

    class Meta:
        verbose_name = _("periodic job")
        verbose_name_plural = _("periodic jobs")

    def __str__(self):
        return self.name
