"""The door: what is ours is written down before the sender hears that we have it."""

import smtplib
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from aiosmtpd.controller import Controller
from django.core.mail.utils import DNS_NAME
from django.db import DatabaseError, connection
from django.utils import timezone

from kmnet.core import inbound
from kmnet.core.inbound import listener, receiving
from kmnet.core.models import ReceivedMail
from tests.factories import make_member
from tests.factories.discussions import make_thread
from tests.inbound import message

pytestmark = pytest.mark.django_db(transaction=True)


class AtAnyPort(Controller):
    def __init__(self, receiver):
        super().__init__(receiver, hostname="127.0.0.1", port=0)

    def factory(self):
        return listener.protocol(self.handler, self.loop)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        with (smtplib.LMTP if self.handler.via == "lmtp" else smtplib.SMTP)("127.0.0.1", self.port):
            pass


@contextmanager
def door(via="lmtp"):
    """A client's way in: door()() is a connection."""
    DNS_NAME._fqdn = "localhost"
    controller = AtAnyPort(listener.Receiver(via=via))
    controller.start()
    client = smtplib.LMTP if via == "lmtp" else smtplib.SMTP
    try:
        yield partial(client, "127.0.0.1", controller.port, local_hostname="localhost")
    finally:
        controller.stop(no_assert=True)
        controller.handler.threads.submit(connection.close)
        for _thread in range(listener.THREADS):
            controller.handler.threads.submit(close_here)
        controller.handler.threads.shutdown(wait=True)


def close_here():
    connection.close()


@pytest.fixture
def ana():
    return make_member(joined_at=timezone.now() - timedelta(days=400))


@pytest.fixture
def address(ana):
    return inbound.reply_address(member=ana, purpose="discussions.thread", target=make_thread())


@pytest.mark.parametrize("via", ["lmtp", "smtp"])
def test_a_message_is_taken_in_byte_for_byte(via, ana, address):
    raw = message(ana, address, "Grüße\n.\n.. two dots\n")
    with door(via) as connect, connect() as client:
        assert client.sendmail(ana.email, [address], raw) == {}
    received = ReceivedMail.objects.get()
    lines = bytes(received.raw).splitlines()
    assert lines[0] == f"Return-Path: <{ana.email}>".encode()
    assert lines[1:] == raw.splitlines()
    assert (received.via, received.recipient, received.sender) == (via, address, ana.email)


def test_who_is_not_here_is_refused_at_once_and_the_others_get_theirs(ana, address):
    with door() as connect, connect() as client:
        refused = client.sendmail(
            ana.email, [address, "nobody@kmnet.example", "reply+no@kmnet.example"], message(ana, address)
        )
        assert {to: code for to, (code, _said) in refused.items()} == {
            "nobody@kmnet.example": 550,
            "reply+no@kmnet.example": 550,
        }
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail(ana.email, ["root@elsewhere.example"], message(ana, address))
    assert ReceivedMail.objects.count() == 1


def test_a_message_that_is_too_large_is_refused(ana, address, settings):
    settings.INBOUND_MAX_MB = 1
    with door() as connect, connect() as client:
        with pytest.raises(smtplib.SMTPException) as refused:
            client.sendmail(
                ana.email, [address], message(ana, address, "x" * 70 + "\n" * 1 + "line\n" * 300_000)
            )
        assert getattr(refused.value, "smtp_code", 552) == 552
        client.sendmail(ana.email, [address], message(ana, address))  # the connection goes on
    assert ReceivedMail.objects.count() == 1


def test_what_cannot_be_written_down_stays_with_its_sender(ana, address, monkeypatch):
    def away(*args, **kwargs):
        raise DatabaseError("away")

    with door() as connect, connect() as client:
        with monkeypatch.context() as patch:
            patch.setattr(receiving, "store", away)
            with pytest.raises(smtplib.SMTPDataError) as refused:
                client.sendmail(ana.email, [address], message(ana, address))
            assert refused.value.smtp_code == 451
        with monkeypatch.context() as patch:
            patch.setattr(receiving, "is_taken", away)
            with pytest.raises(smtplib.SMTPRecipientsRefused) as later:
                client.sendmail(ana.email, [address], message(ana, address))
            assert later.value.recipients[address][0] == 451
        assert ReceivedMail.objects.count() == 0
        client.sendmail(ana.email, [address], message(ana, address))
    assert ReceivedMail.objects.count() == 1


def test_250_is_said_after_the_commit(ana, address, monkeypatch):
    """Held up before the commit, the sender waits: nothing tells them that we have it."""
    stored, go_on, seen = threading.Event(), threading.Event(), []
    store_all = listener.Receiver.store_all

    def hold(self, *args):
        stored.set()
        assert go_on.wait(10)
        return store_all(self, *args)

    monkeypatch.setattr(listener.Receiver, "store_all", hold)
    with door() as connect, connect() as client:
        sending = threading.Thread(
            target=lambda: seen.append(client.sendmail(ana.email, [address], message(ana, address)))
        )
        sending.start()
        assert stored.wait(10)
        assert seen == []
        assert ReceivedMail.objects.count() == 0
        go_on.set()
        sending.join(10)
    assert seen == [{}]
    assert ReceivedMail.objects.count() == 1


def test_many_at_once_are_all_taken_in_and_doubles_once(ana, address):
    def send(connect, number):
        with connect() as client:
            raw = message(ana, address, message_id=f"<{number // 2}@example.org>")  # each twice
            return client.sendmail(ana.email, [address], raw)

    with door() as connect, ThreadPoolExecutor(10) as pool:
        assert list(pool.map(partial(send, connect), range(40))) == [{}] * 40
    assert ReceivedMail.objects.count() == 20


def test_one_address_is_not_flooded(ana, address, monkeypatch):
    monkeypatch.setattr(receiving, "MOST_PER_HOUR", 2)
    with door() as connect, connect() as client:
        for _time in range(2):
            client.sendmail(ana.email, [address], message(ana, address))
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(ana.email, [address], message(ana, address))
        assert refused.value.smtp_code == 452
    assert ReceivedMail.objects.count() == 2


def test_too_many_connections_are_asked_to_come_again(ana, address, monkeypatch):
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 1)
    with door() as connect, connect() as client:
        client.lhlo() if hasattr(client, "lhlo") else client.ehlo("lhlo")
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            connect()
        assert refused.value.smtp_code == 421
        assert client.sendmail(ana.email, [address], message(ana, address)) == {}
