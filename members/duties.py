"""What somebody must hand over before they can leave: apps register who asks."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Duty:
    """One thing that would be left without anybody: in words, and where it is handed over."""

    label: str
    url: str


_advisers: list[Callable[[object], list[Duty]]] = []
_sources: list[Callable[[object], list[Duty]]] = []


def register(source: Callable[[object], list[Duty]]) -> None:
    """`source(member)` gives the duties of one kind."""
    if source not in _sources:
        _sources.append(source)


def duties_of(member) -> list[Duty]:
    return [duty for source in _sources for duty in source(member)]


def register_advice(source: Callable[[object], list[Duty]]) -> None:
    """`source(member)` gives what they may want to hand over, and need not."""
    if source not in _advisers:
        _advisers.append(source)


def advice_for(member) -> list[Duty]:
    return [duty for source in _advisers for duty in source(member)]
