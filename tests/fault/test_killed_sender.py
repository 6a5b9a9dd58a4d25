"""Whoever sends is killed (-9) in the middle of 200 mails and started again: all arrive, at most one of them twice.

The window that nobody can close lies between the mail server's "accepted" and our commit; the kill is aimed at it."""

import email
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from celery import Celery
from django.conf import settings
from django.db import connection

from kmnet.core import mail
from kmnet.core.models import OutgoingMail
from kmnet.settings import celery_url, redis_db
from tests.mail_kinds import AnyPortController

MAILS, KILLED_AT = 200, 90
ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.django_db(
    transaction=True
)  # the sender is another process: it sees what is committed


class DeadlySink:
    """Accepts everything, and kills whom it is told to once it has accepted so many, before it says so."""

    def __init__(self):
        self.accepted: list[str] = []  # Message-IDs
        self.victim: int | None = None

    async def handle_DATA(self, server, session, envelope):
        self.accepted.append(email.message_from_bytes(envelope.content)["Message-ID"])
        if len(self.accepted) == KILLED_AT and self.victim:
            os.killpg(self.victim, signal.SIGKILL)
            self.victim = None
        return "250 accepted"


@contextmanager
def sink() -> tuple[DeadlySink, Controller]:
    handler = DeadlySink()
    controller = AnyPortController(handler, hostname="127.0.0.1", port=0, server_hostname="sink.example")
    controller.start()
    try:
        yield handler, controller
    finally:
        controller.stop(no_assert=True)


def environment(port: int) -> dict[str, str]:
    """Of a process that works on this test's database, and mails to the sink."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return os.environ | {
        "KMNET_DEMO": "1",
        "DATABASE_URL": database.geturl(),
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "kmnet.settings",
        "PYTHONPATH": str(ROOT),
        "LOG_LEVEL": "ERROR",
    }


def start(command: list[str], port: int, log: Path) -> subprocess.Popen:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment(port),
            stdout=output,
            stderr=output,
            start_new_session=True,  # a group of its own, so that its children die with it
        )


def kill(process: subprocess.Popen) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def queue_mails() -> set[str]:
    """A kind that needs nothing but an address, so that any process can compose it."""
    rows = [
        mail.queue(
            "account.password_set", address=f"person{number}@example.org", dedupe_key=f"killed:{number}"
        )
        for number in range(MAILS)
    ]
    return {row.message_id for row in rows}


def wait_until(condition, log: Path, wake, seconds: int = 80) -> None:
    for tenth in range(seconds * 10):
        if condition():
            return
        if tenth % 10 == 0:
            wake()
        time.sleep(0.1)
    pytest.fail(log.read_text()[-3000:])


def all_sent() -> bool:
    return not OutgoingMail.objects.exclude(state="sent").exists()


def assert_all_arrived_and_at_most_one_twice(expected: set[str], accepted: list[str]) -> None:
    counts = Counter(accepted)
    assert set(counts) == expected
    twice = [message_id for message_id, count in counts.items() if count > 1]
    assert len(accepted) == MAILS + len(twice)
    assert twice == [
        accepted[KILLED_AT - 1]
    ]  # the kill hit the window: exactly that one, with the same Message-ID


SENDER = "import django; django.setup(); from kmnet.core import mail\nwhile mail.send_due_mail(): pass"


@pytest.mark.fault
def test_killed_sender_loses_nothing(tmp_path):
    expected, log = queue_mails(), tmp_path / "log"
    with sink() as (server, controller):
        sender = start(["-c", SENDER], controller.port, log)
        server.victim = sender.pid
        assert sender.wait(timeout=60) == -signal.SIGKILL, log.read_text()
        assert OutgoingMail.objects.filter(state="waiting").count() == MAILS - KILLED_AT + 1

        sender = start(["-c", SENDER], controller.port, log)
        assert sender.wait(timeout=60) == 0, log.read_text()

    assert all_sent()
    assert_all_arrived_and_at_most_one_twice(expected, server.accepted)


def test_killed_celery_worker_loses_nothing(tmp_path):
    """The same with the real worker. Its broker counts the killed task as running for an hour; what brings the rest is
    the schedule's next wake-up (here every second, of beat every 15), since the truth stands in the rows."""
    expected, log, queue = queue_mails(), tmp_path / "log", f"killed-{os.getpid()}"
    worker = [
        "-m",
        "celery",
        "-A",
        "kmnet",
        "worker",
        "--concurrency",
        "1",
        "-Q",
        queue,
        "--loglevel",
        "WARNING",
    ]

    def wake():
        wakes.send_task("kmnet.core.tasks.send_due_mail", queue=queue, retry=False)

    with sink() as (server, controller), Celery(broker=broker_url()) as wakes:
        process = start(worker, controller.port, log)
        try:
            server.victim = process.pid
            wait_until(lambda: process.poll() is not None, log, wake)
            assert process.returncode == -signal.SIGKILL, log.read_text()

            process = start(worker, controller.port, log)
            wait_until(all_sent, log, wake)
        finally:
            kill(process)
            with wakes.connection_or_acquire() as broker:
                broker.default_channel.queue_delete(queue)

    assert_all_arrived_and_at_most_one_twice(expected, server.accepted)


def broker_url() -> str:
    """The broker of the worker; this process has one of its own in memory, and wakes nobody else."""
    assert settings.CELERY_BROKER_URL == "memory://"
    return celery_url(redis_db(0))
