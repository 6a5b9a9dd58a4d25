"""Forms of looking after a record."""

from django import forms
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, TextField

from ..models import Tombstone

NEEDS_REASON = {"required": _("Say why: the reason stands in the log.")}


class ReasonForm(forms.Form):
    reason = TextField(
        label=_("Why? It stands in the log"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages=NEEDS_REASON,
    )


class TakeDownForm(forms.Form):
    """What everybody reads, and what stands in the log."""

    # Nothing is chosen beforehand: everybody reads it.
    reason = forms.ChoiceField(
        label=_("Why is it taken down?"), choices=[("", _("Choose one")), *Tombstone.Reason.choices]
    )
    note = LineField(
        label=_("In a sentence, for everybody"),
        required=False,
        max_length=300,
        help_text=_("It stands on the page that is left. Name nobody."),
    )
    words_go = forms.BooleanField(
        label=_("What it says must go, too: title, description and citation"),
        required=False,
        help_text=_("For data about people. This cannot be undone."),
    )
    why = TextField(
        label=_("For the log and for who added it"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why, for the log and for who added it.")},
    )

    def clean(self):
        data = super().clean()
        if data.get("reason") == Tombstone.Reason.OTHER and not data.get("note"):
            self.add_error("note", _("Say in a sentence what the reason was."))
        return data


class DeleteOwnForm(forms.Form):
    note = LineField(label=_("Why, in a sentence"), required=False, max_length=300)

    def __init__(self, *args, at_once: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["note"].help_text = (
            _("It stands on the page that is left. Name nobody.")
            if at_once
            else _("Only moderators read this.")
        )
