"""What somebody is told, how, and when."""

from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kmnet.core.mail import CATEGORIES
from kmnet.core.mail.kinds import Category
from kmnet.core.models import MailChoice
from kmnet.core.models.mail import MailHabits

from ..models import Member
from ..models.profile import DigestMinutes, DigestRhythm, Weekday
from ..services.mail_settings import Wish, habits_of, today_of

How = MailChoice.How
HOWS = {
    How.AT_ONCE: gettext_lazy("Straight away"),
    How.BUNDLED: gettext_lazy("With other news"),
    How.DIGEST: gettext_lazy("In the digest"),
    How.NEVER: gettext_lazy("Never"),
}
DELAYS = {
    2: gettext_lazy("Two minutes"),
    5: gettext_lazy("Five minutes"),
    10: gettext_lazy("Ten minutes"),
    20: gettext_lazy("Twenty minutes"),
    30: gettext_lazy("Half an hour"),
    60: gettext_lazy("An hour"),
    120: gettext_lazy("Two hours"),
}
HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]


@dataclass
class Row:
    """One line of the table: what, on the site or not, and how by mail."""

    category: Category
    site: object = None  # bound fields; None where there is nothing to choose
    how: object = None


def integer(value) -> int | None:
    return None if value in ("", None) else int(value)


class MailForm(forms.Form):
    """The whole page: what one hears of, the digest, and the quiet times."""

    bundle_minutes = forms.TypedChoiceField(
        label=gettext_lazy("How long a mail “with other news” waits for more"),
        choices=list(DELAYS.items()),
        coerce=int,
    )
    quiet_from = forms.TypedChoiceField(
        label=gettext_lazy("Quiet from"),
        choices=[("", gettext_lazy("Any hour is fine")), *HOURS],
        coerce=integer,
        empty_value=None,
        required=False,
    )
    quiet_until = forms.TypedChoiceField(
        label=gettext_lazy("Quiet until"),
        choices=[("", gettext_lazy("Any hour is fine")), *HOURS],
        coerce=integer,
        empty_value=None,
        required=False,
    )
    paused_until = forms.DateField(
        label=gettext_lazy("No mail until"),
        help_text=gettext_lazy(
            "On leave? On this day mail begins again, and the digest tells what you missed. Places at events, changes of "
            "events and your sign-in still reach you."
        ),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "input--short"}, format="%Y-%m-%d"),
    )
    digest = forms.ChoiceField(
        label=gettext_lazy("How often"), choices=DigestRhythm.choices, widget=forms.RadioSelect
    )
    digest_days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On which days"),
        help_text=gettext_lazy("Where you choose the days yourself."),
        choices=Weekday.choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "picks"}),
    )
    digest_weekday = forms.TypedChoiceField(
        label=gettext_lazy("Day of the weekly or monthly digest"), choices=Weekday.choices, coerce=int
    )
    digest_hour = forms.TypedChoiceField(label=gettext_lazy("Hour"), choices=HOURS, coerce=int)
    digest_minutes = forms.TypedChoiceField(
        label=gettext_lazy("How long reading it may take"), choices=DigestMinutes.choices, coerce=int
    )

    def __init__(self, data=None, *, member: Member, **kwargs):
        self.member = member
        self.today = today_of(member)
        self.choices = {row.category: row for row in MailChoice.objects.of(member_id=member.pk)}
        self.habits = habits_of(member)
        self.categories = [
            category
            for key, category in CATEGORIES.items()
            if key != "digest" and (key != "newcomers" or member.is_host)
        ]
        super().__init__(data, initial={**self.stored(), **(kwargs.pop("initial", None) or {})}, **kwargs)
        for category in self.open_categories():
            self.add_category(category)
        self.fields["paused_until"].widget.attrs["min"] = (self.today + timedelta(days=1)).isoformat()

    @property
    def zone(self) -> str:
        return self.member.time_zone.replace("_", " ")

    def open_categories(self) -> list[Category]:
        return [category for category in self.categories if not category.fixed]

    def add_category(self, category: Category) -> None:
        hows = [(how, HOWS[how]) for how in category.hows]
        by_mail = forms.ChoiceField(label=category.label, choices=hows)
        by_mail.widget.attrs["aria-label"] = _("%(what)s, by e-mail") % {"what": category.label}
        self.fields[f"how_{category.key}"] = by_mail
        if category.on_site:
            site = forms.BooleanField(label=category.label, required=False)
            site.widget.attrs["aria-label"] = _("%(what)s, on kmnet") % {"what": category.label}
            self.fields[f"site_{category.key}"] = site

    def stored(self) -> dict:
        profile, habits = self.member.profile, self.habits
        names = ("digest", "digest_weekday", "digest_hour", "digest_minutes")
        stored = {name: getattr(profile, name) for name in names}
        # Whoever turns to “the days I choose” begins with the day that was theirs.
        stored["digest_days"] = profile.digest_days or [profile.digest_weekday]
        stored |= {name: getattr(habits, name) for name in ("bundle_minutes", "quiet_from", "quiet_until")}
        if stored["bundle_minutes"] not in DELAYS:
            stored["bundle_minutes"] = min(DELAYS, key=lambda known: abs(known - habits.bundle_minutes))
        is_ahead = habits.paused_until and habits.paused_until > self.today
        stored["paused_until"] = habits.paused_until if is_ahead else None
        # The digest has its rhythm; switching it off by a link in a mail shows here as “never”.
        if (row := self.choices.get("digest")) and row.how == How.NEVER:
            stored["digest"] = DigestRhythm.NEVER
        for category in self.open_categories():
            row = self.choices.get(category.key)
            stored[f"how_{category.key}"] = self.how_of(category)
            stored[f"site_{category.key}"] = row.site if row else True
        return stored

    def how_of(self, category: Category) -> str:
        row = self.choices.get(category.key)
        how = (row and row.how) or category.usual
        return how if how in category.hows else category.usual

    def hows(self) -> dict[str, str]:
        """How each category comes by mail, as it is stored."""
        return {key: self.how_of(category) for key, category in CATEGORIES.items() if not category.fixed}

    def rows(self) -> list[Row]:
        """What can be chosen, then what always comes."""
        found = [
            Row(
                category,
                site=self[f"site_{category.key}"] if category.on_site else None,
                how=self[f"how_{category.key}"],
            )
            for category in self.open_categories()
        ]
        return found + [Row(category) for category in self.categories if category.fixed]

    def clean_paused_until(self):
        day = self.cleaned_data["paused_until"]
        if day is not None and day <= self.today:
            raise forms.ValidationError(_("Choose a day after today, or leave this empty."))
        if day is not None and day > self.today + timedelta(days=MailHabits.LONGEST_PAUSE):
            raise forms.ValidationError(_("A pause lasts a year at most. You can begin another one then."))
        return day

    def clean(self):
        data = super().clean()
        begins, ends = data.get("quiet_from"), data.get("quiet_until")
        if "quiet_from" in data and "quiet_until" in data:
            if begins is None and ends is not None:
                self.add_error("quiet_from", _("From which hour? Or choose “any hour” for both."))
            elif ends is None and begins is not None:
                self.add_error("quiet_until", _("Until which hour? Or choose “any hour” for both."))
            elif begins is not None and begins == ends:
                self.add_error(
                    "quiet_until", _("That would be the whole day. For no mail at all, choose a pause.")
                )
        if (
            data.get("digest") == DigestRhythm.DAYS
            and "digest_days" not in self.errors
            and not data["digest_days"]
        ):
            self.add_error("digest_days", _("Choose at least one day, or how often the digest comes."))
        return data

    def wanted(self) -> dict[str, Wish]:
        """Per category how it is wanted; the digest's follows its rhythm."""
        data = self.cleaned_data
        wanted = {
            category.key: Wish(data[f"how_{category.key}"], data.get(f"site_{category.key}", True))
            for category in self.open_categories()
        }
        is_on = data["digest"] != DigestRhythm.NEVER
        return {**wanted, "digest": Wish(How.AT_ONCE if is_on else How.NEVER)}

    def timing(self) -> dict:
        """Everything else, as services.change_mails takes it."""
        names = (
            *("digest", "digest_weekday", "digest_days", "digest_hour", "digest_minutes"),
            *("bundle_minutes", "quiet_from", "quiet_until", "paused_until"),
        )
        return {name: self.cleaned_data[name] for name in names}
