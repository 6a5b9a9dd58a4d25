"""The demo's mailbox: where no mail server is set, mails are kept here and read at /dev/mail/."""

from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from .models import DevMail

KEPT = 5000  # newest mails; older ones go


class MailboxBackend(BaseEmailBackend):
    """An e-mail backend that keeps each message as it would have gone over the wire."""

    def send_messages(self, email_messages) -> int:
        with transaction.atomic():
            for message in email_messages:
                parsed = message.message()
                raw = parsed.as_bytes(linesep="\r\n")
                kept = [
                    DevMail(
                        recipient=recipient,
                        subject=message.subject[:300],
                        message_id=parsed["Message-ID"][:200],
                        raw=raw,
                    )
                    for recipient in message.recipients()
                ]
                DevMail.objects.bulk_create(kept)
                for row in kept[-1:]:
                    DevMail.objects.filter(pk__lte=row.pk - KEPT).delete()
        return len(email_messages)
