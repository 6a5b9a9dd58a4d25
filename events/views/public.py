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
from ..models import Event
from ..permissions import can_organise_event
from ..series_dates import other_dates
from .common import get_event, may_create, place_context

PAGE = 20


@login_not_required
@require_safe
def index(request):
    """What is coming, the next one first; organisers also find their drafts here."""
    now = timezone.now()
    events = Event.objects.visible_to(request.user).upcoming(now).with_card(request.user)
    page = paginate(events, request.GET, order=["starts_at", "pk"], size=PAGE)
    drafts = []
    if request.user.is_authenticated:
        drafts = request.user.organised_events.filter(published_at__isnull=True, ends_at__gt=now)
        drafts = drafts.order_by("starts_at", "pk")[:PAGE]
    context = {"page_of": page, "drafts": drafts, "tab": "coming", "may_create": may_create(request.user)}
    return render(request, "events/index.html", context)


@login_not_required
@require_safe
def past(request):
    events = Event.objects.visible_to(request.user).past().with_card(request.user)
    page = paginate(events, request.GET, order=["-starts_at", "-pk"], size=PAGE)
    context = {"page_of": page, "tab": "past", "may_create": may_create(request.user)}
    return render(request, "events/index.html", context)


@login_not_required
@guests_sign_in
@require_safe
def detail(request, pk, slug):
    event = get_event(request, pk)
    if slug != event.slug:
        return redirect(event, permanent=True)
    context = place_context(request, event)
    context["sessions"] = event.sessions.prefetch_related("speakers__member")
    context["organisers"] = Member.objects.filter(organised_events=event).order_by("name", "pk")
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
