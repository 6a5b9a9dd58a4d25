"""The forms of the organisers' desk."""

import zoneinfo
from datetime import datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, LocalDateTimeField, MarkdownField, TextField, to_instant
from kmnet.core.submit_key import SubmitKeyField
from kmnet.core.text import has_double
from members.models import Member
from members.permissions import can_moderate
from members.visibility import seen

from ..models import Audience, Event, Way

MOST_INVITED = 100


def find_person(viewer: Member, text: str) -> Member | None:
    """The member with this handle, or with this address if they show it to the viewer (moderators know all addresses);
    nobody else exists for them. Or whoever organises an event could ask us of any address whose it is."""
    text = text.strip().lstrip("@")
    if not text:
        return None
    people = Member.objects.full().profile_visible_to(viewer)
    by_address = people if can_moderate(viewer) else people.filter(seen(viewer, "email", "profile__"))
    return people.filter(handle__iexact=text).first() or by_address.filter(email__iexact=text).first()


class CapacityForm(forms.Form):
    """Of one list: a hybrid event has two such forms."""

    way = forms.CharField(required=False, widget=forms.HiddenInput)
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


def capacity_form(event: Event, way: str, data=None) -> CapacityForm:
    """The form of this list, with ids of its own."""
    beyond = event.online_overbooking if way == Way.ONLINE else event.overbooking
    initial = {"way": way, "capacity": event.capacity_of(way), "overbooking": beyond or None}
    form = CapacityForm(data, initial=initial, auto_id=f"id_{way}_%s" if way else "id_%s")
    form.way, form.label = way, Way(way).label if way else ""
    return form


class ReasonForm(forms.Form):
    reason = LineField(label=_("Why"), max_length=200, required=False, help_text=_("They read this."))


class AddPersonForm(forms.Form):
    person = LineField(
        label=_("Add a member"),
        max_length=254,
        help_text=_("Their handle, or their e-mail address if they show it."),
    )
    way = forms.ChoiceField(label=_("How they come"), choices=Way.choices, required=False)

    def __init__(self, *args, event: Event, viewer: Member, **kwargs):
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        if event.ways == ("",):
            del self.fields["way"]

    def clean_person(self):
        found = find_person(self.viewer, self.cleaned_data["person"])
        if found is None:
            raise ValidationError(_("There is no member with this address or handle."))
        return found


class OrganiserForm(forms.Form):
    person = LineField(
        label=_("Add an organiser"),
        max_length=254,
        help_text=_(
            "Their handle, or their e-mail address if they show it. "
            "They see who comes and change the event, as you do."
        ),
    )

    def __init__(self, *args, viewer: Member, **kwargs):
        super().__init__(*args, **kwargs)
        self.viewer = viewer

    def clean_person(self):
        found = find_person(self.viewer, self.cleaned_data["person"])
        if found is None:
            raise ValidationError(_("There is no member with this address or handle."))
        return found


class InviteForm(forms.Form):
    """Members by handle or address, others by address: one on each line."""

    people = TextField(
        label=_("Whom do you invite?"),
        max_length=30_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Handles or e-mail addresses, one on each line. Each person gets one mail."),
    )

    def __init__(self, *args, viewer: Member, **kwargs):
        super().__init__(*args, **kwargs)
        self.viewer = viewer

    def clean_people(self):
        """(members, addresses)"""
        words = self.cleaned_data["people"].replace(",", "\n").replace(";", "\n").splitlines()
        words = list(dict.fromkeys(word.strip() for word in words if word.strip()))
        if len(words) > MOST_INVITED:
            raise ValidationError(_("At most %(count)d at a time."), params={"count": MOST_INVITED})
        members, addresses, unknown = [], [], []
        for word in words:
            if _is_address(word):
                addresses.append(word)  # also a member's: who asks does not learn whose it is
            elif (member := find_person(self.viewer, word)) is not None:
                members.append(member)
            else:
                unknown.append(word)
        if unknown:
            raise ValidationError(
                _("Neither a member nor an e-mail address: %(words)s"),
                params={"words": ", ".join(unknown[:5])},
            )
        return members, addresses


def _is_address(word: str) -> bool:
    try:
        validate_email(word)
    except ValidationError:
        return False
    return len(word) <= 254 and not has_double(word)


class LetterForm(forms.Form):
    """A letter to those in one state."""

    audience = forms.ChoiceField(label=_("To"))
    subject = LineField(label=_("Subject"), max_length=160)
    body = MarkdownField(
        label=_("Message"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"placeholder": _("Write as you would to one person"), "dir": "auto"}),
    )
    submit_key = SubmitKeyField()

    def __init__(self, *args, counts: dict[str, int], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["audience"].choices = [
            (
                audience,
                _("%(who)s (%(count)d)") % {"who": label[:1].upper() + label[1:], "count": counts[audience]},
            )
            for audience, label in Audience.choices
            if counts.get(audience)
        ]


class DuplicateForm(forms.Form):
    """When the copy starts, on the clock of the event."""

    starts = LocalDateTimeField(label=_("Starts"))
    submit_key = SubmitKeyField()

    def __init__(self, *args, event: Event, **kwargs):
        self.event = event
        super().__init__(*args, **kwargs)

    def clean_starts(self):
        starts = to_instant(self.cleaned_data["starts"], self.event.time_zone, later=False)
        if starts <= timezone.now():
            raise ValidationError(_("Choose a time that is still to come."))
        return starts


def weeks_later(event: Event, weeks: int = 4) -> datetime:
    """The same hour on the clock of the event, the first of these steps that is still to come."""
    zone = zoneinfo.ZoneInfo(event.time_zone)
    step, now = timedelta(weeks=weeks), timezone.now().astimezone(zone).replace(tzinfo=None)
    local = event.starts_at.astimezone(zone).replace(tzinfo=None) + step
    return local if local > now else local + step * ((now - local) // step + 1)
