"""What the viewer may filter by and count, of each entry of the directory."""

from collections.abc import Iterable

from django.utils import timezone

from ..models import SeenBy
from ..models.group import IN_IT
from ..models.ties import Distance
from .sql import NOBODY, Sql, entry_of, fetch

# As visibility.group_mates_of and blockers_of; tests hold them together. Of those who share a group only they matter
# who show something to groups: there is an index of them.
CIRCLE = """
SELECT 'away', owner_id, '' FROM members_boundary WHERE other_id = %(viewer)s AND distance = %(block)s
UNION
SELECT 'near', members_groupmember.member_id, ''
FROM members_groupmember
JOIN members_group ON members_group.id = members_groupmember.group_id AND members_group.closed_at IS NULL
JOIN members_directoryentry ON members_directoryentry.member_id = members_groupmember.member_id
WHERE members_groupmember.standing = ANY(%(in_it)s) AND members_groupmember.member_id <> %(viewer)s
AND members_groupmember.group_id IN (
    SELECT group_id FROM members_groupmember WHERE member_id = %(viewer)s AND standing = ANY(%(in_it)s))
AND (for_groups <> '{}' OR wishes_seen_by = %(groups)s OR free_for_seen_by = %(groups)s)
UNION
SELECT 'can', 0, taggit_tag.name
FROM members_profile
JOIN members_profile_can_help ON members_profile_can_help.profile_id = members_profile.id
JOIN taggit_tag ON taggit_tag.id = members_profile_can_help.tag_id
WHERE members_profile.member_id = %(viewer)s
UNION
SELECT 'seek', 0, taggit_tag.name
FROM members_profile
JOIN members_profile_looking_for ON members_profile_looking_for.profile_id = members_profile.id
JOIN taggit_tag ON taggit_tag.id = members_profile_looking_for.tag_id
WHERE members_profile.member_id = %(viewer)s AND (looking_until IS NULL OR looking_until >= %(today)s)
"""
ENTRY = "members_directoryentry"


class Circle:
    """Those who stand to the viewer otherwise than members do to each other: who keeps them away, and who shares a group
    with them and something only with groups; and the viewer's own words. One query."""

    def __init__(self, viewer):
        self.away: list[int] = []
        self.near: list[int] = []
        self.can_help: list[str] = []
        self.looks_for: list[str] = []
        self.today = timezone.now().date()
        if not viewer.is_authenticated:
            return
        values = {
            "viewer": viewer.pk,
            "block": Distance.BLOCK.value,
            "in_it": [standing.value for standing in IN_IT],
            "groups": SeenBy.GROUPS.value,
            "today": self.today,
        }
        ids = {"away": self.away, "near": self.near}
        words = {"can": self.can_help, "seek": self.looks_for}
        for what, pk, word in fetch(CIRCLE, values):
            if what in ids:
                ids[what].append(pk)
            else:
                words[what].append(word)
        away = set(self.away)
        self.near = [pk for pk in self.near if pk not in away]

    @property
    def is_plain(self) -> bool:
        return not self.away and not self.near

    def shows(self, keys: Iterable[str]) -> Sql:
        """Holds one of these keys (all of one facet), and shows it to the viewer."""
        keys = sorted(keys)
        if not keys:
            return NOBODY
        if keys[0].startswith("free:"):
            return self._at_level("free_for", keys) & self._is_not_paused
        rule = self._overlap("for_members", keys)
        if self.away:
            away = entry_of(self.away)
            rule = rule & ~away | away & self._overlap("for_anyone", keys)
        if self.near:
            rule |= entry_of(self.near) & self._overlap("for_groups", keys)
        return rule

    def seeks(self, keys: Iterable[str]) -> Sql:
        """Looks for help with one of these, still, and shows it to the viewer."""
        keys = sorted(keys)
        if not keys:
            return NOBODY
        stands = Sql(f"({ENTRY}.wishes_until IS NULL OR {ENTRY}.wishes_until >= %s)", (self.today,))
        return self._at_level("wishes", keys) & stands

    def keys(self) -> Sql:
        """The keys that the viewer may count, and "all:all", which everybody has."""
        lists = Sql(f"{ENTRY}.for_members")
        if not self.is_plain:
            away, near = entry_of(self.away), entry_of(self.near)
            lists = Sql(
                f"CASE WHEN {away.text} THEN {ENTRY}.for_anyone "
                f"WHEN {near.text} THEN {ENTRY}.for_members || {ENTRY}.for_groups ELSE {ENTRY}.for_members END",
                away.params + near.params,
            )
        free = self._level("free_for") & self._is_not_paused
        return Sql(
            f"{lists.text} || CASE WHEN {free.text} THEN {ENTRY}.free_for ELSE '{{}}' END || '{{all:all}}'::varchar[]",
            lists.params + free.params,
        )

    @property
    def _is_not_paused(self) -> Sql:
        return Sql(f"({ENTRY}.paused_until IS NULL OR {ENTRY}.paused_until < %s)", (self.today,))

    def _overlap(self, column: str, keys: list[str]) -> Sql:
        return Sql(f"{ENTRY}.{column} && %s::varchar[]", (keys,))

    def _level(self, column: str) -> Sql:
        """Of the parts that are one list with one audience: the viewer is of that audience."""

        def up_to(level: SeenBy) -> Sql:
            return Sql(f"{ENTRY}.{column}_seen_by <= %s", (level.value,))

        rule = up_to(SeenBy.MEMBERS)
        if self.away:
            away = entry_of(self.away)
            rule = rule & ~away | away & up_to(SeenBy.PUBLIC)
        if self.near:
            rule |= entry_of(self.near) & up_to(SeenBy.GROUPS)
        return rule

    def _at_level(self, column: str, keys: list[str]) -> Sql:
        return self._overlap(column, keys) & self._level(column)
