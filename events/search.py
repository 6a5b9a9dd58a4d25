"""Events in the search over everything."""

from django.contrib.postgres.search import SearchHeadline, SearchRank
from django.db.models import Count, F, TextField, Value, Window
from django.db.models.functions import Concat

from kmnet.core.search import CONFIG, SearchHit, SearchPage, SearchText

from . import times
from .models import Event

MARK_START, MARK_END = "\ue000", "\ue001"  # the page makes <mark> of them


def find_events(text: SearchText, viewer, limit: int) -> SearchPage:
    """What the viewer may see, best match first. Drafts are on their organisers' own pages, not here."""
    if text.query is None:
        return SearchPage()
    found = Event.objects.visible_to(viewer).published().filter(search=text.query)
    rows = list(
        found.annotate(
            rank=SearchRank(F("search"), text.query),
            total=Window(Count("pk")),  # counted along, not by a query of its own
            snippet=SearchHeadline(
                Concat("summary", Value(" "), "description", output_field=TextField()),
                text.query,
                config=CONFIG,
                start_sel=MARK_START,
                stop_sel=MARK_END,
                max_words=30,
                min_words=15,
            ),
        ).order_by("-rank", "-starts_at", "pk")[:limit]
    )
    hits = [
        SearchHit(
            url=event.get_absolute_url(),
            title=event.title,
            snippet=event.snippet,
            meta=f"{event.get_kind_display()}, {times.when(event)}",
            at=event.starts_at,
        )
        for event in rows
    ]
    return SearchPage(hits, rows[0].total if hits else 0)
