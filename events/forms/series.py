"""Cleans what organisers say about events that come back; saves nothing."""

import zoneinfo
from datetime import UTC, datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import (
    AmbiguousTime,
    LineField,
    LocalDateTimeField,
    MarkdownField,
    TextField,
    to_instant,
)

from ..models import MOST_DATES, Event, Kind
from ..recurrence import DAYS, BadRule, Slot, slots, weekday_of_month
from .desk import DuplicateForm, ReasonForm
from .organising import WHICH, WebAddressField

NTH = (
    gettext_lazy("first"),
    gettext_lazy("second"),
    gettext_lazy("third"),
    gettext_lazy("fourth"),
)
ON_CLOCK = ("starts", "starts_which", "ends", "ends_which")
WRONG = {
    "malformed": _("No dates come of this."),
    "endless": _("Say how many times, or until when."),
    "too_few": _("That is one date only. Say more times, or a later day."),
    "too_many": format_lazy(_("At most {count} dates at once."), count=MOST_DATES),
    "too_far": _("At most three years ahead."),
}


class SeriesForm(forms.Form):
    """How often an event comes back, from its own start on. `slots`: the dates, once it is valid."""

    often = forms.ChoiceField(label=_("How often"), widget=forms.RadioSelect)
    times = forms.IntegerField(
        label=_("How many times"),
        min_value=2,
        max_value=MOST_DATES,
        required=False,
        help_text=_("This event is the first."),
    )
    until = forms.DateField(
        label=_("Or until, with this day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args, event: Event, **kwargs):
        self.event = event
        self.slots: list[Slot] = []
        self.rule = ""
        super().__init__(*args, **kwargs)
        self.fields["often"].choices = ways_to_repeat(event.starts_at.astimezone(event.zone))
        self.fields["often"].initial = self.fields["often"].choices[1][0]

    def clean(self):
        data = super().clean()
        if self.errors:
            return data
        times, until = data.get("times"), data.get("until")
        if bool(times) == bool(until):
            self.add_error("times", _("Say how many times, or until when: one of the two."))
            return data
        end = f"COUNT={times}" if times else f"UNTIL={self._end_of(until):%Y%m%dT%H%M%SZ}"
        self.rule = f"{data['often']};{end}"
        try:
            self.slots = slots(self.rule, self.event.starts_at, self.event.time_zone)
        except BadRule as error:
            self.add_error("until" if until else "times", WRONG[error.code])
        return data

    def _end_of(self, day) -> datetime:
        """Its last second there, in UTC. Years in which no sum of times can be made are refused."""
        if not 1970 <= day.year <= 2199:
            raise ValidationError({"until": WRONG["too_far"]})
        local = datetime.combine(day, time(23, 59, 59))
        return local.replace(tzinfo=zoneinfo.ZoneInfo(self.event.time_zone)).astimezone(UTC)


def ways_to_repeat(start: datetime) -> list[tuple[str, str]]:
    """(the beginning of the rule, its words) for an event that starts then, on its own clock."""
    day, weekday = DAYS[start.weekday()], formats.date_format(start, "l")
    found = [
        ("FREQ=DAILY", gettext("Every day")),
        ("FREQ=WEEKLY", gettext("Every week on %(weekday)s") % {"weekday": weekday}),
    ]
    for weeks in (2, 3, 4, 6, 8):
        words = ngettext("Every %(count)d week on %(weekday)s", "Every %(count)d weeks on %(weekday)s", weeks)
        found.append((f"FREQ=WEEKLY;INTERVAL={weeks}", words % {"count": weeks, "weekday": weekday}))
    nth, is_last = weekday_of_month(start)
    if nth <= len(NTH):
        words = gettext("Every month on the %(nth)s %(weekday)s")
        found.append((f"FREQ=MONTHLY;BYDAY={nth}{day}", words % {"nth": NTH[nth - 1], "weekday": weekday}))
    if is_last:
        words = gettext("Every month on the last %(weekday)s") % {"weekday": weekday}
        found.append((f"FREQ=MONTHLY;BYDAY=-1{day}", words))
    words = (
        gettext("Every month on day %(number)d, where the month has one")
        if start.day > 28
        else gettext("Every month on day %(number)d")
    )
    found.append((f"FREQ=MONTHLY;BYMONTHDAY={start.day}", words % {"number": start.day}))
    if nth <= len(NTH):
        words = gettext("Every three months on the %(nth)s %(weekday)s")
        found.append(
            (f"FREQ=MONTHLY;INTERVAL=3;BYDAY={nth}{day}", words % {"nth": NTH[nth - 1], "weekday": weekday})
        )
    return found


class AddDateForm(DuplicateForm):
    """When one more date starts, on the clock of the series."""

    def __init__(self, *args, event: Event, **kwargs):
        super().__init__(*args, event=event, **kwargs)
        self.fields["starts"].help_text = _("On the clock of %(zone)s.") % {"zone": event.time_zone}


class CallOffForm(ReasonForm):
    """Why, and which of the following dates stay."""

    spare = forms.BooleanField(label=_("Leave the dates that were changed by themselves"), required=False)


class FollowingForm(forms.Form):
    """What may be changed of one date and all that follow it. People and programmes are of each date."""

    title = LineField(label=_("Title"), max_length=160)
    summary = LineField(label=_("In one sentence"), max_length=300, required=False)
    description = MarkdownField(label=_("What happens"), required=False, max_length=20_000)
    starts = LocalDateTimeField(label=_("Starts"))
    starts_which = forms.ChoiceField(
        label=_("Starts: the clocks go back, which of the two?"), choices=WHICH, required=False
    )
    ends = LocalDateTimeField(label=_("Ends"))
    ends_which = forms.ChoiceField(
        label=_("Ends: the clocks go back, which of the two?"), choices=WHICH, required=False
    )
    venue = LineField(label=_("Where, if in a room"), max_length=240, required=False)
    meeting_url = WebAddressField(label=_("Address of the meeting"), help_text=_("Never shown or mailed."))
    capacity = forms.IntegerField(
        label=_("Places"), min_value=1, max_value=100_000, required=False, help_text=_("Empty: no limit.")
    )
    has_captions = forms.BooleanField(label=_("Live captions"), required=False)
    has_sign_language = forms.BooleanField(label=_("Sign language"), required=False)
    has_slides_ahead = forms.BooleanField(label=_("Slides are sent ahead"), required=False)
    access_notes = TextField(
        label=_("What else you offer"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args, event: Event, initial=None, **kwargs):
        self.event = event
        shown = {name: getattr(event, name) for name in self.base_fields if name not in ON_CLOCK}
        for name, moment in (("starts", event.starts_at), ("ends", event.ends_at)):
            shown[name] = moment.astimezone(event.zone).replace(tzinfo=None)
        super().__init__(*args, initial=shown | (initial or {}), **kwargs)
        if event.kind == Kind.HYBRID:
            del self.fields["capacity"]  # two lists, each changed where it is counted
        for name in ("starts", "ends"):
            self.fields[name].help_text = _("On the clock of %(zone)s.") % {"zone": event.time_zone}
            if not self.data.get(f"{name}_which"):
                self.fields[f"{name}_which"].widget = forms.HiddenInput()

    def clean(self):
        data = super().clean()
        for name, before in (("starts", self.event.starts_at), ("ends", self.event.ends_at)):
            if name in data:
                data[f"{name}_at"] = self._instant(name, data[name], before)
        starts, ends = data.get("starts_at"), data.get("ends_at")
        if starts and ends and not starts < ends <= starts + timedelta(days=14):
            self.add_error("ends", _("The end must come after the start, and within two weeks."))
        if self.event.kind in (Kind.IN_PERSON, Kind.HYBRID) and not data.get("venue"):
            self.add_error("venue", _("Say where people meet."))
        return data

    def _instant(self, name: str, local: datetime, before: datetime) -> datetime | None:
        """What nobody touched keeps its seconds, and its side of a doubled hour."""
        shown = before.astimezone(self.event.zone).replace(tzinfo=None)
        which = self.cleaned_data.get(f"{name}_which")
        if not which and shown.replace(second=0, microsecond=0) == local.replace(second=0):
            return before
        try:
            return to_instant(local, self.event.time_zone, later=None if not which else which == "later")
        except AmbiguousTime as error:
            self.fields[f"{name}_which"].widget = forms.Select(choices=WHICH)
            self.add_error(f"{name}_which", error)
        except ValidationError as error:
            self.add_error(name, error)
        return None

    def service_fields(self) -> dict:
        """As update_following takes them."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ON_CLOCK}
