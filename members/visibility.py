"""The one rule about who sees which part of a profile.

As a predicate (`can_see`) and as a condition for querysets (`seen`); a test holds them together. Pages, lists,
search and mails go through here: what is hidden is not shown, not found, not counted."""

import zoneinfo
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.db.models import Case, CharField, Exists, F, IntegerField, OuterRef, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from taggit.models import Tag

from kmnet.core.models import Term
from kmnet.core.text import fold

from . import languages
from .models import Group, GroupMember, Member, Profile, SeenBy
from .models.group import groups_of
from .models.member import is_full
from .models.profile import Availability
from .models.ties import blockers_of


@dataclass(frozen=True)
class Part:
    """A part of a profile that has an audience of its own: its label, and the attributes that hold it."""

    label: str
    attributes: tuple[str, ...]


PARTS = {
    "headline": Part(_("What I do, in plain words"), ("headline",)),
    "pronouns": Part(_("Pronouns"), ("pronouns",)),
    "roles": Part(_("Roles"), ("roles",)),
    "job_title": Part(_("Job title"), ("job_title",)),
    "organisation": Part(_("Organisation"), ("organisation",)),
    "work_settings": Part(_("Where I work"), ("work_settings",)),
    "team_size": Part(_("Alone or in a team"), ("team_size",)),
    "years": Part(_("Years in this kind of work"), ("years",)),
    "place": Part(_("Country and town"), ("country", "region")),
    "clock": Part(_("Local time"), ("time_zone",)),
    "languages": Part(_("Languages"), ("languages_work", "languages_follow")),
    "can_help": Part(_("What I can help with"), ("can_help", "can_help_text")),
    "looking_for": Part(_("What I look for help with"), ("looking_for", "looking_for_text", "looking_until")),
    "interests": Part(_("Interests"), ("interests",)),
    "frameworks": Part(_("Frameworks I use"), ("frameworks",)),
    "availability": Part(_("Available for"), ("availability", "paused_until")),
    "hours": Part(_("Usual hours"), ("hours",)),
    "avatar": Part(_("Picture"), ("avatar",)),
    "orcid": Part(_("ORCID iD"), ("orcid",)),
    "about": Part(_("In my words"), ("about",)),
    "links": Part(_("Links"), ("links",)),
    "email": Part(_("E-mail address"), ("email",)),
}
PART_OF = {attribute: key for key, part in PARTS.items() for attribute in part.attributes}
ON_MEMBER = {"time_zone", "email"}  # parts that are kept on the account
MANY = {"roles", "work_settings", "can_help", "looking_for", "interests", "frameworks", "hours"}
NAMED = {  # of these, the lists of terms and of tags
    **dict.fromkeys(("roles", "work_settings", "interests", "frameworks"), Term),
    **dict.fromkeys(("can_help", "looking_for"), Tag),
}
IN_COMMON = ("roles", "interests", "frameworks", "work_settings")
LISTS = MANY | {"languages_work", "languages_follow", "availability", "links"}


# --- how much one person sees of another -----------------------------------------------------------------------------
def group_mates_of(viewer):
    """The ids of those who are in a group together with this person, as a subquery; themselves among them."""
    return GroupMember.objects.in_it().filter(group__in=groups_of(viewer)).values("member")


def level_to(viewer, member_id: str = "pk"):
    """How much this person sees of each row's member, for `annotate`; `member_id` leads to the id ("author").

    Members see what is for members, those who share a group see what is for groups, and whoever is blocked by the
    owner sees what anyone sees, as guests and those do who are not approved yet."""
    if not is_full(viewer):
        own = Q(**{member_id: viewer.pk}) if viewer.is_authenticated else Q(pk__in=())
        return Case(When(own, then=Value(SeenBy.ME.value)), default=Value(SeenBy.PUBLIC.value))
    return Case(
        When(Q(**{member_id: viewer.pk}), then=Value(SeenBy.ME.value)),
        When(Q(**{f"{member_id}__in": blockers_of(viewer)}), then=Value(SeenBy.PUBLIC.value)),
        When(Q(**{f"{member_id}__in": group_mates_of(viewer)}), then=Value(SeenBy.GROUPS.value)),
        default=Value(SeenBy.MEMBERS.value),
        output_field=IntegerField(),
    )


def level_between(viewer, member) -> SeenBy:
    """How much this person sees of that member: as a card brought it along, or else by a query."""
    if viewer.is_authenticated and viewer.pk == member.pk:
        return SeenBy.ME
    if not is_full(viewer):
        return SeenBy.PUBLIC
    brought = member.__dict__
    if brought.get("level_of") == viewer.pk:
        return SeenBy(brought["level"])
    return SeenBy(Member.objects.values_list(level_to(viewer), flat=True).get(pk=member.pk))


# --- pictures in lists ------------------------------------------------------------------------------------------------
@dataclass
class Eyes:
    """What a list needs to know of its reader to draw people's pictures; asked once a page, and only if it matters."""

    viewer: object

    @cached_property
    def blockers(self) -> set[int]:
        return set(blockers_of(self.viewer).values_list("owner", flat=True))

    @cached_property
    def mates(self) -> set[int]:
        """Of those who share a group, whoever shows the picture to groups only."""
        mates = group_mates_of(self.viewer).filter(member__picture_seen_by=SeenBy.GROUPS)
        return set(mates.values_list("member", flat=True))

    def may_see_picture(self, member) -> bool:
        level = member.picture_seen_by
        if level == SeenBy.PUBLIC or (self.viewer.is_authenticated and self.viewer.pk == member.pk):
            return True
        if level == SeenBy.ME or not is_full(self.viewer) or member.pk in self.blockers:
            return False
        return level == SeenBy.MEMBERS or member.pk in self.mates


def may_see_picture(request, member) -> bool:
    """The same rule as `can_see(viewer, profile, "avatar")`, by what stands on the member's row."""
    if not hasattr(request, "eyes"):
        request.eyes = Eyes(request.user)
    return request.eyes.may_see_picture(member)


# --- the rule --------------------------------------------------------------------------------------------------------
def can_see_at(level: SeenBy, profile: Profile, part: str, *, even_hidden: bool = False) -> bool:
    if level == SeenBy.ME:
        return True
    if profile.state != Profile.State.VISIBLE and not even_hidden:
        return False
    if getattr(profile, f"{part}_seen_by") > level:
        return False
    return stands(profile, part)


def stands(profile: Profile, part: str) -> bool:
    """Is it the case at present? A wish for help ends, and who pauses is not available."""
    if part == "looking_for":
        return profile.is_looking()
    return part != "availability" or not profile.is_paused()


def can_see(viewer, profile: Profile, part: str) -> bool:
    """May this person see this part of this profile? The same rule as `seen`."""
    return can_see_at(level_between(viewer, profile.member), profile, part)


def seen(viewer, part: str, prefix: str = "", *, today: date | None = None) -> Q:
    """The condition under which this person sees that part, on this day; `prefix` leads to the profile ("profile__")."""

    def shown_to(level: SeenBy) -> Q:
        return Q(**{f"{prefix}{part}_seen_by__lte": level})

    rule = shown_to(SeenBy.PUBLIC)
    if is_full(viewer):
        blocked = Q(**{f"{prefix}member__in": blockers_of(viewer)})
        mates = Q(**{f"{prefix}member__in": group_mates_of(viewer)})
        rule |= (shown_to(SeenBy.MEMBERS) | (shown_to(SeenBy.GROUPS) & mates)) & ~blocked
    rule &= Q(**{f"{prefix}state": Profile.State.VISIBLE})
    today = today or timezone.now().date()
    if part == "looking_for":
        rule &= Q(**{f"{prefix}looking_until__isnull": True}) | Q(**{f"{prefix}looking_until__gte": today})
    if part == "availability":
        rule &= Q(**{f"{prefix}paused_until__isnull": True}) | Q(**{f"{prefix}paused_until__lt": today})
    if viewer.is_authenticated:
        rule |= Q(**{f"{prefix}member_id": viewer.pk})
    return rule


def heard_by(query, viewer, prefix: str = "", *, today: date | None = None) -> list[Q]:
    """The conditions under which this person finds somebody by these words, one for each vector, which is asked by its
    own audience; any of them will do. `prefix` leads to the profile. For full members only."""
    blocked = Q(**{f"{prefix}member__in": blockers_of(viewer)})
    mates = Q(**{f"{prefix}member__in": group_mates_of(viewer)})
    return [
        Q(**{f"{prefix}search_vector": query}) & ~blocked,
        Q(**{f"{prefix}search_groups": query}) & mates & ~blocked,
        Q(**{f"{prefix}search_public": query}) & blocked,
        Q(**{f"{prefix}search_looking": query}) & seen(viewer, "looking_for", prefix, today=today),
    ]


def found_by_words(query, viewer, *, today: date | None = None) -> list:
    """The ids of those whom this person finds by these words, as querysets to unite."""
    if not is_full(viewer):
        return []
    return [Profile.objects.filter(rule).values("member") for rule in heard_by(query, viewer, today=today)]


def has_something_public(profile: Profile) -> bool:
    """Is this profile page open to guests? The same rule as `something_public`."""
    return profile.state == Profile.State.VISIBLE and any(
        getattr(profile, f"{part}_seen_by") == SeenBy.PUBLIC for part in PARTS
    )


def something_public(prefix: str = "") -> Q:
    rule = Q()
    for part in PARTS:
        rule |= Q(**{f"{prefix}{part}_seen_by": SeenBy.PUBLIC})
    return rule & Q(**{f"{prefix}state": Profile.State.VISIBLE})


class Shown:
    """A profile as somebody at a level sees it: each attribute holds its value, or is empty where hidden.

    `shown.organisation` is "" and `shown.can_help` is [] where the viewer may not see them, so that a template
    cannot show what is hidden."""

    def __init__(self, profile: Profile, level: SeenBy, *, even_hidden: bool = False):
        self._profile, self._level, self._even_hidden = profile, level, even_hidden
        self._lists: dict[str, list] = {}
        self._common: list[tuple[str, str]] = []
        self.groups_in_common: list[Group] = []

    @classmethod
    def to(cls, viewer, profile: Profile) -> "Shown":
        """By one query, unless the member came from `with_card(viewer)`."""
        return cls(profile, level_between(viewer, profile.member))

    def holding(self, lists: dict[str, list]) -> "Shown":
        """With lists that were fetched for many profiles at once; each is still shown to those who may see it."""
        self._lists.update(lists)
        return self

    def with_lists(self, reader) -> "Shown":
        """All terms and tags of the profile in one query, which of them the reader has too, and the groups of both."""
        self._lists = {name: [] for name in NAMED}
        for pk, name, slug, kind, _place, is_common in sorted(
            self._list_rows(reader), key=lambda row: (row[4], row[1])
        ):
            if kind == "groups":
                self.groups_in_common.append(Group(pk=pk, name=name, slug=slug))
                continue
            self._lists[kind].append(NAMED[kind](pk=pk, name=name, slug=slug))
            if is_common:
                self._common.append((kind, name))
        return self

    def _list_rows(self, reader):
        columns = ("pk", "name", "slug", "kind", "place", "is_common")
        legs = []
        for name, model in NAMED.items():
            mine = getattr(Profile, name).through.objects.filter(
                **{"profile__member": reader.pk, model._meta.model_name: OuterRef("pk")}
            )
            place = Value(0) if model is Tag else F("position")
            legs.append((name, getattr(self._profile, name), place, Exists(mine)))
        if self._level == SeenBy.GROUPS:
            theirs = groups_of(self._profile.member)
            both = Group.objects.filter(pk__in=groups_of(reader)).filter(pk__in=theirs)
            legs.append(("groups", both, Value(0), Value(True)))
        first, *others = [
            rows.order_by()
            .annotate(kind=Value(kind, output_field=CharField()), place=place, is_common=is_common)
            .values_list(*columns)
            for kind, rows, place, is_common in legs
        ]
        return first.union(*others, all=True)

    @property
    def in_common(self) -> list[str]:
        """What both say about themselves, as far as it is shown; not what both look for: that is no tie to point at."""
        seen = {kind: {one.name for one in getattr(self, kind)} for kind in IN_COMMON}
        return [
            name for kind in IN_COMMON for where, name in self._common if where == kind and name in seen[kind]
        ]

    def __getattr__(self, name):
        if name not in PART_OF:
            raise AttributeError(name)
        profile = self._profile
        if not can_see_at(self._level, profile, PART_OF[name], even_hidden=self._even_hidden):
            return [] if name in LISTS else ""
        if name in self._lists:
            return self._lists[name]
        if name in MANY:
            return list(getattr(profile, name).all())  # prefetched by with_card()
        return getattr(profile.member if name in ON_MEMBER else profile, name)

    @property
    def member(self):
        return self._profile.member

    @property
    def team_size_label(self) -> str:
        return self._profile.get_team_size_display() if self.team_size else ""

    @property
    def years_label(self) -> str:
        return self._profile.get_years_display() if self.years else ""

    @property
    def works_alone(self) -> bool:
        return self.team_size == "solo"

    @property
    def line(self) -> str:
        """“Knowledge broker, county health unit”: the title on the door, else the roles; and where."""
        title = self.job_title or ", ".join(role.name for role in self.roles)
        return ", ".join(filter(None, (title, self.organisation)))

    @property
    def languages(self) -> list[str]:
        return [languages.name_of(code) for code in self.languages_work]

    @property
    def languages_followed(self) -> list[str]:
        """Those beyond the ones they work in."""
        working = self.languages_work
        return [languages.name_of(code) for code in self.languages_follow if code not in working]

    @property
    def now(self):
        """What their clock shows (naive, or templates would turn it into the reader's time); None where hidden."""
        if not self.time_zone:
            return None
        return timezone.now().astimezone(zoneinfo.ZoneInfo(self.time_zone)).replace(tzinfo=None)

    @property
    def pause_ends(self):
        """Until when they are not available for what they are else; None where they are, or where that is hidden."""
        profile = self._profile
        if not (profile.is_paused() and profile.availability):
            return None
        hidden = profile.state != Profile.State.VISIBLE and not self._even_hidden
        if self._level != SeenBy.ME and (hidden or profile.availability_seen_by > self._level):
            return None
        return profile.paused_until

    @property
    def available_for(self) -> list[str]:
        return [Availability(value).label for value in self.availability]

    @property
    def tells_nothing(self) -> bool:
        """Nothing but the name is shown."""
        return not any(getattr(self, attribute) for attribute in PART_OF if attribute not in ON_MEMBER)

    @property
    def place(self) -> str:
        """“Recife, Brazil”, as far as it is shown."""
        country = self.country.name if self.country else ""
        if fold(self.region) == fold(country):  # Singapore, Singapore
            return country
        return ", ".join(filter(None, (self.region, country)))
