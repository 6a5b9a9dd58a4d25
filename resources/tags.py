"""Words that the form offers for tags: terms first, then what others use most."""

from django.core.cache import cache
from django.db.models import Count

from kmnet.core.text import fold
from kmnet.core.vocabulary import known_phrases, terms_for

from .models import Resource, ResourceTag, Visibility
from .vocabulary import TYPE

MOST = 60
KEPT_FOR = 3600


def words_offered() -> list[tuple[str, str]]:
    """The vocabulary's terms for resources, each with its other spellings, then the free tags in use, most used first."""
    groups = known_phrases()
    terms = [term.name for term in terms_for("resource") if term.facet.key != TYPE]
    offered = [
        (name, ", ".join(other for other in groups.get(fold(name), ()) if fold(other) != fold(name)))
        for name in dict.fromkeys(terms)
    ]
    known = {fold(name) for name in terms}
    return offered + [(name, "") for name in tags_in_use() if fold(name) not in known]


def tags_in_use() -> list[str]:
    """The free tags that most records bear which every member may see. Cached for an hour: it is a side dish."""
    found = cache.get("library-tags")
    if found is None:
        seen = ResourceTag.objects.filter(
            content_object__state=Resource.State.VISIBLE,
            content_object__published_at__isnull=False,
            content_object__visibility__in=(Visibility.PUBLIC, Visibility.MEMBERS),
        )
        counted = seen.values("tag__name").annotate(count=Count("pk")).order_by("-count", "tag__name")
        found = [row["tag__name"] for row in counted[:MOST]]
        cache.set("library-tags", found, KEPT_FOR)
    return found
