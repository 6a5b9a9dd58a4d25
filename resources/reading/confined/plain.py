"""Text as it is: plain, Markdown, tables, subtitles."""

import codecs
import re
from contextlib import suppress

from ..looked import MAX_TEXT
from .saying import Enough, Words, say

_TIMES = re.compile(r"^(WEBVTT.*|NOTE\b.*|\d+|(\d+:)?\d\d:\d\d\.\d{3} --> .*)$", re.MULTILINE)


def warm_up() -> None:
    codecs.lookup("utf-8-sig")


def look(content) -> None:
    text = bytes(content[: MAX_TEXT * 4]).decode("utf-8-sig", errors="ignore").replace("\r\n", "\n")
    if text.startswith("WEBVTT"):
        text = re.sub(r"\n{2,}", "\n", _TIMES.sub("", text))
    heading = re.match(r"\s*# +(\S.*)", text)
    say(title=heading.group(1).strip(" #")[:500] if heading else "")
    words = Words()
    with suppress(Enough):
        words.add(text)
    words.say()
