"""The directory: what the address asks, who is found, and how many there are of each kind.

Every condition on a part of a profile goes together with `seen`, so that nobody is found or counted by what they hide."""

from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import CharField, Count, F, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django_countries import countries

from kmnet.core import keyset
from kmnet.core.search import SearchText

from .models import Member, Profile
from .models.profile import TeamSize
from .visibility import Shown, seen

PAGE_SIZE = 20
OPTIONS_SHOWN = 12
FEW = 3  # a smaller group is not counted: the number would point at people
MAX_CHOSEN = 10

SORTS = {
    "active": ["-last_seen_on", "name_key", "pk"],
    "new": ["-joined_at", "pk"],
    "name": ["name_key", "pk"],
}


@dataclass(frozen=True)
class Kind:
    """One facet: the part of the profile whose audience decides, and the columns of value and label."""

    key: str
    part: str
    value: str
    label: str
    single: bool = False  # a column of the profile rather than a list


KINDS = (
    Kind("help", "can_help", "can_help__slug", "can_help__name"),
    Kind("team", "team_size", "team_size", "team_size", single=True),
    Kind("role", "roles", "roles__slug", "roles__name"),
    Kind("country", "place", "country", "country", single=True),
)


@dataclass
class Option:
    value: str
    label: str
    count: str
    chosen: bool


@dataclass
class Facet:
    key: str
    label: str
    options: list[Option] = field(default_factory=list)


def facet_labels() -> dict[str, str]:
    return {"help": _("Can help with"), "team": _("Situation"), "role": _("Role"), "country": _("Country")}


class Finding:
    """One look into the directory. The address holds the whole state: q, help, team, role, country, sort, after."""

    def __init__(self, params, viewer):
        self.params, self.viewer = params, viewer
        self.text = SearchText(params.get("q", ""))
        self.sort = params.get("sort") if params.get("sort") in SORTS else "active"
        self.chosen = {
            kind.key: list(dict.fromkeys(value[:120] for value in params.getlist(kind.key) if value))[
                :MAX_CHOSEN
            ]
            for kind in KINDS
        }

    # --- who ---------------------------------------------------------------------------------------------------------
    @cached_property
    def found_by_words(self) -> QuerySet[Member]:
        return Member.objects.listed_for(self.viewer).matching(self.text, self.viewer)

    def condition(self, kind: Kind) -> Q:
        """Has one of the chosen values, and shows it to this viewer."""
        values = [value.replace("\x00", "") for value in self.chosen[kind.key]]
        if kind.single:
            holds = Q(**{f"profile__{kind.value}__in": values})
        else:  # a subquery: a join would give a person with two of them twice
            holds = Q(profile__in=Profile.objects.filter(**{f"{kind.value}__in": values}).values("pk"))
        return seen(self.viewer, kind.part, "profile__") & holds

    def members(self, *, but: str = "") -> QuerySet[Member]:
        """All who are found; for the counts of a facet, `but` leaves its own choice out."""
        found = self.found_by_words
        for kind in KINDS:
            if self.chosen[kind.key] and kind.key != but:
                found = found.filter(self.condition(kind))
        return found

    @cached_property
    def page(self) -> keyset.Page:
        return keyset.paginate(
            self.members().with_card(self.viewer), self.params, order=SORTS[self.sort], size=PAGE_SIZE
        )

    @cached_property
    def people(self) -> list[Shown]:
        return [Shown.to(self.viewer, member.profile) for member in self.page]

    @cached_property
    def total(self) -> int:
        return self.members().count()

    # --- how many of each --------------------------------------------------------------------------------------------
    def _counts(self, kind: Kind) -> QuerySet:
        rows = self.members(but=kind.key).filter(seen(self.viewer, kind.part, "profile__"))
        rows = rows.exclude(
            **{f"profile__{kind.value}": ""} if kind.single else {f"profile__{kind.value}": None}
        )
        return (
            rows.order_by()
            .annotate(
                facet=Value(kind.key, output_field=CharField()),
                value=Cast(F(f"profile__{kind.value}"), CharField()),
                label=Cast(F(f"profile__{kind.label}"), CharField()),
            )
            .values_list("facet", "value", "label")
            .annotate(number=Count("pk"))
            .order_by("-number", "label")[: OPTIONS_SHOWN + MAX_CHOSEN]
        )

    @cached_property
    def facets(self) -> list[Facet]:
        """All counts in one query."""
        first, *others = [self._counts(kind) for kind in KINDS]
        labels = facet_labels()
        facets = {kind.key: Facet(kind.key, labels[kind.key]) for kind in KINDS}
        for key, value, label, number in first.union(*others, all=True):
            facet, chosen = facets[key], value in self.chosen[key]
            if len(facet.options) < OPTIONS_SHOWN or chosen:
                count = str(number) if number >= FEW else _("few")
                facet.options.append(Option(value, self.label(key, value, label), count, chosen))
        return [facet for facet in facets.values() if facet.options]

    def label(self, key: str, value: str, label: str) -> str:
        if key == "country":
            return (value.isascii() and countries.name(value)) or value  # it takes "²" for a number
        if key == "team":
            return {"solo": _("The only one in their team"), "small": _("One of two to five")}.get(
                value, str(TeamSize(value).label) if value in TeamSize.values else value
            )
        return label

    @cached_property
    def chosen_labels(self) -> list[dict]:
        """What filters, each with the address that takes it away."""
        names = {(facet.key, option.value): option.label for facet in self.facets for option in facet.options}
        found = []
        for key, values in self.chosen.items():
            for value in values:
                query = self.params.copy()
                query.setlist(key, [other for other in query.getlist(key) if other != value])
                for cursor in ("after", "before"):
                    query.pop(cursor, None)
                label = names.get((key, value)) or self.label(key, value, value.replace("-", " "))
                found.append({"label": label, "href": "?" + query.urlencode()})
        return found

    @property
    def clear_href(self) -> str:
        """The same words and order, without any filter."""
        query = self.params.copy()
        for key in (*self.chosen, "after", "before"):
            query.pop(key, None)
        return "?" + query.urlencode()

    @property
    def in_use(self) -> int:
        return sum(len(values) for values in self.chosen.values())
