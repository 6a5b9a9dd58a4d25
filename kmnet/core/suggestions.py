"""What may help whoever asked something, until a person answers: the apps that have such things register here, and the
page of a question shows what they give."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Suggestion:
    """`shares`: the tags that it has in common with the question, for the sentence that says why it is shown."""

    url: str
    title: str
    meta: str = ""
    shares: tuple[int, ...] = ()


Suggest = Callable[..., list[Suggestion]]
_sources: dict[str, Suggest] = {}


def register(key: str, suggest: Suggest) -> None:
    """From hooks: `suggest(title=, tags=, viewer=, limit=)` gives only what the viewer may see, at one query."""
    _sources[key] = suggest


def for_question(*, title: str, tags: Iterable[int], viewer, limit: int = 3) -> list[Suggestion]:
    """From all sources, the closest of each first."""
    tags = list(tags)
    found = [
        one
        for key in sorted(_sources)
        for one in _sources[key](title=title, tags=tags, viewer=viewer, limit=limit)
    ]
    return found[:limit]
