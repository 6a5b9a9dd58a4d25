"""The only way in which the library asks other servers. What must never be false:

- Nothing is connected to but a public address. At each hop the host is resolved here, refused where ANY of its addresses
  is not public, and connected to by the very address that was judged: no second look-up can lead elsewhere.
- http and https on their own ports only, without a password; certificates are checked; no cookie, no proxy of the
  environment, no referrer goes along.
- One call takes at most `seconds` in all (names, handshakes, headers, every hop, the slowest drip) and reads at most
  `max_bytes` and a bounded head. It holds no transaction open: callers ask outside of one.
"""

import http.client
import io
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, quote, urldefrag, urljoin, urlsplit

from django.conf import settings

MAX_BYTES = 1024 * 1024
MAX_HEAD = 256 * 1024  # of all that comes before and between the body
MAX_HOPS = 5
SECONDS = 5.0
MAX_URL = 2000
PORTS = {"http": 80, "https": 443}
REDIRECTS = {301, 302, 303, 307, 308}
FOR_GOOD = {301, 308}
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_WORLD = ipaddress.ip_network("2000::/3")  # where public IPv6 addresses are
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_RELAYS = ipaddress.ip_network("192.88.99.0/24")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")  # older Pythons call most of these public


class Refused(Exception):
    """The address, or where it led, is not one that this server asks."""


class NoAnswer(Exception):
    """Nobody there, too slow, too much, or not what was asked for.

    `why` is one of: name (the host is not known), connection, tls, time, size, redirects, protocol. `url` is what was
    asked last."""

    def __init__(self, words: str, why: str = "protocol"):
        super().__init__(words)
        self.why, self.url = why, ""


@dataclass(frozen=True)
class Hop:
    url: str
    status: int


@dataclass(frozen=True)
class Answer:
    """What the last server said. `headers` by their names in lower case. `url`: the address that answered, after all
    redirects, and `hops` what led there. `is_whole`: false where the body was cut off (`cut`, `first_bytes`)."""

    status: int
    content_type: str
    body: bytes
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    charset: str = ""
    hops: tuple[Hop, ...] = ()
    is_whole: bool = True

    @property
    def moved_to(self) -> str:
        """Where the address leads for good: as far as every redirect so far was permanent; "" where it did not move."""
        led = [*(hop.url for hop in self.hops), self.url][1:]
        moved = ""
        for hop, target in zip(self.hops, led, strict=True):
            if hop.status not in FOR_GOOD:
                break
            moved = target
        return moved


# --- which addresses are public ----------------------------------------------------------------------------------------
def is_public(address: str) -> bool:
    """Is this IP address one of the open internet? Also by the IPv4 address that an IPv6 address carries within."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if any(ip in network for network in _refused_networks() if network.version == ip.version):
        return False
    if ip.version == 4:
        return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip in _RELAYS or ip in _PROTOCOLS)
    carried = ip.sixtofour
    if ip in _NAT64:
        carried = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    elif (
        ip not in _WORLD or not ip.is_global
    ):  # mapped, compatible, unique local, link local, Teredo, documentation
        return False
    elif (int(ip) >> 32) & 0xFDFFFFFF == 0x5EFE:  # ISATAP
        carried = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return carried is None or is_public(str(carried))


@lru_cache(maxsize=4)
def _networks(written: tuple[str, ...]) -> list:
    return [ipaddress.ip_network(network, strict=False) for network in written]


def _refused_networks() -> list:
    """What the operator keeps out of reach beside: public addresses of their own."""
    return _networks(tuple(settings.FETCHING_REFUSES))


def names_of(host: str) -> list:
    return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)


def resolve(host: str, seconds: float = SECONDS) -> list[str]:
    """The addresses of a host, each one judged; Refused where any of them is not public."""
    answers: queue.SimpleQueue = queue.SimpleQueue()

    def ask():  # the system's resolver knows no time limit, so it is waited for and not waited out
        try:
            answers.put(names_of(host))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise NoAnswer("the name was not found in time", "time") from None
    if isinstance(found, Exception):
        raise NoAnswer("the name was not found", "name") from found
    addresses = list(dict.fromkeys(info[4][0] for info in found))
    if not addresses:
        raise NoAnswer("the name was not found", "name")
    if not all(is_public(address) for address in addresses):
        raise Refused(f"{host} leads to an address that is not public")
    return addresses


# --- one wire ------------------------------------------------------------------------------------------------------------
def dial(address: str, port: int, timeout: float) -> socket.socket:
    """The one place that opens a connection: to an address that was judged."""
    return socket.create_connection((address, port), timeout)


def secure(sock: socket.socket, host: str) -> socket.socket:
    """TLS, with a certificate of that very host by somebody whom the system trusts."""
    return _tls().wrap_socket(sock, server_hostname=host)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Reading(io.RawIOBase):
    """What comes in, by the clock of the whole call: each byte that drips has only the time that is left."""

    def __init__(self, sock: socket.socket, ends_at: float, most: int):
        self.sock, self.ends_at, self.most = sock, ends_at, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self.sock.settimeout(_left(self.ends_at))
        read = self.sock.recv_into(buffer)
        self.most -= read
        if self.most < 0:
            raise NoAnswer("sent too much", "size")
        return read


class _Wire:
    """As much of a socket as http.client asks for."""

    def __init__(self, sock: socket.socket, ends_at: float, most: int):
        self.sock, self.ends_at, self.most = sock, ends_at, most

    def makefile(self, mode: str):
        return io.BufferedReader(_Reading(self.sock, self.ends_at, self.most), 16384)

    def sendall(self, data) -> None:
        self.sock.settimeout(_left(self.ends_at))
        self.sock.sendall(data)

    def close(self) -> None:
        """http.client lets go of it while the answer is still read; `_ask` closes it."""


def _connect(parts: SplitResult, host: str, ends_at: float) -> socket.socket:
    """Connected to the first of the host's addresses that takes it, and secured where the scheme says so."""
    failure: Exception | None = None
    for address in resolve(host, _left(ends_at))[:3]:
        try:
            sock = dial(address, PORTS[parts.scheme], _left(ends_at))
        except OSError as error:
            failure = error
            continue
        if parts.scheme == "http":
            return sock
        try:
            sock.settimeout(_left(ends_at))
            return secure(sock, host)
        except BaseException:
            sock.close()
            raise
    raise failure or NoAnswer("no address", "name")


# --- asking --------------------------------------------------------------------------------------------------------------
def get(
    url: str,
    *,
    accept: str = "*/*",
    hosts: frozenset[str] | None = None,
    seconds: float | None = None,
    max_bytes: int | None = None,
) -> Answer:
    """GET, following redirects. With `hosts` only by https, and only among them. Raises Refused or NoAnswer."""
    return fetch(url, accept=accept, hosts=hosts, seconds=seconds, max_bytes=max_bytes)


def fetch(
    url: str,
    *,
    method: str = "GET",
    accept: str = "*/*",
    hosts: frozenset[str] | None = None,
    seconds: float | None = None,
    max_bytes: int | None = None,
    max_hops: int = MAX_HOPS,
    first_bytes: int | None = None,
    cut: bool = False,
) -> Answer:
    """Ask an address that a person gave, and follow where it leads; every status is an answer. Raises Refused, NoAnswer.

    method: "GET" or "HEAD". hosts: only these, and only by https. first_bytes: a ranged GET, of which no more than that
    is read, whether the server knows ranges or not. cut: what is over `max_bytes` is left unread, instead of NoAnswer.
    """
    ends_at = time.monotonic() + (SECONDS if seconds is None else seconds)
    headers = {
        "Accept": accept,
        "Accept-Encoding": "identity",
        "User-Agent": user_agent(),
        "Connection": "close",
    }
    most = MAX_BYTES if max_bytes is None else max_bytes
    if first_bytes:
        headers["Range"] = f"bytes=0-{first_bytes - 1}"
        most, cut = min(most, first_bytes), True
    hops: list[Hop] = []
    while True:
        parts, host = judge(url, hosts)
        url = parts.geturl()
        try:
            answer, location = _ask(method, parts, host, headers, ends_at, most, cut)
        except NoAnswer as error:
            raise _no_answer(host, error, url) from error
        except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
            raise _no_answer(host, error, url) from error
        if answer.status not in REDIRECTS or not location:
            return Answer(**{**answer.__dict__, "url": url, "hops": tuple(hops)})
        hops.append(Hop(url, answer.status))
        if len(hops) > max_hops:
            raise _no_answer(host, NoAnswer("too many redirects", "redirects"), url)
        try:
            url = urldefrag(urljoin(url, location))[0]
        except ValueError as error:
            raise Refused("led to what is no address") from error


def user_agent() -> str:
    """Who asks, and where one can read about it."""
    return f"kmnet-library/1 (+{settings.SITE_URL}/about/)"


def judge(url: str, hosts: frozenset[str] | None = None) -> tuple[SplitResult, str]:
    """The parts of an address in the form in which it is asked for, and its host. Raises Refused. Asks no network."""
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise Refused("not an address") from error
    schemes = {"https"} if hosts is not None else set(PORTS)
    if parts.scheme not in schemes or port not in (None, PORTS.get(parts.scheme)):
        raise Refused(f"only {' and '.join(sorted(schemes))}, on the usual port")
    if parts.username is not None or parts.password is not None:
        raise Refused("an address with a password in it")
    if ":" in host:
        if "%" in host:
            raise Refused("an address within this very network")
    else:
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError as error:
            raise Refused("not a host") from error
        if not _HOST.fullmatch(host):
            raise Refused("not a host")
    if hosts is not None and host not in hosts:
        raise Refused(f"{host} is not one of the hosts we ask")
    shown = f"[{host}]" if ":" in host else host
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    asked = SplitResult(parts.scheme, shown, path, query, "")
    if len(asked.geturl()) > MAX_URL:
        raise Refused("too long an address")
    return asked, host


def _ask(method, parts, host, headers, ends_at, most, cut) -> tuple[Answer, str]:
    with _connect(parts, host, ends_at) as sock:
        connection = http.client.HTTPConnection(parts.netloc)
        connection.sock = _Wire(sock, ends_at, most + MAX_HEAD)
        connection.request(
            method,
            parts.path + (f"?{parts.query}" if parts.query else ""),
            headers={"Host": parts.netloc, **headers},
        )
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.headers.items()}
        location = found.get("location", "")
        body, is_whole = b"", True
        if response.status not in REDIRECTS or not location:
            body, is_whole = _read(response, found, most, cut)
        answer = Answer(
            status=response.status,
            content_type=response.headers.get_content_type() if "content-type" in found else "",
            charset=response.headers.get_content_charset("") or "",
            body=body,
            headers=found,
            is_whole=is_whole,
        )
        # Header lines are read as Latin-1; who sends others than ASCII means UTF-8.
        return answer, location.encode("latin-1", "replace").decode("utf-8", "replace").strip()


def _read(response, headers, most: int, cut: bool) -> tuple[bytes, bool]:
    """The body as it is meant, at most `most` bytes of it, and whether that is all."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        unpack = None
    elif coding in ("gzip", "x-gzip", "deflate"):  # nobody asked for it; some send nothing else
        unpack = zlib.decompressobj(15 if coding == "deflate" else 31)
    else:
        raise NoAnswer("sent it packed", "protocol")
    body = bytearray()
    while chunk := response.read1(16384):  # never waits for more than is there
        body += unpack.decompress(chunk, most + 1 - len(body)) if unpack else chunk
        if len(body) > most:
            if not cut:
                raise NoAnswer("sent too much", "size")
            return bytes(body[:most]), False
    return bytes(body), True


def _no_answer(host: str, error: Exception, url: str) -> NoAnswer:
    """What went wrong, in a word, and with whom."""
    why = _why(error)
    words = (
        "too slow" if why == "time" else str(error) if isinstance(error, NoAnswer) else type(error).__name__
    )
    told = NoAnswer(f"{host}: {words}", why)
    told.url = url
    return told


def _why(error: Exception) -> str:
    if isinstance(error, NoAnswer):
        return error.why
    if isinstance(error, TimeoutError):
        return "time"
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "tls"
    return "connection" if isinstance(error, OSError) else "protocol"


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise NoAnswer("too slow", "time")
    return left
