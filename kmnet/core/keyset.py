"""Pages of long lists without OFFSET: page 1,000 costs what page 1 costs."""

from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

from django.core import signing
from django.db.models import IntegerField, Q, QuerySet, Value

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


@dataclass
class _Place:
    """Where in a list a page starts, as the address says: behind or before a row with these values."""

    order: list[str]
    params: object
    values: list | None = None
    backwards: bool = False

    @classmethod
    def read(cls, params, order: list[str]) -> "_Place":
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
        return cls(order, params, values, backwards and values is not None)

    @property
    def direction(self) -> list[str]:
        return _turn(self.order) if self.backwards else self.order

    def page(self, rows: list, size: int) -> Page:
        """`rows` are in our direction, one more than fit where there are more."""
        more, rows = len(rows) > size, rows[:size]
        if self.backwards:
            rows.reverse()
        page = Page(items=rows)
        if rows and (more or self.backwards):
            page.next_query = self._link("after", rows[-1])
        if rows and ((self.values is not None and not self.backwards) or (self.backwards and more)):
            page.previous_query = self._link("before", rows[0])
        return page

    def _link(self, name: str, row) -> str:
        keep = [
            (key, value)
            for key, values in self.params.lists()
            for value in values
            if key not in ("after", "before")
        ]
        values = [_value(row, part.lstrip("-")) for part in self.order]
        token = signing.dumps([self.order, values], salt=SALT, compress=True)
        return "?" + urlencode([*keep, (name, token)])


def paginate(queryset: QuerySet, params, *, order: list[str], size: int = 20) -> Page:
    """One page of `queryset` in `order` (the last column unique, none NULL), as `params` (request.GET) asks.

    The cursor is signed: `?after=` and `?before=` that we did not make are ignored and give the first page. One query.
    """
    place = _Place.read(params, order)
    rows = queryset.order_by(*place.direction)
    if place.values is not None:
        rows = rows.filter(_after(place.direction, place.values))
    return place.page(list(rows[: size + 1]), size)


def first_page(rows: list, params, *, order: list[str], size: int = 20) -> Page:
    """As `paginate`, of rows that were fetched in this order by now: one more than fit, where there are more. The address
    asks for the beginning."""
    return _Place(order, params).page(rows, size)


def paginate_stretches(stretches: list[QuerySet], params, *, order: list[str], size: int = 20) -> Page:
    """One page of several lists, one after the other, each in `order`; nobody may stand in two of them.

    Each list is read by its own index and no further than a page, where sorting by "in which list" would read all.
    The items are named tuples of `stretch` and the columns of `order`. One query.
    """
    place = _Place.read(params, ["stretch", *order])
    direction = _turn(order) if place.backwards else order
    at, *values = place.values if place.values is not None else (None,)
    columns = [name.lstrip("-") for name in order]
    parts = []
    for number, rows in enumerate(stretches):
        passed = at is not None and (number > at if place.backwards else number < at)
        if passed or rows.query.is_empty():
            continue
        rows = rows.annotate(stretch=Value(number, output_field=IntegerField())).order_by(*direction)
        if number == at:
            rows = rows.filter(_after(direction, values))
        parts.append(rows.values_list("stretch", *columns, named=True)[: size + 1])
    if not parts:
        return place.page([], size)
    first, *others = parts
    rows = first.union(*others, all=True).order_by(*place.direction)[: size + 1] if others else first
    return place.page(list(rows), size)
