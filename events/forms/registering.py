"""Cleans what people type when they register; saves nothing."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, TimeZoneField
from kmnet.core.text import has_double


class GuestForm(forms.Form):
    """Somebody without an account asks for a place."""

    name = LineField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    address = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("We write to it once now. The place counts when you press the button in that mail."),
    )
    time_zone = TimeZoneField(help_text=_("We tell you the times in this zone."))

    def clean_address(self):
        """The database would take its owner for somebody else."""
        if has_double(self.cleaned_data["address"]):
            raise ValidationError(_("There is a letter in this address that is easily taken for another."))
        return self.cleaned_data["address"]
