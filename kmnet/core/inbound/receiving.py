"""Taking a message in: its row is committed before anybody is told that we have it."""

import hashlib

from django.conf import settings
from django.db import IntegrityError, transaction

from kmnet.core import tasks
from kmnet.core.models import ReceivedMail, ReplyAddress
from kmnet.core.ratelimit import allow
from kmnet.core.text import clean_line

from .addresses import LOCAL_PART
from .reading import headers_of_bytes, sender_of
from .registry import get_mailbox

MOST_PER_HOUR = 120  # to one address; whoever floods one is asked to come again later


class TooMany(Exception):
    """More than one address takes within an hour."""


def normal(recipient: str) -> str:
    return clean_line(recipient).strip("<>").lower()[:254]


def is_taken(recipient: str) -> bool:
    """Is this an address of ours? A reply address that has ended is, too: its owner is told so in words."""
    local, _at, domain = normal(recipient).rpartition("@")
    if domain not in {settings.INBOUND_DOMAIN.lower(), settings.MAIL_DOMAIN.lower()}:
        return False
    if local.startswith(LOCAL_PART):
        token = local.removeprefix(LOCAL_PART)
        return ReplyAddress.objects.filter(token=token).exists()
    name, _plus, _rest = local.partition("+")
    return name in ("no-reply", "bounces") or get_mailbox(name) is not None


def store(raw: bytes, *, recipient: str, via: str, envelope_sender: str | None = None) -> ReceivedMail | None:
    """Write the message down and call for it to be worked on; None where it came before (the same Message-ID to the same
    address). Committed when this returns, unless the caller has a transaction open. Raises TooMany.

    `envelope_sender`: MAIL FROM, "" for a notice of non-delivery; None where it is not known."""
    recipient = normal(recipient)
    if not allow(f"inbound:{recipient}", limit=MOST_PER_HOUR, seconds=3600):
        raise TooMany
    if envelope_sender is not None:
        sender = "".join(c for c in envelope_sender if c.isprintable() and c not in "<>")
        raw = f"Return-Path: <{sender}>\r\n".encode("utf-8", "replace") + raw
    headers = headers_of_bytes(raw)
    message_id = clean_line(headers.get("message-id", [""])[0])[:300]
    received = ReceivedMail(
        message_id=message_id or f"<{hashlib.sha256(raw).hexdigest()}@no-id>",
        recipient=recipient,
        sender=sender_of(headers.get("from", [""]))[1],
        via=via[:20],
        raw=raw,
    )
    try:
        with transaction.atomic():
            received.save(force_insert=True)
    except IntegrityError:
        return None
    tasks.enqueue(tasks.work_on_received)
    return received
