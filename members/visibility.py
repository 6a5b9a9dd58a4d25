"""The one rule about who sees which part of a profile.

As a predicate (`can_see`) and as a condition for querysets (`seen`); a test holds them together. Pages, lists,
search and mails go through here: what is hidden is not shown, not found, not counted."""

import zoneinfo
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import languages
from .models.member import is_full
from .models.profile import Profile, SeenBy


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
LISTS = MANY | {"languages_work", "languages_follow", "availability", "links"}


def level_for(viewer) -> SeenBy:
    """How much this person sees of others."""
    return SeenBy.MEMBERS if is_full(viewer) else SeenBy.PUBLIC


def can_see_at(level: SeenBy, profile: Profile, part: str, *, even_hidden: bool = False) -> bool:
    if level == SeenBy.ME:
        return True
    if profile.state != Profile.State.VISIBLE and not even_hidden:
        return False
    if getattr(profile, f"{part}_seen_by") > level:
        return False
    return part != "looking_for" or profile.is_looking()


def can_see(viewer, profile: Profile, part: str) -> bool:
    """May this person see this part of this profile? The same rule as `seen`."""
    if viewer.is_authenticated and viewer.pk == profile.member_id:
        return True
    return can_see_at(level_for(viewer), profile, part)


def seen(viewer, part: str, prefix: str = "") -> Q:
    """The condition under which this person sees that part; `prefix` leads to the profile ("profile__")."""
    rule = Q(**{f"{prefix}{part}_seen_by__lte": level_for(viewer), f"{prefix}state": Profile.State.VISIBLE})
    if part == "looking_for":
        today = timezone.now().date()
        rule &= Q(**{f"{prefix}looking_until__isnull": True}) | Q(**{f"{prefix}looking_until__gte": today})
    if viewer.is_authenticated:
        rule |= Q(**{f"{prefix}member_id": viewer.pk})
    return rule


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

    @classmethod
    def to(cls, viewer, profile: Profile) -> "Shown":
        own = viewer.is_authenticated and viewer.pk == profile.member_id
        return cls(profile, SeenBy.ME if own else level_for(viewer))

    def __getattr__(self, name):
        if name not in PART_OF:
            raise AttributeError(name)
        profile = self._profile
        if not can_see_at(self._level, profile, PART_OF[name], even_hidden=self._even_hidden):
            return [] if name in LISTS else ""
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
        return [languages.name_of(code) for code in self.languages_follow]

    @property
    def now(self):
        """What their clock shows (naive, or templates would turn it into the reader's time); None where hidden."""
        if not self.time_zone:
            return None
        return timezone.now().astimezone(zoneinfo.ZoneInfo(self.time_zone)).replace(tzinfo=None)

    @property
    def tells_nothing(self) -> bool:
        """Nothing but the name is shown."""
        return not any(getattr(self, attribute) for attribute in PART_OF if attribute not in ON_MEMBER)

    @property
    def place(self) -> str:
        """“Recife, Brazil”, as far as it is shown."""
        country = self.country.name if self.country else ""
        return ", ".join(filter(None, (self.region, country)))
