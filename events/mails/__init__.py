"""Which mail, to whom, and with what. Services queue; the words are composed when it is sent."""

from .compose import KINDS
from .links import cancel_url, join_url, offer_url, prove_url
from .queue import (
    key_prefix,
    queue_changed,
    queue_confirmed,
    queue_event_cancelled,
    queue_known,
    queue_left,
    queue_offer,
    queue_offer_passed,
    queue_prove,
    queue_reminder,
    queue_removed,
    queue_waiting,
)

__all__ = [
    "KINDS",
    "cancel_url",
    "join_url",
    "key_prefix",
    "offer_url",
    "prove_url",
    "queue_changed",
    "queue_confirmed",
    "queue_event_cancelled",
    "queue_known",
    "queue_left",
    "queue_offer",
    "queue_offer_passed",
    "queue_prove",
    "queue_reminder",
    "queue_removed",
    "queue_waiting",
]
