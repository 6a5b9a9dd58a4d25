"""How the views reach an event, and what a page about places shows."""

from django.db.models import Case, When
from django.http import Http404
from django.utils import timezone

from kmnet.core.fixed import fixed
from members.models import Member

from .. import times
from ..models import Event, Registration, Status
from ..permissions import can_create_event, can_organise_event, can_register, can_view_event
from ..services.places import is_first_come


def get_event(request, pk: int) -> Event:
    """The rule for one, which agrees with visible_to for many, and asks nothing further of what all may see."""
    found = _by_pk(pk=pk)
    if not found or not can_view_event(request.user, found[0]):
        raise Http404
    return found[0]


@fixed
def _by_pk(*, pk):
    return Event.objects.filter(pk=pk)


def get_own_event(request, pk: int) -> Event:
    """For organisers of this event, and admins; for all others it is not there."""
    event = get_event(request, pk)
    if not can_organise_event(request.user, event):
        raise Http404
    return event


def own_registration(event: Event, user) -> Registration | None:
    """The live one; otherwise the last."""
    if not user.is_authenticated:
        return None
    found = _of_member(event=event.pk, member=user.pk, email=user.email)
    for registration in found:
        registration.event = event
    return found[0] if found else None


@fixed
def _of_member(*, event, member, email):
    mine = Registration.objects.filter(event=event).for_member(Member(pk=member, email=email))
    live_first = Case(When(status__in=Status.live(), then=0), default=1)
    return mine.exclude(status=Status.UNPROVEN).order_by(live_first, "-pk")[:1]


def place_context(request, event: Event) -> dict:
    """Everything that events/_place.html shows."""
    now = timezone.now()
    mine = own_registration(event, request.user)
    occupancy = event.occupancy(now)
    state = _state(event, mine, now)
    context = {
        "event": event,
        "registration": mine,
        "occupancy": occupancy,
        "state": state,
        "meter": meter(occupancy),
        "may_register": can_register(request.user, event),
        "when": times.when(event),
        "when_there": times.when(event, event.zone),
    }
    if state == "waiting":
        context["position"] = mine.position()
        context["may_claim"] = is_first_come(event, now) and not occupancy.is_full
    if state == "offered":
        context["until"] = times.until(mine.offer_expires_at)
        context["countdown"] = times.countdown(mine.offer_expires_at, now)
    if state == "confirmed":
        context["doors_open"] = event.doors_are_open(now) and bool(event.meeting_url)
    return context


def _state(event: Event, mine: Registration | None, now) -> str:
    if event.cancelled_at is not None:
        return "called_off"
    if event.is_over(now):
        return "over"
    if mine is not None and mine.status == Status.OFFERED and not mine.has_open_offer(now):
        return "expired"  # before the sweep has written it down
    if mine is not None and (mine.is_live or mine.status == Status.EXPIRED):
        return mine.status
    if event.published_at is None:
        return "draft"
    if event.takes_registrations(now):
        return "open"
    if event.registration_opens_at and now < event.registration_opens_at:
        return "not_open_yet"
    return "closed"


def meter(occupancy) -> dict | None:
    """The bar: places held, and those who wait beyond it, as parts of a hundred."""
    if not occupancy.places:
        return None
    whole = max(occupancy.places, occupancy.held + occupancy.waiting)
    held = round(100 * occupancy.held / whole, 1)
    return {
        "held": held,
        "gap": held - 0.6 if occupancy.waiting else None,
        "wait_from": held + 0.2,
        "wait": round(100 - held, 1) if occupancy.waiting else 0,
    }


def may_create(user) -> bool:
    return can_create_event(user)
