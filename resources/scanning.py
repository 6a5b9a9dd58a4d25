"""Asking clamd whether a file is known to do harm. No Django but the settings; nothing is written here.

CLAMD_ADDRESS names it: a unix socket (a path), or host:port. Its protocol is INSTREAM: lengths and chunks, then one line
for an answer. Nothing but that very line, after all was sent, is an answer: a scanner that hangs, dies, stutters or says
something else has not passed a file.
"""

import re
import socket
import struct
import time
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from django.conf import settings
from django.core.cache import cache

CHUNK = 64 * 1024
CONNECT_SECONDS = 5.0
MAX_SECONDS = 120.0  # for one file, in all
MAX_ANSWER = 4096
WORKS_FOR = 600  # seconds for which a scanner that knew the sample is believed


class NoAnswer(Exception):
    """The scanner did not say what the file is. The message is for the operator."""


class Unreachable(NoAnswer):
    """It was not there, or is not one: there is no use in trying other files now."""


@dataclass(frozen=True)
class Verdict:
    """finding: the name of what was found; "" where nothing was."""

    finding: str = ""

    @property
    def is_clean(self) -> bool:
        return not self.finding


def is_configured() -> bool:
    return bool(settings.CLAMD_ADDRESS)


def scan(content: BinaryIO, *, seconds: float = MAX_SECONDS) -> Verdict:
    """What the scanner says of this content, read from where it stands. Blocks for at most `seconds`. Raises NoAnswer, and
    whatever reading the content raises."""
    ends = time.monotonic() + seconds
    try:
        with _connected() as connection:
            whole = _send(connection, content, ends)
            answer = _hear(connection, ends)
    except OSError as error:
        raise NoAnswer(f"{type(error).__name__}") from error
    return _understood(answer, whole)


def check_the_scanner() -> None:
    """Raises Unreachable where the scanner does not know the harmless sample that each of them knows: then its "OK" means
    nothing. One that does is believed for ten minutes."""
    key = f"clamd-works:{settings.CLAMD_ADDRESS}"
    if cache.get(key):
        return
    try:
        verdict = scan(BytesIO(sample()), seconds=30)
    except NoAnswer as error:
        raise Unreachable(str(error)) from error
    if verdict.is_clean:
        raise Unreachable("it does not know the EICAR sample")
    cache.set(key, True, WORKS_FOR)


def sample() -> bytes:
    """EICAR's test file; backwards, or scanners would find it here."""
    turned = rb"*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\4[PA@%P!O5X"
    return turned[::-1]


def _connected() -> socket.socket:
    address = settings.CLAMD_ADDRESS.removeprefix("unix:").removeprefix("tcp://")
    try:
        if address.startswith("/"):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(CONNECT_SECONDS)
                connection.connect(address)
            except OSError:
                connection.close()
                raise
            return connection
        host, _colon, port = address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS)
    except (OSError, ValueError, OverflowError) as error:
        raise Unreachable(f"{type(error).__name__}") from error


def _send(connection: socket.socket, content: BinaryIO, ends: float) -> bool:
    """Whether it took all of it. One that has heard enough closes the line and may have said why."""
    try:
        _give(connection, b"zINSTREAM\0", ends)
        while chunk := content.read(CHUNK):
            _give(connection, struct.pack(">I", len(chunk)) + chunk, ends)
        _give(connection, struct.pack(">I", 0), ends)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _give(connection: socket.socket, data: bytes, ends: float) -> None:
    connection.settimeout(_left(ends))
    connection.sendall(data)


def _hear(connection: socket.socket, ends: float) -> bytes:
    answer = b""
    while not answer.endswith(b"\0"):
        connection.settimeout(_left(ends))
        try:
            chunk = connection.recv(MAX_ANSWER)
        except ConnectionResetError:
            break
        if not chunk:
            break
        answer += chunk
        if len(answer) > MAX_ANSWER:
            raise NoAnswer("it said too much")
    return answer


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise NoAnswer("it was too slow")
    return left


def _understood(answer: bytes, whole: bool) -> Verdict:
    found = re.fullmatch(rb"stream: ([\x20-\x7e]{1,300}) FOUND\0", answer)
    if found:
        return Verdict(found.group(1).decode("ascii")[:200])
    if whole and answer == b"stream: OK\0":
        return Verdict()
    if b"size limit" in answer.lower():
        raise NoAnswer("the file is larger than the scanner takes (StreamMaxLength)")
    said = answer[:80].decode("ascii", "replace").strip("\0\n ")
    raise NoAnswer(f"it said “{said}”" if said else "it said nothing")
