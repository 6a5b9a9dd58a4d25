"""Recognising a mail address after it was forgotten."""

import hashlib


def hash_of_address(address: str) -> str:
    """Not keyed by the site's secret, which may change: a "never again" must outlast it."""
    return hashlib.sha256(f"kmnet.address:{address.strip().lower()}".encode()).hexdigest()
