"""Writing one row at the price of one statement. For what is written in a storm, where `save` costs more than Postgres."""

import re
from functools import lru_cache

from django.db import connection, models

from .fixed import Prepared


def insert(row: models.Model, *, unless: str = "") -> bool:
    """As row.save(force_insert=True), without its signals, of which this site has none, and without building the SQL
    anew. `unless`: a unique column; where its value is known already nothing is written, and the answer is False (it
    waits, as any INSERT does, for whoever writes the same value at this moment)."""
    statement, fields = _statement(type(row), unless)
    written = statement.rows(
        [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    )
    if not written:
        return False
    row.pk, row._state.adding, row._state.db = written[0][0], False, connection.alias
    return True


@lru_cache(maxsize=64)
def _statement(model: type[models.Model], unless: str) -> tuple[Prepared, list[models.Field]]:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key and not field.generated]
    name = connection.ops.quote_name
    columns = ", ".join(name(field.column) for field in fields)
    sql = f"INSERT INTO {name(model._meta.db_table)} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"
    if unless:
        sql += f" ON CONFLICT ({name(unless)}) DO NOTHING"
    sql += f" RETURNING {name(model._meta.pk.column)}"
    return Prepared(sql, tuple(_type_of(field) for field in fields)), fields


def _type_of(field: models.Field) -> str:
    """For Postgres. Without the length: what is too long must be refused, where a cast would cut it."""
    return re.sub(r"varchar(\(\d+\))?", "text", field.db_type(connection))
