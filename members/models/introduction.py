"""Introductions: somebody who knows two members brings them together; both must want it."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

OPEN_FOR = timedelta(days=14)
REMIND_AFTER = timedelta(days=7)


class Answer(models.TextChoices):
    NONE = "", _("no answer yet")
    YES = "yes", _("yes")
    NO = "no", _("no")


class IntroductionState(models.TextChoices):
    """A "no" settles nothing before the time is over: until then it looks to everybody else like no answer yet."""

    OPEN = "open", _("waits for answers")
    MADE = "made", _("both wanted it")
    ENDED = "ended", _("did not come about")
    WITHDRAWN = "withdrawn", _("withdrawn")


class IntroductionQuerySet(models.QuerySet):
    def open(self):
        return self.filter(state=IntroductionState.OPEN)

    def about(self, member):
        """Where this member is one of the two."""
        return self.filter(Q(first=member.pk) | Q(second=member.pk))

    def visible_to(self, user):
        """Those that this person proposed or is asked about; the same rule as permissions.can_view_introduction."""
        if not user.is_authenticated:
            return self.none()
        asked = (Q(first=user.pk) | Q(second=user.pk)) & Q(goes_nowhere=False)
        return self.filter(Q(proposer=user.pk) | asked & ~Q(state=IntroductionState.WITHDRAWN))


class Introduction(models.Model):
    """`proposer` would like `first` and `second` (in the order of their ids) to meet.

    `goes_nowhere`: one of the three keeps another at a distance. Nobody is asked, and to the proposer it looks like any
    introduction that the two leave unanswered.
    """

    proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="introductions_proposed"
    )
    first = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    second = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    reason = models.TextField(_("why these two"), max_length=1000)
    state = models.CharField(max_length=10, choices=IntroductionState, default=IntroductionState.OPEN)
    first_answer = models.CharField(max_length=3, choices=Answer, default=Answer.NONE, blank=True)
    second_answer = models.CharField(max_length=3, choices=Answer, default=Answer.NONE, blank=True)
    goes_nowhere = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)
    settled_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = IntroductionQuerySet.as_manager()

    class Meta:
        verbose_name = _("introduction")
        verbose_name_plural = _("introductions")
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second"], condition=Q(state="open"), name="one_open_introduction_per_pair"
            ),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="introduced_in_order"),
            models.CheckConstraint(
                condition=~Q(proposer=F("first")) & ~Q(proposer=F("second")), name="introduced_by_a_third"
            ),
            models.CheckConstraint(
                condition=~Q(state="made") | Q(first_answer="yes", second_answer="yes", goes_nowhere=False),
                name="introduced_when_both_want_it",
            ),
            models.CheckConstraint(
                condition=Q(state="open", settled_at__isnull=True)
                | (~Q(state="open") & Q(settled_at__isnull=False)),
                name="introduction_settled_has_its_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="open"), name="introduction_due"),
            models.Index(fields=["proposer", "-created_at"], name="introduction_by_proposer"),
            models.Index(fields=["second", "-created_at"], name="introduction_of_second"),
        ]

    def __str__(self):
        return f"introduction {self.pk}"

    def get_absolute_url(self):
        return reverse("members:introduction", args=[self.pk])

    @property
    def pair(self) -> tuple[int, int]:
        return self.first_id, self.second_id

    def answer_of(self, member) -> str:
        return self.first_answer if member.pk == self.first_id else self.second_answer

    def other_than(self, member):
        """The one whom this member, one of the two, would meet."""
        return self.second if member.pk == self.first_id else self.first

    def is_open(self, now=None) -> bool:
        return self.state == IntroductionState.OPEN and (now or timezone.now()) < self.expires_at
