"""Filters of the lists of events. What is asked stands in the address: ?kind=workshop&access=captions&when=week&tag=…

Within a filter any chosen value will do; between filters all must hold. The number beside a value tells how many there
would be with it, so it leaves out the choices in its own filter and keeps those in the others. A tag stands for all that
the vocabulary takes for the same.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from taggit.models import TaggedItem

from kmnet.core.facets import Choice, FacetList, Option
from kmnet.core.text import clean_line
from kmnet.core.vocabulary import expand

from .models import Event, Kind, Registration

MOST = 2000  # events are counted for the filters; older ones are found, but not counted
MOST_TAGS = 12
ENOUGH = 5  # events: a shorter list is read faster than filtered
ACCESS = {
    "captions": (_("Live captions"), "has_captions"),
    "sign": (_("Sign language"), "has_sign_language"),
    "slides": (_("Slides sent ahead"), "has_slides_ahead"),
}
WEEK, MONTH = timedelta(days=7), timedelta(days=30)


@dataclass(frozen=True)
class Facet:
    """`labels`: value to words. `holds(value)`: the condition in SQL. `values(row)`: those that an event has."""

    key: str
    label: str
    labels: dict[str, str]
    holds: Callable[[str], Q]
    values: Callable[[dict], set[str]]


class Finder:
    """One look at the coming (or past) events: `params` is request.GET; wrong values in it are as if not there."""

    def __init__(self, params: QueryDict, viewer, now: datetime, *, past: bool = False):
        self.params, self.viewer, self.now, self.past = params, viewer, now, past

    # --- what there is to choose ---------------------------------------------------------------------------------------
    @cached_property
    def base(self) -> QuerySet[Event]:
        events = Event.objects.visible_to(self.viewer)
        return events.past(self.now) if self.past else events.upcoming(self.now)

    @cached_property
    def rows(self) -> list[dict]:
        """What the filters count: a few columns of each event, and its tags."""
        columns = (
            "pk",
            "kind",
            "starts_at",
            "series_id",
            "recording_url",
            *(column for _label, column in ACCESS.values()),
        )
        rows = list(self.base.values(*columns)[:MOST])
        tags = defaultdict(set)
        tagged = TaggedItem.objects.filter(
            content_type__app_label="events",
            content_type__model="event",
            object_id__in=[r["pk"] for r in rows],
        )
        for pk, name in tagged.values_list("object_id", "tag__name"):
            tags[pk].add(name)
        for row in rows:
            row["tags"] = tags[row["pk"]]
        return rows

    @cached_property
    def is_worth_filtering(self) -> bool:
        return bool(self.choices) or len(self.rows) > ENOUGH

    @cached_property
    def asked(self) -> list[Facet]:
        return [self._when, self._kind, self._access, self._tags]

    @property
    def _kind(self) -> Facet:
        labels = {value: str(label).capitalize() for value, label in Kind.choices}
        return Facet("kind", _("Kind"), labels, lambda value: Q(kind=value), lambda row: {row["kind"]})

    @property
    def _access(self) -> Facet:
        return Facet(
            "access",
            _("Access"),
            {key: label for key, (label, _column) in ACCESS.items()},
            lambda value: Q(**{ACCESS[value][1]: True}),
            lambda row: {key for key, (_label, column) in ACCESS.items() if row[column]},
        )

    @property
    def _when(self) -> Facet:
        if self.past:
            with_recording = {"recording": _("With a recording")}
            return Facet(
                "has",
                _("To watch"),
                with_recording,
                lambda value: ~Q(recording_url=""),
                lambda row: {"recording"} if row["recording_url"] else set(),
            )
        week, month = self.now + WEEK, self.now + MONTH
        spans = {
            "week": Q(starts_at__lt=week),
            "month": Q(starts_at__lt=month),
            "later": Q(starts_at__gte=month),
        }

        def values(row: dict) -> set[str]:
            starts = row["starts_at"]
            return {"later"} if starts >= month else {"month", "week"} if starts < week else {"month"}

        labels = {"week": _("In the next 7 days"), "month": _("In the next 30 days"), "later": _("Later")}
        return Facet("when", _("When"), labels, spans.__getitem__, values)

    @cached_property
    def _tags(self) -> Facet:
        counted = Counter(name for row in self.rows for name in row["tags"])
        common = sorted(counted, key=lambda name: (-counted[name], name.casefold()))[:MOST_TAGS]
        asked = [clean_line(name)[:100] for name in self.params.getlist("tag")]
        known = {name.casefold(): name for name in counted}
        shown = dict.fromkeys([*common, *(known.get(name.casefold(), name) for name in asked if name)])
        return Facet(
            "tag",
            _("Topic"),
            {name: name for name in shown},
            self._has_tag,
            lambda row: self._meant(row["tags"]),
        )

    @staticmethod
    def _has_tag(name: str) -> Q:
        same = Q()
        for spelling in expand(name):
            same |= Q(tag__name__iexact=spelling)
        tagged = TaggedItem.objects.filter(
            same, content_type__app_label="events", content_type__model="event", object_id=OuterRef("pk")
        )
        return Q(Exists(tagged))

    def _meant(self, tags: set[str]) -> set[str]:
        """The values of the filter that these tags stand for: themselves, and what means the same."""
        if not tags:
            return set()
        lowered = {spelling.casefold() for name in tags for spelling in expand(name)}
        return {name for name in self._tags.labels if name.casefold() in lowered}

    # --- what is chosen ------------------------------------------------------------------------------------------------
    @cached_property
    def chosen(self) -> dict[str, list[str]]:
        found = {}
        for facet in self.asked:
            known = {value.casefold(): value for value in facet.labels}
            given = (known.get(value.casefold()) for value in self.params.getlist(facet.key))
            values = list(dict.fromkeys(value for value in given if value))
            if values:
                found[facet.key] = values
        return found

    @cached_property
    def choices(self) -> list[Choice]:
        by_key = {facet.key: facet for facet in self.asked}
        return [
            Choice(str(by_key[key].labels[value]), self._without(key, value))
            for key, values in self.chosen.items()
            for value in values
        ]

    def _without(self, key: str, value: str) -> str:
        kept = self._address({k: [v for v in vs if (k, v) != (key, value)] for k, vs in self.chosen.items()})
        return kept or "?"

    def _address(self, chosen: dict[str, list[str]]) -> str:
        params = QueryDict(mutable=True)
        for key, values in chosen.items():
            params.setlist(key, values)
        return f"?{params.urlencode()}" if params else ""

    # --- what is found -------------------------------------------------------------------------------------------------
    @cached_property
    def found(self) -> QuerySet[Event]:
        events = self.base
        for facet in self.asked:
            condition = Q()
            for value in self.chosen.get(facet.key, ()):
                condition |= facet.holds(value)
            events = events.filter(condition)
        return events

    @cached_property
    def shown(self) -> QuerySet[Event]:
        """What the list shows: of each series that is to come the next date, and those at which the reader is registered.
        What took place is shown date by date."""
        return self.found.exclude(pk__in=[pk for pks in self._later.values() for pk in pks])

    def tell_more_dates(self, events: list[Event]) -> None:
        """`more_dates` of each: how many later dates of its series are found and not shown; on the first of them only."""
        told = set()
        for event in events:
            is_first = event.series_id in self._later and event.series_id not in told
            event.more_dates = len(self._later[event.series_id]) if is_first else 0
            told.add(event.series_id)

    @cached_property
    def _later(self) -> dict[int, list[int]]:
        """Of each series that is found more than once: the dates that the list does not show."""
        later = defaultdict(list)
        if self.past or not any(row["series_id"] for row in self.rows):
            return later
        dates = self.found.filter(series__isnull=False).order_by("starts_at", "pk")
        seen = set()
        for pk, series in dates.values_list("pk", "series_id"):
            if series in seen:
                later[series].append(pk)
            seen.add(series)
        if later and self.viewer.is_authenticated:
            mine = Registration.objects.live().filter(member=self.viewer, event__series__in=list(later))
            mine = set(mine.values_list("event_id", flat=True))
            later = {series: [pk for pk in pks if pk not in mine] for series, pks in later.items()}
        return later

    @cached_property
    def facets(self) -> list[FacetList]:
        having = {facet.key: [facet.values(row) for row in self.rows] for facet in self.asked}
        lists = []
        for facet in self.asked:
            counted = defaultdict(set)  # a series is one
            for number, values in enumerate(having[facet.key]):
                if all(
                    set(chosen) & having[key][number]
                    for key, chosen in self.chosen.items()
                    if key != facet.key
                ):
                    row = self.rows[number]
                    key = row["pk"] if self.past else row["series_id"] and -row["series_id"] or row["pk"]
                    for value in values:
                        counted[value].add(key)
            counts = {value: len(keys) for value, keys in counted.items()}
            chosen = self.chosen.get(facet.key, [])
            options = [
                Option(value, str(label), counts.get(value, 0), value in chosen)
                for value, label in facet.labels.items()
                if value in counts or value in chosen
            ]
            if options:
                lists.append(FacetList(facet.key, str(facet.label), options))
        return lists
