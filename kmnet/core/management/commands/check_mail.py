"""manage.py check_mail [--send ADDRESS]: the DNS rows that mail of this site needs, and a test on its way."""

from email.utils import format_datetime, parseaddr

from django.conf import settings
from django.core.mail import get_connection
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from kmnet.core.mail import signing
from kmnet.core.mail.delivery import describe
from kmnet.core.mail.message import Message
from kmnet.core.models import CommunitySettings
from kmnet.core.models.mail import new_message_id

WORDS = """This is a test of the mail of kmnet, sent by manage.py check_mail.

If you read it in the inbox (and not among the spam), look at its headers: Authentication-Results should say
spf=pass, dkim=pass and dmarc=pass.
"""


class Command(BaseCommand):
    help = "Print the SPF, DKIM and DMARC rows that are wanted, and send a test mail."

    def add_arguments(self, parser):
        parser.add_argument("--send", metavar="ADDRESS", help="send a test mail to this address")

    def handle(self, *args, **options):
        sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        self.say(f"Mail is sent from {sender}, through {settings.EMAIL_BACKEND}.")
        if settings.EMAIL_BACKEND.endswith(".smtp.Backend"):
            self.say(f"The mail server is {settings.EMAIL_HOST}:{settings.EMAIL_PORT}.")
        self.say("\nThese rows belong into the DNS:\n")
        for name, kind, value, hint in rows():
            self.say(f"{name}. {kind} {value}" + (f"\n    {hint}" if hint else ""))
        for problem in problems():
            self.stdout.write(self.style.WARNING(f"\nPlease look: {problem}"))
        if options["send"]:
            self.send(options["send"])

    def say(self, line: str) -> None:
        self.stdout.write(line)

    def send(self, address: str) -> None:
        message = Message(
            subject="kmnet: a test of our mail",
            body=WORDS,
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[address],
            headers={
                "Date": format_datetime(timezone.now()),
                "Message-ID": new_message_id(),
                "Auto-Submitted": "auto-generated",
            },
        )
        try:
            with get_connection() as connection:
                message.connection = connection
                message.send()
        except Exception as error:  # whatever it is, the operator is to read it in words
            raise CommandError(f"The test was not sent: {describe(error)}") from error
        self.say(f"\nThe mail server took the test for {address} ({message.extra_headers['Message-ID']}).")


def domains() -> tuple[str, str]:
    """(of the sender that people see, of the envelope's sender, to whom what comes back is led)"""
    seen = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return seen, settings.INBOUND_DOMAIN if settings.INBOUND_MAIL else seen


def rows() -> list[tuple[str, str, str, str]]:
    """(name, kind, value, hint)"""
    seen, envelope = domains()
    contact = CommunitySettings.load().contact_email or f"postmaster@{seen}"
    public = signing.public_key_row() if settings.DKIM_KEY else ""
    found = [
        (
            envelope,
            "TXT",
            f'"v=spf1 a:{settings.EMAIL_HOST} -all"',
            "SPF: who may send for you. A provider of mail names its own word (include:…) for this row.",
        ),
        (
            f"{settings.DKIM_SELECTOR}._domainkey.{settings.DKIM_DOMAIN}",
            "TXT",
            f'"{public}"' if public else "(no DKIM_KEY is set)",
            "DKIM: the key by which receivers know that a mail is yours. Over 255 characters it is written as several"
            " strings in one row.",
        ),
        (
            f"_dmarc.{seen}",
            "TXT",
            f'"v=DMARC1; p=quarantine; rua=mailto:{contact}; adkim=r; aspf=r"',
            "DMARC: what receivers do with mail that is not yours. Begin with p=none, read the reports, then quarantine.",
        ),
    ]
    if settings.INBOUND_MAIL:
        found.append(
            (settings.INBOUND_DOMAIN, "MX", "10 <your mail server>.", "For replies, and for what comes back.")
        )
    return found


def problems() -> list[str]:
    seen, envelope = domains()
    found = []
    if not settings.DKIM_KEY:
        found.append(
            "no DKIM_KEY is set, so mails are not signed here. That is fine where your provider signs them;"
            " else Gmail and Yahoo refuse them."
        )
    elif not is_same_organisation(settings.DKIM_DOMAIN, seen):
        found.append(f"DKIM_DOMAIN is {settings.DKIM_DOMAIN}, and the sender is at {seen}: DMARC fails.")
    if not is_same_organisation(envelope, seen):
        found.append(
            f"what comes back goes to {envelope}, and the sender is at {seen}: SPF does not count for DMARC."
        )
    if not settings.INBOUND_MAIL and not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        found.append(
            "neither INBOUND_MAIL nor ANYMAIL_WEBHOOK_SECRET is set: nobody hears of addresses that return mail."
        )
    return found


def is_same_organisation(one: str, other: str) -> bool:
    """Relaxed alignment, as far as it can be told without a list of public suffixes."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
