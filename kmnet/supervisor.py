"""`make run`: the servers, the site's processes and their order. Standard library only.

Loaded by path, as is embedded.py: it runs before Django's settings can be read.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK_OF_PACKAGES = ROOT / "requirements" / "base.txt"

DEMO_PEOPLE = ("admin", "moderator", "organiser", "member", "newcomer")
DEMO_DOMAIN = "demo.kmnet.example"
DEMO_PASSWORD = "between-worlds"


def say(text: str = "") -> None:
    print(text, flush=True)


# --- the port and the lock -------------------------------------------------------------------------------------------
def is_free(port: int) -> bool:
    """On both addresses that a browser may take `localhost` for."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, port)) == 0:
                return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_port(wanted: str | None) -> int:
    """PORT, or else the first free one from 8000."""
    if wanted:
        if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
            sys.exit(f"PORT must be a number from 1 to 65535, not {wanted!r}.")
        if not is_free(int(wanted)):
            sys.exit(
                f"Port {wanted} is taken (or not ours to take). Choose another, as in: PORT=8080 make run"
            )
        return int(wanted)
    for port in range(8000, 8100):
        if is_free(port):
            return port
    sys.exit("No port from 8000 to 8099 is free. Choose one, as in: PORT=9000 make run")


class RunLock:
    """Held by the one `run` of a checkout, and by its minder until the last of its processes is gone."""

    def __init__(self, path: Path):
        self.path = path
        self.file = None

    def take(self, *, patience: float = 15) -> bool:
        """False where somebody alive holds it. An earlier run that was killed gets time to clear away."""
        import fcntl  # here, so that Windows gets to read why it is refused

        self.file = open(self.path, "a+")  # noqa: SIM115  (held as long as this process lives)
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if self.holder_lives() or time.monotonic() > end:
                    self.close()
                    return False
                time.sleep(0.1)
            else:
                self.write(url=None)
                return True

    def close(self) -> None:
        self.file.close()

    def write(self, *, url: str | None) -> None:
        self.file.truncate(0)
        self.file.write(json.dumps({"pid": os.getpid(), "url": url}))
        self.file.flush()

    def read(self) -> dict:
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self.path.read_text())
        return {"pid": None, "url": None}

    def holder_lives(self) -> bool:
        with contextlib.suppress(OSError, TypeError):
            os.kill(self.read()["pid"], 0)
            return True
        return False

    def refusal(self) -> str:
        """What a second run says."""
        holder = self.read()
        place = f"at {holder['url']}" if holder["url"] else "and still starting"
        return f"kmnet is already running from this checkout, {place} (process {holder['pid']}). It is left alone."


# --- run -------------------------------------------------------------------------------------------------------------
class Run:
    """`make run`: servers, database, web, worker and beat, started together and stopped together."""

    def __init__(self, embedded, state: Path, lock: RunLock):
        self.state, self.lock = state, lock
        self.stop_asked = threading.Event()
        self.impatient = threading.Event()
        self.minder = embedded.Minder(keep_open=(lock.file.fileno(),))
        self.services = embedded.Services(embedded.missing_services(), state=state, minder=self.minder)
        self.children: dict[str, subprocess.Popen] = {}
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)

    def _ask_to_stop(self, number, _frame):
        if self.stop_asked.is_set():
            self.impatient.set()  # asked twice: do not wait for what is under way
        self.asked_by = signal.Signals(number).name
        self.stop_asked.set()

    def run(self) -> int:
        began = time.monotonic()
        port = choose_port(os.environ.get("PORT"))
        url = f"http://localhost:{port}/"
        try:
            with self.services:
                self.env = site_environment(self.state, self.services.addresses(), port)
                try:
                    self._prepare()
                    self._start_all(port)
                    if self._wait_for_web(port):
                        self.lock.write(url=url)
                        say(welcome(url, time.monotonic() - began))
                    return self._watch()
                finally:
                    self._stop_children()
        finally:
            self.minder.close()

    def _prepare(self) -> None:
        """Database, static files and demo data; each skipped where nothing changed since the last time."""
        database = self.state / "pg" / "PG_VERSION"  # ours: then we know what was done to it
        ours = "postgres" in self.services.wanted
        known = fingerprint_of_files(migration_files(), database) if ours else None
        static = fingerprint_of_files((ROOT / "static").rglob("*"), LOCK_OF_PACKAGES)
        collect = ["collectstatic", "--noinput", "--clear", "-v0"]
        self._do_together({"migrate": (["migrate", "-v0"], known), "static": (collect, static)})
        self._do_together({"demo": (["demo"], fingerprint_of_files([database]) if ours else None)})

    def _do_together(self, steps: dict) -> None:
        """Run management commands side by side; a step whose fingerprint is unchanged is skipped."""
        due = {}
        for name, (command, fingerprint) in steps.items():
            stamp = self.state / f"{name}.stamp"
            if fingerprint is None or not stamp.exists() or stamp.read_text() != fingerprint:
                self._start(name, ["manage.py", *command])
                due[name] = stamp, fingerprint
        for name, (stamp, fingerprint) in due.items():
            if self._wait_for_step(name):
                raise SystemExit(f"{name} failed: the site was not started.")
            if fingerprint:
                stamp.write_text(fingerprint)

    def _wait_for_step(self, name: str) -> int:
        while self.children[name].poll() is None:
            if self.stop_asked.wait(0.05):
                raise SystemExit(130)
        return self.children.pop(name).returncode

    def _start_all(self, port: int) -> None:
        granian = ["granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "8", "--no-ws"]
        granian += [
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--log-level",
            "error",
            "kmnet.wsgi:application",
        ]
        celery = ["celery", "-A", "kmnet", "--quiet"]
        self._start("web", ["-m", *granian])
        worker = ["worker", "-l", "warning", "-c", "2", "--without-gossip", "--without-mingle"]
        self._start("worker", ["-m", *celery, *worker])
        schedule = str(self.state / "beat-schedule")
        self._start("beat", ["-m", *celery, "beat", "-l", "warning", "--pidfile=", "-s", schedule])

    def _start(self, name: str, arguments: list[str]) -> None:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        child = self.minder.start([sys.executable, *arguments], env=self.env, cwd=ROOT, **pipes)
        self.children[name] = child
        threading.Thread(target=self._print_lines, args=(name, child.stdout), daemon=True).start()

    def _print_lines(self, name: str, lines) -> None:
        for line in lines:
            with contextlib.suppress(
                OSError, ValueError
            ):  # nobody reads us any more; the child must not block
                print(f"{name:>7} | {line}", end="", flush=True)

    def _wait_for_web(self, port: int) -> bool:
        """The port opens before the pages do: ask for one. (What stops this from coming true ends the process.)"""
        while not self.stop_asked.wait(0.2) and not self._dead_children():
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return True
        return False

    def _dead_children(self) -> list[str]:
        return [name for name, child in self.children.items() if child.poll() is not None]

    def _watch(self) -> int:
        while not self.stop_asked.wait(0.3):
            if dead := self._dead_children():
                codes = ", ".join(f"{name} (code {self.children[name].returncode})" for name in dead)
                say(f"Stopped by itself: {codes}. Stopping the rest.")
                return 1
        return 0

    def _stop_children(self) -> None:
        if self.stop_asked.is_set():
            say(f"\nStopping ({self.asked_by}) ...")
        living = [child for child in self.children.values() if child.poll() is None]
        for child in living:
            child.terminate()
        end = time.monotonic() + 10
        for child in living:
            while child.poll() is None and time.monotonic() < end and not self.impatient.is_set():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(0.1)
            child.kill()
            child.wait()
        say("Stopped.")


def site_environment(state: Path, services: dict, port: int) -> dict:
    """Of every process of a demo site. What the caller set, such as EMAIL_URL, passes through."""
    defaults = {
        "STATIC_ROOT": str(state / "static"),
        "MEDIA_ROOT": str(state / "media"),
        "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": "WARNING",
    }
    if os.geteuid() == 0:  # then the checkout is root's too, and Celery's advice would only alarm
        defaults["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"
    ours = {"KMNET_DEMO": "1", "SITE_URL": f"http://localhost:{port}"}
    return {**defaults, **os.environ, **services, **ours}


def welcome(url: str, seconds: float) -> str:
    sent = "through EMAIL_URL" if os.environ.get("EMAIL_URL") else f"to {url}dev/mail/"
    people = "".join(f"    {name}@{DEMO_DOMAIN}\n" for name in DEMO_PEOPLE)
    return (
        f"\nThe site is at {url} ({seconds:.0f} s)\n\n"
        f"  Sign in as one of these, password {DEMO_PASSWORD}\n{people}"
        f"  Mail is delivered {sent}\n"
        "  Ctrl-C stops it.\n"
    )


def migration_files() -> list[Path]:
    return [*ROOT.glob("*/migrations/*.py"), *ROOT.glob("kmnet/*/migrations/*.py"), LOCK_OF_PACKAGES]


def fingerprint_of_files(files, *more: Path) -> str:
    found = hashlib.sha256()
    for path in sorted({*files, *more}):
        if path.is_file():
            about = path.stat()
            found.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode())
    return found.hexdigest()
