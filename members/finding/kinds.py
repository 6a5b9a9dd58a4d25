"""The facets: their names in the address, the keys of their values, and how the values are written."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from kmnet.core.text import fold
from kmnet.core.vocabulary import known_phrases

from .. import languages
from ..models import Availability
from ..models.profile import TeamSize


@dataclass(frozen=True)
class Kind:
    """One facet: its name in the address, and the part of the profile whose audience decides."""

    key: str
    part: str
    label: Promise


KINDS = (
    Kind("help", "can_help", _("Can help with")),
    Kind("free", "availability", _("Available for")),
    Kind("team", "team_size", _("Situation")),
    Kind("role", "roles", _("Role")),
    Kind("setting", "work_settings", _("Works in")),
    Kind("country", "place", _("Country")),
    Kind("language", "languages", _("Language")),
    Kind("interest", "interests", _("Interest")),
)
WORDS = frozenset({"help", "role", "setting", "interest"})  # their values are words of the vocabulary
TEAMS = {"solo": _("The only one in their team"), "small": _("One of two to five")}
FREE = {
    "coffee": _("A coffee by video"),
    "mentor": _("Being a mentor"),
    "mentee": _("Having a mentor"),
    "learning_set": _("An action learning set"),
    "speaker": _("Speaking at an event"),
}


def _key(kind: str, slug: str) -> str:
    return f"{kind}:{slug}"[:120]


def _same(words: Iterable[str]) -> set[str]:
    """The slugs of these words and of all that means the same."""
    known = known_phrases()  # asked once: each call is a question to the cache
    spellings = (spelling for word in words for spelling in (word, *known.get(fold(word), ())))
    return {slug for slug in (slugify(each, allow_unicode=True) for each in spellings) if slug}


def spellings_of(kind: str, values: Iterable[str]) -> set[str]:
    """The keys of these values, with those of their synonyms in the vocabulary where they are words."""
    values = set(values)
    if kind in WORDS:
        values |= _same(word for value in values for word in (value, value.replace("-", " ")))
    return {_key(kind, value) for value in values}


def keys_of_words(words: Iterable[str]) -> set[str]:
    """The keys of what one can help with, for these tags and all that means the same."""
    words = list(words)
    return {_key("help", slug) for slug in _same(words)} if words else set()


def label_of(kind: str, value: str) -> str:
    """The words for a value, as far as they are known without asking the database."""
    if kind == "country":
        return country_name(value, get_language()) or value
    if kind == "team":
        known = TeamSize(value).label if value in TeamSize.values else value
        return str(TEAMS.get(value, known))
    if kind == "free":
        return str(FREE.get(value, Availability(value).label if value in Availability.values else value))
    if kind == "language":
        return languages.name_of(value)
    return value.replace("-", " ")


@lru_cache(maxsize=2_000)
def country_name(code: str, language: str | None) -> str:
    """In the reader's language, who is asked for so that each language is remembered by itself; "" for no country."""
    return str(countries.name(code)) if code.isascii() else ""  # it takes "²" for a number
