"""What became of an organiser's events, in a table and a picture."""

from dataclasses import dataclass

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kmnet.core.keyset import paginate

from .. import figures
from .common import may_create

PAGE = 20
STEP, NAMES, LONGEST = (
    28,
    190,
    240,
)  # of the picture: the height of a line, the room for names, a bar of 100 in 100


@dataclass
class Bar:
    """Those with a place, of whom so many in 100 came, with its place in the drawing."""

    name: str
    share: int
    y: int

    @property
    def width(self) -> int:
        return max(2, round(LONGEST * self.share / 100))

    @property
    def text_y(self) -> int:
        return self.y + 14

    @property
    def number_x(self) -> int:
        return NAMES + LONGEST + 8


@require_safe
def statistics(request):
    """For whoever plans events, or has organised one: their own; for admins those of everybody."""
    if not may_create(request.user) and not request.user.organised_events.exists():
        raise Http404
    page = paginate(
        figures.own_past_events(request.user), request.GET, order=["-starts_at", "-pk"], size=PAGE
    )
    found = figures.figures_of(page.items)
    bars = [
        Bar(_short(row.event.title), 100 - row.missed, STEP * place)
        for place, row in enumerate(found.counted)
    ]
    context = {"figures": found, "page_of": page, "bars": bars, "height": STEP * max(1, len(bars))}
    context |= {"bar_x": NAMES, "longest": LONGEST}
    return render(request, "events/statistics.html", context)


def _short(title: str) -> str:
    """As much of it as there is room for; the table has it whole."""
    return title if len(title) <= 24 else f"{title[:22].rstrip()}…"
