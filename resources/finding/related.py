"""What goes well with a record, or with a question that somebody asks: by tags, by terms, by the words of the title.

Candidates by an index each, then ranked. Titles that share one word only are not close, so two are asked for.
"""

import re
from collections.abc import Iterable
from itertools import combinations

from django.db.models import FloatField, QuerySet
from django.db.models.expressions import RawSQL

from kmnet.core.search import COMMON
from kmnet.core.text import fold

from ..models import Derivative, Relation, Resource
from ..vocabulary import TYPE

MOST_WORDS = 6
SHOWN = ("title", "slug", "csl", "language", "year", "creators", "tag_ids", "published_at")

SEEN = "state = 'visible' AND published_at IS NOT NULL"
CANDIDATES = f"""
    (SELECT id FROM resources_resource WHERE tag_ids && %s::bigint[] AND {SEEN}
     ORDER BY published_at DESC, id DESC LIMIT 60)
    UNION
    (SELECT id FROM resources_resource WHERE cardinality(%s::bigint[]) > 1 AND term_ids @> %s::bigint[] AND {SEEN} LIMIT 60)
    UNION
    (SELECT id FROM resources_resource WHERE search @@ to_tsquery('kmnet', %s) AND {SEEN} LIMIT 200)
"""
NEARNESS = """
    0.3 * cardinality(ARRAY(SELECT unnest(resources_resource.tag_ids) INTERSECT SELECT unnest(%s::bigint[])))
    + 0.1 * cardinality(ARRAY(SELECT unnest(resources_resource.term_ids) INTERSECT SELECT unnest(%s::bigint[])))
    + ts_rank(resources_resource.search, to_tsquery('kmnet', %s))
"""


def close_to(title: str, *, tags: Iterable[int], terms: Iterable[int] = (), viewer) -> QuerySet[Resource]:
    """What this person may see and is close, the closest first."""
    words = [word for word in re.findall(r"\w+", fold(title)) if len(word) > 2 and word not in COMMON]
    words = list(dict.fromkeys(words))[:MOST_WORDS]
    pairs = " | ".join(f"({one} & {other})" for one, other in combinations(words, 2))
    tags, terms = list(tags), list(terms)
    near = RawSQL(NEARNESS, [tags, terms, " | ".join(words)], output_field=FloatField())
    rows = Resource.objects.visible_to(viewer).filter(pk__in=RawSQL(CANDIDATES, [tags, terms, terms, pairs]))
    return rows.annotate(nearness=near).order_by("-nearness", "-published_at", "-pk").only(*SHOWN)


def related_to(resource: Resource, viewer, limit: int = 4) -> list[Resource]:
    """The closest to a record, without those that it is linked with: these stand on its page by themselves. One query."""
    terms = [term.pk for term in resource.terms.all() if term.facet.key != TYPE]
    linked = Derivative.objects.filter(parent=resource).values_list("child")
    linked = linked.union(
        Derivative.objects.filter(child=resource).values_list("parent"),
        Relation.objects.filter(resource=resource).values_list("other"),
        Relation.objects.filter(other=resource).values_list("resource"),
    )
    found = close_to(resource.title, tags=resource.tag_ids, terms=terms, viewer=viewer)
    return list(found.exclude(pk=resource.pk).exclude(pk__in=linked)[:limit])


def helps_with(title: str, *, tags: Iterable[int], viewer, limit: int = 3) -> list[Resource]:
    """What may help whoever asks this, the closest first. One query."""
    return list(close_to(title, tags=tags, viewer=viewer)[:limit])
