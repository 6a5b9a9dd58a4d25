"""The one way to other servers: which addresses are asked, and that nobody can make it wait, swallow or wander."""

import gzip
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from resources import fetching
from resources.fetching import NoAnswer, Refused, fetch, is_public, judge

from .network import PUBLIC, drips, drips_headers, hangs, in_turn, raw, resets, sends

PAGE = "http://example.org/page"


# --- which addresses are public --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "0.1.2.3"),
        *(
            "100.64.0.1",
            "192.0.2.7",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.88.99.1",
            "192.0.0.8",
        ),
        *(
            "::1",
            "::",
            "fe80::1",
            "fe80::1%eth0",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "fec0::1",
            "2001:db8::1",
        ),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.216.34", "::127.0.0.1", "::93.184.216.34"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::5db8:d822", "2002:7f00:1::", "2002:a00:1::1"),
        *("2001:0:7f00:1::", "2001:470::5efe:10.0.0.1", "2001:470::200:5efe:192.168.0.1", "100::1"),
    ],
)
def test_what_is_not_of_the_open_internet_is_refused(address, network):
    assert not is_public(address)
    network.names["example.org"] = [PUBLIC, address.partition("%")[0]]  # one of them is enough
    with pytest.raises(Refused):
        fetch(PAGE)
    assert network.dialled == []


@pytest.mark.parametrize(
    "address", [PUBLIC, "2606:4700::1111", "64:ff9b::5db8:d822", "2002:5db8:d822::1", "1.1.1.1"]
)
def test_public_addresses_are_asked(address, network):
    network.names["example.org"] = [address]
    with network.answering(sends(body="hello")):
        assert fetch(PAGE).body == b"hello"
    assert network.dialled == [(address, 80)]


def test_the_operator_keeps_own_addresses_out_of_reach(settings):
    settings.FETCHING_REFUSES = ["93.184.216.0/24", "2606:4700::/32"]
    assert [is_public(address) for address in (PUBLIC, "2606:4700::1111", "1.1.1.1")] == [False, False, True]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.org/",
        "ftp://example.org/",
        "javascript:alert(1)",
        "//example.org/",
        "http://example.org:22/",
        "http://example.org:443/",
        "https://example.org:80/",
        "http://example.org:99999/",
        "http://user:pw@example.org/",
        "http://@example.org/",
        "http://example.org\\@127.0.0.1/",
        "http://",
        "http:///path",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://[fe80::1%25eth0]/",
        "http://１２７.０.０.１/",
        "http://127%2e0%2e0%2e1/",
        "http://exa mple.org/",
        "http://example..org/",
        f"http://example.org/{'x' * 2001}",
    ],
)
def test_odd_addresses_are_refused_without_a_connection(url, network):
    network.names["127.1"] = ["127.0.0.1"]  # as every resolver reads it
    with pytest.raises(Refused):
        fetch(url)
    assert network.dialled == []


def test_addresses_are_asked_for_as_servers_read_them():
    assert judge(" HTTPS://Bücher.example/Weg/é?q=ä b#x ")[0].geturl() == (
        "https://xn--bcher-kva.example/Weg/%C3%A9?q=%C3%A4%20b"
    )
    assert judge("http://example.org")[0].geturl() == "http://example.org/"


# --- every hop -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "https://inside.example/",
        "http://[::1]/",
        "http://0/",
        "http://example.org:6379/",
        "file:///etc/passwd",
        "//127.0.0.1/",
        "http://[",
    ],
)
def test_a_redirect_into_a_private_network_is_refused(location, network):
    network.names |= {"localhost": ["::1", "127.0.0.1"], "inside.example": ["10.1.2.3"], "0": ["0.0.0.0"]}
    with network.answering(sends(302, Location=location)), pytest.raises(Refused):
        fetch(PAGE)
    assert network.dialled == [(PUBLIC, 80)]


def test_a_name_that_leads_elsewhere_the_second_time_gains_nothing(network, monkeypatch):
    """Rebinding: the address that was judged is the one that is dialled, and each hop is judged anew."""
    told = iter([[PUBLIC], ["127.0.0.1"]])
    monkeypatch.setattr(
        fetching, "names_of", lambda host: [(2, 1, 6, "", (address, 0)) for address in next(told)]
    )
    with network.answering(sends(302, Location="/again")), pytest.raises(Refused):
        fetch(PAGE)
    assert network.dialled == [(PUBLIC, 80)]


def test_where_it_led_and_where_for_good_is_told(network):
    answers = in_turn(
        sends(301, Location="https://example.org/new?a=1"),
        sends(308, Location="newer"),
        sends(302, Location="//www.example.org/today#top"),
        sends(body="here"),
    )
    with network.answering(answers):
        answer = fetch(PAGE)
    assert (answer.status, answer.body, answer.url) == (200, b"here", "https://www.example.org/today")
    assert [(hop.url, hop.status) for hop in answer.hops] == [
        ("http://example.org/page", 301),
        ("https://example.org/new?a=1", 308),
        ("https://example.org/newer", 302),
    ]
    assert answer.moved_to == "https://example.org/newer"
    assert network.dialled == [(PUBLIC, 80), (PUBLIC, 443), (PUBLIC, 443), (PUBLIC, 443)]
    assert network.hosts == ["example.org", "example.org", "example.org", "www.example.org"]
    with network.answering(in_turn(sends(307, Location="/b"), sends(301, Location="/c"), sends())):
        assert fetch(PAGE).moved_to == ""  # today it leads there by another way


def test_hosts_bind_every_hop_and_want_https(network):
    only = frozenset({"example.org"})
    with network.answering(sends(302, Location="https://elsewhere.example/")), pytest.raises(Refused):
        fetch("https://example.org/", hosts=only)
    with pytest.raises(Refused):
        fetch("http://example.org/", hosts=only)
    assert network.hosts == ["example.org"]


def test_redirects_end(network):
    with network.answering(sends(301, Location="/again")), pytest.raises(NoAnswer) as caught:
        fetch(PAGE, max_hops=3)
    assert (caught.value.why, caught.value.url, len(network.asked)) == (
        "redirects",
        "http://example.org/again",
        4,
    )


# --- what is sent, and what comes back -----------------------------------------------------------------------------------
def test_a_head_and_a_ranged_get_for_who_only_wants_to_know(network):
    body = b"0123456789" * 10
    with network.answering(sends(200, body, Retry_After="120", ETag='"x"')):
        head = fetch(PAGE, method="HEAD")
        first = fetch(PAGE, first_bytes=16)
        cut = fetch(PAGE, max_bytes=50, cut=True)
        whole = fetch(PAGE, max_bytes=100)
    assert (head.status, head.body, head.is_whole) == (200, b"", True)
    assert (head.headers["retry-after"], head.headers["etag"]) == ("120", '"x"')
    assert (first.body, first.is_whole) == (body[:16], False)  # this server knows no ranges
    assert (cut.body, cut.is_whole, whole.body, whole.is_whole) == (body[:50], False, body, True)
    assert [method for method, _host, _path in network.asked] == ["HEAD", "GET", "GET", "GET"]
    assert [headers.get("range") for headers in network.headers] == [None, "bytes=0-15", None, None]


def test_nothing_about_anybody_goes_along(network, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with network.answering(in_turn(sends(302, Location="/b", Set_Cookie="a=b"), sends())):
        fetch(PAGE)
    expected = {
        "host": "example.org",
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": "kmnet-library/1 (+http://testserver/about/)",
        "connection": "close",
    }
    assert network.headers == [expected, expected]


@pytest.mark.parametrize("status", [204, 304, 401, 403, 404, 410, 429, 500, 503])
def test_every_status_is_an_answer(network, status):
    with network.answering(sends(status)):
        assert fetch(PAGE).status == status


def test_what_was_packed_is_unpacked_within_bounds(network):
    bomb = gzip.compress(b"0" * 50_000_000)
    with network.answering(sends(body=gzip.compress(b"words"), Content_Encoding="gzip")):
        assert fetch(PAGE).body == b"words"
    with network.answering(sends(body=bomb, Content_Encoding="gzip")):
        with pytest.raises(NoAnswer) as caught:
            fetch(PAGE)
        assert len(fetch(PAGE, cut=True).body) == fetching.MAX_BYTES
    assert caught.value.why == "size"
    with network.answering(sends(body=b"\x00\x01\x02", Content_Encoding="gzip")), pytest.raises(NoAnswer):
        fetch(PAGE)


# --- servers that misbehave ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (hangs, "time"),
        (drips, "time"),
        (drips_headers, "time"),
        (lambda handler: drips(handler, head=b"", what=b"HTTP/1.0 100 Continue\r\n\r\n"), "time"),
        (resets, "connection"),
        (raw(b""), "connection"),
        (raw(b"nonsense\r\n\r\n"), "protocol"),
        (raw(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "protocol"),
        (raw(b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 2000), "protocol"),
        (raw(b"HTTP/1.0 200 OK\r\nX: " + b"y" * 900_000), "protocol"),
        (raw(b"HTTP/1.0 200 OK\r\n\r\n" + b"0" * 1_100_000), "size"),
        (raw(b"HTTP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"0" * 1_100_000), "size"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 300_000), "size"),
    ],
    ids=[
        *(
            "hangs",
            "drips",
            "drips headers",
            "continues for ever",
            "resets",
            "says nothing",
            "nonsense",
            "chunks",
        ),
        *("many headers", "long header", "much", "promises much", "much in small chunks"),
    ],
)
def test_nobody_makes_it_wait_or_swallow(network, answer, why):
    began = time.monotonic()
    with network.answering(answer):
        with pytest.raises(NoAnswer) as caught:
            fetch(PAGE, seconds=0.4 if why == "time" else 5)
        took = time.monotonic() - began
    assert (caught.value.why, caught.value.url) == (why, "http://example.org/page")
    assert took < 4.5


def test_the_clock_runs_over_all_hops(network):
    def slowly(handler):
        time.sleep(0.15)
        sends(302, Location="/again")(handler)

    began = time.monotonic()
    with network.answering(slowly):
        with pytest.raises(NoAnswer) as caught:
            fetch(PAGE, seconds=0.4, max_hops=50)
        assert time.monotonic() - began < 5  # fifty hops would take seven
    assert caught.value.why == "time"


def test_a_resolver_that_hangs_is_left_in_time(network, monkeypatch):
    let_go = threading.Event()
    monkeypatch.setattr(fetching, "names_of", lambda host: let_go.wait(10) and [])
    with pytest.raises(NoAnswer) as caught:
        fetch(PAGE, seconds=0.1)
    let_go.set()
    assert caught.value.why == "time"


def test_no_name_and_nobody_there_are_told_apart(network, monkeypatch):
    network.names["example.org"] = socket.gaierror(-2, "Name or service not known")
    with pytest.raises(NoAnswer) as caught:
        fetch(PAGE)
    assert caught.value.why == "name"
    del network.names["example.org"]

    def nobody(address, port, timeout):
        network.dialled.append((address, port))
        raise ConnectionRefusedError

    network.names["example.org"] = ["2606:4700::1111", PUBLIC]
    monkeypatch.setattr(fetching, "dial", nobody)
    with pytest.raises(NoAnswer) as caught:
        fetch(PAGE)
    assert caught.value.why == "connection"
    assert network.dialled == [("2606:4700::1111", 80), (PUBLIC, 80)]  # each was tried


def certificate(folder, name):
    """A certificate that nobody signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "tls.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_a_certificate_must_be_of_that_host_and_trusted(network, monkeypatch, tmp_path):
    path = certificate(tmp_path, "example.org")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    trusting = ssl.create_default_context(cafile=path)
    asked = {"trusted": trusting, "unknown": ssl.create_default_context()}
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for _time in range(3):
                try:
                    with server.wrap_socket(listener.accept()[0], server_side=True) as sock:
                        sock.recv(1000)
                        sock.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nsafe")
                except OSError:
                    continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        network.port = listener.getsockname()[1]

        def ask(url, context):
            monkeypatch.setattr(
                fetching, "secure", lambda sock, host: context.wrap_socket(sock, server_hostname=host)
            )
            return fetch(url)

        for url, trusts in (("https://example.org/", "unknown"), ("https://elsewhere.example/", "trusted")):
            with pytest.raises(NoAnswer) as caught:
                ask(url, asked[trusts])
            assert caught.value.why == "tls"
        assert ask("https://example.org/", trusting).body == b"safe"
        thread.join()
    assert fetching._tls().verify_mode == ssl.CERT_REQUIRED
    assert fetching._tls().check_hostname is True
