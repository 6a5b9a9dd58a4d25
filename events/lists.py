"""Who is on an event’s lists, as its organisers look at them: which list, who on it, in which order."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Prefetch, Q
from django.utils.translation import gettext_lazy as _

from kmnet.core.keyset import Page, paginate
from kmnet.core.text import clean_line

from .models import Answer, Event, Registration, Status, Way

PAGE = 50
JOINED = ["joined_at", "pk"]
SILENT = Q(status=Status.CONFIRMED, asked_at__isnull=False, said_yes_at__isnull=True)
LEFT = (Status.EXPIRED, Status.DECLINED, Status.CANCELLED, Status.REMOVED)


@dataclass(frozen=True)
class List:
    """One tab. `always`: it is shown also when nobody is on it."""

    key: str
    label: str
    who: Q
    order: list[str]
    always: bool = False


LISTS = {
    one.key: one
    for one in (
        List("places", _("With a place"), Q(status__in=(Status.CONFIRMED, Status.OFFERED)), JOINED, True),
        List("silent", _("No answer yet"), SILENT, JOINED),
        List("waiting", _("Waiting"), Q(status=Status.WAITING), ["-priority", *JOINED], True),
        List("requested", _("To approve"), Q(status=Status.REQUESTED), JOINED),
        List("soft", _("Silent, place offered on"), Q(status=Status.SOFT), JOINED),
        List("recording", _("Recording only"), Q(status=Status.RECORDING), JOINED),
        List("left", _("Left"), Q(status__in=LEFT), ["-ended_at", "-pk"]),
        List("all", _("All"), ~Q(status=Status.UNPROVEN), JOINED),
    )
}
FIGURES = {
    "said_yes": Q(status=Status.CONFIRMED, said_yes_at__isnull=False),
    "gave_up": Q(status=Status.CANCELLED, confirmed_at__isnull=False),
    "had_place": Q(confirmed_at__isnull=False),
    "asked": Q(asked_at__isnull=False),
    "passed": Q(status__in=(Status.EXPIRED, Status.DECLINED)),
    "needs": ~Q(access_needs="") & Q(status__in=Status.live()),
}


@dataclass(frozen=True)
class Choice:
    """What an address asks for: `?show=waiting&q=ada&needs=1&way=room`."""

    show: str = "places"
    q: str = ""
    needs: bool = False
    way: str = ""

    @classmethod
    def read(cls, params, event: Event, counts: dict[str, int]) -> "Choice":
        """Whatever is odd is left out; who looks for somebody looks on all lists. First come those who ask to come."""
        q = clean_line(params.get("q", ""))[:80]
        show = params.get("show", "")
        way = params.get("way", "")
        usual = "all" if q else "requested" if counts["requested"] else "places"
        return cls(
            show=show if show in LISTS else usual,
            q=q,
            needs=params.get("needs") == "1",
            way=way if way in event.ways else "",
        )

    @property
    def is_narrow(self) -> bool:
        return bool(self.q or self.needs or self.way)

    def query(self, show: str) -> str:
        """The address of another list, with the same filters."""
        asked = {"show": show, "q": self.q, "needs": "1" if self.needs else "", "way": self.way}
        return "?" + urlencode({name: value for name, value in asked.items() if value}) + "#people"

    def people(self, event: Event):
        rows = event.registrations.with_consent().filter(LISTS[self.show].who)
        if self.q:
            named = Q(member__email__icontains=self.q, is_unasked=False)
            for column in ("member__name", "guest_name", "guest_address"):
                named |= Q(**{f"{column}__icontains": self.q})
            rows = rows.filter(named)
        if self.needs:
            rows = rows.exclude(access_needs="")
        return rows.filter(way=self.way) if self.way else rows


def page_of(event: Event, choice: Choice, params) -> Page:
    """One page, with the answers; whoever waits has `place_in_line`. A query for each of the three."""
    answers = Prefetch("answers", Answer.objects.select_related("question"))
    people = choice.people(event).select_related("member").prefetch_related(answers)
    page = paginate(people, params, order=LISTS[choice.show].order, size=PAGE)
    if any(row.status == Status.WAITING for row in page.items):
        places = places_in_line(event)
        for row in page.items:
            row.place_in_line = places.get(row.pk)
    return page


def places_in_line(event: Event) -> dict[int, int]:
    """The position of everybody who waits, in the line of their way of coming."""
    lines = dict.fromkeys(event.ways, 0)
    found = {}
    waiting = event.registrations.filter(status=Status.WAITING).in_queue_order()
    for pk, way in waiting.values_list("pk", "way"):
        lines[way] = lines.get(way, 0) + 1
        found[pk] = lines[way]
    return found


def counts_of(event: Event, more: dict[str, Q] | None = None) -> dict[str, int]:
    """How many are on each list, the other figures of the desk, and how many are `more` of what; in one query."""
    asked = {key: one.who for key, one in LISTS.items()} | FIGURES | (more or {})
    return Registration.objects.filter(event=event).aggregate(
        **{key: Count("pk", filter=who) for key, who in asked.items()}
    )


def tabs(choice: Choice, counts: dict[str, int]) -> list[dict]:
    """As components/_tabs.html takes them; lists without anybody are not shown."""
    return [
        {"label": one.label, "href": choice.query(key), "current": key == choice.show, "count": counts[key]}
        for key, one in LISTS.items()
        if one.always or counts[key] or key == choice.show
    ]


def ways_of(event: Event) -> list[tuple[str, str]]:
    """The lists of a hybrid event with their names; none where there is one list."""
    return [(way, Way(way).label) for way in event.ways if way]
