"""Mail: every one is a row in the outbox, written with the deed that causes it, and composed when it is sent."""

from .delivery import send_due_mail
from .kinds import (
    CATEGORIES,
    Attachment,
    MailContent,
    MailKind,
    Withhold,
    all_kinds,
    get_kind,
    register,
)
from .outbox import queue, withdraw

__all__ = [
    "CATEGORIES",
    "Attachment",
    "MailContent",
    "MailKind",
    "Withhold",
    "all_kinds",
    "get_kind",
    "queue",
    "register",
    "send_due_mail",
    "withdraw",
]
