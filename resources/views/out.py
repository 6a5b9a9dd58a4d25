"""The library taken along: records and lists of them for reference managers, spreadsheets and texts."""

from collections.abc import Iterator

from django.contrib.auth.decorators import login_not_required
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kmnet.core.access import guests_sign_in
from kmnet.core.models import Term
from kmnet.core.ratelimit import allow, client_network
from kmnet.core.views import too_many

from .. import citing, describing
from ..finding import Finder
from ..formats import FORMATS, MAX_ROWS
from ..gathered import resources_of, saved_by
from ..models import Resource
from ..services.creators import members_by_place
from .access import find_resource
from .collections import find_collection

MOST_REFERENCES = 100  # set as a list on one page: one that was not set before costs some milliseconds
AT_ONCE = 500  # records held in memory while a list is written
PER_HOUR = 60


# --- one record ------------------------------------------------------------------------------------------------------
@login_not_required
@require_safe
@guests_sign_in
def export(request, pk, form):
    """The record in one of the formats."""
    resource = find_resource(request, pk)
    return _file(form, [citing.export_item(resource)], citing.cite_key(resource))


@login_not_required
@require_safe
@guests_sign_in
def linkset(request, pk):
    """The typed links of a public record as a link set (RFC 9264)."""
    resource = find_resource(request, pk)
    if not resource.is_public:
        raise Http404
    authors = describing.authors_of(resource, members_by_place(resource).values())
    return JsonResponse(describing.linkset(resource, authors), content_type="application/linkset+json")


def _file(form: str, items, name: str) -> HttpResponse:
    if form not in FORMATS:
        raise Http404
    response = HttpResponse(FORMATS[form].module.write(items), content_type=FORMATS[form].content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Robots-Tag"] = "noindex"
    return response


# --- a list ----------------------------------------------------------------------------------------------------------
def searched(request) -> QuerySet[Resource]:
    """What the page of the library shows for the same address, all of it, newest first (or by title, if so asked)."""
    finder = Finder(request.GET, request.user)
    order = ["title_key", "pk"] if finder.sort == "title" else ["-published_at", "-pk"]
    return finder.found.order_by(*order)


@login_not_required
@require_safe
def list_export(request, form):
    return _list_file(request, form, searched(request), "library")


@login_not_required
@require_safe
@guests_sign_in
def collection_export(request, pk, form):
    collection = find_collection(request, pk)
    rows = resources_of(collection, request.user)
    return _list_file(request, form, rows, collection.slug or f"collection-{collection.pk}")


@require_safe
def saved_export(request, form):
    return _list_file(request, form, saved_by(request.user), "saved")


def _list_file(request, form: str, rows: QuerySet[Resource], name: str) -> HttpResponse:
    """At most MAX_ROWS records, as what we read takes no more either; else a page that says so."""
    if form not in FORMATS:
        raise Http404
    if not _may_take(request):
        return too_many(request)
    total = rows.count()
    if total > MAX_ROWS:
        context = {"total": total, "limit": MAX_ROWS}
        return render(request, "resources/too_long_to_export.html", context, status=422)
    return _file(form, items_of(rows), f"kmnet-{name}")


def _may_take(request) -> bool:
    """Whole lists cost the machine something: so many an hour by one member, or from one network."""
    who = request.user.pk or client_network(request)
    return allow(f"library-export:{who}", limit=PER_HOUR, seconds=3600)


def items_of(rows: QuerySet[Resource]) -> Iterator[dict]:
    """The records as items for `formats`, a few hundred of them in memory at a time."""
    terms = Prefetch("terms", queryset=Term.objects.select_related("facet").order_by("position", "pk"))
    rows = rows.defer("search", "description_html", "fuzzy").prefetch_related(terms, "tags")
    return (citing.export_item(resource) for resource in rows.iterator(chunk_size=AT_ONCE))


# --- a list of references --------------------------------------------------------------------------------------------
@login_not_required
@require_safe
def references(request):
    title = _("What you looked for") if request.GET.keys() - {"style"} else ""
    return _references(request, searched(request), title, reverse("resources:index"))


@login_not_required
@require_safe
@guests_sign_in
def collection_references(request, pk):
    collection = find_collection(request, pk)
    rows = resources_of(collection, request.user)
    return _references(request, rows, collection.title, collection.get_absolute_url())


@require_safe
def saved_references(request):
    return _references(request, saved_by(request.user), _("What you saved"), reverse("resources:saved"))


def _references(request, rows: QuerySet[Resource], title: str, back: str) -> HttpResponse:
    """The list as a bibliography in one style, for copying and printing; of a long one its beginning."""
    if not _may_take(request):
        return too_many(request)
    style = request.GET.get("style", "")
    style = style if style in citing.STYLES else next(iter(citing.STYLES))
    total = rows.count()
    rows = rows.only("pk", "slug", "title", "csl", "updated_at")[:MOST_REFERENCES]
    query = request.GET.copy()
    for name in ("style", "after", "before"):
        query.pop(name, None)
    query = query.urlencode()
    context = {
        "title": title,
        "back": back + (f"?{query}" if query else ""),
        "query": query,
        "style": style,
        "styles": [(key, name) for key, (name, _file) in citing.STYLES.items()],
        "references": citing.bibliography(rows, style),
        "numbered": style == "vancouver",
        "total": total,
        "limit": MOST_REFERENCES,
    }
    response = render(request, "resources/references.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response
