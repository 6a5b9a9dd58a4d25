"""What joining asks."""

from django import forms
from django.conf import settings
from django.urls import reverse_lazy
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import TextField, TimeZoneField

from .. import invited, services
from ..names import clean_name
from ..services.consents import letters_words


class NameField(forms.CharField):
    """A person's name: any alphabet, nothing that cannot be seen."""

    def __init__(self, **kwargs):
        kwargs.setdefault("label", _("Your name"))
        kwargs.setdefault("help_text", _("As you would like to be greeted. Any alphabet."))
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "name"}))
        super().__init__(max_length=120, strip=False, **kwargs)

    def clean(self, value):
        value = super().clean(value)
        return clean_name(value) if self.required or value.strip() else ""


def offer_present_zone(field: TimeZoneField, zone: str) -> None:
    """A zone under one of its other names stays chosen, instead of turning into the first of the list."""
    if not field.valid_value(zone):
        field.choices = [(zone, zone.replace("_", " ")), *field.choices]


def agreement_field() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("I agree to how we treat each other"),
        help_text=format_lazy(
            '<a href="{url}">{words}</a>',
            url=reverse_lazy("about:how-we-treat-each-other"),
            words=_("Read it; it is one page."),
        ),
        error_messages={"required": _("Please read how we treat each other, and tick the box if you agree.")},
    )


def letters_field() -> forms.BooleanField:
    """An optional purpose has a box of its own, which nobody has ticked for them."""
    return forms.BooleanField(
        label=lazy(letters_words, str)(),
        required=False,
        help_text=_("Optional; you can change it in your settings."),
    )


def answer_field(question: str) -> forms.CharField:
    return TextField(
        label=question,
        help_text=_("A sentence or two; only the moderators read it."),
        max_length=services.MOST_WORDS,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def answers_in(form) -> list[tuple[str, str]]:
    """The questions that a form asked, each with the answer."""
    return [
        (question, form.cleaned_data.get(f"answer_{number}") or "")
        for number, question in enumerate(form.questions, 1)
    ]


class AnswersForm(forms.Form):
    """The questions, for whoever was not asked when they came."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.questions = services.questions_asked()
        for number, question in enumerate(self.questions, 1):
            self.fields[f"answer_{number}"] = answer_field(question)

    def answers(self) -> list[tuple[str, str]]:
        return answers_in(self)


class JoinForm(forms.Form):
    """What joining asks beside address and password; allauth's form grows from this one."""

    field_order = [
        "name",
        "email",
        "password1",
        "answer_1",
        "answer_2",
        "agree",
        "letters",
        "time_zone",
        "language",
    ]

    name = NameField()
    agree = agreement_field()
    letters = letters_field()
    # Guessed by the browser; whoever has no scripts is asked in the first steps.
    time_zone = forms.CharField(
        required=False, widget=forms.HiddenInput(attrs={"data-guess-time-zone": ""}), max_length=64
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False, label=_("Language"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if len(settings.LANGUAGES) < 2:
            self.fields["language"].widget = forms.HiddenInput()
        self.questions = services.questions_asked()
        for number, question in enumerate(self.questions, 1):
            self.fields[f"answer_{number}"] = answer_field(question)
        self.invitation = invited.present()
        if self.invitation is not None and self.invitation.is_bound:
            self.initial = {"name": self.invitation.name, "email": self.invitation.address, **self.initial}

    def answers(self) -> list[tuple[str, str]]:
        return answers_in(self)

    def clean(self):
        data = super().clean()
        email = data.get("email") if data else None
        other = email and self.invitation is not None and not self.invitation.is_for(email)
        if other and services.needs_invitation():
            self.add_error("email", _("Your invitation is for another address: the one that it was sent to."))
        return data

    def clean_time_zone(self):
        """A zone that we do not know is not the person's mistake: they are asked later."""
        zone = TimeZoneField()
        return self.cleaned_data["time_zone"] if zone.valid_value(self.cleaned_data["time_zone"]) else ""

    def signup(self, request, user):
        """allauth calls this once the account exists; AccountAdapter.save_user has stored all of it."""
