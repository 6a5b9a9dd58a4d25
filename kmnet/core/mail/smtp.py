"""The way to a mail server: with patience that ends, a sender to whom what comes back can be led, and a signature."""

import smtplib

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import sanitize_address

from . import signing, verp


class _Patience:
    """So long for the connection, and then, by `timeout`, so long for each answer."""

    def _get_socket(self, host, port, timeout):
        sock = super()._get_socket(host, port, settings.MAIL_CONNECT_TIMEOUT)
        sock.settimeout(timeout)
        return sock


class _Plain(_Patience, smtplib.SMTP):
    pass


class _OverTls(_Patience, smtplib.SMTP_SSL):
    pass


class Backend(EmailBackend):
    """Django's, where a mail of the outbox says by its envelope sender which one it is (verp.py), and is signed."""

    @property
    def connection_class(self):
        return _OverTls if self.use_ssl else _Plain

    def _send(self, email_message):
        """One message to the server. Raises what smtplib raises, unless it is to fail silently."""
        if not email_message.recipients():
            return False
        encoding = email_message.encoding or settings.DEFAULT_CHARSET
        sender = verp.bounce_address(getattr(email_message, "mail_id", None)) or sanitize_address(
            email_message.from_email, encoding
        )
        receivers = [sanitize_address(address, encoding) for address in email_message.recipients()]
        raw = signing.signed(email_message.message().as_bytes(linesep="\r\n"))
        try:
            self.connection.sendmail(sender, receivers, raw)
        except smtplib.SMTPException:
            if not self.fail_silently:
                raise
            return False
        return True
