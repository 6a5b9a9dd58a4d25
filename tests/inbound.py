"""Mail as a member would send it, taken in and worked on as by the receiver and the worker."""

from email.message import EmailMessage
from itertools import count

from kmnet.core.inbound.receiving import store
from kmnet.core.inbound.working import work_on_received
from kmnet.core.models import ReceivedMail

numbers = count(1)
PASSED = "mx.kmnet.example; dkim=pass header.d={domain}; spf=pass smtp.mailfrom={domain}"


def message(
    sender, to, text="Yes, like this.\n", *, subject="Re: A mail", message_id="", headers=(), files=()
):
    """`sender`: a member or an address. `files`: (name, type, bytes)."""
    mail = EmailMessage()
    mail["From"] = getattr(sender, "email", sender)
    mail["To"] = to
    mail["Subject"] = subject
    mail["Message-ID"] = message_id or f"<reply{next(numbers)}@mail.example.org>"
    for name, value in headers:
        mail[name] = value
    mail.set_content(text)
    for name, kind, content in files:
        main, _slash, sub = kind.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


def receive(sender, to, text="Yes, like this.\n", *, envelope_sender=None, **fields) -> ReceivedMail | None:
    """One mail, taken in and worked on."""
    raw = message(sender, to, text, **fields)
    given = getattr(sender, "email", sender) if envelope_sender is None else envelope_sender
    received = store(raw, recipient=to, via="test", envelope_sender=given)
    work_on_received()
    if received is not None:
        received.refresh_from_db()
    return received


def passed(sender) -> tuple[str, str]:
    """The header of our mail server where the sender's domain vouches for the mail."""
    domain = getattr(sender, "email", sender).rpartition("@")[2]
    return "Authentication-Results", PASSED.format(domain=domain)
