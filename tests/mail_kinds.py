"""Kinds of mail that only tests have, and a mail server that misbehaves on demand."""

import asyncio
from contextlib import contextmanager
from itertools import count

from aiosmtpd.controller import Controller
from django.core.mail.utils import DNS_NAME

from kmnet.core import mail
from kmnet.core.mail import kinds

numbers = count(1)


def plain_content(row) -> mail.MailContent:
    return mail.MailContent(
        {"title": row.refs.get("title", "A title"), "sentence": "A sentence.", "at": row.created_at}
    )


@contextmanager
def mail_kind(key="test.kind", *, compose=plain_content, **fields):
    """A kind for the time of a test; its templates are those of a short notice."""
    kind = mail.MailKind(key, "a test", "account/email/changed", compose, **fields)
    mail.register(kind)
    try:
        yield kind
    finally:
        kinds._kinds.pop(key)


def queue_test_mail(kind="test.kind", **fields):
    """One mail in the outbox, to a guest unless said otherwise."""
    number = next(numbers)
    if "member" not in fields:
        fields.setdefault("address", f"guest{number}@example.org")
    fields.setdefault("dedupe_key", f"test:{number}")
    return mail.queue(kind, **fields)


class FaultyServer:
    """What it answers is looked up by the receiver's local part; whoever is not named is accepted."""

    def __init__(self):
        self.answers: dict[
            str, str
        ] = {}  # local part: "450 later", "550 never", "hang", "drop", "accept and drop"
        self.at_rcpt = False  # answer to RCPT TO instead of after the message
        self.accepted: list[tuple[str, bytes]] = []  # receiver, message
        self.senders: list[str] = []  # of the envelopes of what was accepted
        self.connections = 0

    def answer_to(self, receiver: str) -> str:
        return self.answers.get(receiver.partition("@")[0], "")

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answer_to(address)
        if self.at_rcpt and answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        [receiver] = envelope.rcpt_tos  # more than one receiver a message would be a fault of ours
        answer = self.answer_to(receiver)
        if answer == "hang":
            await asyncio.sleep(30)
        if answer in ("", "accept and drop"):
            self.accepted.append((receiver, envelope.content))
            self.senders.append(envelope.mail_from)
        if answer.endswith("drop"):
            server.transport.close()
            return "421 gone"
        return answer or "250 accepted"


class AnyPortController(Controller):
    """Listens on a port that the system chooses; two runs at once do not meet."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def faulty_server(settings):
    """A FaultyServer that our SMTP backend is pointed at."""
    DNS_NAME._fqdn = "localhost"  # looking up the name of this machine may take seconds
    server = FaultyServer()
    controller = AnyPortController(server, hostname="127.0.0.1", port=0, server_hostname="sink.example")
    controller.start()
    try:
        settings.EMAIL_BACKEND = "kmnet.core.mail.smtp.Backend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_TIMEOUT = 2
        yield server
    finally:
        controller.stop(no_assert=True)
