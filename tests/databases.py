"""Each process of the tests gets a database of its own, copied from one that is migrated once.

Migrations take seconds and each xdist worker would run them all; Postgres copies a database in a fraction of one.
"""

import os
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.state import ProjectState
from django.test import TransactionTestCase

from tests.services import TEMPLATE_MADE


def _own_server() -> bool:
    """The embedded one is this run's alone, and tests.services keeps its template."""
    return TEMPLATE_MADE in os.environ


def _goes_with_its_server() -> bool:
    """Whether all data are thrown away at the end of this run: nothing in them is new, so they are not kept."""
    return _own_server() and not Path(os.environ[TEMPLATE_MADE]).exists()


def _template_name() -> str:
    """The same in all workers of one run; another in each run where several may share a server."""
    if _own_server():
        return "kmnet_tests"
    return f"kmnet_tests_{os.environ.get('PYTEST_XDIST_TESTRUNUID', f'alone{os.getpid()}')[:12]}"


def _point_at(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


@contextmanager
def _alone_on_the_server():
    """A connection to no database of ours, while no other worker of this run makes or drops one."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [_template_name()])
        yield cursor  # the lock goes with the connection


def _point_at_empty(cursor, name: str) -> str:
    quoted = connection.ops.quote_name(name)
    cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")
    cursor.execute(f"CREATE DATABASE {quoted}")
    _point_at(name)
    return quoted


@contextmanager
def migrated_as_a_site_is():
    """The connection leads to a database that Django migrated in its own way."""
    tests = connection.settings_dict["NAME"]
    with _alone_on_the_server() as cursor:
        quoted = _point_at_empty(cursor, f"{tests}_as_a_site")
        try:
            call_command("migrate", verbosity=0, interactive=False)
            yield
        finally:
            _point_at(tests)
            cursor.execute(f"DROP DATABASE {quoted} WITH (FORCE)")


def render_what_changes():
    """While this holds, a step of a migration renders anew the model that it changes, and no other.

    Django renders all that hang together as well, here nearly every model: half a minute of work, and the same tables.
    What runs Python is given models rendered afresh, as in Django itself (`is_delayed`)."""

    def find(state, app_label, model_name, delay=False):
        state.is_delayed = True
        return {(app_label, model_name)}

    return mock.patch.object(ProjectState, "_find_reload_model", find)


def _make_template(cursor) -> None:
    """Whoever comes first migrates; the others find it done."""
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", [_template_name()])
    if cursor.fetchone():
        return
    quoted = _point_at_empty(cursor, _template_name())
    with render_what_changes():
        call_command("migrate", verbosity=0, interactive=False)
    connection.close()  # nobody may be connected to what is copied
    cursor.execute(f"ALTER DATABASE {quoted} IS_TEMPLATE true")
    if _own_server():
        Path(os.environ[TEMPLATE_MADE]).touch()


def _drop_template_if_last(cursor) -> None:
    if _own_server():
        return
    cursor.execute("SELECT 1 FROM pg_database WHERE starts_with(datname, %s)", [f"{_template_name()}_"])
    if not cursor.fetchone():
        quoted = connection.ops.quote_name(_template_name())
        cursor.execute(f"ALTER DATABASE {quoted} IS_TEMPLATE false")
        cursor.execute(f"DROP DATABASE {quoted}")


class Migrated:
    """What the migrations put into the tables, kept beside them, so that every test finds it.

    Django empties all tables after a test that commits, which takes a large part of a second for some eighty of them,
    and leaves what follows without the rows of the migrations. Here only what holds rows is emptied, and those come back.
    """

    NEVER_TOUCHED = ("django_migrations", "django_content_type", "auth_permission")

    def __init__(self):
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:
            tables = [
                table
                for table in connection.introspection.table_names(cursor)
                if table not in self.NEVER_TOUCHED
            ]
            self.which_hold_rows = " UNION ALL ".join(
                f"SELECT '{table}' WHERE EXISTS (SELECT FROM {quote(table)})" for table in tables
            )
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            self.may_silence_triggers = cursor.fetchone()[0]  # as on the embedded server
            self.give_back = []
            cursor.execute("CREATE SCHEMA migrated")
            for table in self.holding_rows(cursor):
                cursor.execute(f"CREATE TABLE migrated.{quote(table)} AS TABLE {quote(table)}")
                cursor.execute(
                    "SELECT column_name FROM information_schema.columns"
                    " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'",
                    [table],
                )
                columns = ", ".join(quote(column) for (column,) in cursor.fetchall())
                self.give_back.append(
                    f"INSERT INTO {quote(table)} ({columns}) OVERRIDING SYSTEM VALUE"
                    f" SELECT {columns} FROM migrated.{quote(table)}"
                )

    def holding_rows(self, cursor) -> list[str]:
        cursor.execute(self.which_hold_rows)
        return [table for (table,) in cursor.fetchall()]

    def restore(self) -> None:
        """In one transaction. Neither triggers nor foreign keys have a say, so the order of the tables does not matter."""
        with transaction.atomic(), connection.cursor() as cursor:
            tables = [connection.ops.quote_name(table) for table in self.holding_rows(cursor)]
            if self.may_silence_triggers:
                cursor.execute("SET LOCAL session_replication_role = replica")
                for table in tables:
                    cursor.execute(f"DELETE FROM {table}")
            elif tables:
                cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
            for statement in self.give_back:
                cursor.execute(statement)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker):
    """In place of pytest-django's: the migrated template, a copy of it, and both gone at the end."""
    site = connection.settings_dict["NAME"]
    own = f"{_template_name()}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    quoted = connection.ops.quote_name(own)
    with django_db_blocker.unblock():
        with _alone_on_the_server() as cursor:
            _make_template(cursor)
            cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")  # of a run that was killed
            cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE {connection.ops.quote_name(_template_name())}")
        _point_at(own)
        migrated = Migrated()
    with mock.patch.object(TransactionTestCase, "_fixture_teardown", migrated.restore):
        yield
    with django_db_blocker.unblock():
        _point_at(site)
        with _alone_on_the_server() as cursor:
            if not _goes_with_its_server():
                cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
            _drop_template_if_last(cursor)
