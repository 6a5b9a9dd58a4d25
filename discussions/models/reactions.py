"""What readers say with one press: reactions that all see, and thanks that only the author hears of."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .post import Post


class Reaction(models.Model):
    """One of a fixed small set. Who reacted is visible; nobody is ranked by it."""

    class Kind(models.TextChoices):
        THANKS = "thanks", _("Thank you")
        ME_TOO = "me_too", _("Me too")
        TRIED = "tried", _("I tried this")

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="reactions", verbose_name=_("post"))
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="reactions",
        verbose_name=_("member"),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("reaction")
        verbose_name_plural = _("reactions")
        constraints = [
            models.UniqueConstraint(fields=["post", "kind", "member"], name="one_reaction_of_a_kind"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["thanks", "me_too", "tried"]), name="reactions_are_few"
            ),
        ]

    def __str__(self):
        return f"reaction {self.pk}"


class QuietThanks(models.Model):
    """“This helped me”, told to the author once a month, in numbers only."""

    post = models.ForeignKey(
        Post, on_delete=models.CASCADE, related_name="quiet_thanks", verbose_name=_("post")
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("member")
    )
    at = models.DateTimeField(_("when"), default=timezone.now)
    told_at = models.DateTimeField(_("told to the author"), null=True, blank=True)

    class Meta:
        verbose_name = _("quiet thanks")
        verbose_name_plural = _("quiet thanks")
        constraints = [models.UniqueConstraint(fields=["post", "member"], name="one_quiet_thanks_per_member")]
        indexes = [
            models.Index(fields=["at"], name="quiet_thanks_untold", condition=models.Q(told_at__isnull=True))
        ]

    def __str__(self):
        return f"quiet thanks {self.pk}"
