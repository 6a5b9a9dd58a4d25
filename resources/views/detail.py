"""The page of a record."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from kmnet.core import about
from kmnet.core.access import guests_sign_in
from members.permissions import can_moderate, can_write

from .. import citing, company, describing, using
from ..finding import related_to
from ..gathered import keeping_of
from ..permissions import can_derive, can_edit_resource, can_mark_used, can_open_files, can_tell_story
from ..services.creators import members_by_place
from .access import find_resource, tells_gone


@login_not_required
@require_safe
@guests_sign_in
@tells_gone
def detail(request, pk, slug):
    resource = find_resource(request, pk, lambda rows: company.with_page(rows, request.user))
    if slug != resource.slug:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(resource.get_absolute_url() + query, permanent=True)
    company.prepare(resource)
    terms = list(resource.terms.all())
    facets: dict[str, dict] = {}
    for term in terms:
        facet = facets.setdefault(
            term.facet.key, {"key": term.facet.key, "label": term.facet.label, "terms": []}
        )
        facet["terms"].append(term)
    files = list(resource.files.listed_for(request.user).of_version(resource.version))
    resource._prefetched_objects_cache["files"] = files
    told, told_in_all = company.first_stories(resource, request.user)
    members = members_by_place(resource)
    source = resource.csl.get("container-title") or resource.csl.get("publisher", "")
    context = {
        "resource": resource,
        "creators": [(name, members.get(place)) for place, name in enumerate(resource.creator_names)],
        "is_named": request.user in members.values(),
        "kind": resource.kind(),
        "kind_term": next((term for term in terms if term.facet.key == "type"), None),
        "facets": [facet for key, facet in facets.items() if key != "type"],
        "tags": list(resource.tags.all()),
        "files": files,
        "citations": citing.citations(resource),
        "exports": [(key, label) for key, (label, _type, _writer) in citing.EXPORTS.items()],
        "highwire": describing.highwire(resource),
        "schema_org": describing.schema_org(resource),
        "may_open_files": can_open_files(request.user, resource),
        "family": company.family_of(resource, request.user),
        "versions": company.versions_of(resource),
        "links": company.links_of(resource, request.user),
        "stories": told,
        "told_in_all": told_in_all,
        "is_used": resource.is_used,
        "talk": about.talk_about(resource, request.user),
        "may_ask": can_tell_story(request.user, resource) and resource.group_id is None,
        "may_tell": can_tell_story(request.user, resource),
        "may_mark": can_mark_used(request.user, resource),
        "may_derive": can_derive(request.user, resource),
        "related": related_to(resource, request.user),
        "keeping": keeping_of(resource, request.user),
        "source": ""
        if [source] == resource.creator_names
        else source,  # a body that published its own is said once
        "may_edit": can_edit_resource(request.user, resource),
        "may_moderate": can_moderate(request.user),
        "may_report": can_write(request.user) and resource.added_by_id != request.user.pk,
    }
    response = render(request, "resources/detail.html", context)
    if not resource.is_public:
        response["X-Robots-Tag"] = "noindex"
    else:
        authors = describing.authors_of(resource, members.values())
        response["Link"] = describing.link_header(resource, authors)
    return using.mark(request, response, resource)
