"""Words met in records, matched to the terms of the vocabulary."""

from collections.abc import Iterable

from kmnet.core.models import Term
from kmnet.core.text import fold
from kmnet.core.vocabulary import expand, find_term, terms_for

TYPE = "type"
# What reference managers call things, where the vocabulary says it otherwise.
TYPE_ALIASES = {
    "journal article": "research paper",
    "article-journal": "research paper",
    "blog post": "blog",
    "post-weblog": "blog",
    "tool": "tool or template",
    "template": "tool or template",
    "systematic review": "review",
    "motion_picture": "video",
}


def type_term(kind: str) -> Term | None:
    """The term of the facet "type" that a word such as "blog post" stands for."""
    kind = kind.strip()
    if not kind:
        return None
    return find_term(TYPE_ALIASES.get(fold(kind), kind), facet=TYPE)


class TermIndex:
    """All terms that a resource may carry, by each of their names: for matching many words at once.

    A word means a term by its name, or by a synonym; of a type it must be the very name, since a synonym
    ("plain language" for "easy read") says what a thing is about, not what it is. A word may name terms of several
    facets.
    """

    def __init__(self):
        self.by_name: dict[str, dict[int, Term]] = {}
        for term in terms_for("resource"):
            names = {term.name} if term.facet.key == TYPE else {term.name, *expand(term.name)}
            for name in names:
                self.by_name.setdefault(fold(name), {})[term.pk] = term

    def matching(self, words: Iterable[str]) -> list[Term]:
        found: dict[int, Term] = {}
        for word in words:
            found |= self.by_name.get(fold(word), {})
        return list(found.values())
