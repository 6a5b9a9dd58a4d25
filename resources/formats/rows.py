"""What every format reads into: one row per reference, whether it can be taken or not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from django.conf import settings
from django.utils.translation import gettext as _

from kmnet.core.text import clean_line, clean_text

from ..identifiers import canonical_url, normalise_doi
from ..licences import BY_KEY

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 5_000


class NotReadable(ValueError):
    """The file as a whole cannot be read; the message says why, in words for the person who sent it."""


@dataclass
class Row:
    """One reference of a file.

    item: CSL-JSON as `csl.clean_item` leaves it; {} where the row cannot be taken, and `problems` then says why.
    line: where it begins in the file, from 1. problems: what was repaired or left out, in words.
    extra: what the file says beside it, each only where it says it: "key" (what the file calls the row), "kind" (a word
    for what it is: "blog post"), "tags" (list), "description", "language" (as stated), "licence" (a key of
    `licences.BY_KEY`), "minutes" (int).
    """

    item: dict
    line: int
    problems: list[str] = field(default_factory=list)
    extra: dict = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.extra.get("key", "")


def checked(rows: Iterable[Row], nothing: str) -> list[Row]:
    """The rows, if there are any and not too many; else NotReadable (`nothing`: the words for none). Of millions no more
    are read than tell that there are too many."""
    found = list(islice(rows, MAX_ROWS + 1))
    if not found:
        raise NotReadable(nothing)
    if len(found) > MAX_ROWS:
        raise too_many()
    return found


def too_many() -> NotReadable:
    return NotReadable(_("The file has more than %(limit)d entries.") % {"limit": MAX_ROWS})


def text_of(data: bytes) -> str:
    """The text of a file, with \\n at the ends of its lines. Raises NotReadable; never guesses at an encoding."""
    if len(data) > MAX_BYTES:
        raise NotReadable(_("The file is larger than 10 MB."))
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        words = _("The file is not UTF-8 text (line %(line)d). Save it again as UTF-8.") % {"line": line}
        raise NotReadable(words) from error
    if "\0" in text:
        raise NotReadable(_("This is no text file."))
    return text.replace("\r\n", "\n").replace("\r", "\n")


# --- what the readers share -------------------------------------------------------------------------------------------
def complete(item: dict, line: int, problems: list[str], extra: dict) -> Row:
    """The row of a clean item, with what it lacks told; without a title it cannot be taken."""
    extra = {name: value for name, value in extra.items() if value}
    item.pop("language", None)  # the record has its own
    if not item.get("title"):
        return Row({}, line, [_("has no title")], extra)
    if not item.get("author") and not item.get("editor"):
        problems.append(_("no author: stays without one"))
    if "issued" not in item:
        problems.append(_("no year: stays without one"))
    return Row(item, line, list(dict.fromkeys(problems)), extra)


def identify(item: dict, doi_stated: str, url_stated: str, problems: list[str]) -> None:
    """Set DOI and URL of an item to what was stated, as far as that is one."""
    item.pop("DOI", None)
    item.pop("URL", None)
    stated = clean_line(doi_stated)
    doi = normalise_doi(stated)
    if doi:
        item["DOI"] = doi
        if doi != stated:
            problems.append(_("doi “%(doi)s” read as %(found)s") % {"doi": stated[:80], "found": doi})
    elif stated:
        problems.append(_("doi “%(doi)s” is not a DOI: left out") % {"doi": stated[:80]})
    url = clean_line(url_stated)
    if url.startswith(f"{settings.SITE_URL}/library/"):
        return  # our own page, which our exports name where there is no other address
    if url and canonical_url(url) and len(url) <= 1000:
        item["URL"] = url
    elif url:
        problems.append(_("url “%(url)s” is not a web address: left out") % {"url": url[:80]})


def tags_in(text: str) -> list[str]:
    """The tags of one line: parted by semicolons, or where there is none by commas."""
    parts = re.split(r";" if ";" in text else r",", text)
    return list(dict.fromkeys(word for word in (clean_line(part)[:100] for part in parts) if word))


def tags_text(tags: list[str]) -> str:
    """Tags in one line, as `tags_in` reads them back."""
    line = "; ".join(tag.replace(";", ",") for tag in tags)
    return f"{line};" if "," in line and ";" not in line else line


def plain_text(value) -> str:
    """A description as plain text, its lines kept."""
    return clean_text(value).strip() if isinstance(value, str) else ""


_LICENCES = {
    spelling.casefold(): licence.key
    for licence in BY_KEY.values()
    for spelling in (licence.key, str(licence.label), licence.url)
    if spelling
}


def licence_in(text) -> str:
    """The key of the licence that a word, a label or an address stands for; "" where it is none of ours."""
    stated = clean_line(str(text or "")).casefold().replace("http://", "https://")
    stated = re.sub(r"/(deed|legalcode)(\.\w+)?$", "/", stated)
    return _LICENCES.get(stated) or _LICENCES.get(f"{stated}/") or _LICENCES.get(stated.replace(" ", "-"), "")
