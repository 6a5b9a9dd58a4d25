"""Feeds of the library. They are asked by programs without a session, and tell whoever asks what guests may see."""

import hashlib
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from .. import feeds
from ..finding import Finder
from ..models import Collection, Resource

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


@login_not_required
@require_safe
def newest(request):
    """The newest of the library, or of what is asked as on its page: `?q=…&type=guide`."""
    query = request.GET.copy()
    for name in ("sort", "after", "before"):
        query.pop(name, None)
    finder = Finder(query, AnonymousUser())
    asked = f"?{query.urlencode()}" if query else ""
    title = _("New in the library")
    if finder.text:
        title = _("New in the library: %(words)s") % {"words": str(finder.text)}
    return _feed(
        request,
        title=title,
        own=reverse("library_feeds:newest") + asked,
        page=reverse("resources:index") + asked,
        rows=finder.found.order_by("-published_at", "-pk"),
    )


@login_not_required
@require_safe
def collection(request, pk):
    """What was put into a public collection last."""
    found = Collection.objects.visible_to(AnonymousUser()).filter(pk=min(pk, 2**63 - 1)).first()
    if found is None:
        raise Http404
    rows = Resource.objects.visible_to(AnonymousUser()).filter(collected__collection=found)
    return _feed(
        request,
        title=found.title,
        own=reverse("library_feeds:collection", args=[found.pk]),
        page=found.get_absolute_url(),
        rows=rows.order_by("-collected__added_at", "-pk"),
        changed=found.updated_at,
    )


def _feed(
    request, *, title: str, own: str, page: str, rows: QuerySet[Resource], changed: datetime = BEGINNING
) -> HttpResponse:
    """304 for a reader that has exactly this. Only by the ETag: what was taken away leaves no later date behind."""
    rows = list(
        rows.defer("search", "description", "description_html", "fuzzy").prefetch_related("tags")[
            : feeds.MOST_ENTRIES
        ]
    )
    shown = max([changed, *(max(row.published_at, row.updated_at) for row in rows)])
    content = feeds.atom(
        title=title,
        own=settings.SITE_URL + own,
        page=settings.SITE_URL + page,
        resources=rows,
        changed=shown,
    )
    response = HttpResponse(content, content_type="application/atom+xml; charset=utf-8")
    response["Cache-Control"] = "public, no-cache"
    response["ETag"] = etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response["Last-Modified"] = http_date(shown.timestamp())
    return get_conditional_response(request, etag=etag, response=response)
