"""Frameworks, clock, usual hours and availability as form fields; and the picture, which has a form of its own."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import TimeZoneField
from kmnet.core.models import Term

from ..models.profile import Availability, SeenBy, Weekday
from ..services.profiles import MAX_WINDOWS
from .join import offer_present_zone
from .parts import PartForm, picks, term_choices

MAX_FRAMEWORKS = 8
SLOTS = range(MAX_WINDOWS)


def time_box() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time", "class": "input--short"}, format="%H:%M")


class TimeFields(PartForm):
    """The clock, and up to three windows of usual hours."""

    time_zone = TimeZoneField(
        label=_("Your time zone"),
        help_text=_("Others see what time it is where you are, never more than that."),
        required=False,
        widget=forms.Select(attrs={"data-guess-time-zone": ""}),
    )

    def stored(self):
        stored = {**super().stored(), "time_zone": self.profile.member.time_zone}
        windows = sorted(self.profile.hours.all(), key=lambda window: (window.weekdays, window.starts))
        for slot, window in zip(SLOTS, windows, strict=False):
            stored[f"hours_{slot}_days"] = [str(day) for day in window.weekdays]
            stored[f"hours_{slot}_from"], stored[f"hours_{slot}_until"] = window.starts, window.ends
        return stored

    def prepare(self):
        super().prepare()
        offer_present_zone(self.fields["time_zone"], self.profile.member.time_zone)
        for slot in SLOTS:
            self.fields[f"hours_{slot}_days"] = forms.TypedMultipleChoiceField(
                label=_("On these days"), choices=Weekday.choices, coerce=int, widget=picks(), required=False
            )
            self.fields[f"hours_{slot}_from"] = forms.TimeField(
                label=_("From"), widget=time_box(), required=False
            )
            self.fields[f"hours_{slot}_until"] = forms.TimeField(
                label=_("Until"), widget=time_box(), required=False
            )

    def windows(self):
        """For the template: the fields of each window; those after the first are folded away while they are empty."""
        found = []
        for slot in SLOTS:
            fields = [self[f"hours_{slot}_{name}"] for name in ("days", "from", "until")]
            found.append({"fields": fields, "in_use": any(field.value() for field in fields)})
        return found

    def clean(self):
        data = super().clean()
        for slot in SLOTS:
            days, starts, ends = (data.get(f"hours_{slot}_{name}") for name in ("days", "from", "until"))
            if not (days or starts or ends):
                continue
            names = [f"hours_{slot}_{name}" for name in ("days", "from", "until")]
            if any(name in self.errors for name in names):
                continue
            if not days:
                self.add_error(names[0], ValidationError(_("Please say on which days."), code="days"))
            elif not (starts and ends):
                missing = names[2] if starts else names[1]
                self.add_error(missing, ValidationError(_("Please give both times."), code="times"))
            elif starts >= ends:
                words = _("This is before the beginning. Hours past midnight need a second row.")
                self.add_error(names[2], ValidationError(words, code="order"))
        return data

    def profile_values(self):
        data = self.cleaned_data
        values = super().profile_values()
        if data["time_zone"]:
            values["time_zone"] = data["time_zone"]
        values["hours"] = [
            {
                "weekdays": data[f"hours_{slot}_days"],
                "starts": data[f"hours_{slot}_from"],
                "ends": data[f"hours_{slot}_until"],
            }
            for slot in SLOTS
            if data[f"hours_{slot}_days"]
        ]
        return values


class AvailabilityFields(PartForm):
    frameworks = forms.MultipleChoiceField(
        label=_("Models and frameworks you use"), widget=picks(), required=False
    )
    availability = forms.MultipleChoiceField(
        label=_("Members may ask you for"),
        help_text=_("Asking is all they can do; you may always say no."),
        choices=Availability.choices,
        widget=picks(),
        required=False,
    )
    paused_until = forms.DateField(
        label=_("Not available until"),
        help_text=_("All of it rests until the end of this day, and comes back by itself."),
        widget=forms.DateInput(attrs={"type": "date", "class": "input--short"}, format="%Y-%m-%d"),
        required=False,
    )

    def stored(self):
        profile = self.profile
        return {
            **super().stored(),
            "frameworks": [str(term.pk) for term in profile.frameworks.all()],
            "availability": profile.availability,
            "paused_until": profile.paused_until if profile.is_paused() else None,
        }

    def prepare(self):
        super().prepare()
        self.fields["frameworks"].choices = term_choices(["framework"], self.profile.frameworks.all())

    def clean_frameworks(self):
        chosen = self.cleaned_data["frameworks"]
        if len(chosen) > MAX_FRAMEWORKS:
            raise ValidationError(_("Please choose at most eight."), code="too_many")
        return chosen

    def clean_paused_until(self):
        until = self.cleaned_data["paused_until"]
        if until and until < timezone.now().date():
            raise ValidationError(_("This day is over. Leave it empty if you are available."), code="past")
        if until and until.year > timezone.now().year + 5:
            raise ValidationError(
                _("That is far away. To be available for nothing, choose nothing above."), code="far"
            )
        return until

    def profile_values(self):
        data = self.cleaned_data
        return {
            **super().profile_values(),
            "frameworks": Term.objects.filter(pk__in=data["frameworks"]),
            "availability": data["availability"],
            "paused_until": data["paused_until"],
        }


class PictureForm(forms.Form):
    picture = forms.FileField(
        label=_("A picture of you"),
        help_text=_(
            "JPEG, PNG or WebP, up to 8 MB. It is drawn anew: where and with what it was taken is gone."
        ),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    avatar_seen_by = forms.TypedChoiceField(label=_("Picture"), choices=SeenBy.choices, coerce=int)
