"""The envelope sender of each mail is an address of its own: what comes back tells by it which mail it is about.

`bounces+<id of the row>.<16 hex digits>@our domain`; the digits are keyed, so that nobody can silence an address by
inventing notices about it."""

import re

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_ADDRESS = re.compile(r"bounces\+(\d{1,18})\.([0-9a-f]{16})@(.+)", re.IGNORECASE)


def bounce_address(mail_id: int | None) -> str:
    """For this row of the outbox; "" where this installation receives no mail (or it is no mail of the outbox)."""
    if mail_id is None or not settings.INBOUND_MAIL:
        return ""
    return f"bounces+{mail_id}.{_proof(mail_id, settings.SECRET_KEY)}@{settings.INBOUND_DOMAIN}"


def is_bounce_address(address: str) -> bool:
    """By its form; whether it is one of ours only `mail_id_of` tells."""
    return _ADDRESS.fullmatch(address.strip()) is not None


def mail_id_of(address: str) -> int | None:
    """The row that a notice sent to this address is about; None where the address was not made by us."""
    found = _ADDRESS.fullmatch(address.strip())
    if found is None:
        return None
    mail_id, proof = int(found[1]), found[2].lower()
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if any(constant_time_compare(_proof(mail_id, key), proof) for key in keys):
        return mail_id
    return None


def _proof(mail_id: int, key: str) -> str:
    return salted_hmac("kmnet.bounces", str(mail_id), secret=key, algorithm="sha256").hexdigest()[:16]
