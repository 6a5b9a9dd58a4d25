"""manage.py receive_mail: take in the mail that our mail server hands over. Runs until it is told to stop (SIGTERM)."""

import asyncio

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from kmnet.core.inbound.listener import serve


class Command(BaseCommand):
    help = "Take in mail by LMTP (or, with --smtp, by SMTP): replies, questions to ask@, notices of non-delivery."

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8024)
        parser.add_argument("--socket", default="", help="a unix socket instead of host and port")
        parser.add_argument("--smtp", action="store_true", help="SMTP instead of LMTP")

    def handle(self, *, host, port, socket, smtp, **options):
        if not settings.INBOUND_MAIL:
            raise CommandError(
                "INBOUND_MAIL is off: no mail of ours carries a reply address. See docs/operations.md."
            )
        asyncio.run(
            serve(via="smtp" if smtp else "lmtp", host=host, port=port, path=socket, ready=self.listening)
        )

    def listening(self, place) -> None:
        self.stdout.write(
            f"listening at {place if isinstance(place, str) else ':'.join(map(str, place[:2]))}"
        )
        self.stdout.flush()
