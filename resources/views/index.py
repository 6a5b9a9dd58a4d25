"""The list of what there is."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from members.permissions import is_full_member

from ..drawing import card
from ..finding import Finder
from ..permissions import can_add_resource


@login_not_required
@require_safe
def index(request):
    finder = Finder(request.GET, request.user)
    page = finder.page
    context = {
        "finder": finder,
        "page": page,
        "resources": page.items,
        "cards": [card(resource) for resource in page.items],
        "facets": finder.facets,
        "in_use": len(finder.choices),
        "facet_hidden": [pair for pair in finder.hidden() if pair[0] in ("q", "sort", "tag")],
        "search_hidden": finder.hidden("q"),
        "sort_hidden": finder.hidden("sort"),
        "is_member": is_full_member(request.user),
        "may_add": can_add_resource(request.user),
    }
    response = render(request, "resources/index.html", context)
    if request.GET:
        response["X-Robots-Tag"] = "noindex"
    patch_vary_headers(response, ["Cookie"])
    return response
