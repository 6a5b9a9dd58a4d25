"""The form of a new version."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import TextField

from ..models import Resource, ResourceFile
from .fields import WebAddressField
from .files import FormWithFiles


class VersionForm(FormWithFiles):
    """What is new, since when, and which files."""

    changes = TextField(
        label=_("What is new in it?"),
        max_length=500,
        help_text=_("In a sentence or two, for somebody who uses the version before."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    issued = forms.DateField(
        label=_("Of which day is it?"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    url = WebAddressField(label=_("Link"), required=False)
    staying = forms.ModelMultipleChoiceField(
        label=_("Files that stay as they are"),
        required=False,
        queryset=ResourceFile.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The others stay with the old version, where people still find them."),
    )
    begun_from = forms.IntegerField(min_value=1, max_value=32_000, widget=forms.HiddenInput)

    field_order = ("changes", "issued", "staying", "files", "may_share", "url")

    def __init__(self, *args, resource: Resource, **kwargs):
        super().__init__(*args, **kwargs)
        self.resource = resource
        self.fields["staying"].queryset = ResourceFile.objects.filter(
            resource=resource, version=resource.version
        )
        self.fields["files"].label = _("New files")
        if not self.fields["staying"].queryset.exists():
            del self.fields["staying"]

    def clean_issued(self):
        day = self.cleaned_data["issued"]
        if day is not None and not 1000 <= day.year <= timezone.localdate().year + 2:
            raise ValidationError(_("A year has four digits, such as 2017, and is not far ahead."))
        return day

    def issued_parts(self) -> list[int]:
        day = self.cleaned_data["issued"]
        return [day.year, day.month, day.day] if day else []
