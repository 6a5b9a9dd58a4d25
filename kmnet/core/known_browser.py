"""A browser in which somebody has signed in before keeps a way in of its own: strangers' tries do not count for it.

Otherwise whoever knows an address could keep its owner out, by failing on purpose for ever. The cookie opens nothing: it
only says which counter the next try adds to. It holds a random number and a keyed hash of the address.
"""

import secrets
import unicodedata

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

from .text import NOT_ASCII

COOKIE = "__Host-known" if settings.SESSION_COOKIE_SECURE else "known"
SALT = "kmnet.known_browser"
LASTS = 365 * 24 * 3600


def plain(email: str) -> str:
    """One key for one address, however it is spelt."""
    return unicodedata.normalize("NFKC", email.translate(NOT_ASCII)).strip().casefold()


def _mark(words: str) -> str:
    return salted_hmac(SALT, words, algorithm="sha256").hexdigest()[:32]


def mark_of(member) -> str:
    """Stands for the member where a guest's browser keeps something of theirs; names nobody."""
    return _mark(f"member {member.pk}")


def remember(response, member) -> None:
    """After signing in: from now on this browser counts for itself."""
    value = signing.dumps([secrets.token_urlsafe(12), _mark(plain(member.email)), mark_of(member)], salt=SALT)
    response.set_cookie(
        COOKIE, value, max_age=LASTS, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )


def _read(request) -> list[str]:
    try:
        number, address, member = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LASTS)
    except (signing.BadSignature, ValueError, TypeError):
        return ["", "", ""]
    return [number, address, member]


def counter_for(request, email: str) -> str:
    """The key under which tries for this address are counted, coming from this browser."""
    number, address, _member = _read(request)
    return f"{number}:{plain(email)}" if address == _mark(plain(email)) else plain(email)


def last_signed_in(request) -> str:
    """The mark of whoever signed in here last; "" where nobody did."""
    return _read(request)[2]
