"""On the wire: the signature, patience, and the command that helps to set it up."""

import socket
from io import StringIO
from threading import Thread
from time import monotonic

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.mail import get_connection
from django.core.management import CommandError, call_command

from kmnet.core import mail
from kmnet.core.mail import signing
from tests.factories import make_member
from tests.mail_kinds import faulty_server, mail_kind, queue_test_mail

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def dns(settings):
    """What a receiver would find where the row is written as check_mail says."""

    def find(name, timeout=5):
        assert name.decode().rstrip(".") == f"kmnet._domainkey.{settings.DKIM_DOMAIN}"
        return signing.public_key_row().encode()

    return find


@pytest.fixture
def signed(settings, pem):
    settings.DKIM_KEY, settings.DKIM_DOMAIN = pem, "kmnet.example"
    with mail_kind(category="reply"), faulty_server(settings) as server:
        queue_test_mail(member=make_member(name="Zoë"), refs={"title": "Ünïcode " * 20})
        mail.send_due_mail()
        [(_receiver, raw)] = server.accepted
    return raw


def test_receivers_find_the_signature_right(signed, settings):
    assert signed.startswith(b"DKIM-Signature: v=1;")
    assert dkim.verify(signed, dnsfunc=dns(settings))
    assert dkim.verify(signed + b"\r\n\r\n", dnsfunc=dns(settings))  # empty lines at the end do not matter


@pytest.mark.parametrize(
    "header", [b"From", b"Subject", b"List-Unsubscribe", b"List-Unsubscribe-Post", b"Message-ID", b"Date"]
)
def test_it_covers_what_nobody_may_change(signed, settings, header):
    changed = signed.replace(b"\r\n" + header + b": ", b"\r\n" + header + b": x", 1)
    assert changed != signed
    assert not dkim.verify(changed, dnsfunc=dns(settings))
    assert not dkim.verify(signed.replace(b"A sentence", b"A fallacy", 1), dnsfunc=dns(settings))


def test_nobody_adds_a_second_sender(signed, settings):
    assert not dkim.verify(
        signed.replace(b"\r\nFrom: ", b"\r\nFrom: x@y.example\r\nFrom: ", 1), dnsfunc=dns(settings)
    )


def test_the_key_may_lie_in_a_file_and_without_one_nothing_is_signed(settings, pem, tmp_path):
    file = tmp_path / "dkim.pem"
    file.write_text(pem)
    raw = b"From: a@kmnet.example\r\nTo: b@example.org\r\nSubject: x\r\n\r\nWords\r\n"
    assert signing.signed(raw) == raw
    for settings.DKIM_KEY in (str(file), pem.replace("\n", "\\n")):
        assert dkim.verify(signing.signed(raw), dnsfunc=dns(settings))


# --- patience --------------------------------------------------------------------------------------------------------
@pytest.fixture
def silent_server(settings):
    """Takes the connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []
        Thread(target=lambda: held.append(server.accept()), daemon=True).start()
        settings.EMAIL_BACKEND = "kmnet.core.mail.smtp.Backend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.MAIL_CONNECT_TIMEOUT, settings.EMAIL_TIMEOUT = 5, 0.3
        yield
        for connection, _address in held:
            connection.close()


@pytest.mark.parametrize("over_tls", [False, True])
def test_a_server_that_says_nothing_is_left(silent_server, settings, over_tls):
    settings.EMAIL_USE_SSL = over_tls
    if over_tls:
        settings.MAIL_CONNECT_TIMEOUT = 0.3  # the handshake belongs to the connection
    began = monotonic()
    with pytest.raises((TimeoutError, OSError)):
        get_connection().open()
    assert monotonic() - began < 4


def test_connecting_and_answering_have_a_time_each(settings, monkeypatch):
    asked = []

    def connect(address, timeout, source=None):
        asked.append(timeout)
        raise TimeoutError

    monkeypatch.setattr("socket.create_connection", connect)
    settings.EMAIL_BACKEND = "kmnet.core.mail.smtp.Backend"
    settings.MAIL_CONNECT_TIMEOUT, settings.EMAIL_TIMEOUT = 7, 60
    with pytest.raises(TimeoutError):
        get_connection().open()
    assert asked == [7]


# --- setting it up ---------------------------------------------------------------------------------------------------
def told(*arguments) -> str:
    out = StringIO()
    call_command("check_mail", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_check_mail_prints_the_rows(settings, pem):
    settings.DEFAULT_FROM_EMAIL = "kmnet <hello@kmnet.example>"
    settings.DKIM_KEY, settings.DKIM_DOMAIN, settings.EMAIL_HOST = pem, "kmnet.example", "mx.example.net"
    settings.INBOUND_MAIL, settings.INBOUND_DOMAIN = True, "in.kmnet.example"
    said = told()
    assert 'in.kmnet.example. TXT "v=spf1 a:mx.example.net -all"' in said
    assert 'kmnet._domainkey.kmnet.example. TXT "v=DKIM1; k=rsa; p=MIIB' in said
    assert '_dmarc.kmnet.example. TXT "v=DMARC1; p=quarantine;' in said
    assert "in.kmnet.example. MX 10" in said
    assert "Please look" not in said
    settings.DKIM_KEY, settings.INBOUND_DOMAIN = "", "elsewhere.example"
    said = told()
    assert "no DKIM_KEY is set" in said
    assert "SPF does not count for DMARC" in said


def test_check_mail_sends_a_test_and_tells_what_the_server_said(settings):
    with faulty_server(settings) as server:
        assert "The mail server took the test for ana@example.org" in told("--send", "ana@example.org")
        assert b"Subject: kmnet: a test of our mail" in server.accepted[0][1]
        server.answers["ben"] = "550 5.7.1 not from you"
        with pytest.raises(CommandError, match="550 5.7.1 not from you"):
            told("--send", "ben@example.org")
    with pytest.raises(CommandError, match="not sent"):
        told("--send", "ana@example.org")  # nobody is there any more
