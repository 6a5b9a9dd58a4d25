"""Cleans what people type about events; saves nothing."""

from .offering import MorePlacesForm
from .organising import (
    AddPersonForm,
    CapacityForm,
    EventForm,
    ProgrammeFormSet,
    ReasonForm,
    SessionForm,
    WebAddressField,
    event_initial,
    parse_speakers,
    programme_initial,
    programme_kept,
)
from .registering import DetailsForm, GuestForm, InvitedForm, RegisterForm, TransferForm

__all__ = [
    "AddPersonForm",
    "CapacityForm",
    "DetailsForm",
    "EventForm",
    "GuestForm",
    "InvitedForm",
    "MorePlacesForm",
    "ProgrammeFormSet",
    "ReasonForm",
    "RegisterForm",
    "SessionForm",
    "TransferForm",
    "WebAddressField",
    "event_initial",
    "parse_speakers",
    "programme_initial",
    "programme_kept",
]
