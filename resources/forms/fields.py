"""Fields that only the library has."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField

from ..identifiers import canonical_url, normalise_doi


class DoiField(LineField):
    """A DOI in any of the forms in which people paste it."""

    def to_python(self, value):
        value = super().to_python(value)
        if not value:
            return ""
        doi = normalise_doi(value)
        if not doi:
            raise ValidationError(_("A DOI looks like 10.1177/1355819616653981; this does not."), code="doi")
        return doi


class WebAddressField(LineField):
    """An http or https address; `www.example.org` is taken as https."""

    widget = forms.URLInput

    def __init__(self, **kwargs):
        super().__init__(max_length=1000, **kwargs)
        self.widget.attrs.setdefault("placeholder", "https://")

    def to_python(self, value):
        value = super().to_python(value)
        if not value:
            return ""
        if "://" not in value and not value.casefold().startswith(("javascript:", "data:", "mailto:")):
            value = f"https://{value}"
        if re.match(r"\w+://[^/?#]*@", value):
            raise ValidationError(
                _("All see this link: leave out the name or password before the @."), code="password"
            )
        if " " in value or not canonical_url(value) or "." not in value:
            raise ValidationError(
                _("A link starts with https:// or http://, as in https://example.org/guide."), code="url"
            )
        return value


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files; the services look into them."""

    widget = FilesInput

    def clean(self, data, initial=None):
        files = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(FilesField, self).clean(file, initial) for file in files if file]
