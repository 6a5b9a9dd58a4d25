"""Everything that can fail does, while members write and the clock runs: the mail server defers, refuses, hangs and drops
before and after it has accepted; workers and beats are killed; Redis is flushed and stopped; Postgres is cut. Afterwards
every mail that must be there is there once; twice at most, with the same Message-ID, where it was accepted and nobody
could be told so."""

import asyncio
import email
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
import redis
from django.db import connection
from django.utils import timezone
from psycopg2 import sql

from kmnet.core import mail
from kmnet.core.mail import delivery
from kmnet.core.models import Activity, JobState, MailReturn, Notification, OutgoingMail
from kmnet.hub.models import DigestRun, DigestSchedule
from kmnet.hub.services import refresh_schedules
from tests.factories import make_member
from tests.factories.discussions import make_post, make_thread
from tests.factories.events import make_event, make_registration
from tests.mail_kinds import AnyPortController, faulty_server, mail_kind, queue_test_mail
from tests.services import embedded
from tests.together import at_once

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.django_db(transaction=True)


class Weather:
    """A mail server with moods. Whom it accepted, and whether it could say so."""

    def __init__(self, seed: int):
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.storm = True
        self.accepted: Counter[str] = Counter()  # by Message-ID
        self.unsaid: Counter[str] = Counter()  # accepted, and the connection was gone
        self.moods: Counter[str] = Counter()

    def mood(self, message_id: str) -> str:
        with self.lock:
            dice = self.random.random() if self.storm else 1
            for mood, share in (
                ("defer", 0.15),
                ("drop", 0.05),
                ("hang", 0.03),
                ("busy", 0.03),
                ("unsaid", 0.05),
            ):
                if dice < share and not (mood == "unsaid" and self.unsaid[message_id]):
                    return mood
                dice -= share
            return "accept"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("never"):
            self.moods["refuse"] += 1
            return "550 5.1.1 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message_id = email.message_from_bytes(envelope.content)["Message-ID"]
        mood = self.mood(message_id)
        self.moods[mood] += 1
        if mood == "defer":
            return "451 4.3.2 later"
        if mood == "busy":
            return "421 4.3.2 too busy"
        if mood == "hang":
            await asyncio.sleep(8)
        if mood in ("accept", "unsaid"):
            self.accepted[message_id] += 1
        if mood == "accept":
            return "250 accepted"
        self.unsaid[message_id] += mood == "unsaid"
        server.transport.close()
        return "421 gone"


@contextmanager
def weather(seed: int):
    sky = Weather(seed)
    controller = AnyPortController(sky, hostname="127.0.0.1", port=0, server_hostname="sink.example")
    controller.start()
    try:
        yield sky, controller.port
    finally:
        controller.stop(no_assert=True)


class Site:
    """Two workers, two beats and a Redis of their own, on the database of this test; all of them can be hurt."""

    def __init__(self, smtp_port: int, folder: Path):
        self.folder, self.log = folder, folder / "log"
        self.socket = folder / "redis.sock"
        self.processes: dict[str, subprocess.Popen] = {}
        self.redis: subprocess.Popen | None = None
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
        self.env = os.environ | {
            "KMNET_DEMO": "1",
            "DATABASE_URL": database.geturl(),
            "REDIS_URL": f"unix://{self.socket}?db=0",
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
            "EMAIL_TIMEOUT": "5",
            "MAIL_CONNECT_TIMEOUT": "2",
            "MAIL_PER_MINUTE": "0",
            "MAIL_PER_MINUTE_PER_DOMAIN": "0",
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "ERROR",
        }

    def spawn(self, command: list[str]) -> subprocess.Popen:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=output, stderr=output, start_new_session=True
            )

    def start_redis(self) -> None:
        self.redis = self.spawn(
            [
                embedded.redis_program(),
                "--port",
                "0",
                "--unixsocket",
                str(self.socket),
                "--save",
                "",
                "--dir",
                str(self.folder),
            ]
        )

    def stop_redis(self) -> None:
        end(self.redis)
        self.redis = None

    def flush_redis(self) -> None:
        with suppress(redis.RedisError), redis.Redis(unix_socket_path=str(self.socket)) as client:
            client.flushall()

    def start(self, name: str) -> None:
        script = [sys.executable, str(ROOT / "tests" / "fault" / "site.py")]
        if name.startswith("worker"):
            options = [
                "worker",
                "-c",
                "1",
                "-l",
                "error",
                "-n",
                f"{name}@here",
                "--without-gossip",
                "--without-mingle",
            ]
        else:
            options = ["beat", "-l", "error", "--pidfile=", "-s", str(self.folder / name)]
        self.processes[name] = self.spawn([*script, *options])

    def kill(self, name: str) -> None:
        end(self.processes[name])

    def __enter__(self):
        self.start_redis()
        for name in ("worker1", "worker2", "beat1", "beat2"):
            self.start(name)
        return self

    def __exit__(self, *_exc):
        for process in (*self.processes.values(), self.redis):
            if process is not None:
                end(process)


def end(process: subprocess.Popen) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def cut_postgres(seconds: float) -> None:
    """Every connection but ours breaks, and no new one comes about for so long."""
    name = connection.settings_dict["NAME"]
    beside = urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [ours] = cursor.fetchone()
    with closing(psycopg2.connect(beside)) as server, server.cursor() as cursor:
        server.autocommit = True

        def allow(connections: bool) -> None:
            command = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
            cursor.execute(command.format(sql.Identifier(name), sql.Literal(connections)))

        allow(not seconds)
        try:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
                (name, ours),
            )
            time.sleep(seconds)
        finally:
            allow(True)


# --- what must be there ----------------------------------------------------------------------------------------------
class World:
    """People who wait for mails; more of it is written while things break."""

    def __init__(self):
        self.guests, self.nobody, self.replies = 0, 0, []
        event = make_event(starts_in=timedelta(hours=22))
        for _row in range(10):
            make_registration(event=event, confirmed_at=timezone.now() - timedelta(days=20))
        for _row in range(10):
            make_member(profile={"digest": "daily"})
        refresh_schedules()
        now = timezone.now()
        DigestSchedule.objects.update(
            next_due_at=now - timedelta(hours=1), covered_until=now - timedelta(days=1)
        )
        self.readers = DigestSchedule.objects.count()
        self.threads = [make_thread(author=make_member(profile={"digest": "never"})) for _row in range(10)]

    def happens(self, step: int) -> None:
        for _row in range(15):
            mail.queue(
                "account.password_set",
                address=f"guest{self.guests}@example.org",
                dedupe_key=f"guest:{self.guests}",
            )
            self.guests += 1
        mail.queue(
            "account.password_set",
            address=f"never{self.nobody}@example.org",
            dedupe_key=f"never:{self.nobody}",
        )
        self.nobody += 1
        thread = self.threads[step % len(self.threads)]
        self.replies.append(make_post(thread=thread, author=make_member(profile={"digest": "never"})))


def settle(site: Site, sky: Weather, seconds: int) -> None:
    """The storm is over, everything that was killed stands again; wait until nothing is due."""
    sky.storm = False
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        now = timezone.now()
        OutgoingMail.objects.waiting().filter(next_try_at__gt=now).update(
            due_at=now, next_try_at=now
        )  # the grace
        if not (
            OutgoingMail.objects.waiting().exists()
            or Activity.objects.waiting().exists()
            or DigestSchedule.objects.due(now).exists()
            or OutgoingMail.objects.filter(kind="events.reminder_24h").count() < 10
        ):
            return
        time.sleep(1)
    left = list(OutgoingMail.objects.waiting().values_list("kind", "attempts", "reason")[:5])
    pytest.fail(f"still due: {left}\n{site.log.read_text()[-3000:]}")


def check(world: World, sky: Weather, kills: int) -> Counter:
    def states(**found):
        return Counter(OutgoingMail.objects.filter(**found).values_list("state", flat=True))

    assert states(dedupe_key__startswith="guest:") == {"sent": world.guests}
    assert states(dedupe_key__startswith="never:") == {"failed": world.nobody}
    assert MailReturn.objects.count() == world.nobody
    assert states(kind="events.reminder_24h") == {"sent": 10}
    assert (
        DigestRun.objects.count() == world.readers == OutgoingMail.objects.filter(kind="hub.digest").count()
    )
    assert not states(kind="hub.digest", state="failed")
    told = Notification.objects.filter(activity__verb="discussions.replied")
    # One for each reply to the author of the thread; whoever wrote there before is told of the first unread one alone.
    for reply in world.replies:
        assert told.filter(activity__target_id=reply.pk, recipient=reply.thread.author).count() == 1
    assert states(kind="discussions.reply").keys() == {"sent"}

    rows = set(
        OutgoingMail.objects.filter(state="sent", lead__isnull=True).values_list("message_id", flat=True)
    )
    assert set(sky.accepted) == rows  # all that is said to be sent was accepted, and nothing else was
    # Once more for each time that it was accepted and its sender could not hear so: by the server's mood (at most once a
    # mail), or because the sender, or its database, was gone before it could note it.
    by_accident = {
        message_id: count - 1 - sky.unsaid[message_id]
        for message_id, count in sky.accepted.items()
        if count - 1 > sky.unsaid[message_id]
    }
    assert set(by_accident.values()) <= {1}
    assert len(by_accident) <= kills
    twice = sum(count > 1 for count in sky.accepted.values())
    return Counter({"mails": len(rows), "twice": twice, "of these by accident": len(by_accident)})


@pytest.mark.fault
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_fails_every_mail_is_there_once(seed, capsys):
    folder = Path(tempfile.mkdtemp(prefix="kmf"))
    chance, world, kills = random.Random(seed), World(), 0
    try:
        with weather(seed) as (sky, port), Site(port, folder) as site:
            ways = [
                "worker1",
                "worker2",
                "beat1",
                "worker1",
                "flush",
                "flush",
                "redis",
                "break",
                "break",
                "cut",
            ]
            chance.shuffle(ways)
            time.sleep(8)  # until they stand
            for step, way in enumerate(ways):
                world.happens(step)
                time.sleep(chance.uniform(0.5, 3))
                if way in site.processes:
                    site.kill(way)
                    world.happens(step)
                    site.start(way)
                    kills += way.startswith("worker")
                elif way == "flush":
                    site.flush_redis()
                elif way == "redis":
                    site.stop_redis()
                    time.sleep(4)
                    site.start_redis()
                else:
                    cut_postgres(3 if way == "cut" else 0)
                    kills += 2  # two workers, each with one mail on the wire
            settle(site, sky, seconds=240)
            found = check(world, sky, kills)
            failures = list(JobState.objects.filter(failures__gt=0).values_list("name", "failure"))
            with capsys.disabled():
                print(  # noqa: T201  for the person who runs it
                    f"\nseed {seed}: {dict(found)}, moods {dict(sky.moods)}, {kills} chances of a double; {failures}"
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_little_of_all_faults(settings, monkeypatch):
    """The same in this process, in seconds: two senders, a server that defers, refuses, hangs and drops; then calm."""
    monkeypatch.setattr(delivery, "SOON", [0] * 50)
    with mail_kind(), faulty_server(settings) as server:
        settings.EMAIL_TIMEOUT = 0.4
        answers = ["450 later", "550 5.1.1 nobody", "hang", "drop", "accept and drop", *[""] * 5]
        rows = [queue_test_mail(address=f"p{number}@example.org") for number in range(40)]
        server.answers = {f"p{number}": answers[number % 10] for number in range(40)}
        for _turn in range(3):
            at_once(mail.send_due_mail, mail.send_due_mail)
        server.answers = {name: said for name, said in server.answers.items() if said.startswith("550")}
        for _turn in range(3):
            at_once(mail.send_due_mail, mail.send_due_mail)
    assert Counter(OutgoingMail.objects.values_list("state", flat=True)) == {"sent": 36, "failed": 4}
    counts = Counter(email.message_from_bytes(raw)["Message-ID"] for _receiver, raw in server.accepted)
    sent = {row.message_id for number, row in enumerate(rows) if number % 10 != 1}
    assert set(counts) == sent
    unsaid = {row.message_id for number, row in enumerate(rows) if number % 10 == 4}
    assert {message_id for message_id, count in counts.items() if count > 1} <= unsaid
