"""The languages people work in: BCP 47 codes and their names. Knows no model."""

from django.conf.locale import LANG_INFO
from django.utils.translation import gettext

from .names import plain

# Languages of our members that Django has no name for: code, English name, own name.
MORE = [
    ("am", "Amharic", "አማርኛ"), ("ha", "Hausa", "Hausa"), ("luo", "Dholuo", "Dholuo"), ("mi", "Māori", "te reo Māori"),
    ("ny", "Chichewa", "Chichewa"), ("om", "Oromo", "Oromoo"), ("or", "Odia", "ଓଡ଼ିଆ"), ("ps", "Pashto", "پښتو"),
    ("rw", "Kinyarwanda", "Ikinyarwanda"), ("si", "Sinhala", "සිංහල"), ("sn", "Shona", "chiShona"),
    ("so", "Somali", "Soomaali"), ("st", "Sesotho", "Sesotho"), ("ti", "Tigrinya", "ትግርኛ"), ("tl", "Filipino", "Filipino"),
    ("xh", "Xhosa", "isiXhosa"), ("yo", "Yoruba", "Yorùbá"), ("zu", "Zulu", "isiZulu"),
    ("bfi", "British Sign Language", "British Sign Language"), ("ase", "American Sign Language", "American Sign Language"),
]  # fmt: skip

COMMON = ("en", "fr", "es", "pt", "de", "nl", "ar", "hi", "sw", "zh-hans", "it", "ja")


def _known() -> dict[str, tuple[str, str]]:
    found = {
        code: (info["name"], info["name_local"])
        for code, info in LANG_INFO.items()
        if "name" in info and (code in ("zh-hans", "zh-hant") or "-" not in code)
    }
    found.update({code: (name, own) for code, name, own in MORE})
    return dict(sorted(found.items(), key=lambda item: plain(item[1][0])))


KNOWN = _known()
_BY_WORD = {plain(word): code for code, names in KNOWN.items() for word in (code, *names)}
_BY_WORD |= {"chinese": "zh-hans", "mandarin": "zh-hans", "farsi": "fa", "kiswahili": "sw", "flemish": "nl"}


def name_of(code: str) -> str:
    """“Portuguese”, in the reader's language where we have it."""
    return gettext(KNOWN[code][0]) if code in KNOWN else code


def code_of(word: str) -> str | None:
    """The code of a language that somebody wrote by its English name, its own name or its code."""
    return _BY_WORD.get(plain(word))
