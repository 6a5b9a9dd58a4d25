"""The field's vocabulary: looking up terms, expanding words to their synonyms, loading the starter set."""

from collections.abc import Iterable
from pathlib import Path

import yaml
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from .models import Facet, Synonym, SynonymGroup, Term
from .text import fold

STARTER = Path(__file__).parent / "data" / "vocabulary.yaml"
CACHE_SECONDS = 300
YAML_LOADER = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # ten times as fast, where PyYAML was built with it


def _groups() -> dict[str, tuple[str, ...]]:
    """Each known word, folded, with all spellings of its group. Cached; dropped when a synonym is saved."""
    found = cache.get("vocabulary")
    if found is None:
        by_group: dict[int, list[str]] = {}
        for group, word in Synonym.objects.order_by("pk").values_list("group_id", "word"):
            by_group.setdefault(group, []).append(word)
        found = {fold(word): tuple(words) for words in by_group.values() for word in words}
        cache.set("vocabulary", found, CACHE_SECONDS)
    return found


def forget_words() -> None:
    """The vocabulary was changed past the models."""
    cache.delete("vocabulary")


def expand(word: str) -> tuple[str, ...]:
    """All spellings that mean the same as `word`, itself among them; only itself where there are none."""
    return _groups().get(fold(word), (word,))


def known_phrases() -> dict[str, tuple[str, ...]]:
    """Every folded word or phrase that has synonyms, with its group; for finding them inside a longer text."""
    return _groups()


def terms_for(kind: str) -> QuerySet[Term]:
    """The terms that may be chosen for "member", "thread", "event" or "resource", facet by facet."""
    return Term.objects.current().filter(facet__applies_to__contains=[kind]).select_related("facet")


def find_term(text: str, facet: str | None = None) -> Term | None:
    """The current term that `text` names, by its own name or else by a synonym, whatever its case and accents.

    With `facet` (its key) only there; else the first in the order of the facets.
    """
    groups = _groups()
    wanted = {fold(word) for word in groups.get(fold(text), (text,))}
    terms = Term.objects.current().select_related("facet")
    if facet:
        terms = terms.filter(facet__key=facet)
    found = list(terms)
    exact = next((term for term in found if fold(term.name) == fold(text)), None)
    if exact is not None:
        return exact
    for term in found:
        name = fold(term.name)
        if name in wanted or any(fold(word) in wanted for word in groups.get(name, ())):
            return term
    return None


@transaction.atomic
def load_vocabulary(path: Path = STARTER) -> dict[str, int]:
    """Load facets, terms and synonyms from YAML; safe to repeat: what is there, or was changed since, stays as it is.

    Returns how many facets, terms and synonyms were added.
    """
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=YAML_LOADER)
    there = {facet.key: facet for facet in Facet.objects.all()}
    facets = Facet.objects.bulk_create(
        Facet(key=entry["key"], label=entry["label"], applies_to=entry["applies_to"], position=position)
        for position, entry in enumerate(data["facets"])
        if entry["key"] not in there
    )
    there |= {facet.key: facet for facet in facets}
    known = set(Term.objects.values_list("facet_id", "slug"))
    terms = [
        Term(facet=there[entry["key"]], slug=slugify(name)[:90], name=name, position=place)
        for entry in data["facets"]
        for place, name in enumerate(entry["terms"])
    ]
    terms = Term.objects.bulk_create(term for term in terms if (term.facet_id, term.slug) not in known)
    groups = {
        word.lower(): SynonymGroup(pk=group)
        for word, group in Synonym.objects.values_list("word", "group_id")
    }
    new_groups, synonyms = [], []
    for words in data["synonyms"]:
        group = next((groups[word.lower()] for word in words if word.lower() in groups), None)
        if group is None:
            group = SynonymGroup(note=words[0])
            new_groups.append(group)
        for word in words:
            if word.lower() not in groups:
                groups[word.lower()] = group
                synonyms.append((group, word))
    SynonymGroup.objects.bulk_create(new_groups)
    Synonym.objects.bulk_create(Synonym(group_id=group.pk, word=word) for group, word in synonyms)
    cache.delete("vocabulary")
    return {"facets": len(facets), "terms": len(terms), "synonyms": len(synonyms)}


def in_order(tags: Iterable[str]) -> list[str]:
    """Tags as everybody writes them: two who make the same new tags in one moment, each beginning with another, would
    wait for each other for ever."""
    return sorted(tags, key=str.casefold)
