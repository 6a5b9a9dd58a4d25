"""Mail: every one is a row in the outbox, written with the deed that causes it, and composed when it is sent."""

from .delivery import BATCH, send_due_mail
from .kinds import (
    CATEGORIES,
    Attachment,
    Category,
    How,
    Line,
    MailContent,
    MailKind,
    Withhold,
    all_kinds,
    get_kind,
    register,
)
from .outbox import CannotResend, cancel, forget_person, hasten, queue, queue_many, resend, withdraw

__all__ = [
    "BATCH",
    "CATEGORIES",
    "Attachment",
    "CannotResend",
    "Category",
    "How",
    "Line",
    "MailContent",
    "MailKind",
    "Withhold",
    "all_kinds",
    "cancel",
    "forget_person",
    "get_kind",
    "hasten",
    "queue",
    "queue_many",
    "register",
    "resend",
    "send_due_mail",
    "withdraw",
]
