"""The only way in which the library asks other servers: a few named hosts, by https, guarded at every hop.

No address that a person typed is ever fetched. Even the named hosts are resolved here, refused where they lead into a
private network, and connected to by the very address that was judged; redirects stay among the named hosts.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

MAX_BYTES = 1024 * 1024
MAX_HOPS = 4
SECONDS = 5.0
REDIRECTS = {301, 302, 303, 307, 308}


class Refused(Exception):
    """The address, or where it led, is not one that this server asks."""


class NoAnswer(Exception):
    """Nobody there, too slow, too much, or not what was asked for."""


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes


def resolve(host: str) -> str:
    """The address of a host; Refused where any of its addresses is not a public one."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(f"{host} was not found") from error
    addresses = [info[4][0] for info in found]
    for address in addresses:
        ip = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
        if not ip.is_global or ip.is_multicast or (mapped and not mapped.is_global):
            raise Refused(f"{host} leads to an address that is not public")
    return addresses[0]


class PinnedConnection(http.client.HTTPSConnection):
    """Speaks to one address, under the host's name and certificate: no second look-up can lead elsewhere."""

    def __init__(self, host: str, address: str, timeout: float):
        super().__init__(host, 443, timeout=timeout, context=ssl.create_default_context())
        self.address = address

    def connect(self):
        plain = socket.create_connection((self.address, 443), self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


def connect(host: str, address: str, timeout: float) -> http.client.HTTPConnection:
    return PinnedConnection(host, address, timeout)


def get(url: str, *, accept: str, hosts: frozenset[str], seconds: float = SECONDS) -> Answer:
    """GET from one of `hosts`, following redirects among them, within `seconds` in all and MAX_BYTES."""
    ends_at = time.monotonic() + seconds
    for _hop in range(MAX_HOPS):
        parts = _judge(url, hosts)
        try:
            answer, location = _ask(parts, accept, ends_at)
        except (OSError, http.client.HTTPException, ssl.SSLError) as error:
            raise NoAnswer(f"{parts.hostname}: {type(error).__name__}") from error
        if answer.status not in REDIRECTS or not location:
            return answer
        url = urljoin(url, location)
    raise NoAnswer("too many redirects")


def _judge(url: str, hosts: frozenset[str]):
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("not an address") from error
    if parts.scheme != "https" or port not in (None, 443) or parts.username or parts.password:
        raise Refused("only https, without a password and another port")
    if parts.hostname not in hosts:
        raise Refused(f"{parts.hostname} is not one of the hosts we ask")
    return parts


def _ask(parts, accept: str, ends_at: float) -> tuple[Answer, str]:
    address = resolve(parts.hostname)
    connection = connect(parts.hostname, address, _left(ends_at))
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"Accept": accept, "User-Agent": "kmnet (library)"})
        response = connection.getresponse()
        body = b""
        while response.status not in REDIRECTS:
            if connection.sock is not None:
                connection.sock.settimeout(_left(ends_at))
            chunk = response.read1(
                65536
            )  # never waits for more than is there: a drip cannot outlast the clock
            if not chunk:
                break
            body += chunk
            if len(body) > MAX_BYTES:
                raise NoAnswer(f"{parts.hostname} sent too much")
            _left(ends_at)
        content_type = response.headers.get_content_type()
        return Answer(response.status, content_type, body), response.headers.get("Location", "")
    finally:
        connection.close()


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise NoAnswer("too slow")
    return left
