"""DKIM: the receiving servers can tell that a mail is ours, and that nobody changed it on the way."""

import logging
from functools import cache

import dkim
from django.conf import settings

logger = logging.getLogger(__name__)

# What is signed, where it is there; twice what nobody may add a second time (RFC 6376, 8.15), and both headers of the
# list's way out (RFC 8058, 4: they must be covered).
SIGNED = (
    *(b"from", b"from", b"to", b"subject", b"subject", b"date", b"message-id", b"reply-to", b"mime-version"),
    *(
        b"content-type",
        b"list-id",
        b"list-unsubscribe",
        b"list-unsubscribe-post",
        b"auto-submitted",
        b"feedback-id",
    ),
)


def signed(raw: bytes) -> bytes:
    """The message (CRLF) with its DKIM-Signature in front; as it came where no key is set."""
    if not settings.DKIM_KEY:
        return raw
    present = {line.split(b":", 1)[0].strip().lower() for line in raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n")}
    names = [name for name in SIGNED if name in present]
    signature = dkim.sign(
        raw,
        settings.DKIM_SELECTOR.encode(),
        settings.DKIM_DOMAIN.encode(),
        private_key(settings.DKIM_KEY),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=names,
        linesep=b"\r\n",
    )
    return signature + raw


@cache
def private_key(given: str) -> bytes:
    """DKIM_KEY is the key (PEM; line ends may be written as \\n), or the path of a file that holds it."""
    if "-----BEGIN" in given:
        return given.replace("\\n", "\n").encode()
    with open(given, "rb") as file:
        return file.read()


def public_key_row() -> str:
    """What the TXT row <selector>._domainkey.<domain> must say; "" where no key is set."""
    if not settings.DKIM_KEY:
        return ""
    from base64 import b64encode

    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(private_key(settings.DKIM_KEY), password=None).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={b64encode(der).decode()}"
