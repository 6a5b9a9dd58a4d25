"""What the forecast is told: who has a place now, and how past events of the same organisers went.

Past events are taken one by one, never as one crowd (see forecast.py). In a room and online are different habits, so a
list of places learns from events of its own kind only. What a group does, or people who were invited, is nobody else's
business: such events teach only their own group's.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from django.db.models import Count, Exists, Min, OuterRef, Q
from django.utils import formats, timezone
from django.utils.translation import gettext

from . import forecast
from .forecast import Group, Past, Range
from .models import Event, Kind, Registration, Status, Visibility, Way

MOST_EVENTS = 40  # the last ones
MAY_STILL_ANSWER = timedelta(hours=24)  # before the start: until then silence says little
HAD_PLACE = Q(status__in=(Status.CONFIRMED, Status.SOFT))
SAID_YES = Q(said_yes_at__isnull=False)
SILENT = Q(said_yes_at__isnull=True, asked_at__isnull=False)
NEW = Q(said_yes_at__isnull=True, asked_at__isnull=True)
KINDS = {"everybody": Q(), "yes": SAID_YES, "silent": SILENT, "new": NEW}
PRIORS = {
    "everybody": forecast.ANYBODY,
    "yes": forecast.YES,
    "silent": forecast.SILENT,
    "new": forecast.NEW,
}


@dataclass(frozen=True)
class Answers:
    """What people said when they were asked three days before."""

    asked_at: datetime
    coming: int
    left: int
    silent: int

    def _part(self, number: int) -> float:
        return round(100 * number / ((self.coming + self.left + self.silent) or 1), 1)

    @property
    def coming_part(self) -> float:
        return self._part(self.coming)

    @property
    def left_part(self) -> float:
        return self._part(self.left)


@dataclass(frozen=True)
class Expected:
    """Of one list of places: how many are likely to come, and how many more places can be given out."""

    event: Event
    way: str
    capacity: int | None
    waiting: int
    held: int
    now: Range
    risk_now: float  # of more coming than there are places
    more: int = 0
    then: Range | None = None  # after `more` further places
    risk_then: float = 0.0
    may_offer: bool = False  # only while places are offered at all
    past: tuple[Past, ...] = ()
    answers: Answers | None = None
    groups: tuple[tuple[str, int, int], ...] = ()  # kind of people, how many, how many in 100 come
    usual: int = round(100 * forecast.ANYBODY.a / (forecast.ANYBODY.a + forecast.ANYBODY.b))  # elsewhere

    @property
    def label(self) -> str:
        return Way(self.way).label if self.way else ""

    @property
    def places(self) -> int | None:
        return self.event.places_of(self.way)

    @property
    def events(self) -> int:
        return len(self.past)

    @property
    def came_share(self) -> int:
        """In 100: the mean over past events, each counting once."""
        return round(100 * fmean(event.came / event.places for event in self.past)) if self.past else 0

    @property
    def is_for_all(self) -> bool:
        return 0 < self.waiting == self.more

    @property
    def one_in(self) -> int:
        """“The chance is about 1 in …”, a round number on the careful side; 0 for less than one in a thousand."""
        if self.risk_then < 0.001:
            return 0
        number = int(1 / self.risk_then)
        return number - number % (1 if number < 20 else 5 if number < 100 else 10)

    @property
    def risk_now_percent(self) -> str:
        """“3”, “0.4”, “less than 0.1”"""
        percent = 100 * self.risk_now
        if percent < 0.1:
            return gettext("less than 0.1")
        return formats.number_format(percent, 0 if percent >= 1 else 1)

    @property
    def scale(self) -> int:
        """What the right end of the picture stands for."""
        return max(self.capacity or 1, self.now.high, self.then.high if self.then else 0)

    @property
    def axis(self) -> list[int]:
        """Even steps below the end of the picture."""
        return [round(self.scale * part / 4) for part in range(4)]

    @property
    def bar(self) -> dict:
        return self._bar(self.now)

    @property
    def then_bar(self) -> dict | None:
        return self._bar(self.then) if self.then else None

    @property
    def full_at(self) -> float | None:
        """Where the last place lies, if the picture goes beyond it."""
        return (
            round(100 * self.capacity / self.scale, 1)
            if self.capacity and self.capacity < self.scale
            else None
        )

    def _bar(self, of: Range) -> dict:
        low, middle, high = (round(100 * number / self.scale, 1) for number in of)
        return {
            "from": min(low, 99.2),
            "width": max(0.8, round(high - low, 1)),
            "guess": min(99.4, max(0, middle - 0.3)),
        }


def forecast_context(event: Event, now: datetime | None = None) -> dict:
    """For events/_forecast.html: {"forecasts": [one per list of places]}; none where nothing is to be expected.

    Two queries. To be shown to those who organise the event.
    """
    now = now or timezone.now()
    if not _can_tell(event, now):
        return {"forecasts": []}
    lists = _lists(event, now)
    past = _past_of(event, now) if any(counts["held"] for counts in lists.values()) else {}
    found = [
        _expect(event, way, lists[way], past.get(_habit(event.kind, way), {}), now) for way in event.ways
    ]
    return {"forecasts": [expected for expected in found if expected is not None]}


def _can_tell(event: Event, now: datetime) -> bool:
    is_on = event.cancelled_at is None and event.postponed_at is None and event.published_at is not None
    return is_on and event.rehearsal_of_id is None and now < event.starts_at


def _lists(event: Event, now: datetime) -> dict[str, Counter]:
    """Per list of places: who holds one, by what they said; who waits; what came of the question."""
    asked = Q(asked_at__isnull=False)
    left = Q(status__in=(Status.CANCELLED, Status.RECORDING)) & asked
    rows = (
        event.registrations.order_by()
        .values("way")
        .annotate(
            held=Count("pk", filter=Registration.holding_at(now)),
            waiting=Count("pk", filter=Q(status=Status.WAITING)),
            offered=Count("pk", filter=Q(status=Status.OFFERED, offer_expires_at__gt=now)),
            yes=Count("pk", filter=HAD_PLACE & SAID_YES),
            silent=Count("pk", filter=HAD_PLACE & SILENT),
            new=Count("pk", filter=HAD_PLACE & NEW),
            asked=Count("pk", filter=HAD_PLACE & asked),
            left=Count("pk", filter=left),
            asked_at=Min("asked_at"),
        )
    )
    found = {way: Counter() for way in event.ways}
    found |= {row["way"]: Counter(row) for row in rows if row["way"] in found}
    return found


def _expect(event: Event, way: str, counts: Counter, past: dict, now: datetime) -> Expected | None:
    """None where nobody has a place."""
    if not counts["held"] and not counts["silent"]:
        return None
    is_asked = bool(counts["asked"])
    sizes = (
        {"yes": counts["yes"], "silent": counts["silent"], "new": counts["new"] + counts["offered"]}
        if is_asked
        else {"everybody": counts["held"]}
    )
    rates = {kind: forecast.learn(past.get(kind, ()), PRIORS[kind]) for kind in sizes}
    if is_asked and now < event.starts_at - MAY_STILL_ANSWER:
        rates["silent"] = forecast.learn(past.get("everybody", ()))
    groups = tuple(Group(size, rates[kind]) for kind, size in sizes.items())
    joining = rates["new" if is_asked else "everybody"]
    capacity, places = event.capacity_of(way), event.places_of(way)
    chances = forecast.attendance(groups)
    expected = {
        "event": event,
        "way": way,
        "capacity": capacity,
        "waiting": counts["waiting"],
        "held": counts["held"],
        "now": forecast.range_of(chances),
        "risk_now": 0.0 if capacity is None else forecast.overflow(chances, capacity),
        "past": past.get("everybody", ()),
        "answers": _answers(counts) if is_asked else None,
        "groups": tuple(
            (kind, size, round(100 * forecast.mean_rate(rates[kind]))) for kind, size in sizes.items() if size
        ),
    }
    if capacity is not None and counts["waiting"] and now < event.last_offer_at:
        free = max(0, places - counts["held"])  # these are offered anyway
        safe = forecast.safe_further(groups, joining, capacity, free + counts["waiting"])
        more = max(0, min(counts["waiting"], safe - free))
        all_alike = (Group(counts["held"] + free + more, joining),)
        then = forecast.attendance((*groups, Group(free + more, joining)) if is_asked else all_alike)
        expected |= {
            "may_offer": True,
            "more": more,
            "then": forecast.range_of(then) if more else None,
            "risk_then": forecast.overflow(then, capacity),
        }
    return Expected(**expected)


def _answers(counts: Counter) -> Answers:
    return Answers(counts["asked_at"], counts["yes"], counts["left"], counts["silent"])


def _habit(kind: str, way: str) -> str:
    """Coming in by a door and coming in by a link are different habits."""
    return Way.ROOM if kind == Kind.IN_PERSON or way == Way.ROOM else Way.ONLINE


def _past_of(event: Event, now: datetime) -> dict[str, dict[str, tuple[Past, ...]]]:
    """By habit and kind of people: each past event of the same organisers that somebody came to.

    One where nobody was ever noted as having come was not counted, and teaches nothing.
    """
    open_to_all = Q(group__isnull=True, visibility__lte=Visibility.MEMBERS)
    taught_by = open_to_all | Q(group=event.group_id) if event.group_id else open_to_all
    organised = Event.organisers.through.objects.filter(event=OuterRef("pk"), member__in=event.organiser_ids)
    earlier = (
        Event.objects.past(now)
        .filter(taught_by, Exists(organised), cancelled_at__isnull=True, rehearsal_of__isnull=True)
        .exclude(pk=event.pk)[:MOST_EVENTS]
    )
    counts = {}
    for kind, condition in KINDS.items():
        counts[f"{kind}_places"] = Count("pk", filter=HAD_PLACE & condition)
        counts[f"{kind}_came"] = Count("pk", filter=HAD_PLACE & condition & Q(attended_at__isnull=False))
    rows = (
        Registration.objects.filter(event__in=earlier.values("pk"))
        .order_by("event")
        .values("event", "event__kind", "way")
        .annotate(**counts)
    )
    found: dict[str, dict[str, list[Past]]] = {}
    for row in rows:
        if not row["everybody_came"]:
            continue
        was_asked = row["yes_places"] or row["silent_places"]
        of_habit = found.setdefault(_habit(row["event__kind"], row["way"]), {})
        for kind in KINDS:
            if row[f"{kind}_places"] and (was_asked or kind == "everybody"):
                past = Past(row[f"{kind}_came"], row[f"{kind}_places"])
                of_habit.setdefault(kind, []).append(past)
    return {
        habit: {kind: tuple(sorted(past)) for kind, past in kinds.items()} for habit, kinds in found.items()
    }
