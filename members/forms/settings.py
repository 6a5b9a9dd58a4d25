"""What a member can change about themselves."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import TimeZoneField

from ..models import Member
from ..models.profile import SeenBy
from ..services.handles import check_handle
from ..visibility import PARTS
from .hours import AvailabilityFields, TimeFields
from .join import NameField, offer_present_zone
from .parts import AboutFields, HelpFields, PlaceFields, WhoFields


class AccountForm(forms.Form):
    name = NameField()
    handle = forms.CharField(
        label=_("Handle"),
        help_text=_(
            "The last part of your profile’s address. The old one will lead to the new one for ever. You can change it "
            "twice in 30 days."
        ),
        max_length=40,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    time_zone = TimeZoneField(label=_("Your time zone"))
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def __init__(self, data=None, *, member: Member, **kwargs):
        self.member = member
        stored = {name: getattr(member, name) for name in ("name", "handle", "time_zone", "language")}
        super().__init__(data, initial={**stored, **(kwargs.pop("initial", None) or {})}, **kwargs)
        offer_present_zone(self.fields["time_zone"], member.time_zone)
        if len(settings.LANGUAGES) < 2:
            self.fields["language"].widget = forms.HiddenInput()

    def clean_handle(self):
        if self.cleaned_data["handle"].strip() == self.member.handle:
            return self.member.handle
        return check_handle(self.cleaned_data["handle"], member=self.member)


OWN_FORM = {"avatar"}  # parts that are changed by a form of their own
GROUPS = (
    # The order of the page: heading, and per part its fields.
    (
        _("Who you are"),
        {"headline": ["headline"], "pronouns": ["pronouns"], "about": ["about"]},
    ),
    (
        _("Your work"),
        {
            "roles": ["roles"],
            "job_title": ["job_title"],
            "organisation": ["organisation"],
            "work_settings": ["work_settings"],
            "team_size": ["team_size"],
            "years": ["years"],
        },
    ),
    (
        _("Helping one another"),
        {
            "can_help": ["can_help", "can_help_more", "can_help_text"],
            "looking_for": ["looking_for", "looking_for_more", "looking_for_text"],
            "availability": ["availability", "paused_until"],
            "interests": ["interests"],
            "frameworks": ["frameworks"],
        },
    ),
    (
        _("Place, time and languages"),
        {
            "place": ["country", "region"],
            "clock": ["time_zone"],
            "hours": [],
            "languages": ["languages_work", "languages_more", "languages_follow"],
        },
    ),
    (_("How to reach you elsewhere"), {"links": ["links"], "email": [], "orcid": []}),
)
FOLDED = {"interests", "frameworks"}  # long choices: one line until they are opened


class ProfileForm(WhoFields, HelpFields, PlaceFields, AboutFields, TimeFields, AvailabilityFields):
    """All parts, each with its audience."""

    is_listed = forms.BooleanField(
        label=_("Let members find me in the directory"),
        help_text=_("Your profile page stays open to members who follow a link to it."),
        required=False,
    )

    def stored(self):
        return {
            **super().stored(),
            "is_listed": self.profile.is_listed,
            **{f"{part}_seen_by": getattr(self.profile, f"{part}_seen_by") for part in PARTS},
        }

    def prepare(self):
        super().prepare()
        for key in self.keys():
            self.fields[f"{key}_seen_by"] = forms.TypedChoiceField(
                label=PARTS[key].label, choices=SeenBy.choices, coerce=int
            )

    @staticmethod
    def keys() -> list[str]:
        return [key for key in PARTS if key not in OWN_FORM]

    def groups(self):
        """Heading by heading, part by part: its fields, and who sees it."""
        return [
            {"heading": heading, "parts": [self._part(key, names) for key, names in parts.items()]}
            for heading, parts in GROUPS
        ]

    def _part(self, key: str, names: list[str]) -> dict:
        return {
            "key": key,
            "label": PARTS[key].label,
            "fields": [self[name] for name in names],
            "seen_by": self[f"{key}_seen_by"],
            "is_folded": key in FOLDED and not any(self[name].errors for name in names),
        }

    def profile_values(self):
        data = self.cleaned_data
        return {
            **super().profile_values(),
            "is_listed": data["is_listed"],
            **{f"{part}_seen_by": data[f"{part}_seen_by"] for part in self.keys()},
        }
