"""Server time and queries inside this process; CPU of all processes through real web servers."""

import contextlib
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass

import psutil
from django.db import connection
from django.test import Client

CONNECTIONS = 8


@dataclass
class Inside:
    queries: int
    median: float  # milliseconds
    p95: float
    size: int


def measure_inside(client: Client, address: str, *, times: int) -> Inside:
    """The whole of the site but the web server: middleware, view, queries, template."""
    for _ in range(3):
        response = client.get(address)
        if response.status_code != 200:
            raise LookupError(f"answered {response.status_code}")
    queries = 0

    def count(execute, *arguments):
        nonlocal queries
        queries += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        client.get(address)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        client.get(address)
        taken.append((time.perf_counter() - began) * 1000)
    return Inside(
        queries, statistics.median(taken), statistics.quantiles(taken, n=20)[-1], len(response.content)
    )


def measure_posting(client: Client, address: str, *, times: int) -> tuple[Inside, float]:
    """Replies through the form’s own address; the second number is the CPU of one, in milliseconds."""

    def post():
        return client.post(
            address, {"body": "It worked for us, with **two** changes.", "submit_key": uuid.uuid4()}
        )

    for _ in range(3):
        if post().status_code != 302:
            raise LookupError("was refused")
    queries = 0

    def count(execute, *arguments):
        nonlocal queries
        queries += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        post()
    taken, before, own = [], cpu_of_servers(), time.process_time()
    for _ in range(times):
        began = time.perf_counter()
        response = post()
        taken.append((time.perf_counter() - began) * 1000)
        if response.status_code != 302:
            raise LookupError(f"answered {response.status_code}")
    cpu = (cpu_of_servers() - before + time.process_time() - own) / times * 1000
    inside = Inside(queries, statistics.median(taken), statistics.quantiles(taken, n=20)[-1], 0)
    return inside, cpu


GRANIAN = "granian --interface wsgi --workers 2 --blocking-threads 4 --no-ws --log-level critical --port {}"
GUNICORN = "gunicorn --worker-class gthread --workers 2 --threads 4 --log-level critical --bind 127.0.0.1:{}"


@contextlib.contextmanager
def serving(application: str, *, server: str):
    """Gives the port."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = [sys.executable, "-m", *server.format(port).split(), application]
    server = subprocess.Popen(command, start_new_session=True)
    try:
        while server.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                probe = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                probe.request("GET", "/healthz")
                probe.getresponse().read()
                probe.close()
                break
            time.sleep(0.1)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def cpu_per_request(port: int, address: str, cookie: str, *, seconds: float) -> float:
    """Milliseconds of CPU, of the web server, Postgres and Redis together, with 8 connections at once."""
    _ask(port, address, cookie, until=time.monotonic() + 0.5)  # everything is warm and connected
    before = cpu_of_servers()
    done = _ask(port, address, cookie, until=time.monotonic() + seconds)
    return (cpu_of_servers() - before) / done * 1000


def _ask(port, address, cookie, *, until) -> int:
    counts = []

    def ask():
        client, done = http.client.HTTPConnection("127.0.0.1", port, timeout=60), 0
        while time.monotonic() < until:
            client.request(
                "GET", address, headers={"Host": "localhost", "Cookie": cookie, "Accept-Encoding": "gzip"}
            )
            answer = client.getresponse()
            answer.read()
            if answer.status != 200:
                raise LookupError(f"answered {answer.status}")
            done += 1
        client.close()
        counts.append(done)

    askers = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    if len(counts) < CONNECTIONS:
        raise LookupError("did not answer all")
    return sum(counts)


def cpu_of_servers() -> float:
    """Seconds, of all that dev.py and we started, but not of ourselves; with what their ended children spent."""
    return sum(cpu_by_program().values())


def cpu_by_program() -> Counter:
    """The same by the name of the program: {"postgres": 3.1, ...}."""
    spent_by = Counter()
    for process in psutil.Process(os.getppid()).children(recursive=True):
        if process.pid != os.getpid():
            with contextlib.suppress(psutil.Error):
                spent = process.cpu_times()
                name = process.name().partition("-")[0]
                spent_by[name] += spent.user + spent.system + spent.children_user + spent.children_system
    return spent_by
