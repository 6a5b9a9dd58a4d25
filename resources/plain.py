"""Advice on plain language: long sentences, long paragraphs, letters that stand for words. Advice, not a gate.

Sentences up to 20 words and paragraphs up to 3 sentences are what the Health Research Authority asks of a plain summary.
"""

import re
from dataclasses import dataclass, field

WORDS = 20  # of a sentence
SENTENCES = 3  # of a paragraph
MOST_SHOWN = 8  # of one kind
LONGEST = 20_000  # characters looked at
MOST_ASKED = 100  # abbreviations: the text is read anew for each

_END = re.compile(r"(?<=[.!?…。])[\"”’)\]]*\s+(?=[\"“‘(\[]?[^\W_])")
_SHORT = re.compile(
    r"\b(?:e\.g|i\.e|etc|vs|approx|dr|mr|mrs|ms|prof|st|no|fig|al|p|pp|cf|ca|z\.B|d\.h)\.$", re.I
)
_WORD = re.compile(r"[^\W_]+(?:[’'\-.][^\W_]+)*")
# Two capitals at least, with what else such names are made of: NHS, PPIE, i-PARIHS, QI, COM-B, R&D, ARCs.
_ABBREVIATION = re.compile(r"(?<![\w-])(?:[a-z]-)?[A-Z][A-Z0-9]*(?:[&/-]?[A-Z0-9])+s?(?![\w-])")
# What needs no words: everybody reads it as a word or a name.
KNOWN = {
    "UK",
    "USA",
    "US",
    "EU",
    "UN",
    "TV",
    "DVD",
    "CD",
    "PC",
    "ID",
    "OK",
    "AM",
    "PM",
    "PDF",
    "SMS",
    "DIY",
    "DNA",
    "HIV",
}
KNOWN |= {
    "AIDS",
    "COVID",
    "COVID-19",
    "II",
    "III",
    "IV",
    "VI",
    "VII",
    "VIII",
    "IX",
    "XI",
    "XII",
    "FAQ",
    "WIFI",
}


@dataclass
class Advice:
    """What could be plainer; each a piece of the text as it was typed."""

    words: int = 0
    sentences: int = 0
    long_sentences: list[tuple[str, int]] = field(default_factory=list)  # (the sentence, its words)
    long_paragraphs: list[tuple[str, int]] = field(default_factory=list)  # (how it begins, its sentences)
    abbreviations: list[str] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        return not (self.long_sentences or self.long_paragraphs or self.abbreviations)

    @property
    def mean(self) -> int:
        """Words of a usual sentence."""
        return round(self.words / self.sentences) if self.sentences else 0


def look_over(text: str) -> Advice:
    """What could be plainer in this text, Markdown or not."""
    advice = Advice()
    text = _without_marks(text[:LONGEST])
    for paragraph in _paragraphs(text):
        sentences = sentences_of(paragraph)
        advice.sentences += len(sentences)
        if len(sentences) > SENTENCES:
            advice.long_paragraphs.append((_beginning(paragraph), len(sentences)))
        for sentence in sentences:
            count = len(_WORD.findall(sentence))
            advice.words += count
            if count > WORDS:
                advice.long_sentences.append((sentence, count))
    advice.abbreviations = unexplained(text)[:MOST_SHOWN]
    del advice.long_sentences[MOST_SHOWN:], advice.long_paragraphs[MOST_SHOWN:]
    return advice


def sentences_of(paragraph: str) -> list[str]:
    """Its sentences; a full stop after “e.g.” or an initial ends none."""
    found: list[str] = []
    for piece in _END.split(" ".join(paragraph.split())):
        end = (
            found[-1][-12:] if found else ""
        )  # longer than any of _SHORT: what stands before it is not read again
        if _SHORT.search(end) or re.search(r"(?:^|\s)[^\W\d_]\.$", end):
            found[-1] = f"{found[-1]} {piece}"
        elif _WORD.search(piece):
            found.append(piece.strip())
    return found


def unexplained(text: str) -> list[str]:
    """Abbreviations that nothing in the text puts into words: neither “words (ABC)” nor “ABC (words)” anywhere."""
    found, asked, shouted = [], set(), {}
    for match in _ABBREVIATION.finditer(text):
        short = match.group()
        bare = short.removesuffix("s")
        if {short, bare} & KNOWN or bare in asked or _is_shouted(text, match, shouted):
            continue
        if len(asked) == MOST_ASKED:
            break
        asked.add(bare)
        stem = re.escape(bare)
        if re.search(rf"[^\W\d_]\s*\({stem}s?\)", text) or re.search(
            rf"{stem}s?\s*\([^)]{{0,200}}[a-z]{{3}}", text
        ):
            continue
        if re.search(rf"{stem}s?\s+(?:is|are|means|stands for|stand for)\s", text):
            continue
        found.append(bare)
    return found


def _is_shouted(text: str, match: re.Match, known: dict[int, bool]) -> bool:
    """A line in capitals is a heading or an emphasis, not a row of abbreviations. known: lines by where they begin."""
    start = text.rfind("\n", 0, match.start()) + 1
    if start not in known:
        end = text.find("\n", match.end())
        words = _WORD.findall(text[start : end if end >= 0 else None])
        known[start] = len(words) > 2 and all(word.isupper() or word.isdigit() for word in words)
    return known[start]


def _without_marks(text: str) -> str:
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text.replace("\r\n", "\n"))
    text = re.sub(r"https?://\S+", "", text)
    return re.sub(r"(?m)^[ \t]*(?:#{1,6}|>)[ \t]*|[*_`]{1,3}", "", text)


def _paragraphs(text: str) -> list[str]:
    """Paragraphs, and each point of a list by itself."""
    text = re.sub(r"(?m)^[ \t]*(?:[-+•]|\d+[.)])[ \t]+", "\n\n", text)
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def _beginning(paragraph: str) -> str:
    words = paragraph.split()
    return " ".join(words[:8]) + ("…" if len(words) > 8 else "")
