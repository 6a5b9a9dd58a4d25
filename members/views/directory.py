"""/members/: finding people."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..finding import SORTS, Finding


@require_safe
def directory(request):
    finding = Finding(request.GET, request.user)
    context = {"finding": finding, "page": finding.page, "sorts": SORTS}
    template = "members/directory.html"
    if request.htmx and not request.htmx.history_restore_request:
        template = "members/_people.html"
    return render(request, template, context)
