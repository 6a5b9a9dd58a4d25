"""A production site refuses to start where it would be unsafe, and starts where all is right."""

import functools
import os
import runpy
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from kmnet.core import startup
from tests.factories import make_member

from .loading import ROOT

SAFE = {
    "SECRET_KEY": "k7Qw2-" * 10,
    "SITE_URL": "https://community.example",
    "ALLOWED_HOSTS": "community.example",
    "DATABASE_URL": "postgres://kmnet@127.0.0.1:1/kmnet",  # nobody answers there
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EMAIL_URL": "smtp+tls://kmnet:secret@127.0.0.1:1",
}


@pytest.fixture
def start(tmp_path):
    """Run Python as a production site would, with nothing but what is given in its environment."""

    def run(code: str, **changed) -> subprocess.CompletedProcess:
        env = {"PATH": os.environ["PATH"], "STATIC_ROOT": str(tmp_path), **SAFE, **changed}
        env = {name: value for name, value in env.items() if value is not None}
        return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)

    return run


@pytest.fixture
def read_settings(start):
    code = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'kmnet.settings'\n"
    code += "from django.conf import settings; print('production:', settings.PRODUCTION)"
    return functools.partial(start, code)


def test_production_starts_when_all_is_right(read_settings):
    done = read_settings()
    assert (done.returncode, done.stdout) == (0, "production: True\n"), done.stderr


@pytest.fixture
def refusal(monkeypatch):
    """What the settings say when they are read with this environment. (Read here: a process for each takes seconds.)"""

    def read(**changed) -> str:
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in (SAFE | changed).items():
            if value is not None:
                monkeypatch.setenv(name, value)
        with pytest.raises(ImproperlyConfigured) as refused:
            runpy.run_path(str(ROOT / "kmnet" / "settings.py"))
        return str(refused.value)

    return read


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"SECRET_KEY": "short-but-secret"}, "SECRET_KEY"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "community.example,*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS"),
        ({"SITE_URL": "http://community.example"}, "Cookies"),
        ({"INSECURE_COOKIES": "1"}, "Cookies"),
        ({"KMNET_DEMO_ACCOUNTS": "1"}, "KMNET_DEMO_ACCOUNTS"),
    ],
)
def test_production_refuses_to_start_and_names_the_setting(refusal, changed, named):
    said = refusal(**changed)
    assert said.startswith("kmnet refuses to start:\n- ")
    assert said.count("\n- ") == 1
    assert f"\n- {named}" in said


def test_every_reason_is_told_at_once_and_the_process_ends(read_settings):
    done = read_settings(SECRET_KEY=None, ALLOWED_HOSTS="*", INSECURE_COOKIES="1")
    assert done.returncode == 1
    assert done.stderr[done.stderr.index("kmnet refuses to start:") :].count("\n- ") == 3


def test_demo_starts_without_any_of_it(read_settings):
    bare = dict.fromkeys(SAFE)
    done = read_settings(**bare, KMNET_DEMO="1")
    assert (done.returncode, done.stdout) == (0, "production: False\n"), done.stderr


# --- accounts of the demo in the database of a production site -------------------------------------------------------
@pytest.fixture
def in_production(settings):
    settings.PRODUCTION = True


@pytest.mark.django_db
def test_accounts_of_the_demo_are_refused_in_production(in_production, monkeypatch):
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's own transaction
    startup.refuse_demo_accounts()
    make_member(email="Admin@demo.kmnet.example")
    with pytest.raises(SystemExit, match="refuses to start"):
        startup.refuse_demo_accounts()


@pytest.mark.django_db
def test_accounts_of_the_demo_are_welcome_in_the_demo():
    make_member(email="admin@demo.kmnet.example")
    startup.refuse_demo_accounts()


@pytest.mark.django_db
def test_accounts_elsewhere_and_closed_ones_are_no_reason(in_production, monkeypatch):
    monkeypatch.setattr(connection, "close", lambda: None)
    make_member(email="admin@kmnet.example")
    make_member(email="admin@demo.kmnet.example", is_active=False)
    startup.refuse_demo_accounts()


def test_web_server_starts_while_the_database_is_away(start):
    done = start("import kmnet.wsgi; print('up')")
    assert (done.returncode, done.stdout) == (0, "up\n"), done.stderr
    assert "demo accounts were not looked for" in done.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import kmnet.wsgi", id="web"),
        pytest.param("from kmnet.celery import app; app.worker_main(['worker', '-P', 'solo'])", id="worker"),
        pytest.param("from kmnet.celery import app; app.start(['beat', '--pidfile='])", id="beat"),
    ],
)
def test_no_process_of_a_production_site_starts_with_accounts_of_the_demo(start, code):
    make_member(email="member@demo.kmnet.example")
    parameters = connection.get_connection_params()
    server = f"{parameters.get('user', '')}:{parameters.get('password', '')}@"
    place = f"{parameters.get('host', '')}&port={parameters.get('port', '')}".removesuffix("&port=")
    url = f"postgres://{server}/{parameters['dbname']}?host={place}"
    done = start(code, DATABASE_URL=url)
    assert done.returncode == 1, done.stderr
    assert "refuses to start: this production site holds accounts at demo.kmnet.example" in done.stderr
