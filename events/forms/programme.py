"""The programme of an event: a line for each item."""

import re
from datetime import datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, to_instant

from ..models import Event, SessionKind


class SessionForm(forms.Form):
    """One line of the programme. Empty lines are left out."""

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    title = LineField(label=_("Title"), max_length=200, required=False)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(value, capfirst(label)) for value, label in SessionKind.choices],
        initial=SessionKind.TALK,
    )
    time = forms.TimeField(
        label=_("At"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    speakers = LineField(
        label=_("Speakers"), max_length=400, required=False, help_text=_("“Name (about them); next name”")
    )


class BaseProgramme(forms.BaseFormSet):
    def is_valid_for(self, form) -> bool:
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

    def _starts_at(self, line, form) -> datetime | None:
        clock = line.cleaned_data.get("time")
        if not clock or not line.cleaned_data.get("title"):
            return None
        day = form.cleaned_data["starts"]
        local = datetime.combine(day.date(), clock)
        if local < day.replace(second=0):
            local += timedelta(days=1)
        return to_instant(local, form.cleaned_data["time_zone"], later=False)

    def items(self, form) -> list[dict]:
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
    lines = lines_kept(kept, "programme", SessionForm.base_fields, ProgrammeFormSet.max_num)
    return [line for line in lines if any(line[name] for name in ("title", "time", "speakers"))]


def lines_kept(kept: dict, prefix: str, names, most: int) -> list[dict]:
    """The lines of a set of forms, as they were typed."""
    total = str(kept.get(f"{prefix}-TOTAL_FORMS", ""))
    count = min(int(total), most) if re.fullmatch("[0-9]{1,4}", total) else 0
    return [{name: kept.get(f"{prefix}-{number}-{name}") for name in names} for number in range(count)]
