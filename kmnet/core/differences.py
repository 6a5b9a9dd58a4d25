"""What changed between two texts, word by word, for people to read."""

import difflib
import re
from dataclasses import dataclass

MOST_WORDS = (
    4_000  # of one changed passage that are compared word by word; a longer one is shown whole, out and in
)


@dataclass(frozen=True)
class Change:
    """A stretch of text: "same", "out" (it was there before) or "in" (it is there now)."""

    kind: str
    text: str


def changes(before: str, after: str) -> list[Change]:
    """Lines first, since they are few; then the words of the lines that differ."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found: list[Change] = []
    for what, a1, a2, b1, b2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        out, into = "".join(old[a1:a2]), "".join(new[b1:b2])
        found += [Change("same", out)] if what == "equal" else _by_words(out, into)
    return _joined(found)


def _by_words(out: str, into: str) -> list[Change]:
    old, new = _words(out), _words(into)
    if not out or not into or len(old) + len(new) > MOST_WORDS:
        return [Change("out", out), Change("in", into)]
    found = []
    for what, a1, a2, b1, b2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(Change("same", "".join(old[a1:a2])))
        else:
            found += [Change("out", "".join(old[a1:a2])), Change("in", "".join(new[b1:b2]))]
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def _joined(found: list[Change]) -> list[Change]:
    joined: list[Change] = []
    for change in found:
        if not change.text:
            continue
        if joined and joined[-1].kind == change.kind:
            change = Change(change.kind, joined.pop().text + change.text)
        joined.append(change)
    return joined


def around(found: list[Change], *, lines: int = 2) -> list[Change]:
    """The same with long unchanged stretches cut to a few lines at each change; what is left out is a "gap"."""
    short: list[Change] = []
    for place, change in enumerate(found):
        parts = change.text.splitlines(keepends=True)
        if change.kind != "same" or len(parts) <= 2 * lines + 1 or len(found) == 1:
            short.append(change)
            continue
        if place > 0:
            short.append(Change("same", "".join(parts[:lines])))
        short.append(Change("gap", ""))
        if place < len(found) - 1:
            short.append(Change("same", "".join(parts[-lines:])))
    return short
