"""What is held about a person: how they take it with them, and how it goes when they leave.

Every app names its part in `personal.py`. Export: a `PersonalData` gives rows (and files) for the copy that a member may
ask for. Erasure: a deleted account stays as an empty row, so that what hangs on it is dealt with column by column. What
a foreign key says of deletion (CASCADE, SET_NULL) holds without another word; all else is declared here, and
tests/hub/test_erasure.py fails for a column that nobody has spoken for.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.utils import timezone
from django.utils.functional import Promise

CHUNK = 500


# --- what a member takes along ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class PersonalData:
    """One part of the copy: `export(member)` yields dictionaries with labels that people read; `files(member)` yields
    (name, stored file). `covers`: the models ("events.Registration") whose personal columns it tells."""

    key: str
    label: str
    export: Callable[[models.Model], Iterable[dict]]
    files: Callable[[models.Model], Iterable[tuple[str, object]]] | None = None
    covers: tuple[str, ...] = ()
    order: int = 50


_parts: dict[str, PersonalData] = {}


def register(part: PersonalData) -> None:
    """Make a part known. Another part under the same key is a mistake."""
    if _parts.setdefault(part.key, part) != part:
        raise ValueError(f"personal data {part.key!r} is registered twice")


def parts() -> list[PersonalData]:
    return sorted(_parts.values(), key=lambda part: (part.order, part.key))


def rows(queryset: models.QuerySet, *columns: str, **labelled: str) -> Iterator[dict]:
    """Each row as {label: value}: `columns` go by the labels of their fields, `labelled` by their own ("thread__title").

    One query, fetched piece by piece, however many rows there are.
    """
    model = queryset.model
    labels = {name: label_of(model, name) for name in columns} | {
        path: label.replace("_", " ") for label, path in labelled.items()
    }
    for values in queryset.values_list(*labels).iterator(chunk_size=CHUNK):
        yield {
            label: plain(shown(model, path, value))
            for (path, label), value in zip(labels.items(), values, strict=True)
        }


def tag_names(relation: str) -> ArrayAgg:
    """For annotate(): the names of all tags of a row."""
    named = models.Q(**{f"{relation}__name__isnull": False})
    return ArrayAgg(f"{relation}__name", filter=named, default=models.Value([]))


def label_of(model: type[models.Model], name: str) -> str:
    return str(model._meta.get_field(name).verbose_name)


def shown(model: type[models.Model], path: str, value):
    """A choice in the words that people chose from."""
    try:
        field = model._meta.get_field(path)
    except FieldDoesNotExist:
        return value
    if getattr(field, "flatchoices", None) and not isinstance(value, list):
        return dict(field.flatchoices).get(value, value)
    return value


def plain(value):
    """For JSON: moments as ISO 8601 with their zone, everything else as it is or in words."""
    if isinstance(value, datetime):
        return (value if timezone.is_aware(value) else timezone.make_aware(value)).isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


# --- what becomes of it ----------------------------------------------------------------------------------------------
class Fate(StrEnum):
    """What becomes of a column when the person it is about leaves."""

    GOES = "goes"  # the row is deleted (what CASCADE says)
    CUT = "cut"  # the row stays and leads to nobody (what SET_NULL says)
    WIPED = "wiped"  # a receiver of member_erased, or members.services.leaving, empties it
    REDACTED = "redacted"  # others' words: names, handles and addresses of the person are taken out of them
    STAYS = (
        "stays"  # it leads to the emptied account, or holds nothing about a person; or it is words that stay
    )


_fates: dict[tuple[str, str], Fate] = {}
_impersonal: set[str] = set()
ON_DELETE = {models.CASCADE: Fate.GOES, models.SET_NULL: Fate.CUT}


def declare(model: str, **fates: Fate) -> None:
    """Say of columns of a model ("events.Registration") what becomes of them."""
    for name, fate in fates.items():
        _fates[(model.lower(), name)] = fate


def declare_impersonal(*names: str) -> None:
    """Models that hold nothing about a person in any column."""
    _impersonal.update(name.lower() for name in names)


def fate_of(field: models.Field) -> Fate | None:
    """As declared for this column, else as its foreign key to a member says; None where nobody has spoken."""
    declared = _fates.get((field.model._meta.label_lower, field.name))
    if declared is None and field.model._meta.label_lower in _impersonal:
        declared = Fate.STAYS
    if declared is not None or not leads_to_member(field):
        return declared
    return ON_DELETE.get(field.remote_field.on_delete)


def leads_to_member(field: models.Field) -> bool:
    return bool(field.is_relation and (field.many_to_one or field.one_to_one)) and (
        field.related_model is get_user_model()
    )


def concrete_fields() -> Iterator[models.Field]:
    """Every column of every table of ours and of the packages'."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield from model._meta.local_concrete_fields


def forget_links(member: models.Model) -> None:
    """Carry out GOES and CUT for every foreign key that leads to this member. Part of the erasure's transaction."""
    for field in concrete_fields():
        if not leads_to_member(field):
            continue
        found = field.model._base_manager.filter(**{field.name: member.pk})
        if fate_of(field) == Fate.GOES:
            found.delete()
        elif fate_of(field) == Fate.CUT:
            found.update(**{field.name: None})


def redact(words: Iterable[str], instead: str) -> None:
    """Take these names and addresses out of every column that is declared REDACTED. Part of the erasure's transaction.

    The log of acts lets only this through: its trigger refuses every other change.
    """
    pattern = pattern_of(words)
    if not pattern:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('kmnet.redacting', 'on', true)")
        for field in concrete_fields():
            if _fates.get((field.model._meta.label_lower, field.name)) == Fate.REDACTED:
                column = connection.ops.quote_name(field.column)
                table = connection.ops.quote_name(field.model._meta.db_table)
                cursor.execute(
                    f"UPDATE {table} SET {column} = regexp_replace({column}, %s, %s, 'gi') "
                    f"WHERE {column} <> '' AND {column} ~* %s",  # names of our own tables; values are parameters
                    [pattern, instead, pattern],
                )
        cursor.execute("SELECT set_config('kmnet.redacting', '', true)")


def pattern_of(words: Iterable[str]) -> str:
    """A Postgres expression that finds each of these as a whole word; the longest first. Empty for none.

    A single plain word ("Ana", "spam") is found as a handle only, after @ or in a profile's address: whoever takes an
    everyday word for a name must not be able to blot it out of what others wrote and of the log."""
    wanted = sorted({word.strip() for word in words if len(word.strip()) > 2}, key=len, reverse=True)
    return "|".join(rf"{_before(word)}{_literally(word)}(?!\w)" for word in wanted)


def _before(word: str) -> str:
    return "(?<=@|/members/)" if word.isalpha() else r"(?<!\w)"


def _literally(word: str) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", word)
