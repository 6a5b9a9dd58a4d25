"""Cleans what people type about events; saves nothing."""

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
from .registering import GuestForm

__all__ = [
    "AddPersonForm",
    "CapacityForm",
    "EventForm",
    "GuestForm",
    "ProgrammeFormSet",
    "ReasonForm",
    "SessionForm",
    "WebAddressField",
    "event_initial",
    "parse_speakers",
    "programme_initial",
    "programme_kept",
]
