"""Starting the process that reads, listening to it, and judging what it says."""

import base64
import binascii
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO

from . import looked
from .looked import Looked

ROOT = Path(__file__).resolve().parent.parent.parent
START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from resources.reading.confined import main; "
    "main(float(sys.argv[2]), counts=sys.argv[3] == 'count')"
)
# Nothing of ours: no address of the database, no key.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}


def look_into(source: str | Path | BinaryIO, *, seconds: float = looked.MAX_SECONDS) -> Looked:
    """What is in this file (a path, or a file open for reading, from wherever it is stored). Blocks for at most `seconds`
    and a moment: call it in a task, outside a transaction. Never raises for what the file is, only where it cannot be
    read from its storage (OSError) or no process can be started (OSError)."""
    with ExitStack() as closing:
        if isinstance(source, str | Path):
            source = closing.enter_context(open(source, "rb"))
        return _look(_on_this_machine(source, closing), seconds)


_one_count = threading.Lock()


@dataclass
class Patience:
    """How long somebody waits yet, in seconds: for all files that they send at once, together. A PDF of 3 KB can take as
    long as one lets it, and a picture of 70 KB three seconds. left: for pages. pictures: for drawing them anew."""

    left: float = field(default_factory=lambda: looked.COUNT_SECONDS)
    pictures: float = field(default_factory=lambda: looked.PICTURE_SECONDS)


def count_pages(source: str | Path | BinaryIO, patience: Patience | None = None) -> int | None:
    """How many pages a PDF says it has (a path, or a file, which is read and left where it ends); None where that cannot
    be told within COUNT_SECONDS and COUNT_MEMORY, whatever the reason. For the web: a process of ours has one file
    counted at a time, so that many at once take no more than one, and others hardly wait for it. Never raises."""
    patience, began = patience or Patience(), time.monotonic()
    try:
        return _counted(source, began + patience.left)
    finally:
        patience.left -= time.monotonic() - began


def _counted(source, ends: float) -> int | None:
    left = ends - time.monotonic()
    if left <= 0 or not _one_count.acquire(timeout=min(left, looked.COUNT_WAITS)):
        return None
    try:
        with ExitStack() as closing:
            if isinstance(source, str | Path):
                number = closing.enter_context(open(source, "rb")).fileno()
            else:
                number = _copied(source, closing)
            return _look(number, max(ends - time.monotonic(), 0.1), counts=True).pages
    except OSError:  # no room for a copy, no process to be had
        return None
    finally:
        _one_count.release()


def _on_this_machine(source, closing: ExitStack) -> int:
    """A descriptor of the file, at its start; what lies elsewhere, or in memory, is copied first."""
    source.seek(0)
    try:
        number = source.fileno()
        os.lseek(number, 0, os.SEEK_SET)
        return number
    except (AttributeError, OSError):
        return _copied(source, closing)


def _copied(source, closing: ExitStack) -> int:
    """A descriptor of a copy. One that is shared would move the place at which its owner reads on."""
    copy = closing.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  (closed with `closing`)
    source.seek(0)
    copyfileobj(source, copy)
    copy.flush()
    copy.seek(0)
    return copy.fileno()


def _look(number: int, seconds: float, *, counts: bool = False) -> Looked:
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", START, str(ROOT), str(seconds), "count" if counts else "look"],
        stdin=number,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
        close_fds=True,
    )
    reason, said = "", b""
    try:
        reason, said = _listen(process, began + seconds)
    finally:
        status = _end(process)
    taken = time.monotonic() - began
    return _judge(said, reason or _why(status), seconds=taken)


def _listen(process: subprocess.Popen, until: float) -> tuple[str, bytes]:
    """What it says until it closes its mouth, as long as it is neither too long nor too late."""
    said = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                return "time", bytes(said)
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                return "", bytes(said)
            said += chunk
            if len(said) > looked.MAX_SAID:
                return "too much", b""


def _end(process: subprocess.Popen) -> int:
    """Kill it and whatever it may have started; how it ended."""
    process.stdout.close()
    try:
        return process.wait(timeout=0.5)  # it has said its last word
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def _why(status: int) -> str:
    """Why a process ended without our doing."""
    if status == 0:
        return ""
    if status == -signal.SIGXCPU:
        return "time"
    if status == -signal.SIGKILL:
        return "killed"  # by the system, which was out of memory, or with its worker
    return "memory"  # an allocation that failed aborts the parsers, each in its own way


def _judge(said: bytes, reason: str, *, seconds: float) -> Looked:
    """One JSON object a line, each of them checked: the process may by now be somebody else's."""
    found: dict = {}
    for line in said.split(b"\n"):
        try:
            part = json.loads(line)
        except (ValueError, RecursionError):
            continue  # the last line of a process that was ended
        if isinstance(part, dict):
            found |= part
    stated = found.get("reason")
    if stated in looked.REASONS or stated == "memory":
        reason = stated
    elif not found.get("done") and not reason:
        reason = "damaged"
    pages = found.get("pages")
    head = _words(found.get("head"), looked.MAX_HEAD)
    return Looked(
        reason=reason,
        title=" ".join(_words(found.get("title"), 500).split()),
        doi=_doi(_words(found.get("facts"), 2000), head),
        pages=pages if type(pages) is int and 0 < pages < 1_000_000 else None,
        text=_words(found.get("text"), looked.MAX_TEXT),
        head=head,
        thumbnail=_picture(found.get("thumbnail")),
        seconds=seconds,
    )


_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def _words(value, longest: int) -> str:
    """Text that a database takes: no NUL, no half characters."""
    return _CONTROLS.sub("", value[:longest]) if isinstance(value, str) else ""


def _picture(value) -> bytes:
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""
    return data if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else b""


def _doi(facts: str, head: str) -> str:
    from .dois import find_doi  # the confined process imports this package, and nothing of the site

    return find_doi(facts) or find_doi(head)
