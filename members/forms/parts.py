"""The parts of a profile as form fields, shared by the first steps and the settings."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from kmnet.core.forms import LineField, TextField
from kmnet.core.models import Term
from kmnet.core.vocabulary import terms_for

from .. import languages
from ..models import Profile
from ..models.profile import TeamSize, Years
from ..services.profiles import MAX_TAGS, TAG_LENGTH

MAX_ROLES = 3
MAX_INTERESTS = 15
MAX_LINKS = 5
SEPARATORS = re.compile(r"[,;،、，؛\n]+")


def split_words(text: str) -> list[str]:
    return [word.strip() for word in SEPARATORS.split(text or "") if word.strip()]


def picks(**attrs) -> forms.CheckboxSelectMultiple:
    return forms.CheckboxSelectMultiple(attrs={"class": "picks", **attrs})


def term_choices(facets: list[str], chosen=()) -> list[tuple[str, str]]:
    """Current terms of these facets, and retired ones that are chosen already."""
    wanted = Q(retired_at__isnull=True) | Q(pk__in=[term.pk for term in chosen])
    terms = Term.objects.filter(wanted, facet__key__in=facets).select_related("facet")
    return [(str(term.pk), term.name) for term in terms]


class PartForm(forms.Form):
    """A form about one profile. `profile_values()` is what services.update_profile takes."""

    def __init__(self, data=None, *, profile: Profile, **kwargs):
        self.profile = profile
        super().__init__(data, initial={**self.stored(), **(kwargs.pop("initial", None) or {})}, **kwargs)
        self.prepare()

    def stored(self) -> dict:
        """What the profile holds, as initial values."""
        return {}

    def prepare(self) -> None:
        """Choices that depend on the profile."""

    def profile_values(self) -> dict:
        return {}


class WhoFields(PartForm):
    roles = forms.MultipleChoiceField(
        label=_("What are you called, or what would you call yourself?"),
        help_text=_("Up to three. Titles differ; the one on your door comes below."),
        widget=picks(),
        required=False,
    )
    job_title = LineField(label=_("Your job title"), max_length=120, required=False)
    organisation = LineField(
        label=_("Where you work"),
        max_length=160,
        required=False,
        help_text=_("You decide in the settings who sees it; at first, members do."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    team_size = forms.ChoiceField(
        label=_("Who does this work where you are?"),
        choices=TeamSize.choices,
        widget=forms.RadioSelect,
        required=False,
    )

    def stored(self):
        return {
            **super().stored(),
            "roles": [str(term.pk) for term in self.profile.roles.all()],
            "job_title": self.profile.job_title,
            "organisation": self.profile.organisation,
            "team_size": self.profile.team_size,
        }

    def prepare(self):
        super().prepare()
        self.fields["roles"].choices = term_choices(["role"], self.profile.roles.all())

    def clean_roles(self):
        chosen = self.cleaned_data["roles"]
        if len(chosen) > MAX_ROLES:
            raise ValidationError(_("Please choose at most three."), code="too_many")
        return chosen

    def profile_values(self):
        data = self.cleaned_data
        return {
            **super().profile_values(),
            "roles": Term.objects.filter(pk__in=data["roles"]),
            **{name: data[name] for name in ("job_title", "organisation", "team_size")},
        }


class HelpFields(PartForm):
    """Topics are picked from a few of the vocabulary, or typed; what is known is ticked, the rest stands as text."""

    can_help = forms.MultipleChoiceField(
        label=_("I could help somebody with"), widget=picks(), required=False
    )
    can_help_more = LineField(
        label=_("Other things you could help with"),
        help_text=_("With commas between them."),
        max_length=400,
        required=False,
    )
    can_help_text = LineField(label=_("What you can offer, in a sentence"), max_length=300, required=False)
    looking_for = forms.MultipleChoiceField(label=_("I would like help with"), widget=picks(), required=False)
    looking_for_more = LineField(
        label=_("Other things you look for help with"),
        help_text=_("With commas between them."),
        max_length=400,
        required=False,
    )
    looking_for_text = LineField(
        label=_("What you are looking for, in a sentence"),
        help_text=_("It stands for 90 days."),
        max_length=300,
        required=False,
    )

    @cached_property
    def suggestions(self) -> dict[str, list[str]]:
        """A few topics of the vocabulary: people ask about challenges, and offer methods too."""
        challenges = list(terms_for("member").filter(facet__key="challenge").values_list("name", flat=True))
        methods = list(Term.objects.current().filter(facet__key="method").values_list("name", flat=True))
        return {"can_help": methods[:8] + challenges[:6], "looking_for": challenges}

    def stored(self):
        stored = super().stored()
        for name in ("can_help", "looking_for"):
            tags = [tag.name for tag in getattr(self.profile, name).all()]
            known = self.suggestions[name]
            stored[name] = [tag for tag in tags if tag in known]
            stored[f"{name}_more"] = ", ".join(tag for tag in tags if tag not in known)
            stored[f"{name}_text"] = getattr(self.profile, f"{name}_text")
        return stored

    def prepare(self):
        super().prepare()
        for name in ("can_help", "looking_for"):
            self.fields[name].choices = [(word, word) for word in self.suggestions[name]]

    def clean(self):
        data = super().clean()
        for name in ("can_help", "looking_for"):
            words = [*data.get(name, []), *split_words(data.get(f"{name}_more", ""))]
            if len(words) > MAX_TAGS:
                self.add_error(
                    f"{name}_more",
                    ValidationError(
                        _("Ten are enough: please choose the ones that matter most."), code="too_many"
                    ),
                )
            for word in words:
                if len(word) > TAG_LENGTH:
                    self.add_error(
                        f"{name}_more",
                        ValidationError(
                            _("“%(start)s…” is too long for a topic; the sentence below has room for it."),
                            params={"start": word[:30]},
                            code="too_long",
                        ),
                    )
        return data

    def profile_values(self):
        data = self.cleaned_data
        values = super().profile_values()
        for name in ("can_help", "looking_for"):
            values[name] = [*data[name], *split_words(data[f"{name}_more"])]
            values[f"{name}_text"] = data[f"{name}_text"]
        return values


class PlaceFields(PartForm):
    country = forms.ChoiceField(
        label=_("Country"), required=False, widget=forms.Select(attrs={"autocomplete": "country"})
    )
    languages_work = forms.MultipleChoiceField(
        label=_("Languages you can work in"), widget=picks(), required=False
    )
    languages_more = LineField(
        label=_("Other languages you can work in"),
        help_text=_("With commas between them, as in Yoruba, Dholuo."),
        max_length=200,
        required=False,
    )

    def stored(self):
        codes = self.profile.languages_work
        return {
            **super().stored(),
            "country": self.profile.country.code or "",
            "languages_work": [code for code in codes if code in languages.COMMON],
            "languages_more": ", ".join(
                languages.name_of(code) for code in codes if code not in languages.COMMON
            ),
        }

    def prepare(self):
        super().prepare()
        self.fields["country"].choices = [("", _now("Rather not say")), *countries]
        self.fields["languages_work"].choices = [(code, languages.name_of(code)) for code in languages.COMMON]

    def clean_languages_more(self):
        return clean_languages(self.cleaned_data["languages_more"])

    def profile_values(self):
        data = self.cleaned_data
        return {
            **super().profile_values(),
            "country": data["country"],
            "languages_work": list(dict.fromkeys([*data["languages_work"], *data["languages_more"]])),
        }


def clean_languages(text: str) -> list[str]:
    """The codes of languages typed by name; says which it does not know."""
    codes = []
    for word in split_words(text):
        code = languages.code_of(word)
        if code is None:
            raise ValidationError(
                _("We do not know a language called “%(word)s”. Please give its English name or its own."),
                params={"word": word[:40]},
                code="unknown_language",
            )
        codes.append(code)
    return codes


class AboutFields(PartForm):
    headline = LineField(
        label=_("What you do, in plain words"),
        help_text=_("One line; the first thing that people read about you."),
        max_length=200,
        required=False,
    )
    pronouns = LineField(label=_("Pronouns"), max_length=60, required=False)
    region = LineField(
        label=_("Town or region"), help_text=_("As exact as you like."), max_length=120, required=False
    )
    languages_follow = LineField(
        label=_("Languages you can follow"),
        help_text=_("With commas between them."),
        max_length=200,
        required=False,
    )
    years = forms.ChoiceField(
        label=_("Years in this kind of work"), choices=[("", "—"), *Years.choices], required=False
    )
    work_settings = forms.MultipleChoiceField(
        label=_("Where your work takes place"), widget=picks(), required=False
    )
    interests = forms.MultipleChoiceField(label=_("Interests"), widget=picks(), required=False)
    about = TextField(
        label=_("In your words"),
        help_text=_("Who you are, how you came here, what you would like to talk about."),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    links = TextField(
        label=_("Links"),
        help_text=_("One on each line, up to five, with https://"),
        max_length=1600,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    INTEREST_FACETS = ("function", "audience", "stage", "method", "challenge")

    def stored(self):
        profile = self.profile
        return {
            **super().stored(),
            "headline": profile.headline,
            "pronouns": profile.pronouns,
            "region": profile.region,
            "years": profile.years,
            "about": profile.about,
            "links": "\n".join(profile.links),
            "languages_follow": ", ".join(languages.name_of(code) for code in profile.languages_follow),
            "work_settings": [str(term.pk) for term in profile.work_settings.all()],
            "interests": [str(term.pk) for term in profile.interests.all()],
        }

    def prepare(self):
        super().prepare()
        self.fields["work_settings"].choices = term_choices(["setting"], self.profile.work_settings.all())
        chosen = {term.pk for term in self.profile.interests.all()}
        terms = Term.objects.filter(
            Q(retired_at__isnull=True, facet__key__in=self.INTEREST_FACETS) | Q(pk__in=chosen)
        ).select_related("facet")
        groups: dict[str, list] = {}
        for term in terms:
            groups.setdefault(term.facet.label, []).append((str(term.pk), term.name))
        self.fields["interests"].choices = list(groups.items())

    def clean_interests(self):
        chosen = self.cleaned_data["interests"]
        if len(chosen) > MAX_INTERESTS:
            raise ValidationError(_("Please choose at most fifteen."), code="too_many")
        return chosen

    def clean_languages_follow(self):
        return clean_languages(self.cleaned_data["languages_follow"])

    def clean_links(self):
        links = [line.strip() for line in self.cleaned_data["links"].splitlines() if line.strip()]
        if len(links) > MAX_LINKS:
            raise ValidationError(_("Five links at most."), code="too_many")
        check = URLValidator(
            schemes=["http", "https"],
            message=_("Each link needs to be a whole address, as in https://example.org"),
        )
        for link in links:
            check(link)
            if len(link) > 300:
                raise ValidationError(_("A link is too long; 300 characters at most."), code="too_long")
        return links

    def profile_values(self):
        data = self.cleaned_data
        return {
            **super().profile_values(),
            "work_settings": Term.objects.filter(pk__in=data["work_settings"]),
            "interests": Term.objects.filter(pk__in=data["interests"]),
            **{
                name: data[name]
                for name in ("headline", "pronouns", "region", "years", "about", "links", "languages_follow")
            },
        }
