"""Events, their programme, and who comes. One module per noun."""

from .event import Event, Kind, Occupancy, Visibility
from .feed import CalendarFeed
from .invitation import EventInvitation, EventPriority
from .message import Audience, EventMessage
from .programme import Session, SessionKind, Speaker
from .question import MOST_QUESTIONS, Answer, Question, QuestionKind
from .registration import ADDED_BY_HAND, BACK, RISEN, Registration, RegistrationLog, Status, Way
from .series import MOST_DATES, Series

__all__ = [
    "ADDED_BY_HAND",
    "BACK",
    "MOST_DATES",
    "MOST_QUESTIONS",
    "RISEN",
    "Answer",
    "Audience",
    "CalendarFeed",
    "Event",
    "EventInvitation",
    "EventMessage",
    "EventPriority",
    "Kind",
    "Occupancy",
    "Question",
    "QuestionKind",
    "Registration",
    "RegistrationLog",
    "Series",
    "Session",
    "SessionKind",
    "Speaker",
    "Status",
    "Visibility",
    "Way",
]
