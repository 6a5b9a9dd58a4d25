"""Reading the mail of a test as a mail program would: from the bytes on the wire."""

import email
import email.policy
import re
from email.message import EmailMessage

import pytest
from django.core import mail as django_mail
from django.utils import timezone

from kmnet.core import mail
from kmnet.core.models import OutgoingMail
from kmnet.core.models.mail import BUNDLE


def sent() -> list[EmailMessage]:
    """What has been delivered in this test, oldest first, parsed from the raw bytes."""
    raw = [message.message().as_bytes(linesep="\r\n") for message in getattr(django_mail, "outbox", [])]
    return [email.message_from_bytes(one, policy=email.policy.SMTP) for one in raw]


def make_bundles_due() -> None:
    """What waits to go out together has waited long enough."""
    now = timezone.now()
    waiting = OutgoingMail.objects.waiting().filter(kind=BUNDLE)
    waiting.update(due_at=now, next_try_at=now)


def send_due(*, to: str | None = None) -> list[EmailMessage]:
    """Send all that is due now; everything delivered in this test (to this address)."""
    while mail.send_due_mail(limit=500) == 500:
        pass
    return [message for message in sent() if to is None or message["To"] == to]


def text_of(message: EmailMessage) -> str:
    return message.get_body(("plain",)).get_content()


def html_of(message: EmailMessage) -> str:
    return message.get_body(("html",)).get_content()


def links_in(message: EmailMessage) -> list[str]:
    """Every link of the text part."""
    return [link.rstrip(".,)") for link in re.findall(r"https?://\S+", text_of(message))]


@pytest.fixture
def mailbox(db):
    """`mailbox()` sends what is due and returns all messages of this test; `mailbox(to="a@b.example")` those to one."""
    return send_due
