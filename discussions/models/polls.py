"""A poll in the first post of a thread."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .thread import Thread


class Poll(models.Model):
    """What is asked, how one answers, until when; votes may be changed until it closes."""

    class Way(models.TextChoices):
        SINGLE = "single", _("one answer")
        MULTIPLE = "multiple", _("several answers")
        RANKED = "ranked", _("the answers in order")

    class Results(models.TextChoices):
        ALWAYS = "always", _("to everybody, at once")
        CLOSED = "closed", _("when the poll has closed")

    thread = models.OneToOneField(
        Thread, on_delete=models.CASCADE, related_name="poll", verbose_name=_("thread")
    )
    way = models.CharField(_("how to answer"), max_length=8, choices=Way, default=Way.SINGLE)
    closes_at = models.DateTimeField(_("open until"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)  # counted, for good
    results = models.CharField(_("results are shown"), max_length=6, choices=Results, default=Results.ALWAYS)
    is_anonymous = models.BooleanField(_("nobody sees who chose what"), default=True)
    # Once closed: what came out, by the ids of the options (services.tallies). The votes of an anonymous poll are then
    # deleted; those of a named one stay, and no longer count.
    outcome = models.JSONField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("poll")
        verbose_name_plural = _("polls")
        constraints = [
            models.CheckConstraint(
                condition=Q(way__in=["single", "multiple", "ranked"], results__in=["always", "closed"]),
                name="poll_is_of_a_known_kind",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome__isnull=True)
                | Q(closed_at__isnull=False, outcome__isnull=False),
                name="closed_polls_have_an_outcome",
            ),
        ]
        indexes = [
            models.Index(
                fields=["closes_at"],
                name="polls_to_close",
                condition=Q(closed_at__isnull=True, closes_at__isnull=False),
            )
        ]

    def __str__(self):
        return f"poll {self.pk}"

    def is_open(self) -> bool:
        """Takes votes now; one whose time is over is counted soon after."""
        return self.closed_at is None and (self.closes_at is None or self.closes_at > timezone.now())

    @property
    def ended_at(self):
        return self.closed_at or self.closes_at


class PollOption(models.Model):
    """One of the answers to choose from."""

    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="options", verbose_name=_("poll"))
    position = models.PositiveSmallIntegerField(_("position"))
    text = models.CharField(_("answer"), max_length=200)

    class Meta:
        verbose_name = _("answer of a poll")
        verbose_name_plural = _("answers of a poll")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["poll", "position"], name="one_poll_option_per_position"),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=10), name="polls_have_ten_options_at_most"
            ),
        ]

    def __str__(self):
        return f"option {self.pk}"


class Vote(models.Model):
    """One answer that a member chose; in a ranked poll with its rank, 1 for the first."""

    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="votes", verbose_name=_("poll"))
    option = models.ForeignKey(
        PollOption, on_delete=models.CASCADE, related_name="votes", verbose_name=_("answer")
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="votes",
        verbose_name=_("member"),
    )
    rank = models.PositiveSmallIntegerField(_("rank"), null=True, blank=True)  # in a ranked poll alone
    is_only = models.BooleanField(default=False, editable=False)  # in a poll with one answer each
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints = [
            models.UniqueConstraint(fields=["option", "member"], name="one_vote_per_option"),
            models.UniqueConstraint(
                fields=["poll", "member"], condition=Q(is_only=True), name="one_vote_where_one_is_asked"
            ),
            models.UniqueConstraint(fields=["poll", "member", "rank"], name="one_vote_per_rank"),
        ]

    def __str__(self):
        return f"vote {self.pk}"
