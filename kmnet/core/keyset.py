"""Pages of long lists without OFFSET: page 1,000 costs what page 1 costs."""

from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Q, QuerySet

SALT = "keyset"


@dataclass
class Page:
    """A slice of a list, with the query strings of its neighbours ("" where there is none)."""

    items: list = field(default_factory=list)
    next_query: str = ""
    previous_query: str = ""

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


def _value(row, name):
    value = row
    for part in name.split("__"):
        value = getattr(value, part)
    return value.isoformat() if isinstance(value, date) else value


def _after(order: list[str], values: list) -> Q:
    """Rows that come after `values` in `order`; columns must not be NULL."""
    condition, equal = Q(pk__in=[]), Q()
    for name, value in zip(order, values, strict=True):
        step = f"{name.lstrip('-')}__{'lt' if name.startswith('-') else 'gt'}"
        condition |= equal & Q(**{step: value})
        equal &= Q(**{name.lstrip("-"): value})
    return condition


def _turn(order: list[str]) -> list[str]:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in order]


def paginate(queryset: QuerySet, params, *, order: list[str], size: int = 20) -> Page:
    """One page of `queryset` in `order` (the last column unique, none NULL), as `params` (request.GET) asks.

    The cursor is signed: `?after=` and `?before=` that we did not make are ignored and give the first page. One query.
    """
    keep = [
        (key, value) for key, values in params.lists() for value in values if key not in ("after", "before")
    ]
    cursor, backwards = params.get("after"), False
    if not cursor and params.get("before"):
        cursor, backwards = params["before"], True
    values = None
    if cursor:
        try:
            stated, values = signing.loads(cursor, salt=SALT)
            if stated != order:
                values = None
        except (signing.BadSignature, ValueError, TypeError):
            values = None
    backwards = backwards and values is not None
    direction = _turn(order) if backwards else order
    rows = queryset.order_by(*direction)
    if values is not None:
        rows = rows.filter(_after(direction, values))
    rows = list(rows[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()

    def link(name: str, row) -> str:
        token = signing.dumps(
            [order, [_value(row, part.lstrip("-")) for part in order]], salt=SALT, compress=True
        )
        return "?" + urlencode([*keep, (name, token)])

    page = Page(items=rows)
    if rows and (more or backwards):
        page.next_query = link("after", rows[-1])
    if rows and ((values is not None and not backwards) or (backwards and more)):
        page.previous_query = link("before", rows[0])
    return page
