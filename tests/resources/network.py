"""A network for tests: every name leads to one server on this machine, which answers as the test says."""

import http.server
import ipaddress
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from resources import fetching

PUBLIC = "93.184.216.34"


@dataclass
class Network:
    """`asked`: (method, host, path) of each request; `dialled`: (address, port) of each connection. `names`: where hosts
    lead, PUBLIC for all others; an exception there is raised."""

    asked: list = field(default_factory=list)
    dialled: list = field(default_factory=list)
    names: dict = field(default_factory=dict)
    headers: list = field(default_factory=list)
    port: int = 0

    def names_of(self, host):
        found = self.names.get(host, [PUBLIC])
        with suppress(ValueError):
            found = [str(ipaddress.ip_address(host))]
        if isinstance(found, Exception):
            raise found
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0))
            for one in found
        ]

    def dial(self, address, port, timeout):
        self.dialled.append((address, port))
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    @property
    def hosts(self):
        return [host for _method, host, _path in self.asked]

    @contextmanager
    def answering(self, answer):
        """While it lasts, `answer(handler)` serves every request."""
        network = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def serve(self):
                network.asked.append((self.command, self.headers["Host"], self.path))
                network.headers.append({name.lower(): value for name, value in self.headers.items()})
                with suppress(BrokenPipeError, ConnectionResetError):
                    answer(self)

            do_GET = do_HEAD = serve

            def log_message(self, *args):
                pass

        httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        httpd.daemon_threads, httpd.block_on_close = True, False
        httpd.handle_error = lambda *args: None
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self.port = httpd.server_address[1]
        try:
            yield self
        finally:
            httpd.shutdown()
            httpd.server_close()
            thread.join()


@pytest.fixture
def network(monkeypatch):
    """The library asks this machine, whatever the address; https is spoken in the clear."""
    network = Network()
    monkeypatch.setattr(fetching, "names_of", network.names_of)
    monkeypatch.setattr(fetching, "dial", network.dial)
    monkeypatch.setattr(fetching, "secure", lambda sock, host: sock)
    return network


# --- answers -------------------------------------------------------------------------------------------------------------
def sends(status=200, body=b"", content_type="text/html; charset=utf-8", **headers):
    """An answer; an underscore in the name of a header is a dash."""
    body = body.encode() if isinstance(body, str) else body

    def answer(handler):
        handler.send_response(status)
        if content_type:
            handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    return answer


def by_path(**answers):
    """One answer per path: by_path(a=sends(), b=...) for /a and /b; 404 for all else."""

    def answer(handler):
        path = handler.path.partition("?")[0].strip("/").replace("-", "_").replace("/", "_") or "root"
        answers.get(path, sends(404))(handler)

    return answer


def in_turn(*answers):
    """The first for the first request, and so on; the last for all that follow."""
    left = list(answers)

    def answer(handler):
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer


def hangs(handler):
    """Takes the request, and says nothing until the other side goes."""
    with suppress(OSError):
        handler.connection.settimeout(10)
        handler.connection.recv(1)


def drips(handler, what=b" ", head=b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n", every=0.02):
    """A byte now and then, for ever."""
    handler.wfile.write(head)
    for _count in range(500):
        handler.wfile.write(what)
        handler.wfile.flush()
        time.sleep(every)


def drips_headers(handler):
    drips(handler, head=b"HTTP/1.0 200 OK\r\nX-Slow: ", what=b"x")


def resets(handler):
    """Closes without a word."""
    import struct

    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def raw(data: bytes):
    def answer(handler):
        handler.wfile.write(data)

    return answer
