"""What the page of a filtered list shows of its facets: their options with counts, and what is chosen."""

from dataclasses import dataclass, field


@dataclass
class Option:
    value: str
    label: str
    count: int
    chosen: bool = False


@dataclass
class FacetList:
    key: str
    label: str
    options: list[Option] = field(default_factory=list)
    at_least: bool = False  # there are more than were counted


@dataclass
class Choice:
    """A filter in use, and the address without it."""

    label: str
    href: str
