"""docker-compose.yml, read by the real Compose; it needs no engine for that."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .loading import ROOT

COMPOSE = Path(sys.executable).with_name("docker-compose")
LONG_RUNNING = {"db", "redis", "web", "worker", "beat"}


@pytest.fixture
def folder(tmp_path):
    """A copy of what an operator has, with the two secrets filled in."""
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    env = (ROOT / ".env.example").read_text()
    (tmp_path / ".env").write_text(
        env.replace("_PASSWORD=\n", "_PASSWORD=x\n").replace("_KEY=\n", "_KEY=y\n")
    )
    return tmp_path


def compose(folder, *arguments):
    command = [COMPOSE, "-f", "docker-compose.yml", "config", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_compose_file_is_valid(folder):
    done = compose(folder, "-q")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("healthcheck:", "healtcheck:"),
        ("service_healthy", "service_happy"),
        ("- database:/var", "- databse:/var"),
        ('restart: "no"', "restart: maybe: not"),
    ],
)
def test_broken_copy_is_refused(folder, good, bad):
    path = folder / "docker-compose.yml"
    assert good in path.read_text()
    path.write_text(path.read_text().replace(good, bad, 1))
    assert compose(folder, "-q").returncode != 0


def test_missing_password_is_refused(folder):
    path = folder / ".env"
    path.write_text(path.read_text().replace("POSTGRES_PASSWORD=x\n", ""))
    done = compose(folder, "-q")
    assert done.returncode != 0
    assert "POSTGRES_PASSWORD" in done.stderr


def test_every_service_is_watched_and_restarted_and_migration_runs_once(folder):
    services = json.loads(compose(folder, "--format", "json").stdout)["services"]
    assert set(services) == LONG_RUNNING | {"migrate"}
    assert {name for name in services if "healthcheck" in services[name]} == LONG_RUNNING
    restarted = {name for name in services if services[name].get("restart") == "unless-stopped"}
    assert restarted == LONG_RUNNING
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert [volume["target"] for volume in services[name]["volumes"]] == ["/srv/media"]
    assert services["db"]["volumes"][0]["target"] == "/var/lib/postgresql"  # as of Postgres 18


def test_mail_comes_in_where_it_is_wanted(folder, monkeypatch):
    monkeypatch.setenv("COMPOSE_PROFILES", "mail")
    services = json.loads(compose(folder, "--format", "json").stdout)["services"]
    assert set(services) == LONG_RUNNING | {"migrate", "mail"}
    assert services["mail"]["ports"][0]["host_ip"] == "127.0.0.1"  # from the mail server of this machine only
    assert services["mail"]["healthcheck"]["test"][-1] == "mail"


def test_no_secret_stands_in_the_files():
    for name in ("docker-compose.yml", "Dockerfile", ".env.example"):
        for line in (ROOT / name).read_text().splitlines():
            variable, _, value = line.partition("=")
            if variable in ("SECRET_KEY", "POSTGRES_PASSWORD"):
                assert value == ""
