"""Signed links. A token says what it is for and until when; that something happens only once is state in a row.

They are signed with HMAC-SHA256 (256 bits) under the site's secret key, the purpose being the salt, so a token made
for one purpose is worth nothing for another. SECRET_KEY_FALLBACKS keeps old links alive when the key changes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.core import signing

TWO_YEARS = timedelta(days=730)


class BadToken(Exception):
    """Not made by us for this purpose, or changed on the way."""


class ExpiredToken(BadToken):
    """Made by us, but its time is over. `data` is what it held."""

    def __init__(self, data: dict):
        super().__init__("expired")
        self.data = data


_hidden = ContextVar("tokens_hidden", default=False)


@contextmanager
def hidden() -> Iterator[None]:
    """Within, `make` gives worthless tokens: for showing somebody's mail to somebody else."""
    before = _hidden.set(True)
    try:
        yield
    finally:
        _hidden.reset(before)


def _salt(purpose: str) -> str:
    return f"kmnet.token.{purpose}"


def make(purpose: str, *, lifetime: timedelta | None = None, **data) -> str:
    """A token for a link. Without a lifetime it lasts as long as the row it points to."""
    if _hidden.get():
        return "hidden"
    content = {"d": data}
    if lifetime is not None:
        content["e"] = int(time.time() + lifetime.total_seconds())
    return signing.dumps(content, salt=_salt(purpose))


def read(purpose: str, token: str) -> dict:
    """What was put in. Raises BadToken, or ExpiredToken (which is one)."""
    try:
        content = signing.loads(token, salt=_salt(purpose))
        data, expires = content["d"], content.get("e")
    except (signing.BadSignature, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadToken("not a token of ours") from error
    if expires is not None and time.time() >= expires:
        raise ExpiredToken(data)
    return data
