"""One-time secrets in the outbox are encrypted, so that a copy of the database opens no account."""

import base64
import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

from .kinds import Withhold


def _box() -> MultiFernet:
    """A key of its own, derived from each secret key; the first one encrypts, every one may open."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    derived = [
        salted_hmac("kmnet.core.mail.secrets", "", secret=key, algorithm="sha256").digest() for key in keys
    ]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])


def encrypt(secrets: dict) -> str:
    return _box().encrypt(json.dumps(secrets).encode()).decode()


def decrypt(secret: str) -> dict:
    try:
        return json.loads(_box().decrypt(secret.encode()))
    except InvalidToken as error:
        raise Withhold("its one-time secret can no longer be read: the secret key has changed") from error
