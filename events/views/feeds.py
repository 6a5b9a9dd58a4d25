"""Calendars that programs subscribe to, and the page on which a member has an address for them."""

import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kmnet.core.ratelimit import limited
from members.models import Group, may_read_group

from .. import feeds, services
from ..models import CalendarFeed


# --- what programs fetch -----------------------------------------------------------------------------------------------
@login_not_required
@require_safe
def public(request):
    """All public events. The same for everybody, so that nobody's session is asked."""
    zone = timezone.get_current_timezone_name()
    return _calendar(request, feeds.public_feed(zone=zone), "events.ics", "public, no-cache")


@login_not_required
@require_safe
def own(request, token):
    return _for_owner(request, token, feeds.own_feed)


@login_not_required
@require_safe
def group(request, token, pk):
    """A group's meetings, for those who may read the group."""

    def meetings(member):
        if not may_read_group(member, pk):
            raise Http404
        return feeds.group_feed(Group.objects.get(pk=pk), member)

    return _for_owner(request, token, meetings)


def _for_owner(request, token: str, make):
    """Gone where a new address replaced it; not there for all who may not read."""
    try:
        member = feeds.reader_of(token)
    except feeds.Ended:
        return HttpResponse(
            _("This address has ended."), status=410, content_type="text/plain; charset=utf-8"
        )
    if member is None:
        raise Http404
    with translation.override(member.language):
        response = _calendar(request, make(member), "events.ics", "private, no-cache")
    response["X-Robots-Tag"] = "noindex"
    return response


def _calendar(request, content: bytes, name: str, cache: str) -> HttpResponse:
    """304 for a program that has exactly this. Only by the ETag: what was taken away leaves no later date behind."""
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = cache
    response["ETag"] = etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    patch_vary_headers(response, ["Accept-Language"])
    return get_conditional_response(request, etag=etag, response=response)


# --- one's own address -------------------------------------------------------------------------------------------------
@require_safe
def address(request):
    """The address is shown to its owner only, and made when they ask for it."""
    feed = CalendarFeed.objects.filter(member=request.user).first()
    context = {"section": "calendar", "feed": feed, "public_url": feeds.public_url()}
    if feed is not None:
        context["own_url"] = feeds.own_url(feed)
        context["groups"] = [
            {"name": group.name, "url": feeds.group_url(feed, group)}
            for group in Group.objects.of(request.user).order_by("name", "pk")
        ]
    return render(request, "events/calendar_address.html", context)


@require_POST
@limited("calendar-address", "20/h")
def renew(request):
    had_one = CalendarFeed.objects.filter(member=request.user).exists()
    services.renew_calendar_feed(member=request.user)
    if had_one:
        messages.success(request, _("This is your new address. The old one has ended."))
    return redirect("calendar:address")


@require_POST
def end(request):
    services.end_calendar_feed(member=request.user)
    messages.success(request, _("Your address has ended. Calendars that used it get nothing more."))
    return redirect("calendar:address")
