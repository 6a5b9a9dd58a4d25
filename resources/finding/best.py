"""The few best matches, for the search over everything and for hints while somebody is typing."""

from django.contrib.postgres.search import SearchRank
from django.db.models import Count, F, Prefetch, Window
from django.http import QueryDict

from kmnet.core.models import Term
from kmnet.core.search import SearchText

from ..models import Resource
from .finder import SHOWN, Finder

LOOKED_AT = 500


def best_of(text: SearchText, viewer, limit: int) -> list[Resource]:
    """What fits best of the first LOOKED_AT that fit, each with `total`: how many of these there are.

    Plain words also find by what stands in files and stories. Words that are still being typed, and those of which any
    will do, are asked of the record alone."""
    if type(text) is SearchText:
        asked = QueryDict(mutable=True)
        asked["q"] = text.text
        fits = Finder(asked, viewer, forgiving=False).found
    else:
        fits = Resource.objects.visible_to(viewer).filter(search=text.query)
    rows = Resource.objects.filter(pk__in=fits.order_by().values("pk")[:LOOKED_AT])
    rows = rows.annotate(
        rank=SearchRank(F("search"), text.query, normalization=1),
        total=Window(Count("pk")),  # counted along, not by a query of its own
    ).order_by("-rank", "-pk")
    terms = Prefetch("terms", queryset=Term.objects.select_related("facet"))
    return list(rows.only(*SHOWN).prefetch_related(terms)[:limit])
