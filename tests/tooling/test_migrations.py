"""Migrations: complete, one last one per app, with a way back, and either of the schema or of the data."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader

from tests.databases import migrated_as_a_site_is

OURS = sorted(config.label for config in apps.get_app_configs() if "site-packages" not in config.path)
OF_DATA = (migrations.RunPython,)


@pytest.fixture(scope="module")
def loader():
    return MigrationLoader(None)


def ours(loader):
    return [migration for (app, _name), migration in sorted(loader.disk_migrations.items()) if app in OURS]


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)  # exits with 1 where one is missing


def test_each_app_has_one_last_migration(loader):
    last = {app: loader.graph.leaf_nodes(app) for app in OURS}
    assert {app: nodes for app, nodes in last.items() if len(nodes) > 1} == {}


def test_migrations_have_names_of_their_own(loader):
    assert [migration for migration in ours(loader) if "_auto_" in migration.name] == []


def test_every_step_has_a_way_back(loader):
    one_way = [
        (migration, operation)
        for migration in ours(loader)
        for operation in migration.operations
        if not operation.reversible
    ]
    assert one_way == []


def test_schema_and_data_are_not_changed_by_the_same_migration(loader):
    mixed = [
        migration
        for migration in ours(loader)
        if len({isinstance(operation, OF_DATA) for operation in migration.operations}) > 1
    ]
    assert mixed == []


WHAT_THERE_IS = """
    SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, character_maximum_length, udt_name,
        is_nullable, column_default, is_identity, generation_expression)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT app || ' ' || name FROM django_migrations
    UNION ALL SELECT app_label || ' ' || model || ' ' || codename
    FROM auth_permission JOIN django_content_type ON django_content_type.id = content_type_id
"""


def what_there_is() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(WHAT_THERE_IS)
        found = [row for (row,) in cursor.fetchall()]
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            found.append(f"{table}: {cursor.fetchone()[0]} rows")
    return sorted(found)


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
def test_the_database_of_the_tests_is_migrated_like_that_of_a_site():
    ours = what_there_is()
    assert len(ours) > 2000
    with migrated_as_a_site_is():
        assert what_there_is() == ours
