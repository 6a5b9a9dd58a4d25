"""The cards of the people of a page."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from kmnet.core.fixed import fixed

from ..models import Member
from ..readers import kind_of, stand_in
from ..visibility import Shown
from .sql import fetch

# What a card shows, and what decides who sees it. Profiles are wide; a column that a card asks for and that is not here
# costs a query for each row, which the tests notice.
COLUMNS = (
    *("name", "handle", "time_zone", "picture", "picture_seen_by"),
    *("profile__member", "profile__state", "profile__headline", "profile__headline_seen_by"),
    *("profile__job_title", "profile__job_title_seen_by", "profile__roles_seen_by"),
    *("profile__organisation", "profile__organisation_seen_by", "profile__clock_seen_by"),
    *("profile__country", "profile__region", "profile__place_seen_by"),
    *("profile__languages_work", "profile__languages_seen_by"),
    *("profile__team_size", "profile__team_size_seen_by", "profile__can_help_seen_by"),
    *("profile__looking_for_seen_by", "profile__looking_until"),
)
WORDS = """
SELECT roles.profile_id, 'roles', term.name, term.slug, term.position, term.id
FROM members_profile_roles roles JOIN core_term term ON term.id = roles.term_id
WHERE roles.profile_id = ANY(%(profiles)s)
UNION ALL
SELECT given.profile_id, 'can_help', tag.name, tag.slug, 0, given.id
FROM members_profile_can_help given JOIN taggit_tag tag ON tag.id = given.tag_id
WHERE given.profile_id = ANY(%(profiles)s)
UNION ALL
SELECT sought.profile_id, 'looking_for', tag.name, tag.slug, 0, sought.id
FROM members_profile_looking_for sought JOIN taggit_tag tag ON tag.id = sought.tag_id
WHERE sought.profile_id = ANY(%(profiles)s)
ORDER BY 5, 6
"""


class Word(NamedTuple):
    name: str
    slug: str


@dataclass
class Person:
    """One row: what they show to the viewer, and why they come first."""

    shown: Shown
    help_you: list[str] = field(default_factory=list)
    you_help: list[str] = field(default_factory=list)


@fixed
def _cards(kind, *, reader, members):
    rows = Member.objects.filter(pk__any_of=members).with_level(stand_in(kind, reader))
    return rows.select_related("profile").only(*COLUMNS)


def people_of(pks: Iterable[int], viewer) -> list[Person]:
    """In this order; whoever is no longer there is left out. Two queries, for 1 and for 50."""
    pks = list(pks)
    if not pks:
        return []
    members = {member.pk: member for member in _cards(kind_of(viewer), reader=viewer.pk, members=pks)}
    profiles = [member.profile.pk for member in members.values()]
    lists: dict[int, dict[str, list[Word]]] = {
        pk: {"roles": [], "can_help": [], "looking_for": []} for pk in profiles
    }
    for profile, kind, name, slug, *_place in fetch(WORDS, {"profiles": profiles}):
        lists[profile][kind].append(Word(name, slug))
    found = [members[pk] for pk in pks if pk in members]
    return [Person(Shown.to(viewer, one.profile).holding(lists[one.profile.pk])) for one in found]
