"""The short way in: what leads to the one form."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField

from ..identifiers import normalise_doi
from ..page_facts import doi_in_address
from .fields import FilesField, WebAddressField
from .files import FormWithFiles


class StartForm(FormWithFiles):
    """A DOI or a link, a file, or both. `doi` and `url`: what was pasted, as far as it is that."""

    pasted = LineField(
        label=_("A DOI or a link"),
        required=False,
        max_length=1000,
        help_text=_("As in 10.1177/1355819616653981, or the address of a page."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "inputmode": "url"}
        ),
    )
    files = FilesField(label=_("Or a file"), required=False)
    may_share = None  # asked on the form that follows
    group = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)

    doi = url = ""
    pasted.says_optional = files.says_optional = False  # any one will do, and the page says so

    def clean_pasted(self):
        pasted = self.cleaned_data["pasted"]
        if not pasted:
            return ""
        address = pasted if "://" in pasted else f"https://{pasted}"
        in_address = doi_in_address(address)
        is_bare = pasted.casefold().startswith(("10.", "doi:", "doi ")) and normalise_doi(pasted)
        if is_bare or (in_address and "doi.org/" in address.casefold()):
            self.doi = normalise_doi(pasted) if is_bare else in_address
            return pasted
        try:
            self.url = WebAddressField(required=False).clean(pasted)
        except ValidationError as error:
            raise ValidationError(
                _("This is neither a DOI (10.1177/1355819616653981) nor a link (https://example.org/guide)."),
                code="pasted",
            ) from error
        return pasted

    def clean(self):
        data = super().clean()
        if not (data.get("pasted") or data.get("files") or self.kept_files or self.errors):
            self.add_error("pasted", _("Paste a DOI or a link, or choose a file."))
        return data
