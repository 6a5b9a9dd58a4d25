"""The list, and the exports of a record."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from kmnet.core.access import guests_sign_in

from .. import citing
from ..finding import Finder
from ..permissions import can_add_resource
from .access import find_resource


@login_not_required
@require_safe
def index(request):
    finder = Finder(request.GET, request.user)
    page = finder.page
    context = {
        "finder": finder,
        "page": page,
        "resources": page.items,
        "facets": finder.facets,
        "in_use": len(finder.choices),
        "facet_hidden": [pair for pair in finder.hidden("language") if pair[0] in ("q", "sort", "tag")],
        "search_hidden": finder.hidden("q"),
        "sort_hidden": finder.hidden("sort"),
        "may_add": can_add_resource(request.user),
    }
    response = render(request, "resources/index.html", context)
    if request.GET:
        response["X-Robots-Tag"] = "noindex"
    patch_vary_headers(response, ["Cookie"])
    return response


@login_not_required
@require_safe
@guests_sign_in
def export(request, pk, form):
    """The record for a reference manager: .bib, .ris, .json."""
    resource = find_resource(request, pk)
    if form not in citing.EXPORTS:
        raise Http404
    _label, content_type, writer = citing.EXPORTS[form]
    response = HttpResponse(writer(resource), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{citing.cite_key(resource)}.{form}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Robots-Tag"] = "noindex"
    return response
