"""The short ways in: what leads to the one form."""

from django import forms
from django.utils.translation import gettext_lazy as _

from .fields import DoiField


class DoiForm(forms.Form):
    """The short way in: a DOI, and the rest is looked up."""

    doi = DoiField(
        label=_("DOI"), help_text=_("As in 10.1177/1355819616653981, or the whole doi.org address.")
    )
