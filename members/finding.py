"""The directory: what the address asks, who is found, and how many there are of each kind.

Filters and counts read DirectoryEntry, in which nothing stands that its owner hides; those who keep the viewer away, and
those who share a group with them, are asked at their own level. So nobody is found or counted by what they hide."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from django.contrib.postgres.fields import ArrayField
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.db.models import Case, CharField, F, Func, Q, QuerySet, Value, When
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_countries import countries
from taggit.models import Tag

from kmnet.core import keyset
from kmnet.core.models import Term
from kmnet.core.search import SearchText
from kmnet.core.text import fold
from kmnet.core.vocabulary import expand

from . import languages, names
from .models import Availability, Boundary, GroupMember, Member, SeenBy, groups_of
from .models.profile import TeamSize
from .permissions import is_full_member
from .services.directory import COUNTRIES_KEY
from .visibility import Shown

PAGE_SIZE = 20
OPTIONS_SHOWN = 6
OPTIONS_MORE = 15  # with those behind "More"
FEW = 3  # a smaller group is not counted: the number would point at people
MAX_CHOSEN = 10
LOOKED_AT = (
    2_000  # so many of those who fit are looked at for the counts: where there are more, they say "and more"
)
RARE = 1_000  # words that fit fewer people are looked up first; of more, the list goes along who was active
CLOSE = 0.45  # how like a name must be to what was typed, where nothing else was found
COUNTED_FOR = 300  # seconds
LABELS_KEY, LABELS_KEPT = "directory:labels", 2_000  # how tags and terms are written

RECENT = ["-last_seen_on", "name_key", "pk"]
SORTS = {
    "match": RECENT,  # in three stretches, see Finding.stretches
    "active": RECENT,
    "new": ["-joined_at", "pk"],
    "name": ["name_key", "pk"],
}


@dataclass(frozen=True)
class Kind:
    """One facet: its name in the address, and the part of the profile whose audience decides."""

    key: str
    part: str
    label: Promise


KINDS = (
    Kind("help", "can_help", gettext_lazy("Can help with")),
    Kind("free", "availability", gettext_lazy("Available for")),
    Kind("team", "team_size", gettext_lazy("Situation")),
    Kind("role", "roles", gettext_lazy("Role")),
    Kind("setting", "work_settings", gettext_lazy("Works in")),
    Kind("country", "place", gettext_lazy("Country")),
    Kind("language", "languages", gettext_lazy("Language")),
    Kind("interest", "interests", gettext_lazy("Interest")),
)
TEAMS = {"solo": gettext_lazy("The only one in their team"), "small": gettext_lazy("One of two to five")}
FREE = {
    "coffee": gettext_lazy("A coffee by video"),
    "mentor": gettext_lazy("Being a mentor"),
    "mentee": gettext_lazy("Having a mentor"),
    "learning_set": gettext_lazy("An action learning set"),
    "speaker": gettext_lazy("Speaking at an event"),
}


@dataclass
class Option:
    value: str
    label: str
    count: str
    chosen: bool
    number: int = 0  # in the facet, for the id


@dataclass
class Facet:
    key: str
    label: str
    options: list[Option] = field(default_factory=list)

    @property
    def first(self) -> list[Option]:
        """What is shown at once: the most frequent, and what is chosen."""
        return self.options[:OPTIONS_SHOWN] + [o for o in self.options[OPTIONS_SHOWN:] if o.chosen]

    @property
    def more(self) -> list[Option]:
        return [option for option in self.options[OPTIONS_SHOWN:] if not option.chosen]


@dataclass
class Person:
    """One row: what they show to the viewer, and why they come first."""

    shown: Shown
    help_you: list[str] = field(default_factory=list)
    you_help: list[str] = field(default_factory=list)


def number_shown(number: int, *, more: bool = False) -> str:
    """A count as it may be shown: never one or two, and never exact where not everybody was looked at."""
    if number < FEW:
        return _("few")
    return f"{number}+" if more else str(number)


def spellings_of(kind: str, value: str) -> set[str]:
    """The keys of a value, with those of its synonyms in the vocabulary where it is a word."""
    values = {value}
    if kind in ("help", "role", "setting", "interest"):
        spoken = value.replace("-", " ")
        same = {slugify(word, allow_unicode=True) for word in (*expand(value), *expand(spoken))}
        values |= {slug for slug in same if slug}
    return {f"{kind}:{each}"[:120] for each in values}


def keys_of_words(words: Iterable[str]) -> set[str]:
    """The keys of what one can help with, for these tags and all that means the same."""
    return {
        f"help:{slugify(same, allow_unicode=True)}"[:120] for word in words for same in (word, *expand(word))
    }


class Circle:
    """Those who stand to the viewer otherwise than members do to each other: who keeps them away, and who shares a group
    with them and something only with groups; and the viewer's own words. One query."""

    def __init__(self, viewer):
        self.away: list[int] = []
        self.near: list[int] = []
        self.can_help: list[str] = []
        self.looks_for: list[str] = []
        if not viewer.is_authenticated:
            return
        today = timezone.now().date()
        mates = GroupMember.objects.in_it().filter(group__in=groups_of(viewer)).exclude(member=viewer.pk)
        for_groups = (
            Q(member__directory_entry__for_groups__len__gt=0)
            | Q(member__directory_entry__wishes_seen_by=SeenBy.GROUPS)
            | Q(member__directory_entry__free_for_seen_by=SeenBy.GROUPS)
        )
        wish = Q(seekers__member=viewer.pk) & (
            Q(seekers__looking_until__isnull=True) | Q(seekers__looking_until__gte=today)
        )

        def rows(queryset, what: str, column: str):
            return queryset.order_by().values_list(
                Value(what), Cast(F(column), CharField(max_length=100)), flat=False
            )

        found = rows(Boundary.objects.blocks().filter(other=viewer.pk), "away", "owner_id").union(
            rows(mates.filter(for_groups), "near", "member_id"),
            rows(Tag.objects.filter(helpers__member=viewer.pk), "can", "name"),
            rows(Tag.objects.filter(wish), "seek", "name"),
        )
        into = {"away": self.away, "near": self.near, "can": self.can_help, "seek": self.looks_for}
        for what, value in found:
            into[what].append(int(value) if what in ("away", "near") else value)
        self.near = [pk for pk in self.near if pk not in set(self.away)]

    @property
    def is_plain(self) -> bool:
        return not self.away and not self.near

    def shows(self, keys: Iterable[str], *, prefix: str = "directory_entry__") -> Q:
        """Holds one of these keys (all of one facet), and shows it to the viewer."""
        keys = sorted(keys)
        if keys and keys[0].startswith("free:"):
            paused = Q(**{f"{prefix}paused_until__gte": timezone.now().date()})
            return self._at_level(f"{prefix}free_for", keys) & ~paused
        return self._of_list(keys, prefix)

    def _of_list(self, keys, prefix) -> Q:
        rule = Q(**{f"{prefix}for_members__overlap": keys})
        if self.away:
            away = Q(**{f"{prefix}pk__in": self.away})
            rule = rule & ~away | away & Q(**{f"{prefix}for_anyone__overlap": keys})
        if self.near:
            rule |= Q(**{f"{prefix}pk__in": self.near, f"{prefix}for_groups__overlap": keys})
        return rule

    def _at_level(self, column, keys) -> Q:
        """Of the parts that are one list with one audience."""
        level, prefix = f"{column}_seen_by", column.rpartition("__")[0]
        pk = f"{prefix}__pk__in" if prefix else "pk__in"
        rule = Q(**{f"{level}__lte": SeenBy.MEMBERS})
        if self.away:
            away = Q(**{pk: self.away})
            rule = rule & ~away | away & Q(**{f"{level}__lte": SeenBy.PUBLIC})
        if self.near:
            rule |= Q(**{pk: self.near, f"{level}__lte": SeenBy.GROUPS})
        return Q(**{f"{column}__overlap": keys}) & rule

    def seeks(self, keys: Iterable[str], *, prefix: str = "directory_entry__") -> Q:
        """Looks for help with one of these, still, and shows it to the viewer."""
        until = f"{prefix}wishes_until"
        stands = Q(**{f"{until}__isnull": True}) | Q(**{f"{until}__gte": timezone.now().date()})
        return self._at_level(f"{prefix}wishes", sorted(keys)) & stands

    def keys(self, prefix: str = "directory_entry__") -> models.Expression:
        """Of a member: the keys that the viewer may count, and "all:all", which everybody has."""

        def at(**conditions) -> Q:
            return Q(**{f"{prefix}{name}": value for name, value in conditions.items()})

        lists, free = F(f"{prefix}for_members"), at(free_for_seen_by__lte=SeenBy.MEMBERS)
        if not self.is_plain:
            both = Func(F(f"{prefix}for_members"), F(f"{prefix}for_groups"), function="array_cat")
            lists = Case(
                When(at(pk__in=self.away), then=F(f"{prefix}for_anyone")),
                When(at(pk__in=self.near), then=both),
                default=lists,
            )
            free = (
                free & ~at(pk__in=self.away)
                | at(pk__in=self.away, free_for_seen_by__lte=SeenBy.PUBLIC)
                | at(pk__in=self.near, free_for_seen_by__lte=SeenBy.GROUPS)
            )
        paused = at(paused_until__gte=timezone.now().date())
        strings = ArrayField(CharField())
        free_for = Case(
            When(free & ~paused, then=F(f"{prefix}free_for")), default=Value([], output_field=strings)
        )
        keys = Func(lists, free_for, function="array_cat", output_field=strings)
        return Func(keys, Value("all:all"), function="array_append", output_field=strings)


class Finding:
    """One look into the directory. The address holds the whole state: q, the facets, sort, after."""

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
            )[:MAX_CHOSEN]
            for kind in KINDS
        }

    @cached_property
    def circle(self) -> Circle:
        return Circle(self.viewer)

    # --- who ---------------------------------------------------------------------------------------------------------
    @cached_property
    def listed(self) -> QuerySet[Member]:
        """As Member.objects.listed_for, by the entry alone."""
        if not is_full_member(self.viewer):
            return Member.objects.none()
        return Member.objects.full().filter(directory_entry__is_listed=True)

    @cached_property
    def found_by_words(self) -> QuerySet[Member]:
        """Those whom the words find. Where they are few, their ids are looked up first, each condition by its own
        index; where they are many, whoever comes next in the order is likely to be one of them."""
        if not self.text.text:
            return self.listed
        if not self.text:
            return self.listed.none()
        if len(self.some_by_words) <= RARE:
            return self.listed.filter(pk__in=self.some_by_words)
        return self.listed.matching_one_by_one(self.text, self.viewer)

    @cached_property
    def some_by_words(self) -> list[int]:
        return list(Member.objects.ids_matching(self.text, self.viewer, limit=RARE + 1))

    def condition(self, kind: Kind) -> Q:
        """Has one of the chosen values, and shows it to this viewer."""
        values = (spellings_of(kind.key, value) for value in self.chosen[kind.key])
        return self.circle.shows(set().union(*values))

    def members(self, *, but: str = "") -> QuerySet[Member]:
        """All who are found; for the counts of a facet, `but` leaves its own choice out."""
        if not but and self.in_use and len(self.some_found) <= RARE:
            return self.listed.filter(pk__in=self.some_found)
        return self._narrowed(but)

    def _narrowed(self, but: str = "") -> QuerySet[Member]:
        found = self.found_by_words
        for kind in KINDS:
            if self.chosen[kind.key] and kind.key != but:
                found = found.filter(self.condition(kind))
        return found

    @cached_property
    def some_found(self) -> list[int]:
        """The ids of those whom the facets leave, RARE and one at most. Looked up first, without an order: Postgres does
        not know how rare a value is, and might go through everybody in search of a page."""
        return list(self._narrowed().order_by().values_list("pk", flat=True)[: RARE + 1])

    @cached_property
    def those_counted(self) -> QuerySet[Member]:
        """All who are found, or as many of them as are looked at."""
        if self.in_use:
            return self.listed.filter(pk__in=self.some_found[:LOOKED_AT])
        if self.text:
            return self.listed.filter(pk__in=self.some_by_words[:LOOKED_AT])
        return self.listed

    @cached_property
    def keys_of_own_words(self) -> tuple[set[str], set[str]]:
        """What the viewer looks for, and what the viewer can help with."""
        return keys_of_words(self.circle.looks_for), keys_of_words(self.circle.can_help)

    @cached_property
    def stretches(self) -> list[QuerySet[Member]]:
        """For the order by match: those whom you could help and who could help you, then either, then the others."""
        found = self.members()
        help_you, you_help = self.keys_of_own_words
        if not help_you and not you_help:
            return [found]
        helps = self.circle.shows(help_you) if help_you else Q(pk__in=[])
        needs = self.circle.seeks(you_help) if you_help else Q(pk__in=[])
        others = found.exclude(pk=self.viewer.pk).order_by()
        both, either = others.filter(helps & needs), others.filter(helps | needs)
        # looked up first, for the same reason as some_found; one query
        rows = both.values_list("pk", Value(2))[: RARE + 1].union(
            either.values_list("pk", Value(1))[: RARE + 1], all=True
        )
        ids: dict[int, list[int]] = {1: [], 2: []}
        for pk, ways in rows:
            ids[ways].append(pk)
        if len(ids[1]) <= RARE:
            one_way = set(ids[1]) - set(ids[2])
            return [
                found.filter(pk__in=ids[2]),
                found.filter(pk__in=one_way),
                found.exclude(pk__in=ids[1]),
            ]
        first = found.filter(pk__in=ids[2]) if len(ids[2]) <= RARE else both
        return [first, either.exclude(helps & needs), found.filter(~(helps | needs) | Q(pk=self.viewer.pk))]

    @cached_property
    def page(self) -> keyset.Page:
        if self.sort == "match" and len(self.stretches) > 1:
            page = keyset.paginate_stretches(self.stretches, self.params, order=RECENT, size=PAGE_SIZE)
            people = Member.objects.with_card(self.viewer).in_bulk([row.pk for row in page])
            page.items = [people[row.pk] for row in page if row.pk in people]
            return page
        return keyset.paginate(
            self.members().with_card(self.viewer), self.params, order=SORTS[self.sort], size=PAGE_SIZE
        )

    @cached_property
    def people(self) -> list[Person]:
        return [self.person(member) for member in self.page] or [
            self.person(member) for member in self.sounding_alike
        ]

    def person(self, member: Member) -> Person:
        person = Person(Shown.to(self.viewer, member.profile))
        if member.pk != self.viewer.pk:
            help_you, you_help = self.keys_of_own_words
            person.help_you = [t.name for t in person.shown.can_help if f"help:{t.slug}" in help_you]
            person.you_help = [t.name for t in person.shown.looking_for if f"help:{t.slug}" in you_help]
        return person

    @cached_property
    def sounding_alike(self) -> list[Member]:
        """Where nobody was found at all: whose name is like what was typed."""
        name = names.plain(self.text.text)
        asked_on = self.params.get("after") or self.params.get("before")
        if len(name) < 4 or asked_on or self.in_use:
            return []
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(CLOSE)]
            )  # until the end of the transaction
            listed = self.listed.filter(name_key__trigram_word_similar=name)
            closeness = Func(Value(name), F("name_key"), function="word_similarity")
            ids = list(
                listed.annotate(closeness=closeness)
                .order_by("-closeness", *RECENT)
                .values_list("pk", flat=True)[:5]
            )
        people = Member.objects.with_card(self.viewer).in_bulk(ids)
        return [people[pk] for pk in ids if pk in people]

    # --- how many of each --------------------------------------------------------------------------------------------
    @cached_property
    def counted(self) -> dict[str, dict[str, int]]:
        """The number of each key among all who are found (""), and for a facet that is in use among those whom the
        others find. One query."""
        groups = {"": self.those_counted}
        groups |= {kind.key: self.members(but=kind.key) for kind in KINDS if self.chosen[kind.key]}
        parts, values = [], []
        for name, found in groups.items():
            some = found.order_by().values_list(self.circle.keys(), flat=True)[:LOOKED_AT]
            # a list of keys for each of them; the outer query takes the lists apart, which the ORM cannot say
            try:
                sql, params = some.query.sql_with_params()
            except EmptyResultSet:  # nobody, as Django can tell by itself
                continue
            parts.append(
                f"(SELECT %s, unnest(looked_at.keys) AS key, count(*) FROM ({sql}) AS looked_at (keys) "
                "GROUP BY key ORDER BY count(*) DESC, key LIMIT 500)"
            )
            values += [name, *params]
        counts: dict[str, dict[str, int]] = {}
        if parts:
            with connection.cursor() as cursor:
                cursor.execute(" UNION ALL ".join(parts), values)
                for of, key, number in cursor.fetchall():
                    counts.setdefault(of, {})[key] = number
        return counts

    @cached_property
    def facets(self) -> list[Facet]:
        facets = []
        chosen_kinds = {kind.key for kind in KINDS if self.chosen[kind.key]}
        wanted: list[tuple[Kind, list[tuple[str, int]], bool]] = []
        for kind in KINDS:
            counts = self.counted.get(kind.key if kind.key in chosen_kinds else "", {})
            more = counts.get("all:all", 0) >= LOOKED_AT
            values = {
                key.partition(":")[2]: number
                for key, number in counts.items()
                if key.startswith(f"{kind.key}:")
            }
            values |= {value: 0 for value in self.chosen[kind.key] if value not in values}
            wanted.append((kind, list(values.items()), more))
        labels = self._labels(wanted)
        for kind, values, more in wanted:
            chosen = self.chosen[kind.key]
            options = [
                (n, Option(value, labels(kind.key, value), number_shown(n, more=more), value in chosen))
                for value, n in values
            ]
            # among those of whom there are few, the order must not tell which are fewer
            options.sort(
                key=lambda pair: (-pair[0] if pair[0] >= FEW else 0, names.plain(str(pair[1].label)))
            )
            shown = [
                option for place, (_n, option) in enumerate(options) if place < OPTIONS_MORE or option.chosen
            ]
            for place, option in enumerate(shown, 1):
                option.number = place
            if shown:
                facets.append(Facet(kind.key, str(kind.label), shown))
        return facets

    def _labels(self, wanted):
        """Words for the values: of tags and terms as they are written, from the cache, else
        by one query."""
        slugs = {
            value
            for kind, values, _more in wanted
            if kind.key in ("help", "role", "setting", "interest")
            for value, _number in values
        }
        known = cache.get(LABELS_KEY) or {}
        if not slugs <= known.keys():
            tags = Tag.objects.filter(slug__in=slugs).values_list(Value("tag"), "slug", "name")
            terms = Term.objects.filter(slug__in=slugs).order_by().values_list(Value("term"), "slug", "name")
            found = {slug: {} for slug in slugs}
            for what, slug, name in tags.union(terms):
                found[slug][what] = name
            known = {**known, **found} if len(known) < LABELS_KEPT else found
            cache.set(LABELS_KEY, known, COUNTED_FOR)

        def label(kind: str, value: str) -> str:
            if kind in ("help", "role", "setting", "interest"):
                spelled = known[value].get("tag" if kind == "help" else "term")
                return spelled or value.replace("-", " ")
            return self.label(kind, value)

        return label

    def label(self, key: str, value: str) -> str:
        if key == "country":
            return (value.isascii() and countries.name(value)) or value  # it takes "²" for a number
        if key == "team":
            known = TeamSize(value).label if value in TeamSize.values else value
            return str(TEAMS.get(value, known))
        if key == "free":
            return str(FREE.get(value, Availability(value).label if value in Availability.values else value))
        if key == "language":
            return languages.name_of(value)
        return value.replace("-", " ")

    @cached_property
    def total(self) -> str:
        """How many are found, as it may be said. Not the exact number: with the numbers of a facet at hand it would
        tell how few there are of the others."""
        number = self.counted.get("", {}).get("all:all", 0)
        if not number:
            return _("Nobody found")
        if number < FEW:
            return _("A few people")
        if number >= LOOKED_AT:
            return _("More than %(number)s people") % {"number": f"{LOOKED_AT:,}"}
        step = 5 if number < 100 else 50
        about = max(5, round(number / step) * step)
        return ngettext("About %(number)s person", "About %(number)s people", about) % {
            "number": f"{about:,}"
        }

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
                label = spelled.get((key, value)) or self.label(key, value)
                found.append({"label": label, "href": "?" + query.urlencode()})
        return found

    @property
    def clear_href(self) -> str:
        """The same words and order, without any filter."""
        query = self._without_place()
        for key in self.chosen:
            query.pop(key, None)
        return "?" + query.urlencode()

    @property
    def in_use(self) -> int:
        return sum(len(values) for values in self.chosen.values())


# --- by country ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class CountryRow:
    code: str
    name: str
    number: int


def count_countries(viewer) -> tuple[list[CountryRow], list[str]]:
    """Countries with at least FEW listed members, the most first; and the names of those with fewer, by name.

    Kept for a few minutes for those to whom everybody shows the same; a profile that changes drops it."""
    circle = Circle(viewer)
    counts = cache.get(COUNTRIES_KEY) if circle.is_plain else None
    if counts is None:
        some = Member.objects.listed_for(viewer).order_by().values_list(circle.keys(), flat=True)
        counts = {}
        with suppress(EmptyResultSet), connection.cursor() as cursor:
            sql, params = some.query.sql_with_params()
            cursor.execute(
                "SELECT key, count(*) FROM (SELECT unnest(listed.keys) AS key "
                f"FROM ({sql}) AS listed (keys)) AS shown WHERE key LIKE 'country:%%' GROUP BY key",
                params,
            )
            counts = {key[8:]: number for key, number in cursor.fetchall()}
        if circle.is_plain:
            cache.set(COUNTRIES_KEY, counts, COUNTED_FOR)
    rows = [CountryRow(code, countries.name(code) or code, number) for code, number in counts.items()]
    shown = sorted((row for row in rows if row.number >= FEW), key=lambda row: (-row.number, fold(row.name)))
    return shown, sorted((row.name for row in rows if row.number < FEW), key=fold)
