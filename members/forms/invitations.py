"""Inviting: one person, several by a link, a whole list."""

from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, TextField

from .. import address_list
from ..models import BringIn
from ..models.joining import MOST_USES
from .join import NameField

LASTING = [(7, _("a week")), (14, _("two weeks")), (30, _("a month")), (90, _("three months"))]


class LastingForm(forms.Form):
    note = LineField(
        label=_("A line from you"),
        help_text=_("Stands in the invitation."),
        max_length=200,
        required=False,
    )
    days = forms.TypedChoiceField(label=_("It works for"), choices=LASTING, initial=14, coerce=int)

    def lasts(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])


class InviteForm(LastingForm):
    """One person, by mail."""

    field_order = ["address", "name", "note", "days"]

    address = forms.EmailField(
        label=_("Their e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("The invitation goes there and works for this address only."),
    )
    name = NameField(
        label=_("Their name"),
        help_text=_("As you would greet them."),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class LinkForm(LastingForm):
    """Several people, by a link that you pass on yourself."""

    field_order = ["max_uses", "note", "days"]

    max_uses = forms.IntegerField(
        label=_("For how many people"),
        help_text=_("Exactly so many can join with it; each proves an own address."),
        min_value=1,
        max_value=MOST_USES,
        initial=10,
    )


def promise() -> str:
    """What an organiser confirms. Raise services.PROMISE_VERSION with its words."""
    return _(
        "I may write to these people about this community, I tell them where I have their addresses from if they ask, "
        "and nobody on the list has asked not to be written to."
    )


class BringInForm(forms.Form):
    """A list, as a file or pasted; checked row by row before anything is sent."""

    field_order = ["name", "file", "text", "basis", "promise"]

    name = LineField(
        label=_("Which list is it?"),
        help_text=_("People read it in their invitation, as in “KM Forum mailing list”."),
        max_length=120,
    )
    file = forms.FileField(
        label=_("The file"),
        help_text=_(
            "CSV, up to 5,000 lines: the address, and the name if you like. With headings, other columns are left out."
        ),
        required=False,
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    text = TextField(
        label=_("Or paste the addresses"),
        help_text=_("One person a line."),
        max_length=address_list.MOST_BYTES,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off", "wrap": "off"}),
    )
    basis = forms.ChoiceField(
        label=_("Why may we write to them?"), choices=BringIn.Basis.choices, widget=forms.RadioSelect
    )
    promise = forms.BooleanField(
        label=_("I have checked this"),
        error_messages={"required": _("Please confirm that you may write to these people.")},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["promise"].help_text = promise()
        self.found = address_list.AddressList()
        self.guessed = False
        self.content = ""

    def clean(self):
        data = super().clean()
        upload, self.content = data.get("file"), data.get("text") or ""
        where = "file" if upload else "text"
        try:
            if upload:
                if upload.size > address_list.MOST_BYTES:
                    address_list.read_bytes(b" " * (address_list.MOST_BYTES + 1))
                self.content, self.guessed = address_list.read_bytes(upload.read())
            self.found = address_list.parse(self.content)
        except ValidationError as error:
            self.add_error(where, error)
            return data
        if not self.found.rows and not self.found.problems and where not in self.errors:
            self.add_error(where, ValidationError(_("There is no address in it."), code="empty"))
        return data
