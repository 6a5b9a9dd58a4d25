"""How the views reach an event, and what a page about places shows."""

from dataclasses import dataclass

from django.db.models import Case, When
from django.http import Http404
from django.utils import timezone

from kmnet.core.fixed import fixed
from members.models import Member

from .. import times
from ..forms.registering import ways_of
from ..models import BACK, RISEN, Event, Occupancy, Registration, Status
from ..permissions import can_create_event, can_enter, can_organise_event, can_register, can_view_event
from ..reminders import ASKED_BEFORE
from ..services import Arrival
from ..services.places import is_first_come

LARGEST = 2**63 - 1  # of ids, for Postgres


def get_event(request, pk: int) -> Event:
    """The rule for one, which agrees with visible_to for many, and asks nothing further of what all may see."""
    found = _by_pk(pk=pk) if pk <= LARGEST else []
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


def posted(request):
    """What a form is bound to: also to a press without any fields, which asks nothing of anybody."""
    return request.POST if request.method == "POST" else None


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


@dataclass(frozen=True)
class PlaceList:
    """One list of places as the panel shows it: of a hybrid event there are two, with their words."""

    way: str
    label: str
    occupancy: Occupancy

    @property
    def meter(self) -> dict | None:
        return meter(self.occupancy)

    @property
    def takes_newcomers(self) -> bool:
        """A place for whoever presses now; nobody passes those who wait."""
        return not self.occupancy.is_full and not self.occupancy.waiting


def place_lists(event: Event, occupancies: dict[str, Occupancy]) -> list[PlaceList]:
    labels = dict(ways_of(event)) if len(event.ways) > 1 else {"": ""}
    return [PlaceList(way, labels[way], found) for way, found in occupancies.items()]


def place_context(request, event: Event, arrival: Arrival | None = None) -> dict:
    """Everything that events/_place.html shows. `arrival`: what a service has just told of their registration."""
    now = timezone.now()
    if arrival is None:
        arrival = Arrival(own_registration(event, request.user))
    else:
        event = arrival.registration.event
    mine = arrival.registration
    lists = place_lists(event, arrival.occupancies or event.occupancies(now))
    state = _state(event, mine, now)
    shown = times.when(event)
    in_line = mine is not None and (mine.is_live or mine.status == Status.EXPIRED)
    own = next((one for one in lists if in_line and one.way == mine.way), None)
    occupancy = own.occupancy if own else Occupancy.together(one.occupancy for one in lists)
    context = {
        "event": event,
        "registration": mine,
        "state": state,
        "lists": lists,
        "own_list": own,
        "occupancy": occupancy,
        "when": shown,
        "when_there": times.when(event, event.zone),
        "elsewhere": times.elsewhere(event, shown) if not event.is_over(now) else [],
        "may_register": can_register(request.user, event),
        "doors_open": event.doors_are_open(now) and bool(event.meeting_url),
    }
    context["has_way_in"] = can_enter(mine)
    context["may_enter"] = context["doors_open"] and context["has_way_in"]
    context |= _more(request, event, arrival, state, occupancy, now)
    return context


def _more(request, event: Event, arrival: Arrival, state: str, occupancy: Occupancy, now) -> dict:
    """What only one state shows, and no other needs to ask the database for."""
    mine = arrival.registration
    if state in ("open", "expired", "recording"):
        earlier = event.priority_from_id
        return {
            "has_questions": event.questions.filter(is_asked=True).exists(),
            "comes_first": Event.objects.visible_to(request.user).filter(pk=earlier).first()
            if earlier
            else None,
            "has_priorities": bool(earlier),
            "will_ask": event.asks_reconfirmation
            and occupancy.places is not None
            and now < event.starts_at - ASKED_BEFORE,
            "may_claim": state == "expired" and is_first_come(event, now) and not occupancy.is_full,
        }
    if state == "waiting":
        return {
            "position": arrival.position or mine.position(),
            "may_claim": is_first_come(event, now) and not occupancy.is_full,
            "is_back": mine.priority == BACK,
            "has_risen": mine.priority == RISEN,
        }
    if state == "offered":
        return {
            "until": times.until(mine.offer_expires_at),
            "countdown": times.countdown(mine.offer_expires_at, now),
            "giver": mine.given_by.name if mine.given_by_id else "",
        }
    return {}


def _state(event: Event, mine: Registration | None, now) -> str:
    if event.cancelled_at is not None:
        return "called_off"
    if event.is_postponed:
        return "postponed"
    if event.is_over(now):
        return "over"
    if mine is not None and mine.status == Status.OFFERED and not mine.has_open_offer(now):
        return "expired"  # before the sweep has written it down
    if mine is not None and mine.status == Status.CONFIRMED:
        return "asked" if is_asked(event, mine, now) else "confirmed"
    if mine is not None and (mine.is_live or mine.status == Status.EXPIRED):
        return mine.status
    if event.published_at is None:
        return "draft"
    if event.takes_registrations(now):
        return "open"
    if event.registration_opens_at and now < event.registration_opens_at:
        return "not_open_yet"
    return "closed"


def is_asked(event: Event, mine: Registration, now) -> bool:
    """Has the question whether they still come no answer yet? At the door their coming is the answer."""
    asked, said = mine.asked_at, mine.said_yes_at
    if asked is None or (event.moved_at is not None and asked < event.moved_at):
        return False  # not about the day that the event has now
    return (said is None or said < asked) and now < event.doors_open_at


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
