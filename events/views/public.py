"""What everyone may look at."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from kmnet.core.access import guests_sign_in
from kmnet.core.keyset import paginate
from members.models import Member

from .. import calendar
from ..finding import Finder
from ..permissions import can_organise_event
from ..series_dates import other_dates
from .common import get_event, may_create, place_context

PAGE = 20


@login_not_required
@require_safe
def index(request):
    """What is coming, the next one first; organisers also find their drafts here."""
    now = timezone.now()
    finder = Finder(request.GET, request.user, now)
    page = paginate(finder.shown.with_card(request.user), request.GET, order=["starts_at", "pk"], size=PAGE)
    finder.tell_more_dates(page.items)
    drafts = []
    if request.user.is_authenticated:
        drafts = request.user.organised_events.filter(published_at__isnull=True, ends_at__gt=now)
        drafts = drafts.order_by("starts_at", "pk")[:PAGE]
    context = {"page_of": page, "drafts": drafts, "tab": "coming"} | _around(request, finder)
    return render(request, "events/index.html", context)


@login_not_required
@require_safe
def past(request):
    """What took place, the last one first."""
    finder = Finder(request.GET, request.user, timezone.now(), past=True)
    page = paginate(finder.found.with_card(request.user), request.GET, order=["-starts_at", "-pk"], size=PAGE)
    context = {"page_of": page, "tab": "past"} | _around(request, finder)
    return render(request, "events/index.html", context)


def _around(request, finder: Finder) -> dict:
    return {
        "finder": finder,
        "facets": finder.facets if finder.is_worth_filtering else [],
        "in_use": len(finder.choices),
        "may_create": may_create(request.user),
    }


@login_not_required
@guests_sign_in
@require_safe
def detail(request, pk, slug):
    event = get_event(request, pk)
    if slug != event.slug:
        return redirect(event, permanent=True)
    organisers = list(Member.objects.filter(organised_events=event).order_by("name", "pk"))
    event.organiser_ids = frozenset(person.pk for person in organisers)  # the rules ask for them, too
    context = place_context(request, event)
    context["sessions"] = event.sessions.prefetch_related("speakers__member")
    context["organisers"] = organisers
    context["may_organise"] = can_organise_event(request.user, event)
    context["is_over"] = event.is_over()
    context["tags"] = event.tags.order_by("name")
    context["series_dates"] = other_dates(event, request.user)
    return render(request, "events/event_detail.html", context)


@login_not_required
@guests_sign_in
@require_safe
def calendar_file(request, pk, slug):
    """For “Add to calendar”. It says what the page says to everybody, and nothing personal."""
    event = get_event(request, pk)
    response = HttpResponse(calendar.public_file(event), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{event.slug}.ics"'
    return response
