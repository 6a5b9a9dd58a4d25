"""What others say about a thing that somebody brings: offered to the form, never published as it is."""

from dataclasses import dataclass, field

from .csl import clean_item
from .models import LANGUAGE_NAMES

_WORDS = {"english": "en", "french": "fr", "spanish": "es", "portuguese": "pt", "german": "de", "dutch": "nl"}
_THREE = {"eng": "en", "fre": "fr", "fra": "fr", "spa": "es", "por": "pt", "ger": "de", "deu": "de", "dut": "nl",
          "nld": "nl", "ita": "it", "pol": "pl", "swe": "sv", "dan": "da", "nor": "no", "nob": "no", "nb": "no",
          "fin": "fi", "cym": "cy", "wel": "cy", "swa": "sw", "ara": "ar", "hin": "hi", "chi": "zh", "zho": "zh",
          "jpn": "ja"}  # fmt: skip


@dataclass
class Known:
    """item: CSL-JSON. licence: a key of ours, or "". language: one of LANGUAGES, or ""."""

    item: dict = field(default_factory=dict)
    licence: str = ""
    language: str = ""


def language_in(stated) -> str:
    """Our code for a language as others write it (en-GB, eng, English); "" where it is none that we name."""
    stated = stated.casefold().strip() if isinstance(stated, str) else ""
    code = stated.replace("_", "-").partition("-")[0]
    code = _WORDS.get(stated) or _THREE.get(code) or code
    return code if code in LANGUAGE_NAMES and code != "und" else ""


def together(*found: Known | None) -> Known | None:
    """One out of several, surest first; None where nobody said anything."""
    sources = [one for one in found if one and one.item]
    if not sources:
        return None
    first, *others = sources
    item = dict(first.item)
    for other in others:
        fields = dict(other.item)
        if item.get("type") not in (
            None,
            "document",
            "webpage",
        ):  # how a page calls itself says nothing about the paper
            fields.pop("type", None)
        elif fields.get("type") not in (None, "document", "webpage"):
            item.pop("type", None)
        if item.get("author") or item.get("editor"):
            fields.pop("author", None)
            fields.pop("editor", None)
        if item.get("DOI"):  # a paper has its journal; the site on which it was found is none
            fields.pop("publisher", None)
            fields.pop("container-title", None)
        item = {**fields, **item}
    return Known(
        clean_item(item),
        licence=next((one.licence for one in sources if one.licence), ""),
        language=next((one.language for one in sources if one.language), ""),
    )
