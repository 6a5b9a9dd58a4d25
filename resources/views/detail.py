"""The page of a record."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from kmnet.core.access import guests_sign_in
from members.permissions import can_moderate, can_write

from .. import citing, using
from ..finding import related_to
from ..gathered import keeping_of
from ..permissions import can_edit_resource
from .access import find_resource, tells_gone


@login_not_required
@require_safe
@guests_sign_in
@tells_gone
def detail(request, pk, slug):
    resource = find_resource(request, pk)
    if slug != resource.slug:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(resource.get_absolute_url() + query, permanent=True)
    terms = list(resource.terms.select_related("facet").order_by("facet__position", "position", "pk"))
    resource._prefetched_objects_cache = {"terms": terms, "tags": list(resource.tags.order_by("name"))}
    facets: dict[str, dict] = {}
    for term in terms:
        facet = facets.setdefault(
            term.facet.key, {"key": term.facet.key, "label": term.facet.label, "terms": []}
        )
        facet["terms"].append(term)
    files = list(resource.files.all())
    resource._prefetched_objects_cache["files"] = files
    context = {
        "resource": resource,
        "kind": resource.kind(),
        "kind_term": next((term for term in terms if term.facet.key == "type"), None),
        "facets": [facet for key, facet in facets.items() if key != "type"],
        "tags": resource._prefetched_objects_cache["tags"],
        "files": files,
        "citations": citing.citations(resource),
        "exports": [(key, label) for key, (label, _type, _writer) in citing.EXPORTS.items()],
        "highwire": citing.highwire(resource),
        "related": related_to(resource, request.user),
        "keeping": keeping_of(resource, request.user),
        "source": resource.csl.get("container-title") or resource.csl.get("publisher", ""),
        "may_edit": can_edit_resource(request.user, resource),
        "may_moderate": can_moderate(request.user),
        "may_report": can_write(request.user) and resource.added_by_id != request.user.pk,
    }
    response = render(request, "resources/detail.html", context)
    if not resource.is_public:
        response["X-Robots-Tag"] = "noindex"
    return using.mark(request, response, resource)
