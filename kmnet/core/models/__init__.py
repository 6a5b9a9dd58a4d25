"""Core models, one module per noun."""

from .activity import Activity, Notification
from .audit import AuditEntry
from .community import CommunitySettings
from .doomed import DoomedFile
from .heartbeat import Heartbeat
from .inbound import ReceivedMail, ReplyAddress
from .jobs import JobState
from .links import RelatedItem
from .mail import (
    BUNDLE,
    DevMail,
    MailChoice,
    MailHabits,
    MailReturn,
    MailState,
    OutgoingMail,
    SuppressedAddress,
)
from .moderation import Flag, Hideable
from .vocabulary import Facet, Synonym, SynonymGroup, Term

__all__ = [
    "BUNDLE",
    "Activity",
    "AuditEntry",
    "CommunitySettings",
    "DevMail",
    "DoomedFile",
    "Facet",
    "Flag",
    "Heartbeat",
    "Hideable",
    "JobState",
    "MailChoice",
    "MailHabits",
    "MailReturn",
    "MailState",
    "Notification",
    "OutgoingMail",
    "ReceivedMail",
    "RelatedItem",
    "ReplyAddress",
    "SuppressedAddress",
    "Synonym",
    "SynonymGroup",
    "Term",
]
