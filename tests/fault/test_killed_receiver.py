"""Whoever takes mail in is killed (-9) again and again while many senders hand theirs over. A sender keeps a message
until it hears 250 and comes again otherwise, as mail servers do: each is there once, and none that was accepted is lost."""

import smtplib
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.mail.utils import DNS_NAME
from django.utils import timezone

from kmnet.core import inbound
from kmnet.core.inbound.working import work_on_received
from kmnet.core.models import ReceivedMail
from tests.factories import make_member
from tests.factories.discussions import make_thread
from tests.fault.test_killed_sender import kill, start
from tests.inbound import message

pytestmark = pytest.mark.django_db(transaction=True)
MESSAGES, SENDERS = 90, 4


class Door:
    """The receiver, started anew by the test whenever it was killed; always at the same socket."""

    def __init__(self, folder):
        self.path, self.log = str(folder / "mail.sock"), folder / "log"
        self.process: subprocess.Popen | None = None

    def open(self):
        self.process = start(["manage.py", "receive_mail", "--socket", self.path], 25, self.log)
        for _tenth in range(300):
            if self.answers():
                return
            time.sleep(0.1)
        pytest.fail(self.log.read_text()[-3000:])

    def answers(self) -> bool:
        try:
            with smtplib.LMTP(self.path, local_hostname="localhost"):
                return True
        except (OSError, smtplib.SMTPException):
            return False


@pytest.mark.fault
def test_a_killed_receiver_loses_nothing_that_it_accepted(tmp_path, monkeypatch):
    monkeypatch.setenv("INBOUND_MAIL", "1")
    DNS_NAME._fqdn = "localhost"
    ana = make_member(joined_at=timezone.now() - timedelta(days=400))
    addresses = [
        inbound.reply_address(member=ana, purpose="discussions.thread", target=make_thread())
        for _one in range(10)
    ]
    door, accepted, tries = Door(tmp_path), [], []
    done, failed = threading.Event(), threading.Event()

    def hand_over(number: int) -> None:
        to = addresses[number % len(addresses)]
        raw = message(ana, to, f"Reply {number}.", message_id=f"<{number}@example.org>")
        while not failed.is_set():
            tries.append(number)
            try:
                with smtplib.LMTP(door.path, local_hostname="localhost") as client:
                    client.sendmail(ana.email, [to], raw)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.05)
                continue
            accepted.append(number)
            return

    def kill_now_and_then() -> None:
        try:
            kill_thrice()
        except BaseException:
            failed.set()
            raise

    def kill_thrice() -> None:
        for share in (0.2, 0.5, 0.8):
            while len(accepted) < MESSAGES * share and not done.is_set():
                time.sleep(0.01)
            kill(door.process)
            door.open()

    door.open()
    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(hand_over, range(MESSAGES)))
        done.set()
        killer.join(60)
    finally:
        done.set()
        killer.join(60)
        kill(door.process)

    assert not failed.is_set()
    there = ReceivedMail.objects.values_list("message_id", flat=True)
    assert sorted(there) == sorted(f"<{number}@example.org>" for number in range(MESSAGES))
    assert len(tries) > MESSAGES  # the kills hit somebody
    while work_on_received():
        pass
    assert not ReceivedMail.objects.filter(state="waiting").exists()
