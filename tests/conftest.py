"""What all tests share."""

import contextlib
import gc
import importlib
import os
import time
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from uuid import UUID

import psycopg2
import pytest
from django.db import connection
from django.template.base import Template
from django.test.signals import template_rendered

from discussions.services import limits
from kmnet.core import ratelimit
from kmnet.core.fixed import Prepared, fixed
from resources.services import reviewing
from tests.factories.discussions import is_making
from tests.mailbox import mailbox

__all__ = ["mailbox"]


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path_factory):
    """What tests upload goes where nobody finds it."""
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / "media"


@pytest.fixture(autouse=True)
def no_daily_limits(request, monkeypatch):
    """Tests write more in a second than a person in a day; those of the limits themselves ask for `daily_limits`."""
    if "daily_limits" not in request.fixturenames:
        monkeypatch.setattr(limits, "allowance", lambda author: limits.Allowance(9999, 9999, 9999, False))
        times = limits._times
        monkeypatch.setattr(limits, "_times", lambda *args, **how: [] if is_making() else times(*args, **how))


@pytest.fixture(autouse=True)
def nobody_is_new_to_the_library(request, monkeypatch):
    """What members add appears at once; the tests of how a moderator looks first ask for `first_looks`."""
    if "first_looks" not in request.fixturenames:
        monkeypatch.setattr(reviewing, "first_ones", lambda: 0)


@pytest.fixture
def first_looks():
    """A moderator looks at the first records of a new member, as on the real site."""


@pytest.fixture
def daily_limits():
    """The limits hold, as on the real site."""


@pytest.fixture(autouse=True)
def no_new_window(monkeypatch):
    """Limits count from minute to minute; no minute ends within a test, however slow the machine is."""
    monkeypatch.setattr(ratelimit, "time", SimpleNamespace(time=partial(float, time.time())))


_words = Prepared.words


def _words_to_read(statement, db, cursor) -> str:
    """Whoever looks at the SQL of a test sees the statement itself, not the name under which it was prepared."""
    return statement.sql if db.execute_wrappers or db.queries_logged else _words(statement, db, cursor)


@pytest.fixture(autouse=True)
def compared_once(request, monkeypatch):
    """settings.CHECK_FIXED_QUERIES: a query that was compared in this test is not compared again with values that are
    alike. Numbers are alike that have as many binary digits, moments as far away, lists as long; words only if equal."""
    if "compared_each_time" in request.fixturenames:
        return
    monkeypatch.setattr(Prepared, "words", _words_to_read)
    compared, compare, now = set(), fixed.check, time.time()

    def alike(value):
        match value:
            case int():
                return value.bit_length(), value < 0
            case datetime():
                return alike(int(value.timestamp() - now))
            case UUID():
                return ()
            case list() if value and isinstance(value[0], int):
                return len(value), max(map(alike, value))
        return repr(value)

    def check(query, plan, shape, given):
        question = plan, *[(name, alike(value)) for name, value in given.items()]
        if question not in compared:
            compare(query, plan, shape, given)
            compared.add(question)

    monkeypatch.setattr(fixed, "check", check)


@pytest.fixture
def compared_each_time():
    """For the tests of fixed queries themselves."""


@pytest.fixture(scope="session", autouse=True)
def pages_are_noted(django_test_environment):
    """`response.context` is that of the pages and of what they are made of by tags, as everybody uses it. Django's test
    client would also copy it for each base, included part and widget, dozens of times a page."""

    def render(self, context):
        if context.template is self and not str(self.name).startswith("django/forms/"):
            template_rendered.send(sender=self, template=self, context=context)
        return self.nodelist.render(context)

    Template._render = render  # django_test_environment puts back what was there before it


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Fixed queries are prepared between two tests, as between two pages: within the transaction of a test none is, and
    Postgres would read and plan each of them each time."""
    made = connection.connection
    held, statements = getattr(connection, "fixed_statements", None) or (None, None)
    if made is None or held is not made or made.closed or made.info.transaction_status:
        return
    with made.cursor() as cursor:
        if getattr(connection, "fixed_spoilt", False):
            connection.fixed_statements, connection.fixed_spoilt = None, False
            cursor.execute("DEALLOCATE ALL")
            return
        while statements.wanted:
            one = statements.wanted.pop()
            with contextlib.suppress(psycopg2.Error):
                cursor.execute(one._prepare)
                statements.ready.add(one.name)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    """Where all is to be compiled, each of xdist's workers begins with another part of the tests, and finds the rest
    compiled by the others. What cannot be imported is told when it is collected."""
    worker, workers = (os.environ.get(f"PYTEST_XDIST_WORKER{end}", "0") for end in ("", "_COUNT"))
    root = session.config.rootpath
    if workers == "0" or [root / argument for argument in session.config.args] != [root / "tests"]:
        return
    modules = [path.relative_to(root).with_suffix("") for path in sorted(root.glob("tests/*/test_*.py"))]
    begin = len(modules) * int(worker.removeprefix("gw")) // int(workers)
    for path in modules[begin:] + modules[:begin]:
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.parts))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The journeys of many minutes come first, and shared out: each of xdist's workers begins with an equal part of the
    list, from its front, and takes from the end of another's when it has no more. The last worker first does what needs
    no database, while the first one migrates it."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = sorted(filter(_seconds_allowed, items), key=_seconds_allowed, reverse=True)
    short = [item for item in items if not _seconds_allowed(item)]
    meanwhile = [item for item in short if _waits_for_no_database(item)] if workers > 1 else []
    short = [item for item in short if item not in set(meanwhile)]
    total = len(items)
    items.clear()
    for worker in range(workers):
        part = (total - len(items)) // (workers - worker)
        is_last = worker + 1 == workers
        mine = [*(meanwhile if is_last else []), *long[worker::workers]]
        rest = len(short) if is_last else max(part - len(mine), 0)
        items += mine + short[:rest]
        del short[:rest]


def _waits_for_no_database(item) -> bool:
    """Starts other processes, which takes its seconds, and asks no database."""
    asks = item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(item.fixturenames)
    return "/tooling/" in item.nodeid and not asks


def _seconds_allowed(item) -> int:
    """How long a journey in a browser may take; 0 for all that is not one."""
    limit = item.get_closest_marker("timeout")
    return (limit.args[0] if limit else 1) if item.get_closest_marker("browser") else 0


def pytest_collection_finish():
    """What is imported by now stays: the collector of garbage need not walk through it again and again, nor come so
    often that it takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
