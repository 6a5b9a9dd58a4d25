"""Who takes part in a private conversation, and who writes without their name."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Mask(models.Model):
    """A name for one thread only, behind which one member asks and replies. The posts carry the account of nobody
    (members.services.nobody) and this mask; who wears it is read by its wearer’s own pages and by unmasking alone."""

    thread = models.ForeignKey(
        "Thread", on_delete=models.CASCADE, null=True, related_name="masks", verbose_name=_("thread")
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    name = models.CharField(_("name in this thread"), max_length=60)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("name for one thread")
        verbose_name_plural = _("names for one thread")
        constraints = [models.UniqueConstraint(fields=["thread", "member"], name="one_mask_per_thread")]

    def __str__(self):
        return self.name


class Participant(models.Model):
    """One of the two to eight people of a private conversation."""

    thread = models.ForeignKey(
        "Thread", on_delete=models.CASCADE, related_name="participants", verbose_name=_("conversation")
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="conversations",
        verbose_name=_("member"),
    )
    joined_at = models.DateTimeField(_("since"), default=timezone.now)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    left_number = models.PositiveIntegerField(null=True, blank=True)  # the last one they may read

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = [models.UniqueConstraint(fields=["thread", "member"], name="one_seat_per_conversation")]
        indexes = [models.Index(fields=["member", "thread"], name="conversations_of_member")]

    def __str__(self):
        return f"participant {self.pk}"
