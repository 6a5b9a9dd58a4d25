"""Where our mail server hands messages over, by LMTP or SMTP. A message is ours when its row is committed; only then does
the other side hear "250", so whoever kills this process, at whatever moment, loses nothing: the sender keeps the mail."""

import asyncio
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import ClassVar

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, transaction

from . import receiving

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 100
MOST_RECIPIENTS = 50
THREADS = 4  # at once with the database
SECONDS = 120  # without a word from the other side
LONGEST_LINE = 100_000  # some programs break none
LATER = "451 4.3.0 Not now; please try again later"


class Receiver:
    """What aiosmtpd asks: is this address ours, and here is the message. Work with the database is done in threads."""

    def __init__(self, *, via: str, keep_connections: bool = False):
        self.via = via
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail-in")
        self.keep_connections = keep_connections

    async def ask(self, question: Callable):
        """The answer of a function that asks the database, or None where that cannot be had now."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, self.asked, question)
        except receiving.TooMany:
            raise
        except DatabaseError:
            logger.warning("mail cannot be taken in: the database is away")
        except Exception:
            logger.exception("mail could not be taken in")
        return None

    def asked(self, question: Callable):
        close_old_connections()
        try:
            return question()
        finally:
            if not self.keep_connections:
                close_old_connections()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        ours = await self.ask(partial(receiving.is_taken, address))
        if ours is None:
            return LATER
        if not ours:
            return "550 5.1.1 No such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        """LMTP has one answer for each recipient, SMTP one for all: there all are written down, or none."""
        raw, sender = envelope.content, envelope.mail_from or ""
        lots = [[one] for one in envelope.rcpt_tos] if self.via == "lmtp" else [envelope.rcpt_tos]
        return "\r\n".join([await self.take(raw, lot, sender) for lot in lots])

    async def take(self, raw: bytes, recipients: list[str], sender: str) -> str:
        try:
            taken = await self.ask(partial(self.store_all, raw, recipients, sender))
        except receiving.TooMany:
            return "452 4.3.1 Too much mail to this address; please try again later"
        return "250 2.0.0 It is ours now" if taken else LATER

    def store_all(self, raw: bytes, recipients: list[str], sender: str) -> bool:
        with transaction.atomic():
            for recipient in recipients:
                receiving.store(raw, recipient=recipient, via=self.via, envelope_sender=sender)
        return True

    def close(self) -> None:
        """Wait for what is being written, and let the connections go."""
        self.threads.submit(connection.close)
        self.threads.shutdown(wait=True)


class Counted:
    """No more connections at once than we can serve; who is one too many is asked to come again."""

    line_length_limit = LONGEST_LINE
    open_connections: ClassVar[set] = set()  # of all of this process

    def connection_made(self, transport):
        if len(Counted.open_connections) >= MOST_CONNECTIONS:
            transport.write(b"421 4.3.2 Too many connections; please try again later\r\n")
            transport.close()
            return
        Counted.open_connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error):
        if self in Counted.open_connections:
            Counted.open_connections.discard(self)
            super().connection_lost(error)


class LmtpServer(Counted, LMTP):
    pass


class SmtpServer(Counted, SMTP):
    pass


def protocol(receiver: Receiver, loop) -> SMTP:
    kind = LmtpServer if receiver.via == "lmtp" else SmtpServer
    return kind(
        receiver,
        data_size_limit=settings.INBOUND_MAX_MB * 1024 * 1024,
        enable_SMTPUTF8=True,
        hostname=settings.INBOUND_DOMAIN,
        ident="kmnet",
        timeout=SECONDS,
        loop=loop,
    )


async def serve(*, via: str, host: str, port: int, path: str = "", ready: Callable | None = None) -> None:
    """Listen until SIGTERM or SIGINT; what is being received then is finished, or left with its sender."""
    loop = asyncio.get_running_loop()
    receiver = Receiver(via=via)
    factory = partial(protocol, receiver, loop)
    server = (
        await loop.create_unix_server(factory, path)
        if path
        else await loop.create_server(factory, host, port, backlog=MOST_CONNECTIONS)
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
            loop.add_signal_handler(number, stop.set)
    if ready is not None:
        ready(server.sockets[0].getsockname())
    try:
        await stop.wait()
    finally:
        server.close()
        await asyncio.to_thread(receiver.close)
