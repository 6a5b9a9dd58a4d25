"""What somebody has given: each app registers its kinds of contributions, a profile lists them.

Every list holds only what the viewer may see, and nothing that its author left unsigned."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Count, QuerySet, Window

from . import keyset


@dataclass(frozen=True)
class Contribution:
    """One thing somebody gave. `title` is plain text, `meta` a short line beside it, `icon` a name of icons.svg."""

    url: str
    title: str
    at: datetime
    meta: str = ""
    icon: str = "talk"


@dataclass(frozen=True)
class Contributions:
    """One kind. `rows_of(member, viewer)`: what this person may see of it; `order`: newest first, the key last."""

    key: str
    label: str
    position: int
    rows_of: Callable[[object, object], QuerySet]
    order: list[str]
    show: Callable[[object], Contribution]

    def latest(self, member, viewer, limit: int) -> tuple[list[Contribution], int]:
        """The newest, and how many there are in all; one query."""
        rows = self.rows_of(member, viewer).annotate(total=Window(Count("pk")))
        rows = list(rows.order_by(*self.order)[:limit])
        return [self.show(row) for row in rows], rows[0].total if rows else 0

    def page(self, member, viewer, params) -> keyset.Page:
        """All of them, page by page; one query."""
        page = keyset.paginate(self.rows_of(member, viewer), params, order=self.order)
        page.items = [self.show(row) for row in page.items]
        return page


_kinds: dict[str, Contributions] = {}


def register(kind: Contributions) -> None:
    _kinds[kind.key] = kind


def kinds() -> list[Contributions]:
    return sorted(_kinds.values(), key=lambda kind: (kind.position, kind.key))


@dataclass
class Given:
    """What one member has given, as far as one viewer may see it; a query for each kind."""

    member: object
    viewer: object
    each: int = 3

    @cached_property
    def by_kind(self) -> list[dict]:
        found = []
        for kind in kinds():
            items, total = kind.latest(self.member, self.viewer, self.each)
            if items:
                found.append({"key": kind.key, "label": kind.label, "items": items, "total": total})
        return found

    @property
    def newest(self) -> list[Contribution]:
        """The few newest of all kinds together."""
        items = [item for kind in self.by_kind for item in kind["items"]]
        return sorted(items, key=lambda item: item.at, reverse=True)[: self.each]

    @property
    def total(self) -> int:
        return sum(kind["total"] for kind in self.by_kind)
