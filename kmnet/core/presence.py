"""Who was here: somebody who visits while signed in, who writes, who answers by mail, or who presses a button on the
page behind a link in a mail. Opening such a link is none: mail scanners do it, too."""

from collections.abc import Callable

_noters: list[Callable[[int], None]] = []


def register(note: Callable[[int], None]) -> None:
    """From the app that knows members: `note(member_id)` writes it down, cheaply and at most once a day."""
    _noters[:] = [note]


def note(member_id: int | None) -> None:
    """This member did something just now; for guests (None) nothing happens."""
    if member_id is not None:
        for noter in _noters:
            noter(member_id)


def note_post(request, member_id: int | None) -> None:
    """For pages under /mail/, where nobody is signed in: a button pressed there is an act of the one whose link it is."""
    if request.method == "POST":
        note(member_id)
