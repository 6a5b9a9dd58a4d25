"""Text for XML made by lxml, which escapes what is markup but refuses what XML 1.0 has no place for at all."""

import re

_NO_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    return _NO_CHARACTER.sub("", text)
