"""Events that come back: a rule makes their dates, and each is an event of its own."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models import check_time_zone

MOST_DATES = 60


class Series(models.Model):
    """The rule by which events come back (RFC 5545, RRULE), on the clock of its own zone."""

    rule = models.CharField(_("rule"), max_length=240)  # “FREQ=MONTHLY;BYDAY=2TU;COUNT=6”
    starts_at = models.DateTimeField(_("first start"))
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[check_time_zone])
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("series of events")
        verbose_name_plural = _("series of events")
        ordering = ("pk",)

    def __str__(self):
        return self.rule
