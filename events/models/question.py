"""What an organiser asks of those who register, and what they answer."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

MOST_QUESTIONS = 10


class QuestionKind(models.TextChoices):
    TEXT = "text", _("a few words")
    CHOICE = "choice", _("one of several")
    SEVERAL = "several", _("any of several")
    CONSENT = "consent", _("agreement")


class Question(models.Model):
    """One of at most ten. One that has answers is not deleted: it is no longer asked."""

    event = models.ForeignKey("events.Event", models.CASCADE, related_name="questions")
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    kind = models.CharField(_("kind"), max_length=8, choices=QuestionKind, default=QuestionKind.TEXT)
    label = models.CharField(_("question"), max_length=240)
    choices = models.JSONField(_("choices"), default=list, blank=True)  # the words of each, in their order
    is_required = models.BooleanField(_("must be answered"), default=False)
    is_asked = models.BooleanField(_("is asked"), default=True)

    class Meta:
        verbose_name = _("question of a registration")
        verbose_name_plural = _("questions of registrations")
        ordering = ("order", "pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=("choice", "several")) | Q(choices=[]),
                name="only_choices_have_choices",
            ),
        ]

    def __str__(self):
        return self.label


class Answer(models.Model):
    """Text, one choice, a list of choices, or true for an agreement: what was typed or ticked."""

    registration = models.ForeignKey("events.Registration", models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, models.RESTRICT, related_name="answers")
    value = models.JSONField(_("answer"))
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("answer of a registration")
        verbose_name_plural = _("answers of registrations")
        ordering = ("question__order", "pk")
        constraints = [
            models.UniqueConstraint(fields=["registration", "question"], name="one_answer_per_question")
        ]

    def __str__(self):
        return f"answer {self.pk}"
