"""Rows into Postgres by COPY, as many as wanted, without holding them in memory."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime

from django.db import connection, models, transaction
from django.db.models.expressions import DatabaseDefault

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def cell(value) -> str:
    """As COPY's text format wants it."""
    if isinstance(value, DatabaseDefault):  # of a column whose default the database has
        value = value.expression.value
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        inner = ",".join(_element(one) for one in value)
        return f"{{{inner}}}".translate(_ESCAPES)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value).translate(_ESCAPES)
    return str(value).translate(_ESCAPES)


def _element(value) -> str:
    if isinstance(value, (int, float)):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


class Lines(io.TextIOBase):
    """A file that is written while it is read."""

    def __init__(self, lines: Iterator[str]):
        self.lines, self.rest = lines, ""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> str:
        parts, length = [self.rest], len(self.rest)
        while size < 0 or length < size:
            line = next(self.lines, None)
            if line is None:
                break
            parts.append(line)
            length += len(line)
        text = "".join(parts)
        if size < 0:
            size = len(text)
        self.rest = text[size:]
        return text[:size]


class Table:
    """One model's table: columns that differ from row to row, and for all others the default of the model."""

    def __init__(self, model: type[models.Model], *varying: str):
        self.model, self.varying = model, varying
        plain = model()
        fields = [
            field
            for field in model._meta.local_concrete_fields
            if field.name not in varying
            and field.attname not in varying
            and not field.primary_key
            and not field.generated
        ]
        self.constant = {
            field.column: cell(field.get_db_prep_save(field.pre_save(plain, add=True), connection))
            for field in fields
        }

    def columns(self) -> list[str]:
        named = [self.model._meta.get_field(name).column for name in self.varying]
        return [*named, *self.constant]

    def copy(self, rows: Iterable[tuple]) -> None:
        """Each row holds the varying values, in their order."""
        tail = "".join(f"\t{value}" for value in self.constant.values()) + "\n"
        lines = ("\t".join(map(cell, row)) + tail for row in rows)
        quote = connection.ops.quote_name
        columns = ", ".join(quote(column) for column in self.columns())
        table = quote(self.model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", Lines(lines))


def take_ids(model: type[models.Model], number: int) -> range:
    """So many ids of the table's own sequence; nobody else gets them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [model._meta.db_table, model._meta.pk.column])
        sequence = cursor.fetchone()[0]
        cursor.execute("SELECT nextval(%s)", [sequence])
        first = cursor.fetchone()[0]
        cursor.execute("SELECT setval(%s, %s)", [sequence, first + max(number, 1) - 1])
    return range(first, first + number)


def without_indexes(tables: Iterable[str], work: Callable[[], None]) -> None:
    """Do the work while these tables have no index but those of their constraints; then make them again.

    One transaction: whoever looks meanwhile waits, and a failure leaves everything as it was. Where the role may, foreign
    keys are not checked row by row (the rows refer only to rows made here or read before).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
            FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
            WHERE t.relname = ANY(%s) AND NOT i.indisunique
            """,
            [list(tables)],
        )
        indexes = cursor.fetchall()
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")  # a name that Postgres wrote itself
        work()
        for _name, definition in indexes:
            cursor.execute(definition)


def settle() -> None:
    """What autovacuum would have done by now."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
