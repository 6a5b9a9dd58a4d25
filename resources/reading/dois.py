"""The DOI of a paper, on its first pages."""

import re

from ..identifiers import normalise_doi

_BROKEN = re.compile(r"(10\.\d{4,9}/)\s*\n\s*(?=\S)")  # the line ends behind the slash
_STATED = re.compile(r"(?:\bdoi\b|doi\.org/)\W{0,12}(10\.\d{4,9}\S*/\S+)", re.IGNORECASE)
_ANY = re.compile(r"\b10\.\d{4,9}(?:\.\d+)*/\S+")
_LIST = re.compile(
    r"^\s*(references|bibliography|literature cited|works cited)\s*$", re.IGNORECASE | re.MULTILINE
)


def find_doi(text: str) -> str:
    """The first DOI that the text says to be one, else the first that looks like one; "" where there is none. Those in a
    list of references are other papers'."""
    text = _BROKEN.sub(r"\1", text)
    listed = _LIST.search(text)
    if listed:
        text = text[: listed.start()]
    found = _STATED.search(text) or _ANY.search(text)
    return normalise_doi(found.group(found.lastindex or 0)) if found else ""
