"""Sentences of the field, from the demo's own conversations and records, put together anew."""

import random
import re
from functools import cache
from pathlib import Path

from kmnet.core.text import excerpt, render_markdown
from kmnet.demo import data

DATA = Path(__file__).parent.parent / "data"
TEXTS = 1_500  # as many different posts; a million of them repeat
ALPHABET = "bcdfgklmnprstv"


@cache
def sentences() -> list[str]:
    """What people say in the demo's threads, and the abstracts of the library."""
    said = []
    for thread in data.read("threads.yaml"):
        said += [thread["text"], *(reply["text"] for reply in thread.get("replies", []))]
    abstracts = re.findall(r"abstract\s*=\s*\{(.*?)\}", (DATA / "library.bib").read_text(), re.S)
    text = " ".join([*said, *abstracts])
    plain = re.sub(r"[*>#`\[\]{}_\\]|\s+", " ", text)
    found = [line.strip() for line in re.split(r"(?<=[.?!])\s+", plain)]
    return [re.sub(r"\s+", " ", line) for line in found if 25 < len(line) < 240]


def titles(chance: random.Random, number: int) -> list[str]:
    """The beginnings of sentences, different enough to be told apart."""
    lines = sentences()
    out = []
    for _ in range(number):
        words = f"{chance.choice(lines)} {chance.choice(lines)}".split()
        start = chance.randrange(max(1, len(words) - 9))
        out.append(
            " ".join(words[start : start + chance.randrange(5, 10)]).strip(",.;:?! ").capitalize()[:150]
        )
    return out


def posts(chance: random.Random) -> list[tuple[str, str, str]]:
    """Source, HTML and excerpt of TEXTS posts of one to four paragraphs."""
    lines, out = sentences(), []
    for _ in range(TEXTS):
        paragraphs = [
            " ".join(chance.choices(lines, k=chance.randrange(1, 4))) for _ in range(chance.randrange(1, 4))
        ]
        if chance.random() < 0.2:
            paragraphs.append("\n".join(f"- {chance.choice(lines)}" for _ in range(3)))
        if chance.random() < 0.3:
            paragraphs.append(f"{strange_word(chance).capitalize()} **{chance.choice(lines)}**")
        source = "\n\n".join(paragraphs)
        out.append((source, str(render_markdown(source)), excerpt(source, 240)))
    return out


def strange_word(chance: random.Random) -> str:
    """A word that few posts have, as names and acronyms are."""
    return "".join(chance.choice(ALPHABET) + chance.choice("aeiou") for _ in range(3))
