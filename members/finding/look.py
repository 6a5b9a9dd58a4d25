"""One look into the directory: what the address asks, and who is found."""

from functools import cached_property

from django.db import connection, transaction
from django.db.models import F, Func, QuerySet, Value

from kmnet.core import keyset
from kmnet.core.search import SearchText

from .. import names
from ..models import Member
from ..permissions import is_full_member
from . import limits
from .circle import Circle
from .counts import EVERYBODY, Facet, Group, count, facets_of, total_shown
from .kinds import KINDS, keys_of_words, label_of, spellings_of
from .people import Person, people_of
from .sql import ALL, Sql, entry_of, fetch, members_among, of_entries, union_all
from .words import asked_one_by_one, ids_by_words

RECENT = ["-last_seen_on", "name_key", "pk"]
SORTS = {
    "match": RECENT,  # in three stretches, see Finding.stretches
    "active": RECENT,
    "new": ["-joined_at", "pk"],
    "name": ["name_key", "pk"],
}
ONE_WAY, BOTH_WAYS = 1, 2


class Finding:
    """The address holds the whole state: q, the facets, sort, after."""

    def __init__(self, params, viewer):
        self.params, self.viewer = params, viewer
        self.text = SearchText(params.get("q", ""))
        self.sort = params.get("sort") if params.get("sort") in SORTS else "match"
        self.chosen = {
            kind.key: list(
                dict.fromkeys(
                    value.replace("\x00", "")[:110]
                    for value in params.getlist(kind.key)
                    if value.strip("\x00 ")
                )
            )[: limits.MAX_CHOSEN]
            for kind in KINDS
        }

    @cached_property
    def circle(self) -> Circle:
        return Circle(self.viewer)

    @property
    def in_use(self) -> int:
        return sum(len(values) for values in self.chosen.values())

    @property
    def is_narrowed(self) -> bool:
        return bool(self.in_use or self.text.text)

    # --- who fits, as a condition on their entries -------------------------------------------------------------------
    @cached_property
    def is_empty(self) -> bool:
        """Nobody can be found: the directory is for members, and what was typed holds no word."""
        return not is_full_member(self.viewer) or bool(self.text.text and not self.text)

    @cached_property
    def some_by_words(self) -> list[int]:
        """The ids of those whom the words find, BY_WORDS times RARE and one at most."""
        most = limits.BY_WORDS * limits.RARE
        return ids_by_words(self.text, self.viewer, most + 1)

    @property
    def words_are_common(self) -> bool:
        """Then whoever comes next in any order is likely to be found by them, and each is asked in turn."""
        return bool(self.text) and len(self.some_by_words) > limits.BY_WORDS * limits.RARE

    @property
    def all_by_words(self) -> bool:
        """Are all whom the words find looked up?"""
        return bool(self.text) and not self.words_are_common

    def rule(self, *, but: str = "") -> Sql:
        """What the facets ask, and the words where they are not common; `but` leaves one facet out."""
        rule = entry_of(self.some_by_words) if self.all_by_words else ALL
        for kind in KINDS:
            if self.chosen[kind.key] and kind.key != but:
                rule &= self.condition(kind.key)
        return rule

    def condition(self, kind: str) -> Sql:
        """Has one of the chosen values, and shows it to this viewer."""
        return self.circle.shows(spellings_of(kind, self.chosen[kind]))

    @cached_property
    def owner(self) -> Sql | None:
        """What is asked of the members themselves, where that is more than their standing."""
        if not self.words_are_common:
            return None
        return asked_one_by_one(self.text, self.viewer)

    # --- who fits, by name -------------------------------------------------------------------------------------------
    @cached_property
    def fits(self) -> tuple[Sql, Sql]:
        """Who could help the viewer, and whom the viewer could help."""
        help_you, you_help = self.keys_of_own_words
        return self.circle.shows(help_you), self.circle.seeks(you_help)

    @cached_property
    def keys_of_own_words(self) -> tuple[set[str], set[str]]:
        """What the viewer looks for, and what the viewer can help with."""
        return keys_of_words(self.circle.looks_for), keys_of_words(self.circle.can_help)

    @cached_property
    def some_found(self) -> dict[int, int]:
        """The ids of those who are found, RARE and one at most (or all, among those whom the words find), and in how many
        ways they and the viewer fit. Looked up first, without an order: Postgres does not know how rare a value is, and
        might go through everybody in search of a page."""
        if self.is_empty:
            return {}
        helps, needs = self.fits
        columns = Sql(
            f"members_directoryentry.member_id, ({helps.text})::int + ({needs.text})::int",
            helps.params + needs.params,
        )
        most = len(self.some_by_words) if self.all_by_words else limits.RARE + 1
        query = of_entries(columns, self.rule(), limit=most, owner=self.owner)
        return dict(fetch(query.text, query.params))

    @cached_property
    def all_are_known(self) -> bool:
        """Are those who are found so few that they were looked up?"""
        if self.is_empty:
            return True
        return self.all_by_words or bool(self.in_use) and len(self.some_found) <= limits.RARE

    @cached_property
    def some_who_fit(self) -> dict[int, list[int]]:
        """Of those who are found, the ids of those who fit the viewer both ways, and at all; RARE and one each."""
        if self.all_are_known:
            fit = {BOTH_WAYS: [], ONE_WAY: []}
            for pk, ways in self.some_found.items():
                if ways and pk != self.viewer.pk:
                    fit[ONE_WAY].append(pk)
                    if ways == BOTH_WAYS:
                        fit[BOTH_WAYS].append(pk)
            return fit
        helps, needs = self.fits
        others = self.rule() & ~entry_of([self.viewer.pk])
        rows = union_all(
            of_entries(
                Sql("members_directoryentry.member_id, %s", (ways,)),
                others & fits,
                limit=limits.RARE + 1,
                owner=self.owner,
            )
            for ways, fits in ((BOTH_WAYS, helps & needs), (ONE_WAY, helps | needs))
        )
        fit = {BOTH_WAYS: [], ONE_WAY: []}
        for pk, ways in fetch(rows.text, rows.params):
            fit[ways].append(pk)
        return fit

    # --- the page ----------------------------------------------------------------------------------------------------
    def members(self) -> QuerySet[Member]:
        """All who are found."""
        if self.is_empty:
            return Member.objects.none()
        if self.all_are_known:
            return Member.objects.filter(members_among(self.some_found))
        found = Member.objects.full().filter(directory_entry__is_listed=True)
        if self.words_are_common:
            found = found.filter(Sql(f"EXISTS ({self.owner.text} OFFSET 0)", self.owner.params).in_orm())
        return found.filter(self.rule().in_orm()) if self.is_narrowed else found

    @cached_property
    def stretches(self) -> list[QuerySet[Member]]:
        """For the order by match: those whom you could help and who could help you, then either, then the others. In
        a look at everybody, the others are without oneself."""
        found = self.members()
        others = found if self.is_narrowed else found.exclude(pk=self.viewer.pk)
        if not self.is_matched:
            return [others]
        both, either = self.some_who_fit[BOTH_WAYS], self.some_who_fit[ONE_WAY]
        if self.all_are_known or len(either) <= limits.RARE:
            one_way = set(either) - set(both)
            return [
                Member.objects.filter(members_among(both)) if both else Member.objects.none(),
                Member.objects.filter(members_among(one_way)) if one_way else Member.objects.none(),
                others.exclude(members_among(either)) if either else others,
            ]
        helps, needs = self.fits
        fitting = found.exclude(pk=self.viewer.pk)
        nobody_else = (~(helps | needs) | entry_of([self.viewer.pk])).in_orm()
        return [
            Member.objects.filter(members_among(both))
            if len(both) <= limits.RARE
            else fitting.filter((helps & needs).in_orm()),
            fitting.filter(((helps | needs) & ~(helps & needs)).in_orm()),
            others.filter(nobody_else),
        ]

    @cached_property
    def page(self) -> keyset.Page:
        """Rows that know their `pk`; `people` has the cards."""
        order = SORTS[self.sort]
        if self.sort == "match":
            return keyset.paginate_stretches(self.stretches, self.params, order=order, size=limits.PAGE_SIZE)
        columns = [name.lstrip("-") for name in order]
        rows = self.members().values_list(*columns, named=True)
        return keyset.paginate(rows, self.params, order=order, size=limits.PAGE_SIZE)

    @cached_property
    def people(self) -> list[Person]:
        people = people_of([row.pk for row in self.page] or self.sounding_alike, self.viewer)
        help_you, you_help = self.keys_of_own_words
        for person in people:
            if person.shown.member.pk != self.viewer.pk:
                person.help_you = [t.name for t in person.shown.can_help if f"help:{t.slug}" in help_you]
                person.you_help = [t.name for t in person.shown.looking_for if f"help:{t.slug}" in you_help]
        return people

    @cached_property
    def sounding_alike(self) -> list[int]:
        """Where nobody was found at all: the ids of those whose name is like what was typed."""
        name = names.plain(self.text.text)
        asked_on = self.params.get("after") or self.params.get("before")
        if len(name) < 4 or asked_on or self.in_use or not is_full_member(self.viewer):
            return []
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(limits.CLOSE)]
            )  # until the end of the transaction
            listed = Member.objects.full().filter(directory_entry__is_listed=True)
            alike = listed.filter(name_key__trigram_word_similar=name).annotate(
                closeness=Func(Value(name), F("name_key"), function="word_similarity")
            )
            return list(alike.order_by("-closeness", *RECENT).values_list("pk", flat=True)[:5])

    # --- how many of each --------------------------------------------------------------------------------------------
    @cached_property
    def counted(self) -> dict[str, dict[str, int]]:
        """The number of each key among all who are found (""), and for a facet that is in use among those whom the
        others find. One query."""
        if self.is_empty:
            return {}
        groups = [Group("", known=list(self.some_found)) if self.all_are_known else self._group("")]
        groups += [self._group(kind.key) for kind in KINDS if self.chosen[kind.key]]
        return count(groups, self.circle)

    def _group(self, kind: str) -> Group:
        rule = self.rule(but=kind)
        if self.words_are_common and rule == ALL:  # enough of them were looked up already
            return Group(kind, entry_of(self.some_by_words))
        return Group(kind, rule, self.owner)

    @cached_property
    def facets(self) -> list[Facet]:
        return facets_of(self.counted, self.chosen)

    @cached_property
    def total(self) -> str:
        return total_shown(self.counted.get("", {}).get(EVERYBODY, 0))

    @property
    def is_matched(self) -> bool:
        """Are there words of the viewer's own to compare with?"""
        return bool(self.circle.can_help or self.circle.looks_for)

    # --- the address -------------------------------------------------------------------------------------------------
    def _without_place(self):
        query = self.params.copy()
        for cursor in ("after", "before"):
            query.pop(cursor, None)
        return query

    @cached_property
    def chosen_labels(self) -> list[dict]:
        """What filters, each with the address that takes it away."""
        spelled = {
            (facet.key, option.value): option.label for facet in self.facets for option in facet.options
        }
        found = []
        for key, values in self.chosen.items():
            for value in values:
                query = self._without_place()
                query.setlist(key, [other for other in query.getlist(key) if other != value])
                label = spelled.get((key, value)) or label_of(key, value)
                found.append({"label": label, "href": "?" + query.urlencode()})
        return found

    @property
    def clear_href(self) -> str:
        """The same words and order, without any filter."""
        query = self._without_place()
        for key in self.chosen:
            query.pop(key, None)
        return "?" + query.urlencode()
