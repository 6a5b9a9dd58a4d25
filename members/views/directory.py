"""/members/: finding people."""

from dataclasses import dataclass

from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..finding import SORTS, Finding, count_countries

BARS = 30  # in the chart; the table holds all
LONGEST = 240  # of 480 units of width
NAMES = 190  # of which the names of the countries take
STEP = 26


@require_safe
def directory(request):
    finding = Finding(request.GET, request.user)
    context = {"finding": finding, "page": finding.page, "sorts": SORTS}
    template = "members/directory.html"
    if request.htmx and not request.htmx.history_restore_request:
        template = "members/_people.html"
    return render(request, template, context)


@dataclass(frozen=True)
class Bar:
    """One bar of the chart, with its place in the drawing."""

    name: str
    number: int
    y: int
    width: int

    @property
    def text_y(self) -> int:
        return self.y + 14

    @property
    def number_x(self) -> int:
        return NAMES + self.width + 8


def short(name: str) -> str:
    """As much of a country's name as there is room for; the table has it whole."""
    return name if len(name) <= 24 else f"{name[:22].rstrip(' (,')}…"


@require_safe
def by_country(request):
    rows, few = count_countries(request.user)
    most = rows[0].number if rows else 1
    bars = [
        Bar(short(row.name), row.number, STEP * place, max(2, round(LONGEST * row.number / most)))
        for place, row in enumerate(rows[:BARS])
    ]
    context = {"rows": rows, "few": few, "bars": bars, "height": STEP * max(1, len(bars))}
    return render(request, "members/countries.html", context)
