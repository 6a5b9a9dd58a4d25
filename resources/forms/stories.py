"""The form of a story."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import TextField
from kmnet.core.submit_key import SubmitKeyField

from ..models import Story
from ..models.stories import LONGEST, PARTS
from ..services import Telling

LEAST = 2  # parts that a story needs


def _part(label: str, hint: str, rows: int = 2) -> TextField:
    widget = forms.Textarea(attrs={"rows": rows, "data-most": LONGEST})
    return TextField(label=label, help_text=hint, required=False, max_length=LONGEST, widget=widget)


class StoryForm(forms.Form):
    """Five questions, of which two are answered at least."""

    place = _part(_("Where did you use it?"), _("A ward, a council, a reading group of four."))
    people = _part(_("For whom?"), _("No names, and nothing by which somebody could be recognised."))
    changed = _part(_("What did you change?"), _("Nothing is an answer, too."))
    happened = _part(_("What happened?"), _("Also if nothing did."), rows=3)
    again = forms.ChoiceField(
        label=_("Would you use it again?"),
        required=False,
        choices=[*Story.Again.choices, ("", _("I would rather not say"))],
        widget=forms.RadioSelect,
        initial="",
    )
    did_not_work = forms.BooleanField(
        label=_("It did not work"),
        required=False,
        help_text=_("That helps others as much as a success. They can look for such stories."),
    )
    unnamed = forms.BooleanField(
        label=_("Without my name"),
        required=False,
        help_text=_(
            "Readers do not see who told it, and it does not stand on your profile. It stays yours to change."
        ),
    )
    submit_key = SubmitKeyField()

    def clean(self):
        data = super().clean()
        if not self.errors and sum(bool(data.get(name)) for name in PARTS) < LEAST:
            raise ValidationError(_("Answer two of the five questions at least; a few words are enough."))
        return data

    def telling(self) -> Telling:
        data = self.cleaned_data
        return Telling(
            **{name: data[name] for name in PARTS},
            did_not_work=data["did_not_work"],
            unnamed=data["unnamed"],
        )


def initial_from_story(story: Story) -> dict:
    """What the form shows of a story to its author."""
    said = {name: getattr(story, name) for name in PARTS}
    return {**said, "did_not_work": story.did_not_work, "unnamed": story.author_id is None}
