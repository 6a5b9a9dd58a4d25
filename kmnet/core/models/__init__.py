"""Core models, one module per noun."""

from .activity import Activity, Notification
from .audit import AuditEntry
from .community import CommunitySettings
from .doomed import DoomedFile
from .heartbeat import Heartbeat
from .links import RelatedItem
from .mail import DevMail, MailChoice, MailState, OutgoingMail
from .moderation import Flag, Hideable
from .vocabulary import Facet, Synonym, SynonymGroup, Term

__all__ = [
    "Activity",
    "AuditEntry",
    "CommunitySettings",
    "DevMail",
    "DoomedFile",
    "Facet",
    "Flag",
    "Heartbeat",
    "Hideable",
    "MailChoice",
    "MailState",
    "Notification",
    "OutgoingMail",
    "RelatedItem",
    "Synonym",
    "SynonymGroup",
    "Term",
]
