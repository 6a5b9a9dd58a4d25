"""`make run` as it is: started, stopped, killed and started again. Slow; `make faults` plays these."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from .loading import ROOT, supervisor

pytestmark = pytest.mark.fault
START_LIMIT = 600  # seconds; for what hangs, not for a machine that is busy


class Site:
    """One state folder, and the runs on it."""

    def __init__(self, state: Path):
        self.state = state
        self.log = state.with_suffix(".log")
        self.runs = []

    def environment(self, **more):
        servers = ("DATABASE_URL", "REDIS_URL", "PORT")  # the suite's own are not for these runs
        kept = {name: value for name, value in os.environ.items() if name not in servers}
        return {**kept, "KMNET_STATE": str(self.state), **more}

    def start(self, **more) -> subprocess.Popen:
        with open(self.log, "w") as log:
            command = [sys.executable, "dev.py", "_run"]
            run = subprocess.Popen(command, cwd=ROOT, env=self.environment(**more), stdout=log, stderr=log)
        self.runs.append(run)
        return run

    def start_and_wait(self, **more) -> subprocess.Popen:
        run = self.start(**more)
        wait_until(lambda: "The site is at" in self.log.read_text() or run.poll() is not None, START_LIMIT)
        assert run.poll() is None, self.log.read_text()
        return run

    def call(self, *arguments, **more) -> subprocess.CompletedProcess:
        command = [sys.executable, "dev.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment(**more), capture_output=True, text=True)

    def url(self) -> str:
        return supervisor.RunLock(self.state / "run.lock").read()["url"]

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url() + path, timeout=60) as answer:
            return answer.read().decode()


@pytest.fixture
def site():
    folder = Path(tempfile.mkdtemp(prefix="kmnet-fault-", dir="/var/tmp"))
    folder.chmod(0o755)
    site = Site(folder / "state")
    yield site
    for run in site.runs:
        if run.poll() is None:
            run.terminate()
            run.wait(60)
    shutil.rmtree(folder)


def wait_until(is_so, limit: float) -> float:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < limit, "this did not come true in time"
        time.sleep(0.1)
    return time.monotonic() - began


def family_of(run: subprocess.Popen) -> list[psutil.Process]:
    return [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(processes) -> bool:
    return all(map(is_gone, processes))


def test_site_runs_once_keeps_its_state_and_leaves_nothing(site):
    run = site.start_and_wait()
    family = family_of(run)
    assert len(family) > 10  # the minder, two servers, web, worker, beat, and children of theirs
    assert '"database": "ok"' in site.get("readyz")

    second = site.call("_run")
    assert second.returncode == 1
    assert f"already running from this checkout, at {site.url()}" in second.stdout
    assert '"alive": true' in site.get("healthz")

    mark = "from django.utils import timezone as t; from kmnet.core.models import Heartbeat as H;"
    beside = site.call("_manage", "shell", "-c", f"{mark} H.objects.create(name='kept', seen_at=t.now())")
    assert beside.returncode == 0, beside.stderr

    run.send_signal(signal.SIGINT)
    assert run.wait(60) == 0
    wait_until(lambda: all_gone(family), 30)

    kept = site.call(
        "_manage", "shell", "-c", f"{mark} print('kept:', H.objects.filter(name='kept').count())"
    )
    assert "kept: 1" in kept.stdout, kept.stderr


def test_killed_supervisor_leaves_no_process_and_the_next_start_is_clean(site):
    run = site.start_and_wait()
    family = family_of(run)
    run.kill()
    run.wait()
    wait_until(lambda: all_gone(family), 30)
    again = site.start_and_wait()
    assert '"database": "ok"' in site.get("readyz")
    again.terminate()
    assert again.wait(60) == 0


def test_supervisor_killed_while_it_starts_leaves_no_process(site):
    run = site.start()
    wait_until(lambda: len(family_of(run)) > 4, START_LIMIT)  # servers are up, migrations under way
    family = family_of(run)
    run.kill()
    run.wait()
    wait_until(lambda: all_gone(family), 30)


def test_ctrl_c_while_it_starts_stops_it_at_once(site):
    run = site.start()
    wait_until(lambda: len(family_of(run)) > 4, START_LIMIT)
    family = family_of(run)
    run.send_signal(signal.SIGINT)
    assert run.wait(60) == 130
    wait_until(lambda: all_gone(family), 30)


def test_start_right_after_a_kill_waits_for_the_killed_run_to_clear_away(site):
    run = site.start_and_wait()
    family = family_of(run)
    run.kill()
    run.wait()
    site.start_and_wait()
    assert all_gone(family)


def test_process_that_dies_stops_the_others_with_code_1(site):
    run = site.start_and_wait()
    family = family_of(run)
    beat = next(p for p in family if "beat" in p.cmdline())
    beat.kill()
    assert run.wait(60) == 1
    assert "Stopped by itself: beat" in site.log.read_text()
    wait_until(lambda: all_gone(family), 30)


def test_busy_port_is_refused_and_a_free_one_honoured(site):
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = str(chosen.getsockname()[1])
    first = site.start_and_wait(PORT=port)
    assert site.url() == f"http://localhost:{port}/"
    refused = site.call("_run", PORT=port, KMNET_STATE=str(site.state.with_name("other")))
    assert refused.returncode == 1
    assert f"Port {port} is taken" in refused.stderr
    first.terminate()
    assert first.wait(60) == 0


def test_named_servers_are_used_and_only_the_missing_one_is_started(site):
    """The suite's own servers are given to `run`, each of the two alone."""
    for named, started in (("DATABASE_URL", "redis.log"), ("REDIS_URL", "postgres.log")):
        shutil.rmtree(site.state, ignore_errors=True)
        run = site.start_and_wait(**{named: os.environ[named]})
        assert {path.name for path in site.state.glob("*.log")} == {started}
        assert '"redis": "ok"' in site.get("readyz")
        run.terminate()
        assert run.wait(60) == 0
