"""What those who register are asked: up to ten lines."""

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, TextField

from ..models import MOST_QUESTIONS, Event, QuestionKind
from .programme import lines_kept

MOST_CHOICES = 20
LONGEST_CHOICE = 120
WITH_CHOICES = (QuestionKind.CHOICE, QuestionKind.SEVERAL)


class QuestionForm(forms.Form):
    """One question. Empty lines are left out."""

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    label = LineField(label=_("Question"), max_length=240, required=False)
    kind = forms.ChoiceField(
        label=_("Answer"),
        choices=[(value, capfirst(label)) for value, label in QuestionKind.choices],
        initial=QuestionKind.TEXT,
    )
    choices = TextField(
        label=_("Choices"),
        required=False,
        max_length=3000,
        help_text=_("One on each line; only where people choose."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    is_required = forms.BooleanField(label=_("Must be answered"), required=False)

    def clean_choices(self):
        """The words of each, once, in their order."""
        lines = [line.strip() for line in self.cleaned_data["choices"].splitlines()]
        return list(dict.fromkeys(line for line in lines if line))

    def clean(self):
        data = super().clean()
        choices = data.get("choices") or []
        if not data.get("label"):
            if choices or data.get("is_required"):
                self.add_error("label", _("What is the question?"))
            return data
        if data.get("kind") in WITH_CHOICES:
            if len(choices) < 2:
                self.add_error("choices", _("Give at least two choices, one on each line."))
            elif len(choices) > MOST_CHOICES or max(map(len, choices)) > LONGEST_CHOICE:
                words = _("At most %(count)d choices, of %(length)d characters each.")
                self.add_error("choices", words % {"count": MOST_CHOICES, "length": LONGEST_CHOICE})
        return data

    def item(self) -> dict:
        """As the services take it; choices only where people choose."""
        kind = self.cleaned_data["kind"]
        return {
            "pk": self.cleaned_data.get("pk"),
            "label": self.cleaned_data["label"],
            "kind": kind,
            "choices": self.cleaned_data["choices"] if kind in WITH_CHOICES else [],
            "is_required": self.cleaned_data["is_required"],
        }


class BaseQuestions(forms.BaseFormSet):
    def items(self) -> list[dict]:
        return [line.item() for line in self.forms if line.cleaned_data.get("label")]

    def filled(self) -> int:
        """How many lines hold a question, as typed or stored."""
        return sum(bool(line["label"].value()) for line in self.forms)


# All ten stand on the page, folded: more lines need no script and no other page.
QuestionFormSet = forms.formset_factory(
    QuestionForm, formset=BaseQuestions, extra=MOST_QUESTIONS, max_num=MOST_QUESTIONS
)


def questions_initial(event: Event) -> list[dict]:
    return [
        {
            "pk": question.pk,
            "label": question.label,
            "kind": question.kind,
            "choices": "\n".join(question.choices),
            "is_required": question.is_required,
        }
        for question in event.questions.filter(is_asked=True)
    ]


def questions_kept(kept: dict) -> list[dict]:
    """The questions among what was typed into an expired login."""
    lines = lines_kept(kept, "questions", QuestionForm.base_fields, MOST_QUESTIONS)
    return [line for line in lines if line["label"] or line["choices"]]
