"""Many people with a browser each: they sign in, look at a page, and all press a button at the same moment."""

import asyncio
import http.client
import re
import resource
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

HOST = "127.0.0.1"
TOKEN = re.compile(rb'"X-CSRFToken": "(\w+)"')


@dataclass
class Person:
    """A member with a session. `cookie` and `token` are what their browser has after looking at the page."""

    member: object
    cookie: str
    token: str = ""


@dataclass
class Answer:
    status: int
    began: float  # when the button was pressed
    ended: float
    body: bytes

    @property
    def seconds(self) -> float:
        return self.ended - self.began


def sign_in(member) -> Person:
    client = Client(SERVER_NAME="localhost")
    client.force_login(member)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return Person(member, f"{settings.SESSION_COOKIE_NAME}={session}")


def look(port: int, people: list[Person], path: str) -> None:
    """Each opens the page that has the button, eight at a time: their session is on the list, their token known."""

    def open_page(person: Person) -> None:
        client = http.client.HTTPConnection(HOST, port, timeout=60)
        client.request("GET", path, headers={"Host": "localhost", "Cookie": person.cookie})
        answer = client.getresponse()
        body = answer.read()
        client.close()
        if answer.status != 200:
            raise SystemExit(f"{path} was answered with {answer.status}")
        cookie = answer.getheader("Set-Cookie", "").partition(";")[0]
        person.cookie += f"; {cookie}"
        person.token = TOKEN.search(body).group(1).decode()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_page, people))


def press_at_once(port: int, presses: list[tuple[Person, str, dict]]) -> list[Answer]:
    """Everybody is connected; then all send their form, as htmx does, and read what comes. In the order given."""
    _allow_files(len(presses) + 200)
    return asyncio.run(_press_at_once(port, presses))


async def _press_at_once(port, presses):
    start, connected = asyncio.Event(), asyncio.Semaphore(0)
    tasks = [asyncio.create_task(_press(port, *press, start, connected)) for press in presses]
    for _number in presses:
        await connected.acquire()
    await asyncio.sleep(0.5)  # the server has accepted them all
    start.set()
    return await asyncio.gather(*tasks)


async def _press(port, person, path, fields, start, connected) -> Answer:
    body = urlencode(fields).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Cookie: {person.cookie}",
        f"X-CSRFToken: {person.token}",
        "HX-Request: true",
        "Accept-Encoding: gzip",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    finally:
        connected.release()
    await start.wait()
    began = time.perf_counter()
    writer.write(request)
    answer = await reader.read(-1)
    ended = time.perf_counter()
    writer.close()
    status = int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0
    return Answer(status, began, ended, answer)


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


@dataclass
class Pace:
    """How fast a storm was answered."""

    answers: int
    seconds: float
    median: float
    p99: float
    slowest: float

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


def pace(answers: list[Answer]) -> Pace:
    taken = sorted(answer.seconds for answer in answers)
    whole = max(answer.ended for answer in answers) - min(answer.began for answer in answers)
    return Pace(
        len(answers),
        whole,
        statistics.median(taken),
        taken[min(len(taken) - 1, int(len(taken) * 0.99))],
        taken[-1],
    )
