"""The digest, made for a slice of some hundred members at a time; one digest is a slice of one.

    readers.py   what is known of those who read: a fixed number of queries for the whole slice
    talks.py     the threads with something new in their windows, as lean rows; whose news is it, and since when
    others.py    events, own places, resources, newcomers, and what became of what somebody asked
    choosing.py  which of all that one letter holds: the order of the sections, and the minutes that the reader has
    slices.py    the letters of a slice: what each holds, and whether it may still be shown
    press.py     each item is written once per slice, language and zone, however many letters it stands in
    letters.py   the sentences of one letter, and what core's outbox asks for

Who may see what is decided by the rules of the apps: where a rule is asked in Python, for lack of time to ask the
database for each member, a test holds it to the queryset that the pages use (tests/hub/test_digest_in_bulk.py), and
what was hidden or left since the slice was gathered is asked for once more before a letter is written (slices.Still).
"""

from .letters import compose_digest, prepare

__all__ = ["compose_digest", "prepare"]
