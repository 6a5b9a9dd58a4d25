"""DOIs, addresses and titles in the one form in which they can be compared."""

import hashlib
import re
import unicodedata
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from kmnet.core.text import clean_line, fold

# What Crossref says matches all DOIs in use: a prefix, a slash, and a suffix without spaces or quotes.
_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/[^\s\"<>{}\\^`|]+")
LONGEST_STATED = 2000  # characters in which a DOI is looked for: they are read more than once
_TRACKING = re.compile(
    r"^(utm_.*|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid|igshid|_hs(enc|mi)|ref|ref_src|source|cmpid)$"
)
_OPENER = {")": "(", "]": "["}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def normalise_doi(text: str) -> str:
    """The bare DOI, as registered, in a DOI, a doi: URI or a doi.org address; "" where there is none."""
    text = clean_line((text or "")[:LONGEST_STATED])
    if "doi.org/" in text.casefold():
        text = unquote(text)
    found = _DOI.search(text)
    if not found:
        return ""
    doi = found.group()[:255]
    # What a sentence put after it is not part of it; a bracket is, where it closes one inside (10.1016/0140(95)91).
    while doi[-1] in ".,;:'" or (doi[-1] in ")]" and doi.count(_OPENER[doi[-1]]) < doi.count(doi[-1])):
        doi = doi[:-1]
    return doi


def doi_url(doi: str) -> str:
    """Where a DOI leads."""
    return f"https://doi.org/{quote(doi, safe='/:;()._-')}" if doi else ""


def canonical_url(url: str) -> str:
    """The same address for the same page: no tracking, no fragment, host in lower case, http and https alike. "" for what
    is none, or must not be told: with a name or password in it (or https://nhs.uk@elsewhere.example)."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme.casefold() not in _DEFAULT_PORTS or not host:
        return ""
    if "@" in parts.netloc or "\\" in parts.netloc:
        return ""
    host = host.removeprefix("www.")
    if port and port not in _DEFAULT_PORTS.values():
        host = f"{host}:{port}"
    query = urlencode(
        sorted(
            p for p in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(p[0].casefold())
        )
    )
    return urlunsplit(("https", host, parts.path.rstrip("/"), query, ""))


def url_key(url: str) -> str:
    """A short key of the canonical address, "" for none: addresses are too long for an index."""
    canonical = canonical_url(url) if url else ""
    return hashlib.sha256(canonical.encode()).hexdigest() if canonical else ""


# What stands in the field may be several, with dashes or spaces within; an item of these kinds states that of its book.
_ISBN = re.compile(r"\b(?:97[89]\s?(?:\d\s?){9}\d|(?:\d\s?){9}[\dX])\b", re.ASCII)
_DASHES = re.compile("[-\u00ad\u2010-\u2015\u2212]")
_PARTS = frozenset(
    ("chapter", "paper-conference", "entry", "entry-dictionary", "entry-encyclopedia", "figure")
)


def isbn_of(item: dict) -> str:
    """The first ISBN of an item that is one, with thirteen digits; "" where there is none, or where it is that of the
    book which the item is only a part of: chapters of one book are not the same thing.

    As the International ISBN Agency has it (ISBN Users' Manual, 7th edition, section 5.6; ISO 2108): thirteen digits
    weighted 1, 3, 1, ... sum up to a multiple of 10, ten (X is ten) weighted 10 to 1 to one of 11; ten become thirteen
    by 978 and a new check digit."""
    if item.get("type") in _PARTS or item.get("container-title"):
        return ""
    for found in _ISBN.findall(_DASHES.sub("", str(item.get("ISBN", ""))[:300]).upper()):
        digits = "".join(found.split())
        if len(digits) == 13 and digits[-1] == _check_digit(digits[:12]):
            return digits
        values = [10 if digit == "X" else int(digit) for digit in digits]
        if (
            len(digits) == 10
            and not sum(n * value for n, value in zip(range(10, 0, -1), values, strict=True)) % 11
        ):
            return f"978{digits[:9]}{_check_digit('978' + digits[:9])}"
    return ""


def _check_digit(twelve: str) -> str:
    return str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve)) % 10)


def title_key(title: str) -> str:
    """A title without case, accents and punctuation."""
    folded = fold(title)
    return " ".join("".join(c if unicodedata.category(c)[0] in "LN" else " " for c in folded).split())[:500]
