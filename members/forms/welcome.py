"""The three first steps."""

from django import forms
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import TimeZoneField

from ..models.profile import Availability, DigestRhythm, SeenBy
from .join import agreement_field, offer_present_zone
from .parts import HelpFields, PartForm, PlaceFields, WhoFields, picks


class WhoStep(WhoFields):
    """1. Who you are. Asks for the agreement too, where somebody came in by another way than the join page."""

    def prepare(self):
        super().prepare()
        if self.profile.member.agreed_at is None:
            self.fields["agree"] = agreement_field()


class HelpStep(HelpFields, PlaceFields):
    """2. What you do."""

    field_order = [
        *("can_help", "can_help_more", "can_help_text"),
        *("looking_for", "looking_for_more", "looking_for_text"),
        *("country", "languages_work", "languages_more"),
    ]


class MailStep(PartForm):
    """3. How we write to you."""

    digest = forms.ChoiceField(
        label=_("News from the community"),
        help_text=_("Never empty, and never what you have read already."),
        choices=DigestRhythm.choices,
        widget=forms.RadioSelect,
    )
    time_zone = TimeZoneField(
        label=_("Your time zone"),
        help_text=_("All times on kmnet are shown in it, and mails come in your morning."),
        widget=forms.Select(attrs={"data-guess-time-zone": ""}),
    )
    availability = forms.MultipleChoiceField(
        label=_("Members may ask you for"),
        help_text=_("Asking is all they can do; you may always say no."),
        choices=Availability.choices,
        widget=picks(),
        required=False,
    )
    show_clock = forms.BooleanField(label=_("Show members what time it is where I am"), required=False)
    is_listed = forms.BooleanField(label=_("Let members find me in the directory"), required=False)

    def stored(self):
        profile = self.profile
        return {
            **super().stored(),
            "digest": profile.digest,
            "availability": profile.availability,
            "time_zone": profile.member.time_zone,
            "show_clock": profile.clock_seen_by <= SeenBy.MEMBERS,
            "is_listed": profile.is_listed,
        }

    def prepare(self):
        super().prepare()
        offer_present_zone(self.fields["time_zone"], self.profile.member.time_zone)

    def profile_values(self):
        data = self.cleaned_data
        clock = self.profile.clock_seen_by
        if data["show_clock"] != (clock <= SeenBy.MEMBERS):
            clock = SeenBy.MEMBERS if data["show_clock"] else SeenBy.ME
        return {
            **super().profile_values(),
            "digest": data["digest"],
            "availability": data["availability"],
            "is_listed": data["is_listed"],
            "clock_seen_by": clock,
        }
