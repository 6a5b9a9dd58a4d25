"""Pieces of SQL with their parameters, for what the ORM would take longer to say than Postgres to answer.

They read the table members_directoryentry under its own name. Values are always parameters."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.db import connection
from django.db.models import BooleanField, QuerySet, Value
from django.db.models.expressions import RawSQL

from ..models import Member

LISTED = "members_directoryentry.is_listed"


@dataclass(frozen=True)
class Sql:
    text: str
    params: tuple = ()

    def __and__(self, other: "Sql") -> "Sql":
        return Sql(f"({self.text} AND {other.text})", self.params + other.params)

    def __or__(self, other: "Sql") -> "Sql":
        return Sql(f"({self.text} OR {other.text})", self.params + other.params)

    def __invert__(self) -> "Sql":
        return Sql(f"(({self.text}) IS NOT TRUE)", self.params)

    def in_orm(self) -> RawSQL:
        """As a condition for a queryset that is joined to the entry."""
        return RawSQL(self.text, self.params, output_field=BooleanField())


ALL, NOBODY = Sql("TRUE"), Sql("FALSE")


def _ids(pks: Iterable[int]) -> str:
    """As one value: Postgres reads a thousand of them in a moment, but not a thousand constants."""
    return f"{{{','.join(map(str, pks))}}}"


def entry_of(pks: Iterable[int]) -> Sql:
    return Sql("members_directoryentry.member_id = ANY(%s::bigint[])", (_ids(pks),))


def members_among(pks: Iterable[int]) -> RawSQL:
    """Has one of these ids; one parameter however many there are."""
    return RawSQL("members_member.id = ANY(%s::bigint[])", (_ids(pks),), output_field=BooleanField())


_SAME_PERSON = RawSQL("members_member.id = members_directoryentry.member_id", (), output_field=BooleanField())


def same_person(members: QuerySet[Member]) -> QuerySet:
    """For `of_entries`: the owner of the entry is one of these members."""
    return members.filter(_SAME_PERSON).order_by().values_list(Value(1))


@cache
def full() -> Sql:
    text, params = same_person(Member.objects.full()).query.sql_with_params()
    return Sql(text, tuple(params))


def of_entries(columns: Sql, rule: Sql, *, limit: int, owner: Sql | None = None) -> Sql:
    """These columns of up to `limit` listed entries that fit. The owner is looked at for one entry after the other,
    as OFFSET 0 tells Postgres, which would else read all members to find the few whose entries fit. Of everybody, the
    first, so that the same are looked at each time."""
    owner = owner or full()
    order = "ORDER BY members_directoryentry.member_id " if rule == ALL else ""
    return Sql(
        f"SELECT {columns.text} FROM members_directoryentry, LATERAL ({owner.text} OFFSET 0) AS owner "
        f"WHERE {LISTED} AND {rule.text} {order}LIMIT %s",
        (*columns.params, *owner.params, *rule.params, limit),
    )


def of_known(columns: Sql, pks: Iterable[int]) -> Sql:
    """These columns of the entries of members of whom it is known that they are found; nothing more is asked of them."""
    known = entry_of(pks)
    return Sql(
        f"SELECT {columns.text} FROM members_directoryentry WHERE {known.text}", columns.params + known.params
    )


def fetch(text: str, params: tuple | dict) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall()


def union_all(queries: Iterable[Sql]) -> Sql:
    queries = list(queries)
    return Sql(
        " UNION ALL ".join(f"({query.text})" for query in queries),
        tuple(param for query in queries for param in query.params),
    )
