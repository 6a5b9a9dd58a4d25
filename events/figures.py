"""What became of past events, in numbers: who registered, who was offered a place, who came, and how early they booked."""

from dataclasses import dataclass, field
from datetime import timedelta
from statistics import fmean

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Q
from django.utils.translation import gettext_lazy as _

from members.permissions import can_administer

from .models import Event, Registration, Status

HAD_PLACE = Q(status__in=(Status.CONFIRMED, Status.SOFT))
CAME = HAD_PLACE & Q(attended_at__isnull=False)
EARLY = ExpressionWrapper(F("event__starts_at") - F("joined_at"), output_field=DurationField())
# How long before the start, from (with) to (without)
LEADS = (
    ("day", _("On the last day"), None, timedelta(days=1)),
    ("week", _("2 to 7 days before"), timedelta(days=1), timedelta(days=7)),
    ("fortnight", _("8 to 14 days before"), timedelta(days=7), timedelta(days=14)),
    ("earlier", _("Earlier"), timedelta(days=14), None),
)


class Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


@dataclass
class Row:
    """One event. `missed`: in 100 of those with a place; None where nobody was noted as having come."""

    event: Event
    registered: int = 0
    offered: int = 0
    held: int = 0
    came: int = 0
    lead: timedelta | None = None

    @property
    def missed(self) -> int | None:
        return round(100 * (self.held - self.came) / self.held) if self.came else None

    @property
    def lead_days(self) -> int | None:
        return None if self.lead is None else max(0, round(self.lead / timedelta(days=1)))


@dataclass
class Lead:
    """Those who booked so early, over all the events shown."""

    label: str
    held: int
    came: int

    @property
    def came_share(self) -> int | None:
        return round(100 * self.came / self.held) if self.held else None


@dataclass
class Figures:
    rows: list[Row] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)

    @property
    def counted(self) -> list[Row]:
        """Events at which somebody was noted as having come."""
        return [row for row in self.rows if row.missed is not None]

    @property
    def missed(self) -> int | None:
        """In 100: the mean over the events, each counting once."""
        return round(fmean(row.missed for row in self.counted)) if self.counted else None


def own_past_events(user):
    """Of organisers: theirs and nobody else's. Of admins: all that they may see."""
    events = Event.objects.visible_to(user) if can_administer(user) else user.organised_events.all()
    return events.past().filter(cancelled_at__isnull=True, rehearsal_of__isnull=True)


def figures_of(events: list[Event]) -> Figures:
    """Two queries, whatever the number of events. Those whose address was never proven have not registered."""
    people = Registration.objects.filter(event__in=[event.pk for event in events])
    people = people.exclude(status=Status.UNPROVEN).order_by()
    counted = people.values("event").annotate(
        registered=Count("pk"),
        offered=Count("pk", filter=Q(offered_at__isnull=False)),
        held=Count("pk", filter=HAD_PLACE),
        came=Count("pk", filter=CAME),
        lead=Median(EARLY, filter=HAD_PLACE, output_field=DurationField()),
    )
    found = {row.pop("event"): row for row in counted}
    rows = [Row(event, **found.get(event.pk, {})) for event in events]
    return Figures(rows, _leads(people, [row.event.pk for row in rows if row.came]))


def _leads(people, counted: list[int]) -> list[Lead]:
    """Only where somebody was noted as having come: elsewhere nobody knows."""
    wanted = {}
    for key, _label, least, most in LEADS:
        within = HAD_PLACE & (Q(early__gte=least) if least else Q())
        within &= Q(early__lt=most) if most else Q()
        wanted[f"{key}_held"] = Count("pk", filter=within)
        wanted[f"{key}_came"] = Count("pk", filter=within & Q(attended_at__isnull=False))
    found = people.filter(event__in=counted).annotate(early=EARLY).aggregate(**wanted)
    return [Lead(label, found[f"{key}_held"], found[f"{key}_came"]) for key, label, _least, _most in LEADS]
