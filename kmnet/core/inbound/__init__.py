"""Mail that comes in. The apps register in hooks.py what may be answered by mail; reply_address gives an address."""

from .addresses import is_reply_address, mailbox_address, no_reply_address, reply_address, revoke
from .registry import (
    Attachment,
    Done,
    Mailbox,
    Refused,
    Reply,
    ReplyPurpose,
    get_mailbox,
    get_purpose,
    register_mailbox,
    register_notice_handler,
    register_purpose,
)

__all__ = [
    "Attachment",
    "Done",
    "Mailbox",
    "Refused",
    "Reply",
    "ReplyPurpose",
    "get_mailbox",
    "get_purpose",
    "is_reply_address",
    "mailbox_address",
    "no_reply_address",
    "register_mailbox",
    "register_notice_handler",
    "register_purpose",
    "reply_address",
    "revoke",
]
