"""What readers say with one press: reactions that all see, and thanks that only the author hears of."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
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


class ThanksMonth(models.Model):
    """What an author was told once a month: how many people they helped. Numbers only; from whom is nowhere."""

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="thanks_months",
        verbose_name=_("author"),
    )
    month = models.DateField(_("month"))  # its first day
    people = models.PositiveIntegerField(_("people helped"))
    countries = models.PositiveIntegerField(_("countries, as far as they may be told"), default=0)
    told_at = models.DateTimeField(_("told"), default=timezone.now)

    class Meta:
        verbose_name = _("month of thanks")
        verbose_name_plural = _("months of thanks")
        constraints = [
            models.UniqueConstraint(fields=["author", "month"], name="one_telling_of_thanks_per_month"),
            models.CheckConstraint(condition=models.Q(month__day=1), name="a_month_is_its_first_day"),
            models.CheckConstraint(
                condition=models.Q(countries=0) | models.Q(people__gte=3),
                name="few_who_thank_have_no_country",
            ),
        ]

    def __str__(self):
        return f"month of thanks {self.pk}"

    @property
    def name(self) -> str:
        """October 2026"""
        return date_format(self.month, gettext("F Y"))

    @property
    def how_many(self) -> str:
        """“7 people in 3 countries”; of one or two nobody shall guess who they are."""
        if self.people == 1:
            return gettext("somebody")
        if self.people < 3:
            return gettext("a few people")
        words = ngettext("%(count)d person", "%(count)d people", self.people) % {"count": self.people}
        if not self.countries:
            return words
        return ngettext(
            "%(people)s in %(count)d country", "%(people)s in %(count)d countries", self.countries
        ) % {
            "people": words,
            "count": self.countries,
        }

    @property
    def sentence(self) -> str:
        month = date_format(self.month, gettext("F"))
        return gettext("In %(month)s you helped %(how_many)s.") % {"month": month, "how_many": self.how_many}


class QuietThanks(models.Model):
    """“This helped me”, seen by its giver alone; told to the author once a month, in numbers only."""

    post = models.ForeignKey(
        Post, on_delete=models.CASCADE, related_name="quiet_thanks", verbose_name=_("post")
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("member")
    )
    at = models.DateTimeField(_("when"), default=timezone.now)
    told_in = models.ForeignKey(
        ThanksMonth,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="thanks",
        editable=False,
    )  # counted there

    class Meta:
        verbose_name = _("quiet thanks")
        verbose_name_plural = _("quiet thanks")
        constraints = [models.UniqueConstraint(fields=["post", "member"], name="one_quiet_thanks_per_member")]
        indexes = [
            models.Index(fields=["at"], name="quiet_thanks_untold", condition=models.Q(told_in__isnull=True))
        ]

    def __str__(self):
        return f"quiet thanks {self.pk}"
