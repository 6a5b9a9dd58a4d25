"""What `make run` decides before anything starts: the port, the lock, which servers, what is skipped."""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys

import pytest

from kmnet.core import startup
from kmnet.demo import people as demo_people
from kmnet.demo import services as demo_services

from .loading import dev, embedded, supervisor


@contextlib.contextmanager
def listening(family=socket.AF_INET, address="127.0.0.1"):
    with socket.socket(family) as taken:
        taken.bind((address, 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_port_given_and_free_is_taken():
    with listening() as port:
        pass
    assert supervisor.choose_port(str(port)) == port


def test_port_given_and_busy_is_refused_with_what_to_do():
    with listening() as port, pytest.raises(SystemExit) as refusal:
        supervisor.choose_port(str(port))
    assert str(refusal.value).startswith(f"Port {port} is taken")
    assert "PORT=" in str(refusal.value)


@pytest.mark.parametrize("nonsense", ["http", "0", "70000", "-1"])
def test_port_that_is_no_port_is_refused(nonsense):
    with pytest.raises(SystemExit, match="PORT must be a number"):
        supervisor.choose_port(nonsense)


def test_port_not_given_is_the_first_free_one(monkeypatch):
    monkeypatch.setattr(supervisor, "is_free", lambda port: port >= 8003)
    assert supervisor.choose_port(None) == 8003
    assert supervisor.choose_port("") == 8003


def test_port_taken_on_the_other_localhost_is_not_free():
    other = (socket.AF_INET6, "::1") if socket.has_dualstack_ipv6() else (socket.AF_INET, "127.0.0.1")
    with listening(*other) as port:
        assert not supervisor.is_free(port)


def test_second_run_is_told_where_the_first_is_and_refused(tmp_path):
    first, second = supervisor.RunLock(tmp_path / "lock"), supervisor.RunLock(tmp_path / "lock")
    assert first.take()
    assert not second.take()
    assert "still starting" in second.refusal()
    first.write(url="http://localhost:8001/")
    assert second.refusal() == (
        "kmnet is already running from this checkout, at http://localhost:8001/ "
        f"(process {os.getpid()}). It is left alone."
    )
    first.close()


def test_lock_of_a_killed_run_is_waited_for_while_its_children_stop(tmp_path):
    path = tmp_path / "lock"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with open(path, "w") as held_by_minder:
        held_by_minder.write(json.dumps({"pid": dead.pid, "url": "http://localhost:8001/"}))
        held_by_minder.flush()
        fcntl.flock(held_by_minder, fcntl.LOCK_EX)
        assert not supervisor.RunLock(path).take(patience=0)
    freed = supervisor.RunLock(path)
    assert freed.take(patience=0)
    freed.close()


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, {"postgres", "redis"}),
        ({"DATABASE_URL": "postgres://x/y"}, {"redis"}),
        ({"REDIS_URL": "redis://x"}, {"postgres"}),
        ({"DATABASE_URL": "postgres://x/y", "REDIS_URL": "redis://x"}, set()),
        ({"DATABASE_URL": "", "REDIS_URL": ""}, {"postgres", "redis"}),
    ],
)
def test_only_the_server_that_nobody_named_is_embedded(environ, missing):
    assert embedded.missing_services(environ) == missing


def test_site_gets_the_embedded_servers_and_what_the_caller_set(tmp_path, monkeypatch):
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example")
    monkeypatch.setenv("SITE_URL", "https://elsewhere.example")
    env = supervisor.site_environment(tmp_path, {"REDIS_URL": "unix:///r"}, 8005)
    wanted = {
        "KMNET_DEMO": "1",
        "SITE_URL": "http://localhost:8005",
        "EMAIL_URL": "smtp://mail.example",
        "REDIS_URL": "unix:///r",
    }
    assert {name: env[name] for name in wanted} == wanted


def test_welcome_says_where_who_and_where_mail_goes(monkeypatch):
    monkeypatch.delenv("EMAIL_URL", raising=False)
    text = supervisor.welcome("http://localhost:8000/", 5.2)
    for part in (
        "http://localhost:8000/ ",
        "newcomer@demo.kmnet.example",
        "between-worlds",
        "http://localhost:8000/dev/mail/",
    ):
        assert part in text


def test_welcome_names_the_accounts_that_the_demo_makes():
    """Said in three places, since dev.py and core cannot import the demo."""
    assert supervisor.DEMO_PEOPLE == demo_services.ACCOUNTS
    assert supervisor.DEMO_PASSWORD == demo_people.PASSWORD
    assert supervisor.DEMO_DOMAIN == startup.DEMO_DOMAIN == demo_people.DOMAIN


def test_sockets_of_a_long_or_odd_path_lie_where_their_address_fits(tmp_path):
    assert embedded.socket_dir(tmp_path.parents[-1] / "short") == tmp_path.parents[-1] / "short" / "s"
    for odd in (tmp_path / ("x" * 100), tmp_path.parents[-1] / "a b"):
        found = embedded.socket_dir(odd)
        assert found.parent.name == "tmp"
        assert len(str(found)) < 80


def test_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(SystemExit, match="belongs to somebody else"):
        embedded.own_directory(tmp_path / "link")


def test_fingerprint_changes_with_a_file(tmp_path):
    (tmp_path / "a.css").write_text("a {}")
    before = supervisor.fingerprint_of_files(tmp_path.iterdir())
    assert supervisor.fingerprint_of_files(tmp_path.iterdir()) == before
    (tmp_path / "a.css").write_text("a { color: red }")
    assert supervisor.fingerprint_of_files(tmp_path.iterdir()) != before


def test_pytest_gets_workers_unless_told_otherwise():
    assert dev.pytest_arguments(["tests/core"])[0] == "-n"
    assert dev.pytest_arguments(["-n0", "tests/core"]) == ["-n0", "tests/core"]
    assert dev.pytest_arguments(["--pdb"]) == ["--pdb"]
