"""What a mistyped word may have meant, by the words that are in the library (LibraryWord)."""

import re

from django.db import connection

from kmnet.core.text import fold

SHORTEST, LONGEST = 4, 40
MOST = 8  # words of a question that are looked at

# Letters that changed places leave few trigrams alike, so the commonest words with the same beginning are looked at, too.
SQL = """
SELECT asked.place, near.word, near.number, near.likeness
FROM unnest(%s::text[]) WITH ORDINALITY AS asked(word, place)
CROSS JOIN LATERAL (
    (SELECT known.word, known.number, similarity(known.word, asked.word) AS likeness FROM resources_libraryword known
     WHERE known.word %% asked.word ORDER BY known.word = asked.word DESC, likeness DESC, known.number DESC LIMIT 20)
    UNION
    (SELECT known.word, known.number, similarity(known.word, asked.word) FROM resources_libraryword known
     WHERE known.word LIKE left(asked.word, 2) || '%%' AND length(known.word) BETWEEN length(asked.word) - 1
     AND length(asked.word) + 1 ORDER BY known.number DESC, known.word LIMIT 100)
) near
"""
LIKE_ENOUGH = 0.5


def distance(one: str, other: str) -> int:
    """How many slips of a finger apart: a letter more, fewer, another one, or two that changed places."""
    before, last = [], list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        now = [row]
        for column, wanted in enumerate(other, start=1):
            steps = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != wanted))
            if row > 1 < column and letter == other[column - 2] and one[row - 2] == wanted:
                steps = min(steps, before[column - 2] + 1)
            now.append(steps)
        before, last = last, now
    return last[-1]


def _nearest(word: str, known: list[tuple[str, int, float]]) -> str:
    """The known word that was meant; "" where the word is known itself, or nothing comes near."""
    slips = 1 if len(word) < 6 else 2
    near = []
    for other, number, likeness in known:
        if other == word:
            return ""
        apart = distance(word, other)
        if apart <= slips or likeness >= LIKE_ENOUGH:
            near.append((apart, -number, other))
    return min(near)[2] if near else ""


def better_spelling(text: str) -> str:
    """The text with words that the library does not have put as it has them; "" where there is nothing to better. What is
    quoted is meant as it stands. One query."""
    found = [word for word in re.finditer(r'"[^"]*"|[^\W\d_]+', text) if not word[0].startswith('"')]
    asked = [word for word in found if SHORTEST <= len(word[0]) <= LONGEST][:MOST]
    if not asked:
        return ""
    folded = [fold(word[0]) for word in asked]
    known: dict[int, list[tuple[str, int, float]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(SQL, [folded])
        for place, *near in cursor.fetchall():
            known.setdefault(place, []).append(tuple(near))
    out, at = [], 0
    for place, word in enumerate(asked, start=1):
        if better := _nearest(folded[place - 1], known.get(place, [])):
            out += [text[at : word.start()], better]
            at = word.end()
    return "".join([*out, text[at:]]) if out else ""
