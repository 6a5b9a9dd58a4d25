"""Cleans what organisers type about their events; saves nothing."""

import zoneinfo
from datetime import datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.text import capfirst
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
from kmnet.core.text import fold
from kmnet.core.vocabulary import terms_for
from members.forms.groups import audience_choices, audience_group
from members.permissions import can_write

from ..models import Event, Kind, Visibility
from ..permissions import priority_sources
from ..services import check_picture
from .desk import find_person

WHICH = [("", _("not said")), ("earlier", _("the first one")), ("later", _("the second one"))]
# A group is a choice of its own: “the members of …”, added for each group that the organiser is in.
WIDE = [(value, capfirst(label)) for value, label in Visibility.choices if value != Visibility.GROUP]
KINDS = [(value, capfirst(label)) for value, label in Kind.choices]
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
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, initial=Kind.WEBINAR)
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
        label=_("Places"),
        min_value=1,
        max_value=100_000,
        required=False,
        help_text=_("Empty: no limit. Of a hybrid event: in the room."),
    )
    online_capacity = forms.IntegerField(
        label=_("Places online"),
        min_value=1,
        max_value=100_000,
        required=False,
        help_text=_(
            "Of a hybrid event only: each way of coming has its own places and its own waiting list."
        ),
    )
    needs_approval = forms.BooleanField(
        label=_("We approve each registration"),
        required=False,
        help_text=_("A place, or a turn in the queue, counts from the moment you say yes."),
    )
    allows_transfer = forms.BooleanField(
        label=_("A place may be given to a named person"),
        required=False,
        help_text=_("Only while nobody waits."),
    )
    asks_reconfirmation = forms.BooleanField(
        label=_("Ask three days before who still comes"),
        required=False,
        initial=True,
        help_text=_(
            "The places of those who stay silent are offered on a day before; they may still come in."
        ),
    )
    offers_recording = forms.BooleanField(
        label=_("People may ask for the recording only"),
        required=False,
        initial=True,
        help_text=_("They take no place."),
    )
    priority_from = forms.ChoiceField(
        label=_("Who comes first in the queue"),
        required=False,
        help_text=_("Decided before registration opens, and shown on the event’s page."),
    )
    co_organisers = LineField(
        label=_("Who organises it with you"),
        max_length=600,
        required=False,
        help_text=_("Handles of members, or addresses that they show you, with commas between them."),
    )
    picture = forms.FileField(
        label=_("Picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_("It is shown wide: 16 to 9. PNG, JPEG or WebP, 8 MB at most."),
    )
    picture_alt = LineField(
        label=_("The picture in words"),
        max_length=200,
        required=False,
        help_text=_("For those who do not see it. What is in it that matters here?"),
    )
    no_picture = forms.BooleanField(label=_("Take the picture away"), required=False)
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
        label=_("Tags"),
        required=False,
        max_length=300,
        help_text=_("With commas between them: for whom it is, which method, which setting."),
        widget=forms.TextInput(attrs={"list": "tag-words"}),
    )
    recording_url = WebAddressField(label=_("Recording"))
    submit_key = SubmitKeyField()

    def __init__(self, *args, member, event: Event | None = None, initial=None, **kwargs):
        self.event = event
        super().__init__(*args, initial=(event_initial(event) if event else {}) | (initial or {}), **kwargs)
        self.was_ambiguous: set[str] = set()
        if event is not None:
            # Changed on the organisers' page: places are counted there first, and who organises is handed over there.
            for name in ("capacity", "online_capacity", "co_organisers", "submit_key"):
                del self.fields[name]
        if event is None or not event.picture_key:
            del self.fields["no_picture"]
        self._set_priority_choices(member)
        groups = audience_choices(member, event.group if event else None)
        self.fields["visibility"].choices = [*WIDE, *groups]
        self.member = member
        for name in ("starts_which", "ends_which"):
            if not self.data.get(self.add_prefix(name)):
                self.fields[name].widget = forms.HiddenInput()

    def _set_priority_choices(self, member) -> None:
        """Earlier events of theirs; once registration has been open, the order of the queue is fixed."""
        if self.event is not None and self.event.has_opened():
            del self.fields["priority_from"]
            return
        earlier = priority_sources(member, self.event)
        nobody = ("", _("Whoever registers first"))
        told = [
            (str(event.pk), _("Whoever waited in vain for “%(title)s”") % {"title": event.title})
            for event in earlier
        ]
        self.fields["priority_from"].choices = [nobody, *told]
        if not told:
            del self.fields["priority_from"]

    def clean_co_organisers(self) -> list:
        """The members who are named; all of them, or an error that names the first who is none."""
        found = []
        for word in filter(None, (word.strip() for word in self.cleaned_data["co_organisers"].split(","))):
            member = find_person(self.member, word)
            if member is None or not can_write(member):
                raise ValidationError(
                    _("There is no member with the address or handle “%(word)s”."), params={"word": word}
                )
            found.append(member)
        return found

    def clean_picture(self) -> dict[int, bytes] | None:
        """Drawn in our widths."""
        upload = self.cleaned_data["picture"]
        return check_picture(upload) if upload else None

    def clean(self):
        data = super().clean()
        self._check_picture_words(data)
        if data.get("kind") != Kind.HYBRID and "online_capacity" in data:
            data["online_capacity"] = None
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

    def _check_picture_words(self, data: dict) -> None:
        has_one = data.get("picture") or (
            self.event and self.event.picture_key and not data.get("no_picture")
        )
        if has_one and not data.get("picture_alt"):
            self.add_error("picture_alt", _("Say in words what the picture shows."))
        if self.errors and self.files.get("picture") and "picture" not in self.errors:
            self.add_error(
                "picture", _("Please choose the picture once more: a file is not kept with the rest.")
            )

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
            self.fields[f"{name}_which"].required = True  # this once: it is not called optional
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
        hidden = {*TIMES, "starts_which", "ends_which", "tags", "priority_from", "co_organisers"}
        hidden |= {"picture", "no_picture", "picture_alt"}
        fields = {name: value for name, value in self.cleaned_data.items() if name not in hidden}
        group = audience_group(fields["visibility"])
        fields["visibility"] = Visibility.GROUP if group else Visibility(int(fields["visibility"]))
        fields["group"] = group
        terms = {fold(name): name for name, _facet in words_offered()}  # one spelling for one thing
        typed = [tag.strip()[:60] for tag in self.cleaned_data["tags"].split(",") if tag.strip()]
        tags = dict.fromkeys(terms.get(fold(tag), tag) for tag in typed)
        fields |= {"tags": list(tags)[:12]}
        return fields if self.event else fields | {"organisers": self.cleaned_data["co_organisers"]}

    @property
    def earlier(self) -> Event | None:
        """Whose unlucky ones come first here."""
        number = self.cleaned_data.get("priority_from")
        return Event.objects.get(pk=number) if number else None


def words_offered() -> list[tuple[str, str]]:
    """The vocabulary's terms for events, each with the name of its facet."""
    return list(terms_for("event").values_list("name", "facet__label"))


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
            "picture_alt",
            "needs_approval",
            "allows_transfer",
            "asks_reconfirmation",
            "offers_recording",
        )
    }
    shown["priority_from"] = str(event.priority_from_id or "")
    if event.group_id:
        shown["visibility"] = f"group-{event.group_id}"
    for name, column in TIMES.items():
        moment = getattr(event, column)
        shown[name] = moment.astimezone(event.zone).replace(tzinfo=None) if moment else None
    return shown | {"tags": ", ".join(event.tags.order_by("name").values_list("name", flat=True))}
