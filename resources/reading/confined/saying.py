"""How the process says what it finds."""

import base64
import io
import json
import sys

from ..looked import MAX_HEAD, MAX_TEXT, SIDE


class Unreadable(Exception):
    """One of looked.REASONS."""


class Enough(Exception):
    """As many characters as are kept."""


def say(**found) -> None:
    """One line. Half characters leave as escapes, and are sorted out outside."""
    sys.stdout.write(json.dumps(found, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def say_picture(picture) -> None:
    """The picture, small, drawn anew on white: nothing of what it came from is in it."""
    from PIL import Image

    picture.thumbnail((SIDE, SIDE))
    ground = Image.new("RGB", picture.size, "white")
    if "A" in picture.getbands():
        ground.paste(picture.convert("RGBA"), mask=picture.convert("RGBA").getchannel("A"))
    else:
        ground.paste(picture.convert("RGB"))
    out = io.BytesIO()
    ground.save(out, format="WEBP", quality=72)
    say(thumbnail=base64.b64encode(out.getvalue()).decode())


class Words:
    """Text put together until there is enough of it."""

    def __init__(self):
        self.parts: list[str] = []
        self.length = 0

    def add(self, text: str) -> None:
        """Raises Enough once MAX_TEXT is reached."""
        self.parts.append(text[: MAX_TEXT - self.length])
        self.length += len(self.parts[-1])
        if self.length >= MAX_TEXT:
            raise Enough

    def say(self, head: str | None = None) -> None:
        text = "".join(self.parts)
        say(text=text, head=(text if head is None else head)[:MAX_HEAD])
