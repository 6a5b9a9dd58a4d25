"""Events, their programme, and who comes. One module per noun."""

from .event import Event, Kind, Occupancy, Visibility
from .programme import Session, SessionKind, Speaker
from .registration import Registration, RegistrationLog, Status

__all__ = [
    "Event",
    "Kind",
    "Occupancy",
    "Registration",
    "RegistrationLog",
    "Session",
    "SessionKind",
    "Speaker",
    "Status",
    "Visibility",
]
