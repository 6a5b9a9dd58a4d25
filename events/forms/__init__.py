"""Cleans what people type about events; saves nothing."""

from .desk import (
    AddPersonForm,
    CapacityForm,
    DuplicateForm,
    InviteForm,
    LetterForm,
    OrganiserForm,
    ReasonForm,
    capacity_form,
    find_person,
    weeks_later,
)
from .offering import MorePlacesForm
from .organising import EventForm, WebAddressField, event_initial, words_offered
from .programme import ProgrammeFormSet, SessionForm, parse_speakers, programme_initial, programme_kept
from .questions import QuestionFormSet, questions_initial, questions_kept
from .registering import DetailsForm, GuestForm, InvitedForm, RegisterForm, TransferForm

__all__ = [
    "AddPersonForm",
    "CapacityForm",
    "DetailsForm",
    "DuplicateForm",
    "EventForm",
    "GuestForm",
    "InviteForm",
    "InvitedForm",
    "LetterForm",
    "MorePlacesForm",
    "OrganiserForm",
    "ProgrammeFormSet",
    "QuestionFormSet",
    "ReasonForm",
    "RegisterForm",
    "SessionForm",
    "TransferForm",
    "WebAddressField",
    "capacity_form",
    "event_initial",
    "find_person",
    "parse_speakers",
    "programme_initial",
    "programme_kept",
    "questions_initial",
    "questions_kept",
    "weeks_later",
    "words_offered",
]
