"""Cleans what organisers type about their events; saves nothing."""

import re
import zoneinfo
from datetime import datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import (
    AmbiguousTime,
    LineField,
    LocalDateTimeField,
    MarkdownField,
    TextField,
    TimeZoneField,
    to_instant,
)
from kmnet.core.submit_key import SubmitKeyField
from members.forms.groups import audience_choices, audience_group

from ..models import Event, Kind, SessionKind, Visibility

WHICH = [("", _("not said")), ("earlier", _("the first one")), ("later", _("the second one"))]
# A group is a choice of its own: “the members of …”, added for each group that the organiser is in.
WIDE = [choice for choice in Visibility.choices if choice[0] not in (Visibility.GROUP, Visibility.INVITED)]
TIMES = {
    "starts": "starts_at",
    "ends": "ends_at",
    "opens": "registration_opens_at",
    "closes": "registration_closes_at",
}


class WebAddressField(forms.URLField):
    """https and http only: what stands here becomes a link."""

    def __init__(self, **kwargs):
        super().__init__(max_length=500, assume_scheme="https", required=False, **kwargs)
        self.validators = [v for v in self.validators if not isinstance(v, URLValidator)]
        self.validators.append(URLValidator(schemes=["https", "http"]))


class EventForm(forms.Form):
    """One page for the whole event. Times are on the clock of the event's own zone."""

    title = LineField(label=_("Title"), max_length=160)
    summary = LineField(label=_("In one sentence"), max_length=300, required=False)
    description = MarkdownField(label=_("What happens"), required=False, max_length=20_000)
    kind = forms.ChoiceField(label=_("Kind"), choices=Kind.choices, initial=Kind.WEBINAR)
    time_zone = TimeZoneField(label=_("Time zone of the event"))
    starts = LocalDateTimeField(label=_("Starts"))
    starts_which = forms.ChoiceField(
        label=_("Starts: the clocks go back, which of the two?"), choices=WHICH, required=False
    )
    ends = LocalDateTimeField(label=_("Ends"))
    ends_which = forms.ChoiceField(
        label=_("Ends: the clocks go back, which of the two?"), choices=WHICH, required=False
    )
    venue = LineField(label=_("Where, if in a room"), max_length=240, required=False)
    meeting_url = WebAddressField(
        label=_("Address of the meeting"),
        help_text=_(
            "Never shown or mailed. People come in through our own page, which opens 15 minutes before."
        ),
    )
    capacity = forms.IntegerField(
        label=_("Places"), min_value=1, max_value=100_000, required=False, help_text=_("Empty: no limit.")
    )
    opens = LocalDateTimeField(label=_("Registration opens"), required=False, help_text=_("Empty: at once."))
    closes = LocalDateTimeField(
        label=_("Registration closes"), required=False, help_text=_("Empty: when the event starts.")
    )
    visibility = forms.ChoiceField(label=_("Who sees it"), choices=WIDE, initial=Visibility.PUBLIC)
    has_captions = forms.BooleanField(label=_("Live captions"), required=False)
    has_sign_language = forms.BooleanField(label=_("Sign language"), required=False)
    has_slides_ahead = forms.BooleanField(label=_("Slides are sent ahead"), required=False)
    access_notes = TextField(
        label=_("What else you offer"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    tags = LineField(
        label=_("Tags"), required=False, max_length=300, help_text=_("With commas between them.")
    )
    recording_url = WebAddressField(label=_("Recording"))
    submit_key = SubmitKeyField()

    def __init__(self, *args, member, event: Event | None = None, initial=None, **kwargs):
        self.event = event
        super().__init__(*args, initial=(event_initial(event) if event else {}) | (initial or {}), **kwargs)
        self.was_ambiguous: set[str] = set()
        if event is not None:
            del self.fields["capacity"]  # changed on the organisers' page, where it is counted first
        groups = audience_choices(member, event.group if event else None)
        self.fields["visibility"].choices = [*WIDE, *groups]
        for name in ("starts_which", "ends_which"):
            if not self.data.get(self.add_prefix(name)):
                self.fields[name].widget = forms.HiddenInput()

    def clean(self):
        data = super().clean()
        zone = data.get("time_zone")
        if not zone:
            return data
        for name, column in TIMES.items():
            if name in data:
                data[column] = self._instant(name, data[name], zone)
        starts, ends = data.get("starts_at"), data.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends", _("The end must come after the start."))
        if starts and ends and ends - starts > timedelta(days=14):
            self.add_error("ends", _("An event lasts at most two weeks."))
        opens, closes = data.get("registration_opens_at"), data.get("registration_closes_at")
        if opens and closes and closes <= opens:
            self.add_error("closes", _("Registration must close after it opens."))
        if closes and starts and closes > starts:
            self.add_error("closes", _("Registration closes when the event starts, at the latest."))
        if data.get("kind") in (Kind.IN_PERSON, Kind.HYBRID) and not data.get("venue"):
            self.add_error("venue", _("Say where people meet."))
        return data

    def _instant(self, name: str, local: datetime | None, zone: str) -> datetime | None:
        if local is None:
            return None
        kept = self._unchanged(name, local, zone)
        if kept is not None:
            return kept
        which = self.cleaned_data.get(f"{name}_which")
        try:
            return to_instant(local, zone, later=None if not which else which == "later")
        except AmbiguousTime as error:
            if f"{name}_which" not in self.fields:  # when registration opens or closes: the first of the two
                return to_instant(local, zone, later=False)
            self.fields[f"{name}_which"].widget = forms.Select(choices=WHICH)
            self.add_error(f"{name}_which", error)
        except ValidationError as error:
            self.add_error(name, error)
        return None

    def _unchanged(self, name: str, local: datetime, zone: str) -> datetime | None:
        """What the form showed and nobody touched keeps its seconds, and its side of a doubled hour."""
        before = getattr(self.event, TIMES[name]) if self.event else None
        if before is None or zone != self.event.time_zone or self.cleaned_data.get(f"{name}_which"):
            return None
        shown = before.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)
        return before if shown.replace(second=0, microsecond=0) == local.replace(second=0) else None

    def clean_starts_which(self):
        return self.cleaned_data["starts_which"]

    def service_fields(self) -> dict:
        """As the services take them."""
        hidden = {*TIMES, "starts_which", "ends_which", "tags"}
        fields = {name: value for name, value in self.cleaned_data.items() if name not in hidden}
        group = audience_group(fields["visibility"])
        fields["visibility"] = Visibility.GROUP if group else Visibility(int(fields["visibility"]))
        fields["group"] = group
        tags = dict.fromkeys(tag.strip()[:60] for tag in self.cleaned_data["tags"].split(",") if tag.strip())
        return fields | {"tags": list(tags)[:12]}


def event_initial(event: Event) -> dict:
    shown = {
        name: getattr(event, name)
        for name in (
            "title",
            "summary",
            "description",
            "kind",
            "time_zone",
            "venue",
            "meeting_url",
            "visibility",
            "has_captions",
            "has_sign_language",
            "has_slides_ahead",
            "access_notes",
            "recording_url",
        )
    }
    if event.group_id:
        shown["visibility"] = f"group-{event.group_id}"
    for name, column in TIMES.items():
        moment = getattr(event, column)
        shown[name] = moment.astimezone(event.zone).replace(tzinfo=None) if moment else None
    return shown | {"tags": ", ".join(event.tags.order_by("name").values_list("name", flat=True))}


# --- the programme -----------------------------------------------------------------------------------------------------
class SessionForm(forms.Form):
    """One line of the programme. Empty lines are left out."""

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    title = LineField(label=_("Title"), max_length=200, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=SessionKind.choices, initial=SessionKind.TALK)
    time = forms.TimeField(
        label=_("At"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    speakers = LineField(
        label=_("Speakers"), max_length=400, required=False, help_text=_("“Name (about them); next name”")
    )


class BaseProgramme(forms.BaseFormSet):
    def is_valid_for(self, form: EventForm) -> bool:
        """Valid by itself, and its hours exist on the day of the event."""
        if not self.is_valid():
            return False
        good = True
        for line in self.forms:
            try:
                self._starts_at(line, form)
            except ValidationError as error:
                line.add_error("time", error)
                good = False
        return good

    def _starts_at(self, line, form: EventForm) -> datetime | None:
        clock = line.cleaned_data.get("time")
        if not clock or not line.cleaned_data.get("title"):
            return None
        day = form.cleaned_data["starts"]
        local = datetime.combine(day.date(), clock)
        if local < day.replace(second=0):
            local += timedelta(days=1)
        return to_instant(local, form.cleaned_data["time_zone"], later=False)

    def items(self, form: EventForm) -> list[dict]:
        found = []
        for line in self.forms:
            data = line.cleaned_data
            if not data.get("title"):
                continue
            found.append(
                {
                    "pk": data.get("pk"),
                    "title": data["title"],
                    "kind": data["kind"],
                    "starts_at": self._starts_at(line, form),
                    "speakers": parse_speakers(data.get("speakers", "")),
                }
            )
        return found


ProgrammeFormSet = forms.formset_factory(SessionForm, formset=BaseProgramme, extra=3, max_num=40)


def parse_speakers(line: str) -> list[tuple[str, str]]:
    """“Ada Lovelace (Norwich); Ben” as [("Ada Lovelace", "Norwich"), ("Ben", "")]."""
    found = []
    for part in line.split(";"):
        name, bracket, about = part.strip().partition(" (")
        if name:
            found.append((name[:120], about.rstrip(")")[:240] if bracket else ""))
    return found


def programme_initial(event: Event) -> list[dict]:
    return [
        {
            "pk": session.pk,
            "title": session.title,
            "kind": session.kind,
            "time": session.starts_at.astimezone(event.zone).time() if session.starts_at else None,
            "speakers": "; ".join(
                f"{speaker.name} ({speaker.about})" if speaker.about else speaker.name
                for speaker in session.speakers.all()
            ),
        }
        for session in event.sessions.prefetch_related("speakers")
    ]


def programme_kept(kept: dict) -> list[dict]:
    """The lines of the programme among what was typed into an expired login."""
    total = str(kept.get("programme-TOTAL_FORMS", ""))
    count = min(int(total), ProgrammeFormSet.max_num) if re.fullmatch("[0-9]{1,4}", total) else 0
    lines = [
        {name: kept.get(f"programme-{number}-{name}") for name in SessionForm.base_fields}
        for number in range(count)
    ]
    return [line for line in lines if any(line[name] for name in ("title", "time", "speakers"))]


# --- the organisers' page ----------------------------------------------------------------------------------------------
class CapacityForm(forms.Form):
    capacity = forms.IntegerField(
        label=_("Places"), min_value=1, max_value=100_000, required=False, help_text=_("Empty: no limit.")
    )
    overbooking = forms.IntegerField(
        label=_("And beyond that"),
        min_value=0,
        max_value=100_000,
        required=False,
        help_text=_("Places you give out knowing that some people will not come."),
    )

    def clean_overbooking(self):
        return self.cleaned_data["overbooking"] or 0


class ReasonForm(forms.Form):
    reason = LineField(label=_("Why"), max_length=200, required=False, help_text=_("They read this."))


class AddPersonForm(forms.Form):
    person = LineField(
        label=_("Add a member"), max_length=254, help_text=_("Their e-mail address or handle.")
    )
