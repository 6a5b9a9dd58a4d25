"""How a page reaches a record, and what it answers where it may not, or where the record has gone."""

import functools
from collections.abc import Callable

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from kmnet.core import kept_text
from members.permissions import can_moderate, is_full_member

from ..models import LinkCheck, Resource, audience_rule
from ..permissions import can_add_resource, can_take_down
from ..services.taking_down import UNDO_FOR


class Gone(Http404):
    """It was taken down, or merged into another one, and this person might have seen it. Where a view says nothing of
    that (`tells_gone`), it is a 404 like any other."""

    def __init__(self, resource: Resource):
        super().__init__()
        self.resource = resource

    @property
    def merged_into_id(self) -> int | None:
        return self.resource.merged_into_id


def find_resource(request, pk: int, more: Callable[[QuerySet], QuerySet] = lambda rows: rows) -> Resource:
    """The record, if this person may open it; else a 404. With what its page shows of people, use and its end; `more`:
    what else the query shall bring along."""
    checks = LinkCheck.objects.filter(url_key=OuterRef("url_key")).exclude(url_key="")
    # Numbers beyond the column are as unknown as any other.
    rows = (
        Resource.objects.select_related("added_by", "keeper", "hidden_by", "use", "tombstone", "group")
        .annotate(link_state=Subquery(checks.values("state")[:1]))
        .defer("search")
        .filter(pk=min(pk, 2**63 - 1))
    )
    resource = more(rows.filter(pk__in=Resource.objects.readable_by(request.user).values("pk"))).first()
    if resource is not None:
        resource.found_for = request.user.pk  # a page asks many a right; services look at the row anew
    else:
        resource = rows.filter(_might_have_seen(request.user), state=Resource.State.HIDDEN).first()
        if resource is None or not is_gone(resource):
            raise Http404
    if is_gone(resource):
        raise Gone(resource)
    return resource


def is_gone(resource: Resource) -> bool:
    return resource.merged_into_id is not None or hasattr(resource, "tombstone")


def _might_have_seen(user) -> Q:
    shown = audience_rule(user)
    if can_moderate(user):
        return shown
    mine = Q(added_by=user) | Q(keeper=user) if is_full_member(user) else Q(pk__in=[])
    return shown & (Q(published_at__isnull=False) | mine)  # what a moderator refused was never in the library


def tells_gone(view):
    """For the page of a record: where it was merged it leads on, and where it was taken down it says why (410)."""

    @functools.wraps(view)
    def wrapped(request, pk, *args, **kwargs):
        try:
            return view(request, pk, *args, **kwargs)
        except Gone as gone:
            return gone_page(request, gone.resource)

    return wrapped


def gone_page(request, resource: Resource):
    """Raises Http404 where the record that it was merged into is not for this person."""
    if resource.merged_into_id:
        try:
            kept = find_resource(request, resource.merged_into_id)
        except Gone as gone:
            return gone_page(request, gone.resource)
        return redirect(kept, permanent=True)
    undo_until = resource.tombstone.at + UNDO_FOR
    may_undo = bool(resource.tombstone.citation) and can_take_down(request.user, resource)
    may_undo = may_undo and timezone.now() <= undo_until
    undo = reverse("resources:undo_take_down", args=[resource.pk])
    context = {
        "resource": resource,
        "tombstone": resource.tombstone,
        "undo_until": undo_until,
        "may_undo": may_undo,
        "may_moderate": can_moderate(request.user),
        "reason": kept_text.take(request, undo).get("reason", "") if may_undo else "",
    }
    response = render(request, "resources/care/gone.html", context, status=410)
    response["X-Robots-Tag"] = "noindex"
    add_never_cache_headers(response)  # browsers keep a 410 for ever, and this one may be undone
    return response


def writers_only(request) -> None:
    """A pending or silenced member finds no form here, as the pages offer none."""
    if not can_add_resource(request.user):
        raise Http404
