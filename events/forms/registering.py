"""Cleans what people type when they register; saves nothing."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from kmnet.core.forms import LineField, TextField, TimeZoneField
from kmnet.core.text import has_double
from members.names import clean_name

from ..models import Answer, Event, Question, QuestionKind, Registration, Way

ANSWER_LENGTH = 1000
UNANSWERED = _("Please answer this question.")
NOT_AGREED = _("The organisers need your yes to this.")


def _text(question: Question, **shared) -> forms.Field:
    return TextField(max_length=ANSWER_LENGTH, widget=forms.Textarea(attrs={"rows": 2}), **shared)


def _choice(question: Question, **shared) -> forms.Field:
    choices = [(words, words) for words in question.choices]
    if not question.is_required:
        choices = [("", _("No answer")), *choices]
    return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **shared)


def _several(question: Question, **shared) -> forms.Field:
    choices = [(words, words) for words in question.choices]
    return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **shared)


def _consent(question: Question, **shared) -> forms.Field:
    """A box says nothing of whether it has to be ticked, so the words under it do."""
    words = _("Needed if you want to come.") if question.is_required else _("You may leave this open.")
    return forms.BooleanField(help_text=words, **shared)


FIELDS = {
    QuestionKind.TEXT: _text,
    QuestionKind.CHOICE: _choice,
    QuestionKind.SEVERAL: _several,
    QuestionKind.CONSENT: _consent,
}


def field_of(question: Question, *, asked: bool = True) -> forms.Field:
    """The form field for one question; `asked` False: nobody has to answer it here."""
    words = NOT_AGREED if question.kind == QuestionKind.CONSENT else UNANSWERED
    return FIELDS[QuestionKind(question.kind)](
        question,
        label=question.label,
        required=question.is_required and asked,
        error_messages={"required": words},
    )


class DetailsForm(forms.Form):
    """The organisers' questions, and what helps somebody to take part. With `registration`: what they said before."""

    def __init__(self, *args, event: Event, registration: Registration | None = None, initial=None, **kwargs):
        self.event = event
        self.questions = list(event.questions.filter(is_asked=True).order_by("order", "pk"))
        super().__init__(*args, initial=said_before(registration) | (initial or {}), **kwargs)
        for question in self.questions:
            self.fields[f"q{question.pk}"] = field_of(question, asked=self.must_answer())
        self.fields["access_needs"] = TextField(
            label=_("What helps you to take part?"),
            max_length=500,
            required=False,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text=_(
                "For example captions, breaks, or a step-free way in. "
                "Only the organisers read it, and it is deleted 30 days after the event."
            ),
        )

    def must_answer(self) -> bool:
        """Whoever wants the recording only need not answer."""
        return True

    def answers(self) -> dict:
        """As the services take them: {question id: text, words, list of words, or True}."""
        given = {question.pk: self.cleaned_data.get(f"q{question.pk}") for question in self.questions}
        return {pk: value for pk, value in given.items() if value not in ("", [], False, None)}

    def service_fields(self) -> dict:
        return {"answers": self.answers(), "access_needs": self.cleaned_data["access_needs"]}

    def add_missing(self, errors: dict) -> None:
        """What the service found missing, at its question."""
        for pk, words in errors.items():
            name = f"q{pk}"
            self.add_error(name if name in self.fields else None, words)


def said_before(registration: Registration | None) -> dict:
    if registration is None:
        return {}
    given = Answer.objects.filter(registration=registration)
    return {f"q{answer.question_id}": answer.value for answer in given} | {
        "access_needs": registration.access_needs
    }


class RegisterForm(DetailsForm):
    """A member registers where one press is not enough: there are questions, or two ways to come."""

    def __init__(self, *args, event: Event, **kwargs):
        super().__init__(*args, event=event, **kwargs)
        first = {}
        if len(event.ways) > 1:
            first["way"] = forms.ChoiceField(
                label=_("How do you want to come?"),
                choices=ways_of(event),
                widget=forms.RadioSelect,
                required=self.must_answer(),
                error_messages={"required": _("Choose one: in the room, or online.")},
            )
        self.fields = first | self.fields
        if event.offers_recording:
            self.fields["recording_only"] = forms.BooleanField(
                label=_("I cannot come; I only want the recording"),
                required=False,
                help_text=_("You hold no place, and no place is offered to you."),
            )

    def must_answer(self) -> bool:
        return not (self.event.offers_recording and self.data.get(self.add_prefix("recording_only")))

    def service_fields(self) -> dict:
        recording_only = self.cleaned_data.get("recording_only", False)
        way = self.cleaned_data.get("way", "")
        if recording_only and not way:
            way = self.event.ways[-1]  # holds nothing anywhere
        return super().service_fields() | {"way": way, "recording_only": recording_only}


def ways_of(event: Event) -> list[tuple[str, str]]:
    labels = {Way.ROOM: _("In the room"), Way.ONLINE: _("Online")}
    return [(way, labels[way]) for way in event.ways]


class GuestForm(RegisterForm):
    """Somebody without an account asks for a place."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        who = {
            "name": name_field(),
            "address": forms.EmailField(
                label=_("Your e-mail address"),
                max_length=254,
                widget=forms.EmailInput(attrs={"autocomplete": "email"}),
                help_text=_(
                    "We write to it once now. The place counts when you press the button in that mail."
                ),
            ),
            "time_zone": TimeZoneField(help_text=_("We tell you the times in this zone.")),
        }
        self.fields = who | self.fields

    def clean_address(self):
        """The database would take its owner for somebody else."""
        if has_double(self.cleaned_data["address"]):
            raise ValidationError(_("There is a letter in this address that is easily taken for another."))
        return self.cleaned_data["address"]

    def service_fields(self) -> dict:
        who = {name: self.cleaned_data[name] for name in ("name", "address", "time_zone")}
        return super().service_fields() | who


class InvitedForm(RegisterForm):
    """Somebody without an account who was asked by their address: the link has proven it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        zone = TimeZoneField(help_text=_("We tell you the times in this zone."))
        self.fields = {"name": name_field(), "time_zone": zone} | self.fields

    def service_fields(self) -> dict:
        who = {name: self.cleaned_data[name] for name in ("name", "time_zone")}
        return super().service_fields() | who


class NameField(LineField):
    """Somebody’s name, by the rules for members’ names: it stands in a mail to an address that anybody may have typed,
    and must bring no link there."""

    def clean(self, value):
        name = super().clean(value)
        return clean_name(name) if name else name


def name_field() -> NameField:
    return NameField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class TransferForm(forms.Form):
    """To whom a place is given: by name and address; members may name a member by handle, too."""

    to_name = NameField(
        label=_("Their name"), max_length=120, error_messages={"required": _("Say their name.")}
    )
    to = LineField(
        label=_("Their e-mail address"),
        max_length=254,
        help_text=_("We write to them once. They have up to a day to take the place."),
        error_messages={"required": _("Say their e-mail address.")},
    )

    def __init__(self, *args, by_handle: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.by_handle = by_handle
        if by_handle:
            self.fields["to"].label = _("Their e-mail address, or the handle of a member")

    def clean_to(self):
        to = self.cleaned_data["to"]
        if self.by_handle and "@" not in to.lstrip("@"):
            return to
        validate_email(to)
        if has_double(to):
            raise ValidationError(_("There is a letter in this address that is easily taken for another."))
        return to

    @property
    def handle(self) -> str:
        """Of a member; empty where an address was typed."""
        to = self.cleaned_data["to"]
        return "" if "@" in to.lstrip("@") else to
