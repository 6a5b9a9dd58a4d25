"""Keeping a post for later: a note to oneself, and when to be reminded."""

import zoneinfo
from datetime import timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LAST_YEAR, LineField
from kmnet.core.moments import day as day_in_words

from .services.bookmarks import at_nine

FRIDAY, MONDAY = 4, 0


class BookmarkForm(forms.Form):
    """All reminders come at nine in the morning of the member's zone."""

    note = LineField(
        label=_("A note to yourself"), max_length=200, required=False, help_text=_("Only you see it.")
    )
    when = forms.ChoiceField(label=_("Remind me"), widget=forms.RadioSelect, required=False)
    day = forms.DateField(
        label=_("Which day?"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args, member, bookmark=None, **kwargs):
        self.zone = member.time_zone
        self.days = days_ahead(self.zone)
        self.bookmark = bookmark
        choices = [("", _("Not at all"))]
        initial = {"when": ""}
        if bookmark:
            initial["note"] = bookmark.note
            if bookmark.remind_at and not bookmark.reminded_at:
                initial["when"] = "as_now"
                choices.append(("as_now", as_now(bookmark)))
        named = {
            "tomorrow": gettext("Tomorrow morning, %(day)s"),
            "friday": gettext("On Friday, %(day)s"),
            "monday": gettext("Next Monday, %(day)s"),
        }
        choices += [(key, words % {"day": day_in_words(self.days[key])}) for key, words in named.items()]
        choices.append(("date", _("On another day")))
        super().__init__(*args, initial={**initial, **(kwargs.pop("initial", None) or {})}, **kwargs)
        self.fields["when"].choices = choices

    def clean(self):
        data = super().clean()
        when = data.get("when")
        data["remind_at"] = None
        if when == "as_now":
            data["remind_at"] = self.bookmark.remind_at
        elif when in self.days:
            data["remind_at"] = at_nine(self.days[when], self.zone)
        elif when == "date" and "day" in data:
            self.read_day(data)
        return data

    def read_day(self, data) -> None:
        chosen = data["day"]
        if chosen is None:
            self.add_error("day", _("Say which day."))
        elif chosen.year > LAST_YEAR or chosen < self.days["tomorrow"]:
            self.add_error("day", _("Choose a day from tomorrow on."))
        else:
            try:
                data["remind_at"] = at_nine(chosen, self.zone)
            except forms.ValidationError as error:
                self.add_error("day", error)


def as_now(bookmark) -> str:
    return gettext("%(day)s, as now") % {"day": day_in_words(bookmark.remind_at)}


def days_ahead(zone: str) -> dict:
    """Tomorrow, and the next Friday and Monday after today, on the calendar of that zone."""
    today = timezone.now().astimezone(zoneinfo.ZoneInfo(zone)).date()
    return {
        "tomorrow": today + timedelta(days=1),
        "friday": today + timedelta(days=(FRIDAY - today.weekday() - 1) % 7 + 1),
        "monday": today + timedelta(days=(MONDAY - today.weekday() - 1) % 7 + 1),
    }
