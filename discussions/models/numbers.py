"""Sets of post numbers, kept as ranges: {[1,4),[7,9)} is 1, 2, 3, 7, 8. Postgres does the arithmetic (int4multirange)."""

import re
from collections.abc import Iterable

from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Coalesce

_RANGE = re.compile(r"\[(\d+),(\d+)\)")


def ranges_of(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Half-open ranges, sorted and merged: [1, 2, 3, 7] -> [(1, 4), (7, 8)]."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return found


def as_multirange(ranges: Iterable[tuple[int, int]]) -> str:
    """The way Postgres writes it."""
    return "{" + ",".join(f"[{low},{high})" for low, high in ranges) + "}"


class NumbersField(models.Field):
    """A set of numbers as a list of half-open ranges."""

    def db_type(self, connection):
        return "int4multirange"

    def from_db_value(self, value, expression, connection):
        return value if value is None else [(int(low), int(high)) for low, high in _RANGE.findall(value)]

    def to_python(self, value):
        if isinstance(value, str):
            return [(int(low), int(high)) for low, high in _RANGE.findall(value)]
        return value

    def get_prep_value(self, value):
        return value if value is None or isinstance(value, str) else as_multirange(value)

    def value_to_string(self, obj):
        return as_multirange(self.value_from_object(obj))


class Unread(Func):
    """The numbers that stand in a thread (given so far, less those out of sight) and were not read."""

    output_field = NumbersField()

    def __init__(self, *, last="last_number", gone="gone_numbers", read="numbers"):
        nothing = Value("{}", output_field=NumbersField())
        super().__init__(F(last), F(gone), Coalesce(F(read), nothing, output_field=NumbersField()))

    def as_sql(self, compiler, connection, **extra):
        parts, params = [], []
        for expression in self.source_expressions:
            sql, own = compiler.compile(expression)
            parts.append(sql)
            params.extend(own)
        last, gone, read = parts
        sql = f"(int4multirange(int4range(1, {last} + 1)) - {gone} - {read}::int4multirange)"
        return sql, tuple(params)


class HowMany(Func):
    """How many numbers a set holds."""

    template = (
        "(SELECT coalesce(sum(upper(one) - lower(one)), 0)::integer FROM unnest(%(expressions)s) AS one)"
    )
    output_field = models.IntegerField()


class Lowest(Func):
    """The first number of a set; NULL for none."""

    function = "lower"
    output_field = models.IntegerField()


class IsEmpty(Func):
    function = "isempty"
    output_field = models.BooleanField()


class OwedCount(Func):
    """Of a thread: how many of its shown posts were published after a moment.

    Where the whole thread is younger, that is arithmetic; of older ones the first MOST are counted, by index."""

    output_field = models.IntegerField()
    MOST = 500
    of_all = "coalesce((SELECT sum(upper(one) - lower(one)) FROM unnest({owed}) AS one), 0)::integer"
    of_some = "count(*)::integer"

    def __init__(self, since):
        super().__init__(F("pk"), F("gone_numbers"), since, F("created_at"), F("last_number"))

    def as_sql(self, compiler, connection, **extra):
        (thread, thread_p), (gone, gone_p), (since, since_p), (began, began_p), (last, last_p) = (
            compiler.compile(expression) for expression in self.source_expressions
        )
        owed = f"(int4multirange(int4range(1, {last} + 1)) - {gone})"
        sql = (
            f"(CASE WHEN {began} > {since} THEN {self.of_all.format(owed=owed)} ELSE"
            f" (SELECT {self.of_some} FROM (SELECT owed.number FROM discussions_post owed WHERE owed.thread_id = {thread}"
            f" AND owed.published_at > {since} AND NOT {gone} @> owed.number"
            f" ORDER BY owed.published_at LIMIT {self.MOST}) AS early) END)"
        )
        return sql, (*began_p, *since_p, *last_p, *gone_p, *thread_p, *since_p, *gone_p)


class OwedFirst(OwedCount):
    """The lowest number of those posts; NULL for none."""

    of_all = "lower({owed})"
    of_some = "min(early.number)"
