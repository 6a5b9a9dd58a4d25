"""Writing one row at the price of one statement, and several at the price of one message. For what is written in a storm,
where `save` costs more than Postgres, and each message makes those wait who want the same lock."""

import re
from contextlib import contextmanager
from functools import lru_cache

from django.db import connection, models

from .fixed import Prepared, in_one_message


def insert(row: models.Model, *, unless: str = "", needs_key: bool = True) -> bool:
    """As row.save(force_insert=True), without its signals, of which this site has none, and without building the SQL
    anew. `unless`: a unique column; where its value is known already nothing is written, and the answer is False (it
    waits, as any INSERT does, for whoever writes the same value at this moment). `needs_key` False: nobody asks for
    the key that the database gives it; so within together() it may wait for the next row."""
    has_key = row.pk is not None
    statement, fields = _statement(type(row), unless, has_key)
    values = [_value(field, row) for field in fields]
    waiting = getattr(connection, "waiting_rows", None)
    if waiting is not None and not unless and (has_key or not needs_key):
        waiting.append((statement, values))
        row._state.adding, row._state.db = False, connection.alias
        return True
    written = in_one_message([*(waiting or ()), (statement, values)])
    if waiting:
        waiting.clear()
    if not written:
        return False
    row.pk, row._state.adding, row._state.db = written[0][0], False, connection.alias
    return True


@contextmanager
def together():
    """Rows that are inserted within it, and whose key is given or needed by nobody, are sent with the next one that is
    not so, in one message; what is left, when it ends. For a few lines that ask the database nothing about these rows."""
    connection.waiting_rows = waiting = []
    try:
        yield
        if waiting:
            in_one_message(waiting)
    finally:
        connection.waiting_rows = None


def _value(field: models.Field, row: models.Model):
    """For Postgres. Most columns of a new row are empty, and need not go through five methods to stay so."""
    value = field.pre_save(row, add=True)
    return None if value is None else field.get_db_prep_save(value, connection)


class NextKey(models.Func):
    """The key that the next row of this table would have got, for a row of ours: taken for each row of the answer."""

    function = "nextval"
    output_field = models.BigIntegerField()

    def __init__(self, model: type[models.Model]):
        table, key = models.Value(model._meta.db_table), models.Value(model._meta.pk.column)
        super().__init__(models.Func(table, key, function="pg_get_serial_sequence"))

    def get_group_by_cols(self):
        return []


@lru_cache(maxsize=64)
def _statement(model: type[models.Model], unless: str, with_key: bool) -> tuple[Prepared, list[models.Field]]:
    fields = [
        field
        for field in model._meta.concrete_fields
        if not field.generated and (with_key or not field.primary_key)
    ]
    name = connection.ops.quote_name
    columns = ", ".join(name(field.column) for field in fields)
    sql = f"INSERT INTO {name(model._meta.db_table)} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"
    if unless:
        sql += f" ON CONFLICT ({name(unless)}) DO NOTHING"
    sql += f" RETURNING {name(model._meta.pk.column)}"
    return Prepared(sql, tuple(_type_of(field) for field in fields)), fields


def _type_of(field: models.Field) -> str:
    """For Postgres. Without the length: what is too long must be refused, where a cast would cut it. An identity
    column's is that of a whole number."""
    kind = field.rel_db_type(connection) if field.primary_key else field.db_type(connection)
    return re.sub(r"varchar(\(\d+\))?", "text", kind)
