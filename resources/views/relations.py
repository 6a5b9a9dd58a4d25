"""Typed links from one record to another."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kmnet.core.ratelimit import limited
from kmnet.core.search import SearchText
from kmnet.core.text import clean_text
from members.permissions import can_moderate

from .. import company, services
from ..identifiers import title_key
from ..models import Relation, Resource
from ..permissions import (
    can_edit_resource,
    can_remove_relation,
    can_view_resource,
)
from .access import find_resource

MOST_FOUND = 8


@require_http_methods(["GET", "HEAD", "POST"])
@limited("library-links", "120/h")
def links(request, pk):
    """What it is linked with; a search for the other one, and a button beside each that was found."""
    resource = find_resource(request, pk)
    if not (can_edit_resource(request.user, resource) or can_moderate(request.user)):
        raise Http404
    error = _link(request, resource) if request.method == "POST" else ""
    if request.method == "POST" and not error:
        messages.success(request, _("Linked."))
        return redirect("resources:links", pk)
    asked = (request.POST if request.method == "POST" else request.GET).get("q", "")[:200]
    context = {
        "resource": resource,
        "links": company.links_of(resource, request.user).all,
        "q": asked,
        "found": _found(request, resource, asked),
        "kinds": Relation.Kind.choices,
        "kind": request.POST.get("kind", "") or Relation.Kind.RELATED,
        "link_error": error,
        "own": can_edit_resource(request.user, resource),
    }
    return render(request, "resources/links.html", context, status=422 if error else 200)


def _link(request, resource: Resource) -> str:
    """What was wrong, or ""."""
    number, kind = request.POST.get("other", ""), request.POST.get("kind", "")
    if kind not in Relation.Kind.values:
        return _("Choose how the two belong together.")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return _("Choose one of those that were found.")
    other = Resource.objects.visible_to(request.user).filter(pk=min(int(number), 2**63 - 1)).first()
    if other is None or other.pk == resource.pk:
        return _("Choose one of those that were found.")
    if kind == Relation.Kind.NEWER and not (
        can_edit_resource(request.user, other) or can_moderate(request.user)
    ):
        return _("That something is newer than another one can be said by whoever looks after both.")
    try:
        services.relate(actor=request.user, resource=resource, kind=kind, other=other)
    except services.InCircles:
        return _("The other one is said to be the newer one already.")
    except services.TooManyRelations:
        return _("One of the two has as many links as one can have.")
    return ""


def _found(request, resource: Resource, asked: str) -> list[Resource]:
    """By their number or address, or by the words of the title."""
    if not asked.strip():
        return []
    met = Resource.objects.visible_to(request.user).exclude(pk=resource.pk)
    met = met.only("pk", "title", "slug", "language", "year", "creators", "csl")
    number = asked.rstrip("/").rpartition("/")[2].partition("-")[0].strip()
    if number.isascii() and number.isdecimal() and (asked.strip() == number or "/library/" in asked):
        return list(met.filter(pk=min(int(number), 2**63 - 1)))
    text = SearchText(asked)
    found = list(met.filter(search=text.query).order_by("-published_at", "-pk")[:MOST_FOUND]) if text else []
    if not found:
        close = met.filter(title_key__trigram_similar=title_key(asked))
        found = list(close.order_by("-published_at", "-pk")[:MOST_FOUND])
    return found


@require_POST
def unlink(request, pk):
    relation = get_object_or_404(Relation.objects.select_related("resource", "other"), pk=min(pk, 2**63 - 1))
    ends = (relation.resource, relation.other)
    if not all(can_view_resource(request.user, one) for one in ends):
        raise Http404
    if not can_remove_relation(request.user, relation):
        raise Http404
    back = relation.other if request.POST.get("from") == str(relation.other_id) else relation.resource
    own = any(can_edit_resource(request.user, one) for one in ends)
    reason = clean_text(request.POST.get("reason", "")).strip()[:500]
    if not own and not reason:
        messages.error(request, _("Say why: the reason stands in the log."))
        return redirect("resources:links", back.pk)
    services.unrelate(actor=request.user, relation=relation, reason=reason)
    messages.success(request, _("The link is gone."))
    return redirect("resources:links", back.pk)
