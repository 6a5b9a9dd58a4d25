"""How many places to offer beyond those there are."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..forecasting import Expected


class MorePlacesForm(forms.Form):
    """For one list of places. `places`: how many there were when the organiser looked."""

    count = forms.IntegerField(label=_("Places to offer"), min_value=1)
    way = forms.CharField(widget=forms.HiddenInput, required=False)
    places = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data=None, *, expected: Expected):
        initial = {"count": expected.more or 1, "way": expected.way, "places": expected.places}
        super().__init__(data, initial=initial, auto_id=f"id_{expected.way}%s")
        self.expected = expected
        self.fields["count"].widget.attrs["max"] = expected.waiting

    def clean_count(self):
        """No more than wait: places beyond that would go to newcomers, which is what the capacity is for."""
        count, waiting = self.cleaned_data["count"], self.expected.waiting
        if count > waiting:
            raise forms.ValidationError(
                ngettext(
                    "%(waiting)d person waits. Offer at most as many.",
                    "%(waiting)d people wait. Offer at most as many.",
                    waiting,
                )
                % {"waiting": waiting}
            )
        return count
