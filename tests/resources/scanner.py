"""A scanner that speaks clamd's protocol, and misbehaves as it is told."""

import socketserver
import struct
import threading
import time
from contextlib import contextmanager

from resources.scanning import sample

BAD = b"this is a wicked virus"


class Scanner:
    """mood: "well", or what it does with each file; only the sample is known to it in every mood but "blind"."""

    def __init__(self):
        self.mood = "well"
        self.seen: list[bytes] = []
        self.connections = 0
        self.let_go = threading.Event()  # of those that hang

    def answer(self, content: bytes) -> bytes | None:
        if content == sample() and self.mood != "blind":
            return b"stream: Eicar-Test-Signature FOUND\0"
        if BAD in content:
            return b"stream: Win.Wicked-1 FOUND\0"
        return {
            "says nothing": b"",
            "half a word": b"stream: O",
            "no end": b"stream: OK",
            "another file": b"other: OK\0",
            "both": b"stream: OK\0stream: Win.Wicked-1 FOUND\0",
            "lies about it": b"stream: OK FOUND OK\0",
            "too large": b"INSTREAM size limit exceeded. ERROR\0",
            "web page": b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "babbles": b"x" * 100_000,
            "hangs": None,
        }.get(self.mood, b"stream: OK\0")


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        scanner: Scanner = self.server.scanner
        scanner.connections += 1
        if self._read(10) != b"zINSTREAM\0":
            return
        content = b""
        while length := struct.unpack(">I", self._read(4))[0]:
            content += self._read(length)
            if scanner.mood == "dies" and content[:60] != sample()[:60]:
                return  # in the midst of it
            if scanner.mood == "early OK" and content != sample():
                self.request.sendall(b"stream: OK\0")
                return
        scanner.seen.append(content)
        answer = scanner.answer(content)
        if answer is None:
            scanner.let_go.wait(20)
        elif scanner.mood == "drips" and content != sample():
            for byte in answer * 100:
                self.request.sendall(bytes([byte]))
                time.sleep(0.05)
        else:
            self.request.sendall(answer)

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            chunk = self.request.recv(length - len(data))
            if not chunk:
                return data.ljust(length, b"\0")
            data += chunk
        return data


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request, client_address):
        """Whoever asked has gone: that is what some tests are about."""


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    handle_error = _Tcp.handle_error


@contextmanager
def running(path: str = ""):
    """(the scanner, its address)"""
    server = _Unix(path, _Handler) if path else _Tcp(("127.0.0.1", 0), _Handler)
    server.scanner = Scanner()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.scanner, path or f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.scanner.let_go.set()
        server.shutdown()
        server.server_close()
