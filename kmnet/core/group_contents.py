"""What a group has: its conversations, events, resources. Each app registers a part; the group's page shows them all.

The page asks only for those who may read the group's things; a part asks again, as everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Found:
    """What one app has of one group. `more_href`: where the rest of it is. `begin`: (label, address) of adding one."""

    rows: list = field(default_factory=list)
    more_href: str = ""
    begin: tuple[str, str] | None = None


@dataclass(frozen=True)
class GroupContents:
    """One part of a group's page.

    template: partial that shows the rows (gets `group`, `found`). find(group, viewer, limit) -> Found, in a fixed number
    of queries. beside: it stands in the side column.
    """

    key: str
    label: str
    order: int
    template: str
    find: Callable[[object, object, int], Found]
    beside: bool = False


_parts: dict[str, GroupContents] = {}


def register(part: GroupContents) -> None:
    _parts[part.key] = part


def parts_for(group, viewer, *, limit: int = 5) -> list[tuple[GroupContents, Found]]:
    """Each part with what this person may see of it, in the order of the page."""
    parts = sorted(_parts.values(), key=lambda part: (part.order, part.key))
    return [(part, part.find(group, viewer, limit)) for part in parts]
