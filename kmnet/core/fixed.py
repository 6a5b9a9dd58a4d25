"""Queries whose SQL is made once. For what is asked at every page, where the ORM's compiling costs more than the answer.

    @fixed
    def newest_threads(readers, *, member, since):
        return Thread.objects.visible_to(stand_in(readers, member)).filter(last_post_at__gt=since).with_card()[:20]

    threads = newest_threads(kind_of(user), member=user.pk, since=then)     # a list, as list(queryset) would be
    number = newest_threads.count(kind_of(user), member=user.pk, since=then)

What stands before the `*` shapes the SQL: hashable, few different ones, since each has its own plan for ever. What stands
behind it goes into the SQL as a value: int, str, date, datetime, UUID, or a list of ints or strs (`pk__any_of=ids`, which
is `__in` for a list of any length). None and bool shape the SQL. The function must depend on its arguments and on nothing
else: no clock, no settings row, no query. Two guards: a moment in the SQL that was not given is refused, and in the tests
(settings.CHECK_FIXED_QUERIES) each call is also compiled by the ORM with the true values and must give the same SQL.

Instances come with select_related, annotations and only(); prefetch_related works, at its usual price. On a connection
that is kept the SQL is prepared, so that Postgres plans it a few times and not at every page.
"""

import copy
import dataclasses
import functools
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
)
from django.db.models import Field, ForeignObject, Lookup, prefetch_related_objects
from django.db.models.query import ModelIterable, get_related_populators
from psycopg2.extensions import register_adapter

MOST_SHAPES = 500  # of one query: more means that a value was given as a shape
RE_PREPARE = {"26000", "0A000"}  # the server forgot the statement; a migration changed its columns


@ForeignObject.register_lookup
@Field.register_lookup
class AnyOf(Lookup):
    """`pk__any_of=ids`: one parameter for a list of any length, also an empty one."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        sql, params = self.process_lhs(compiler, connection)
        return f"{sql} = ANY(%s)", [*params, short(self.rhs)]


class Numbers(list):
    """Integers that are sent as '{1,2,3}': hundreds of them as ARRAY[1, 2, 3] take Postgres milliseconds to read."""

    def getquoted(self) -> bytes:
        return f"'{{{','.join(map(str, self))}}}'".encode()


register_adapter(Numbers, lambda numbers: numbers)


def short(value):
    """A list of integers as Numbers; anything else as it is."""
    return Numbers(value) if type(value) is list and all(type(item) is int for item in value) else value


@Field.register_lookup
class Like(Lookup):
    """`name__like="%ada%"`: a pattern as it is, where `__contains` would change what it is given."""

    lookup_name = "like"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        sql, params = self.process_lhs(compiler, connection)
        return f"{sql}::text LIKE %s", [*params, self.rhs]


class Prepared:
    """SQL with %s, run as it is or, where that pays, as a prepared statement. `types`: of each parameter, for Postgres."""

    def __init__(self, sql: str, types: tuple[str, ...]):
        self.sql = sql
        self.name = f"fixed_{hashlib.sha256(sql.encode()).hexdigest()[:20]}"
        self.types = types
        numbered = (f"${number}::{kind}" for number, kind in enumerate(types, 1))
        self._prepare = f"PREPARE {self.name} AS {sql % tuple(numbered)}"
        self._execute = f"EXECUTE {self.name}" + (f"({', '.join(['%s'] * len(types))})" if types else "")
        self._refused = False

    def refuse(self) -> None:
        """Never prepare it."""
        self._refused = True

    def rows(self, params) -> list[tuple]:
        return in_one_message([(self, params)])

    def words(self, db, cursor) -> str:
        """What to send: EXECUTE where the statement stands ready. The second use on a connection prepares it; the first
        may be the last. Within a transaction nothing is prepared, since what fails there takes the whole transaction
        along: it is put on a list, and prepared before the next statement outside of one."""
        if self._refused or not db.settings_dict["CONN_MAX_AGE"]:
            return self.sql
        held, statements = getattr(db, "fixed_statements", None) or (None, None)
        if held is not db.connection:  # a new connection knows none of them
            db.fixed_statements = db.connection, (statements := Statements())
        statements.uses[self.name] = times = statements.uses.get(self.name, 0) + 1
        if times == 2:
            statements.wanted.append(self)
        if statements.wanted and not db.in_atomic_block:
            self._prepare_wanted(db, cursor, statements)
        return self._execute if self.name in statements.ready else self.sql

    @staticmethod
    def _prepare_wanted(db, cursor, statements: "Statements") -> None:
        if getattr(db, "fixed_spoilt", False):
            cursor.execute("DEALLOCATE ALL")
            db.fixed_spoilt = False
        while statements.wanted:
            one = statements.wanted.pop()
            try:
                cursor.execute(one._prepare)
            except DatabaseError:
                one._refused = True
            else:
                statements.ready.add(one.name)


def in_one_message(statements: list[tuple[Prepared, list]]) -> list[tuple]:
    """Several statements, each with its parameters, sent at the price of one; the rows of the last. Each sees what was
    committed before it began, also while those ahead of it waited for a lock."""
    db = connections[DEFAULT_DB_ALIAS]
    params = [param for _statement, own in statements for param in own]
    with db.cursor() as cursor:
        words = "; ".join([statement.words(db, cursor) for statement, _own in statements])
        try:
            cursor.execute(words, params)
        except DatabaseError as error:
            if getattr(error.__cause__, "pgcode", None) not in RE_PREPARE:
                raise
            db.fixed_statements = None
            if db.in_atomic_block:  # lost; but whoever tries again finds everything in order
                db.fixed_spoilt = True
                raise
            cursor.execute("DEALLOCATE ALL")
            cursor.execute("; ".join([statement.sql for statement, _own in statements]), params)
        return cursor.fetchall()


@dataclass
class Statements:
    """What one connection knows: how often each statement was used, which stand ready, and which ought to."""

    uses: dict[str, int] = dataclasses.field(default_factory=dict)
    ready: set[str] = dataclasses.field(default_factory=set)
    wanted: list[Prepared] = dataclasses.field(default_factory=list)


class Named:
    """SQL of ours with %(names)s, prepared in the same way; `types` are those of Postgres, by name."""

    def __init__(self, sql: str, **types: str):
        self.names = re.findall(r"%\((\w+)\)s", sql)
        self.statement = Prepared(re.sub(r"%\(\w+\)s", "%s", sql), tuple(types[name] for name in self.names))

    def rows(self, **values) -> list[tuple]:
        return self.statement.rows([values[name] for name in self.names])


def ask_first(question):
    """The first question of a request. It is also the proof that the connection still stands, in place of the SELECT 1
    that Django would send ahead; where it does not, it is made anew and asked again."""
    if connection.in_atomic_block or connection.connection is None:
        return question()
    connection.health_check_done = True
    try:
        return question()
    except (OperationalError, InterfaceError):
        if connection.is_usable():  # something else, such as a time-out
            raise
        connection.close()
        return question()


class Plan:
    """One shape of a query: its SQL, which parameter is which given value, and how rows become what is asked for."""

    def __init__(self, queryset, given: dict):
        self.queryset = queryset
        self.compiler = queryset.query.get_compiler(using="default")
        self.is_empty = False
        try:
            sql, params = self.compiler.as_sql()
        except EmptyResultSet:
            self.is_empty = True
            return
        self.sql, self.params = sql, list(params)
        self.names = [_name_of(param, given) for param in self.params]
        if missing := set(given) - set(self.names):
            raise TypeError(f"{missing} changed on the way into the SQL, or was not used")
        kinds = tuple(_type_of(given[name]) for name in self.names if name)
        for param, name in zip(self.params, self.names, strict=True):
            if not name and isinstance(param, date):
                raise TypeError(f"A moment stands in the SQL: {param}. Give it by name.")
        self.statement = Prepared(self._with_constants(sql), kinds)
        self.counting = Prepared(f"SELECT COUNT(*) FROM ({self._with_constants(sql)}) counted", kinds)
        self._how_to_make_models()

    def _with_constants(self, sql: str) -> str:
        """Constants stand in the text: partial indexes fit only what Postgres sees when it plans."""
        literals = []
        with connection.cursor() as cursor:
            for param, name in zip(self.params, self.names, strict=True):
                words = "%s" if name else cursor.mogrify("%s", [param])
                literals.append(words if name else words.decode().replace("%", "%%"))
        pieces = sql.replace("%%", "\x00").split("%s")
        text = "".join(piece + literal for piece, literal in zip(pieces, [*literals, ""], strict=True))
        return text.replace("\x00", "%%")

    def _how_to_make_models(self) -> None:
        compiler = self.compiler
        self.makes_models = self.queryset._iterable_class is ModelIterable
        if not self.makes_models:
            return
        info, select = compiler.klass_info, compiler.select
        fields = info["select_fields"]
        self.model, self.start, self.end = info["model"], fields[0], fields[-1] + 1
        self.attributes = [f[0].target.attname for f in select[self.start : self.end]]
        self.related = get_related_populators(info, select, "default")
        self.annotations = tuple((compiler.annotation_col_map or {}).items())
        self.converters = compiler.get_converters([column[0] for column in select[: compiler.col_count]])

    def each(self, given: dict[str, list]) -> list[tuple]:
        kinds = ", ".join(f"%s::{_type_of(values[0])}[]" for values in given.values())
        names = [f"given_{name}" for name in given]
        pieces = self._with_constants(self.sql).split("%s")
        places = [f"who.given_{name}" for name in self.names if name]
        sql = "".join(piece + place for piece, place in zip(pieces, [*places, ""], strict=True))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT found.* FROM unnest({kinds}) WITH ORDINALITY AS who ({', '.join(names)}, place)"
                f" CROSS JOIN LATERAL (SELECT (who.place - 1)::integer, found.* FROM ({sql}) AS found) AS found",
                list(given.values()),
            )
            return cursor.fetchall()

    def values(self, given: dict) -> list:
        return [short(given[name]) for name in self.names if name]

    def results(self, given: dict) -> list:
        rows = self.statement.rows(self.values(given))
        if not self.makes_models:
            asked = object.__new__(type(self.queryset))  # a plain copy: cloning would copy the whole query
            vars(asked).update(vars(self.queryset), _query=_Answered(self, rows))
            return list(asked._iterable_class(asked))
        if self.converters:
            rows = self.compiler.apply_converters(rows, self.converters)
        found = []
        for row in rows:
            thing = self.model.from_db("default", self.attributes, row[self.start : self.end])
            for populator in self.related:
                populator.populate(row, thing)
            for name, column in self.annotations:
                setattr(thing, name, row[column])
            found.append(thing)
        if found and self.queryset._prefetch_related_lookups:
            prefetch_related_objects(found, *self.queryset._prefetch_related_lookups)
        return found


class _Answered:
    """Stands in for a queryset's Query: its compiler has the rows already. So values() and values_list() work."""

    def __init__(self, plan: Plan, rows: list):
        self._plan, self._rows = plan, rows

    def get_compiler(self, *_args, **_kwargs):
        compiler = copy.copy(self._plan.compiler)
        compiler.execute_sql = lambda *args, **kwargs: [self._rows]
        return compiler

    def __getattr__(self, name):
        return getattr(self._plan.queryset.query, name)


class fixed:
    """See the top of this module."""

    def __init__(self, build):
        functools.update_wrapper(self, build)
        self.build = build
        self.plans: dict[tuple, Plan] = {}
        self.prepares = True

    def __call__(self, *shape, **given) -> list:
        plan = self.plan(shape, given)
        return [] if plan.is_empty else plan.results(given)

    def each(self, *shape, **given: list) -> list[tuple]:
        """The same query for many at once, in one statement: `given` are lists of one length, with a value for each.
        Rows as they come from the database, the place of whom they are for first: for queries that end in values_list.
        """
        first = {name: values[0] for name, values in given.items()}
        plan = self.plan(shape, first)
        return [] if plan.is_empty else plan.each(given)

    def count(self, *shape, **given) -> int:
        """How many rows there are; give the query a limit where enough is enough."""
        plan = self.plan(shape, given)
        return 0 if plan.is_empty else plan.counting.rows(plan.values(given))[0][0]

    def plan(self, shape: tuple, given: dict) -> Plan:
        key = (shape, *[(name, _kind_of(value)) for name, value in given.items()])
        plan = self.plans.get(key)
        if plan is None:
            if len(self.plans) >= MOST_SHAPES:
                raise TypeError(f"{self.__name__} has {MOST_SHAPES} shapes: is a value among them?")
            signs = {name: _sign(place, value) for place, (name, value) in enumerate(given.items())}
            plan = self.plans[key] = Plan(self.build(*shape, **signs), signs)
            if not self.prepares:
                plan.statement.refuse()
                plan.counting.refuse()
        if settings.CHECK_FIXED_QUERIES:
            self.check(plan, shape, given)
        return plan

    def check(self, plan: Plan, shape: tuple, given: dict) -> None:
        """The ORM, asked now and with the true values, says the same."""
        try:
            sql, params = self.build(*shape, **given).query.sql_with_params()
        except EmptyResultSet:
            sql, params = None, ()
        expected = (None, []) if plan.is_empty else (plan.sql, [])
        if not plan.is_empty:
            pairs = zip(plan.names, plan.params, strict=True)
            expected = plan.sql, [given[name] if name else param for name, param in pairs]
        if (sql, list(params)) != expected:
            raise AssertionError(f"{self.__name__} is not fixed:\n{expected}\n{(sql, list(params))}")


def planned_anew(build) -> fixed:
    """As @fixed, where the best plan depends on the values, such as how many markers this member has: the SQL is made
    once, and Postgres plans it at each use."""
    query = fixed(build)
    query.prepares = False
    return query


def _kind_of(value) -> type | str:
    if isinstance(value, list):
        return "strs" if value and isinstance(value[0], str) else "ints"
    return type(value)


def _sign(place: int, value):
    """A value of the same type that is found again in the parameters; small enough for an integer column."""
    match value:
        case bool() | None:
            raise TypeError("None and bool shape the SQL: give them before the *")
        case int():
            return 2_147_400_000 + place
        case str():
            return f"\ue0f0{place}\ue0f0"
        case datetime():
            return datetime(9000, 1, 1 + place, tzinfo=UTC)
        case date():
            return date(9000, 1, 1 + place)
        case UUID():
            return UUID(int=place)
        case list():
            return ["\ue0f1", str(place)] if value and isinstance(value[0], str) else [2_147_300_000, place]
    raise TypeError(f"{type(value)} cannot be given")


def _name_of(param, given: dict) -> str:
    """Which given value this parameter is; "" for a constant."""
    for name, sign in given.items():
        if (type(param) is type(sign) or type(param) is Numbers) and param == sign:
            return name
    return ""


TYPES = {int: "bigint", str: "text", datetime: "timestamptz", date: "date", UUID: "uuid"}


def _type_of(sign) -> str:
    if isinstance(sign, list):
        return f"{TYPES[type(sign[0])]}[]"
    return TYPES[type(sign)]
