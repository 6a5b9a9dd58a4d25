"""How closely a member follows a thread, all things considered.

What they chose for the thread goes before what they chose for its tags, that before what they chose for its space, and
every choice before what goes by itself: being shown what is new where one replied, being told about what one began, the
usual level of the space. Of several tags, “muted” goes first, then the closest. A choice that has ended is none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from kmnet.core.fixed import Named

from .reading import OWED, Level, Owed

FOLLOWED = (Level.WATCHING, Level.TRACKING)
CLOSEST_FIRST = (Level.WATCHING, Level.TRACKING, Level.NORMAL)


def of_tags(levels) -> str | None:
    """Of the levels of a thread’s tags, the one that counts."""
    levels = set(levels)
    if Level.MUTED in levels:
        return Level.MUTED
    return next((level for level in CLOSEST_FIRST if level in levels), None)


LEVELS = f"""
    SELECT CASE WHEN chosen THEN 'threads' ELSE 'replied' END, thread_id, level, NULL::timestamptz
    FROM discussions_threadwatch WHERE member_id = %(member)s AND (until IS NULL OR until > %(now)s)
    UNION ALL SELECT 'tags', tag_id, level, NULL
    FROM discussions_taglevel WHERE member_id = %(member)s AND (until IS NULL OR until > %(now)s)
    UNION ALL SELECT 'spaces', space_id, level, NULL
    FROM discussions_spacelevel WHERE member_id = %(member)s AND (until IS NULL OR until > %(now)s)
    UNION ALL SELECT 'masks', id, 'worn', NULL FROM discussions_mask WHERE member_id = %(member)s
    UNION ALL SELECT 'usual', id, default_level, NULL FROM discussions_space WHERE default_level <> 'normal'
    UNION ALL SELECT kind, pk, NULL, at FROM ({OWED}) AS owed (kind, pk, at)
"""

# The same for several members at once, of these threads only: a member may have said something about thousands.
LEVELS_OF_MANY = """
    SELECT member_id, CASE WHEN chosen THEN 'threads' ELSE 'replied' END, thread_id, level, NULL::timestamptz
    FROM discussions_threadwatch WHERE member_id = ANY(%(members)s) AND thread_id = ANY(%(threads)s)
      AND (until IS NULL OR until > %(now)s)
    UNION ALL SELECT member_id, 'tags', tag_id, level, NULL
    FROM discussions_taglevel WHERE member_id = ANY(%(members)s) AND (until IS NULL OR until > %(now)s)
    UNION ALL SELECT member_id, 'spaces', space_id, level, NULL
    FROM discussions_spacelevel WHERE member_id = ANY(%(members)s) AND (until IS NULL OR until > %(now)s)
    UNION ALL SELECT member_id, 'masks', id, 'worn', NULL FROM discussions_mask WHERE member_id = ANY(%(members)s)
    UNION ALL SELECT NULL, 'usual', id, default_level, NULL FROM discussions_space WHERE default_level <> 'normal'
    UNION ALL SELECT member_id, 'caught up', space_id, NULL, at FROM discussions_caughtup
    WHERE member_id = ANY(%(members)s)
"""

HERE = Named(
    LEVELS.replace(
        "WHERE member_id = %(member)s", "WHERE thread_id = %(thread)s AND member_id = %(member)s", 1
    ),
    member="bigint",
    thread="bigint",
    now="timestamptz",
)
EVERYWHERE = Named(LEVELS, member="bigint", now="timestamptz")


def decide(*, chosen=None, tags=(), space=None, replied=None, began: bool = False, usual=None) -> str:
    """The one order of what counts; each is a level, or None where there is none."""
    return (
        chosen
        or of_tags(tags)
        or space
        or replied
        or (Level.WATCHING if began else None)
        or usual
        or Level.NORMAL
    )


@dataclass(frozen=True)
class Following:
    """All levels of one member that hold now, by id."""

    member_id: int
    threads: dict[int, str] = field(default_factory=dict)  # chosen
    replied: dict[int, str] = field(default_factory=dict)  # by themselves
    tags: dict[int, str] = field(default_factory=dict)
    spaces: dict[int, str] = field(default_factory=dict)
    masks: dict[int, str] = field(default_factory=dict)  # worn by this member; the names say nothing
    usual: dict[int, str] = field(default_factory=dict)  # of spaces where it is another than NORMAL

    @classmethod
    def of(cls, member) -> "Following":
        """One query. Kept on the member, who is made anew with each request; services.levels forgets it."""
        kept = member.__dict__.get("_following")
        if kept is None:
            kept = member.__dict__["_following"] = cls._read(member)
        return kept

    @staticmethod
    def forget(member) -> None:
        member.__dict__.pop("_following", None)

    @classmethod
    def _read(cls, member) -> "Following":
        return cls._made_of(member, EVERYWHERE.rows(member=member.pk, now=timezone.now()))

    @classmethod
    def of_one(cls, member, thread_id: int) -> "Following":
        """Enough to tell the level of this thread, however many others the member follows. One query."""
        return cls._made_of(member, HERE.rows(member=member.pk, thread=thread_id, now=timezone.now()))

    @classmethod
    def of_many(cls, members, thread_ids: Iterable[int]) -> dict[int, tuple["Following", Owed]]:
        """By member: enough to tell the level of these threads, and since when the member is owed a look where they
        have no marker (but not which old threads they marked unread). One query, whatever the number of members."""
        values = {
            "members": [member.pk for member in members],
            "threads": list(thread_ids),
            "now": timezone.now(),
        }
        with connection.cursor() as cursor:
            cursor.execute(LEVELS_OF_MANY, values)
            rows = cursor.fetchall()
        usual = {pk: level for _member, kind, pk, level, _at in rows if kind == "usual"}
        found = {member.pk: cls(member.pk, usual=usual) for member in members}
        caught_up: dict[int, list[tuple]] = {member.pk: [] for member in members}
        for member, kind, pk, level, at in rows:
            if kind == "caught up":
                caught_up[member].append((kind, pk, at))
            elif kind != "usual":
                getattr(found[member], kind)[pk] = level
        return {one.pk: (found[one.pk], Owed.made_of(one, caught_up[one.pk])) for one in members}

    @classmethod
    def _made_of(cls, member, rows: list[tuple]) -> "Following":
        found = cls(member.pk)
        for kind, pk, level, _at in rows:
            if level is not None:
                getattr(found, kind)[pk] = level
        # Pages that ask for levels ask for what is unread, too: one question for both.
        member.__dict__["_owed"] = Owed.made_of(member, [row[:2] + row[3:] for row in rows if row[2] is None])
        return found

    def level(self, thread) -> str:
        """Needs the thread’s tag_ids."""
        return decide(
            chosen=self.threads.get(thread.pk),
            tags=[self.tags[pk] for pk in thread.tag_ids if pk in self.tags],
            space=self.spaces.get(thread.space_id),
            replied=self.replied.get(thread.pk),
            began=self.member_id == (thread.mask.member_id if thread.mask_id else thread.author_id),
            usual=self.usual.get(thread.space_id),
        )

    def wrote(self, prefix: str = "") -> Q:
        """What this member wrote, also without their name, as masked.written_by; by ids, so that their indexes answer."""
        masked = Q(**{f"{prefix}mask__in": sorted(self.masks)}) if self.masks else Q()
        return Q(**{f"{prefix}author": self.member_id}) | masked

    def began(self) -> Q:
        """The threads that this member began."""
        return self.wrote()

    def followed(self) -> Q:
        """Threads at one of the two close levels, as a condition. What plays no part is left out of it, so that the
        database has little to weigh."""
        return self._at(FOLLOWED, own=True)

    def muted(self) -> Q:
        return self._at((Level.MUTED,), own=False)

    def _at(self, levels, *, own: bool) -> Q:
        def chosen(of: dict[int, str]) -> list[int]:
            return sorted(pk for pk, level in of.items() if level in levels)

        tags_in, tags_out = self._tags(levels)
        by_tag = Q(tag_ids__overlap=tags_in) if tags_in else Q(pk__in=[])
        if tags_out:
            by_tag &= ~Q(tag_ids__overlap=tags_out)
        last = Q(space_id__in=chosen(self.usual))
        began = self.began()
        last = last | began if own else last & ~began
        if self.replied:
            last = Q(pk__in=chosen(self.replied)) | last & ~Q(pk__in=sorted(self.replied))
        if self.spaces:
            last = Q(space_id__in=chosen(self.spaces)) | last & ~Q(space_id__in=sorted(self.spaces))
        if self.tags:
            last = by_tag | last & ~Q(tag_ids__overlap=sorted(self.tags))
        if self.threads:
            last = Q(pk__in=chosen(self.threads)) | last & ~Q(pk__in=sorted(self.threads))
        return last

    def _tags(self, levels) -> tuple[list[int], list[int]]:
        """Tags that make it so, and tags that keep it from being so."""
        inside = sorted(pk for pk, level in self.tags.items() if level in levels)
        if Level.MUTED in levels:
            return inside, []
        return inside, sorted(pk for pk, level in self.tags.items() if level == Level.MUTED)


OF_MEMBERS = """
    SELECT CASE WHEN chosen THEN 'chosen' ELSE 'replied' END, member_id, level FROM discussions_threadwatch
    WHERE thread_id = %(thread)s AND member_id = ANY(%(members)s) AND (until IS NULL OR until > %(now)s)
    UNION ALL SELECT 'tags', member_id, level FROM discussions_taglevel
    WHERE tag_id = ANY(%(tags)s) AND member_id = ANY(%(members)s) AND (until IS NULL OR until > %(now)s)
    UNION ALL SELECT 'space', member_id, level FROM discussions_spacelevel
    WHERE space_id = %(space)s AND member_id = ANY(%(members)s) AND (until IS NULL OR until > %(now)s)
"""


def levels_of(thread, member_ids, *, began_by: int) -> dict[int, str]:
    """How closely each of these members follows the thread; the same rule as Following.level. One query.

    Needs the thread’s space and tag_ids. `began_by`: the member who began it, also behind another name.
    """
    values = {
        "thread": thread.pk,
        "space": thread.space_id,
        "tags": list(thread.tag_ids),
        "members": list(member_ids),
        "now": timezone.now(),
    }
    found: dict[int, dict] = {pk: {"tags": []} for pk in member_ids}
    with connection.cursor() as cursor:
        cursor.execute(OF_MEMBERS, values)
        for kind, pk, level in cursor.fetchall():
            if kind == "tags":
                found[pk]["tags"].append(level)
            else:
                found[pk][kind] = level
    return {
        pk: decide(**kinds, began=pk == began_by, usual=thread.space.default_level)
        for pk, kinds in found.items()
    }


WATCHING = """
    SELECT member_id FROM discussions_threadwatch
    WHERE thread_id = %(thread)s AND level = 'watching' AND (until IS NULL OR until > %(now)s)
    UNION SELECT member_id FROM discussions_taglevel
    WHERE tag_id = ANY(%(tags)s) AND level = 'watching' AND (until IS NULL OR until > %(now)s)
    UNION SELECT member_id FROM discussions_spacelevel
    WHERE space_id = %(space)s AND level = 'watching' AND (until IS NULL OR until > %(now)s)
"""


def who_may_watch(thread) -> set[int]:
    """Those who watch the thread, one of its tags or its space; which of these counts, levels_of decides. One query."""
    values = {
        "thread": thread.pk,
        "space": thread.space_id,
        "tags": list(thread.tag_ids),
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(WATCHING, values)
        return {pk for (pk,) in cursor.fetchall()}
