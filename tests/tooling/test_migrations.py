"""Migrations: complete, one last one per app, with a way back, and either of the schema or of the data."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import migrations
from django.db.migrations.loader import MigrationLoader

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
