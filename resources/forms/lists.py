"""Bringing in a list of references: the file, and what holds for all of its rows."""

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField
from members.forms.groups import audience_choices, audience_group

from ..licences import LICENCES
from ..models import Visibility
from .record import VISIBILITIES, split_tags

TAGS_FOR_ALL = 5


class ListForm(forms.Form):
    """The file of references."""

    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "BibTeX (.bib), RIS (.ris), CSL-JSON (.json) or CSV (.csv), up to 5,000 references and 10 MB."
        ),
    )


class ListSettingsForm(forms.Form):
    """Who sees them, and what is said of all of them."""

    visibility = forms.ChoiceField(
        label=_("Who may see them?"),
        choices=VISIBILITIES,
        widget=forms.RadioSelect,
        initial=Visibility.PUBLIC,
    )
    licence = forms.ChoiceField(
        label=_("Licence, where the file states none"),
        choices=[(one.key, format_lazy("{}: {}", one.label, one.meaning)) for one in LICENCES],
        initial="unknown",
    )
    tags = LineField(
        label=_("Tags for all of them"),
        required=False,
        max_length=300,
        help_text=_("With commas between, beside those that the file gives."),
        widget=forms.TextInput(attrs={"list": "tag-words", "autocomplete": "off"}),
    )

    def __init__(self, *args, member, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["visibility"].choices = [*VISIBILITIES, *audience_choices(member, None)]

    def clean_tags(self):
        return split_tags(self.cleaned_data["tags"], TAGS_FOR_ALL)

    def said(self) -> dict:
        """For services.batches.save_batch."""
        group = audience_group(self.cleaned_data["visibility"])
        return {
            "visibility": Visibility.GROUP if group else self.cleaned_data["visibility"],
            "group": group,
            "licence": self.cleaned_data["licence"],
            "tags": self.cleaned_data["tags"],
        }
