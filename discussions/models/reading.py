"""What a member has read of a thread, and how closely they follow it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models
from django.db.models import Lookup
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .numbers import NumbersField, as_multirange, ranges_of

BEFORE_JOINING = timedelta(
    days=7
)  # a newcomer starts with what was said in the week before, not with everything


@NumbersField.register_lookup
class HasNumber(Lookup):
    """numbers__has_number=7"""

    lookup_name = "has_number"
    prepare_rhs = False

    def get_db_prep_lookup(self, value, connection):
        return "%s", [value]

    def as_sql(self, compiler, connection):
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} @> ({right})::integer", (*left_params, *right_params)


# Since when a member is owed a look at what appears, per thread "t": a week before they joined, or when they last said
# that they are caught up, with everything or with the thread's space. Where there is no marker, this alone decides.
SINCE = f"""
    (SELECT greatest(m.joined_at - interval '{BEFORE_JOINING.days} days', max(said.at))
     FROM members_member m LEFT JOIN discussions_caughtup said
       ON said.member_id = m.id AND (said.space_id IS NULL OR said.space_id = t.space_id)
     WHERE m.id = %(member)s GROUP BY m.id)
"""
# The numbers that count as read where there is no marker yet.
NOT_OWED = f"""
    coalesce((SELECT range_agg(int4range(p.number, p.number + 1)) FROM discussions_post p
     WHERE p.thread_id = t.id AND p.published_at <= {SINCE}), '{{}}')
"""


# Whoever replies sees what is new there from now on; never instead of a choice that holds, nor of an earlier mark. A choice
# that has ended is none, and makes room.
TRACKED = """
    INSERT INTO discussions_threadwatch AS mine (member_id, thread_id, level, chosen, changed_at)
    VALUES (%(member)s, %(thread)s, %(level)s, false, %(now)s)
    ON CONFLICT (member_id, thread_id) DO UPDATE
    SET level = excluded.level, chosen = false, until = NULL, changed_at = excluded.changed_at
    WHERE mine.until <= excluded.changed_at
"""


class ReadStateQuerySet(models.QuerySet):
    def mark(self, *, member, thread_id: int, numbers: Iterable[int], tracks: bool = False) -> None:
        """Add these numbers to what the member has read. Merged by the database, so two open pages lose nothing.

        A first marker also holds what counts as read without one: from then on it tells all of this thread. `tracks`: they
        replied there, see TRACKED; in the same statement.
        """
        values = {
            "member": member.pk,
            "thread": thread_id,
            "numbers": as_multirange(ranges_of(numbers)),
            "now": timezone.now(),
            "level": Level.TRACKING,
        }
        also = f"tracked AS ({TRACKED})," if tracks else ""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH {also} marked AS (
                    UPDATE discussions_readstate SET numbers = numbers + %(numbers)s::int4multirange, seen_at = %(now)s
                    WHERE member_id = %(member)s AND thread_id = %(thread)s RETURNING id)
                INSERT INTO discussions_readstate AS mine (member_id, thread_id, numbers, seen_at, reopened)
                SELECT %(member)s, t.id, {NOT_OWED} + %(numbers)s::int4multirange, %(now)s, false
                FROM discussions_thread t WHERE t.id = %(thread)s AND NOT EXISTS (SELECT FROM marked)
                ON CONFLICT (member_id, thread_id) DO UPDATE
                SET numbers = mine.numbers + excluded.numbers, seen_at = excluded.seen_at
                """,
                values,
            )

    def mark_many(self, *, member, numbers: dict[int, Iterable[int]]) -> None:
        """As mark, for many threads (by id) in one statement."""
        values = {
            "member": member.pk,
            "threads": list(numbers),
            "numbers": [as_multirange(ranges_of(some)) for some in numbers.values()],
            "now": timezone.now(),
        }
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH given AS (
                    SELECT thread_id, numbers::int4multirange
                    FROM unnest(%(threads)s::bigint[], %(numbers)s::text[]) AS given (thread_id, numbers)),
                marked AS (
                    UPDATE discussions_readstate mine SET numbers = mine.numbers + given.numbers, seen_at = %(now)s
                    FROM given WHERE mine.member_id = %(member)s AND mine.thread_id = given.thread_id
                    RETURNING mine.thread_id)
                INSERT INTO discussions_readstate AS mine (member_id, thread_id, numbers, seen_at, reopened)
                SELECT %(member)s, t.id, {NOT_OWED} + given.numbers, %(now)s, false
                FROM given JOIN discussions_thread t ON t.id = given.thread_id
                WHERE t.id NOT IN (SELECT thread_id FROM marked)
                ON CONFLICT (member_id, thread_id) DO UPDATE
                SET numbers = mine.numbers + excluded.numbers, seen_at = excluded.seen_at
                """,
                values,
            )

    def unmark_from(self, *, member, thread_id: int, number: int) -> None:
        """This number and all later ones are unread again, whatever the member has said about being caught up."""
        values = {"member": member.pk, "thread": thread_id, "number": number, "now": timezone.now()}
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                INSERT INTO discussions_readstate AS mine (member_id, thread_id, numbers, seen_at, reopened)
                SELECT %(member)s, t.id, {NOT_OWED} - int4multirange(int4range(%(number)s, NULL)), %(now)s, true
                FROM discussions_thread t WHERE t.id = %(thread)s
                ON CONFLICT (member_id, thread_id) DO UPDATE
                SET numbers = mine.numbers - int4multirange(int4range(%(number)s, NULL)), reopened = true
                """,
                values,
            )

    def mark_all(self, *, member, threads) -> None:
        """Everything published so far in these threads (a queryset) is read: a marker for each that is not."""
        unread = threads.unread_by(member).order_by("pk").values("pk", "last_number")
        sql, params = unread.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                INSERT INTO discussions_readstate AS mine (member_id, thread_id, numbers, seen_at, reopened)
                SELECT %s, unread.id, int4multirange(int4range(1, unread.last_number + 1)), %s, false
                FROM ({sql}) AS unread (id, last_number)
                ON CONFLICT (member_id, thread_id) DO UPDATE
                SET numbers = mine.numbers + excluded.numbers, seen_at = excluded.seen_at, reopened = false
                """,  # the inner query is Django’s own; its values are parameters
                [member.pk, timezone.now(), *params],
            )

    def carry(self, *, source_id: int, target_id: int, numbers: dict[int, int]) -> None:
        """Posts went from one thread to another, `numbers` old to new: who had read them there has read them here.

        Call it when the posts stand in the target under their new numbers, in the same transaction. Where a member has
        a marker in one of the two only, what counts as read without one is put in for the other.
        """
        if not numbers:
            return
        values = {
            "source": source_id,
            "target": target_id,
            "old": list(numbers),
            "new": list(numbers.values()),
            "now": timezone.now(),
        }
        since = SINCE.replace("%(member)s", "who.member_id")
        not_owed = NOT_OWED.replace("%(member)s", "who.member_id")
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                INSERT INTO discussions_readstate AS mine (member_id, thread_id, numbers, seen_at, reopened)
                SELECT who.member_id, t.id,
                       coalesce(there.numbers, {not_owed}) + coalesce(
                         (SELECT range_agg(int4range(moved.new, moved.new + 1))
                          FROM unnest(%(old)s::integer[], %(new)s::integer[]) AS moved (old, new)
                          LEFT JOIN discussions_post p ON p.thread_id = t.id AND p.number = moved.new
                          WHERE here.numbers @> moved.old OR here.id IS NULL AND p.published_at <= {since}), '{{}}'),
                       coalesce(there.seen_at, here.seen_at, %(now)s), coalesce(there.reopened, false)
                FROM (SELECT member_id FROM discussions_readstate WHERE thread_id IN (%(source)s, %(target)s)
                      GROUP BY member_id ORDER BY member_id) who
                CROSS JOIN discussions_thread t
                LEFT JOIN discussions_readstate here
                  ON here.member_id = who.member_id AND here.thread_id = %(source)s
                LEFT JOIN discussions_readstate there
                  ON there.member_id = who.member_id AND there.thread_id = t.id
                WHERE t.id = %(target)s
                ON CONFLICT (member_id, thread_id) DO UPDATE SET numbers = mine.numbers + excluded.numbers
                """,
                values,
            )

    def hold_on(self, *, thread_id: int, space_ids: list[int]) -> None:
        """The thread is about to leave one of these spaces for the other: who said that they are caught up with either
        gets a marker, so that nothing becomes read or unread by the move."""
        values = {"thread": thread_id, "spaces": space_ids, "now": timezone.now()}
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                INSERT INTO discussions_readstate (member_id, thread_id, numbers, seen_at, reopened)
                SELECT who.member_id, t.id, {NOT_OWED.replace("%(member)s", "who.member_id")}, %(now)s, false
                FROM (SELECT member_id FROM discussions_caughtup WHERE space_id = ANY(%(spaces)s)
                      GROUP BY member_id ORDER BY member_id) who
                CROSS JOIN discussions_thread t WHERE t.id = %(thread)s
                ON CONFLICT (member_id, thread_id) DO NOTHING
                """,
                values,
            )


class ReadState(models.Model):
    """Which posts of a thread a member has seen: ranges of numbers, so that holes survive.

    Where there is one, it tells all; where there is none, CaughtUp does.
    """

    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="read_states")
    thread = models.ForeignKey("Thread", on_delete=models.CASCADE, related_name="read_states")
    numbers = NumbersField(default=list)
    seen_at = models.DateTimeField(_("last here"), default=timezone.now)

    reopened = models.BooleanField(
        default=False, db_default=False
    )  # “mark unread from here”: unread however old it is

    objects = ReadStateQuerySet.as_manager()

    class Meta:
        verbose_name = _("read marker")
        verbose_name_plural = _("read markers")
        constraints = [
            models.UniqueConstraint(fields=["member", "thread"], name="one_read_marker_per_thread")
        ]
        indexes = [
            models.Index(fields=["member"], condition=models.Q(reopened=True), name="read_markers_reopened")
        ]

    def __str__(self):
        return f"read marker {self.pk}"

    def has(self, number: int) -> bool:
        return any(low <= number < high for low, high in self.numbers)


class CaughtUpQuerySet(models.QuerySet):
    def say(self, *, member, space=None, at) -> None:
        """Everything published up to this moment counts as read, in the space or everywhere; never an earlier moment."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO discussions_caughtup AS mine (member_id, space_id, at) VALUES (%s, %s, %s)
                ON CONFLICT (member_id, space_id) DO UPDATE SET at = greatest(mine.at, excluded.at)
                """,
                [member.pk, space and space.pk, at],
            )


class CaughtUp(models.Model):
    """“Mark all as read”: one row instead of a marker for each of a hundred thousand threads."""

    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="caught_up")
    space = models.ForeignKey(
        "Space", on_delete=models.CASCADE, null=True, related_name="+"
    )  # without one: all of them
    at = models.DateTimeField()

    objects = CaughtUpQuerySet.as_manager()

    class Meta:
        verbose_name = _("caught up")
        verbose_name_plural = _("caught up")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "space"], nulls_distinct=False, name="caught_up_once_per_space"
            )
        ]

    def __str__(self):
        return f"caught up {self.pk}"


OWED = """
    SELECT 'caught up', space_id, at FROM discussions_caughtup WHERE member_id = %(member)s
    UNION ALL SELECT 'reopened', NULL, min(t.last_post_at)
    FROM discussions_readstate r JOIN discussions_thread t ON t.id = r.thread_id
    WHERE r.member_id = %(member)s AND r.reopened
"""


@dataclass(frozen=True)
class Owed:
    """Since when a member is owed a look at what appears, in each space, where no marker tells more."""

    since: datetime
    in_space: dict[int, datetime]
    reopened: datetime | None = None  # the oldest latest post of threads that the member marked unread again

    @classmethod
    def to(cls, member) -> "Owed":
        """One query. Kept on the member, who is made anew with each request."""
        kept = member.__dict__.get("_owed")
        if kept is None:
            kept = member.__dict__["_owed"] = cls._read(member)
        return kept

    @classmethod
    def _read(cls, member) -> "Owed":
        with connection.cursor() as cursor:
            cursor.execute(OWED, {"member": member.pk})
            return cls.made_of(member, cursor.fetchall())

    @classmethod
    def made_of(cls, member, rows) -> "Owed":
        """Of rows that OWED gives."""
        since, in_space, reopened = member.joined_at - BEFORE_JOINING, {}, None
        for kind, space_id, at in rows:
            if kind == "reopened":
                reopened = at
            elif space_id is None:
                since = max(since, at)
            else:
                in_space[space_id] = at
        return cls(since, {pk: at for pk, at in in_space.items() if at > since}, reopened)

    @staticmethod
    def forget(member) -> None:
        """After a change; the next question reads anew."""
        member.__dict__.pop("_owed", None)

    def since_in(self, space_id: int) -> datetime:
        return self.in_space.get(space_id, self.since)

    def floor(self, space_ids: Iterable[int] | None = None) -> datetime:
        """No thread (of these spaces) whose latest post is older than this has anything unread."""
        found = [self.since] if space_ids is None else [self.since_in(pk) for pk in space_ids]
        return min(
            [*found, *([self.reopened - timedelta(microseconds=1)] if self.reopened else [])],
            default=self.since,
        )

    def expression(self):
        """The same as an expression on threads."""
        if not self.in_space:
            return models.Value(self.since)
        return models.Case(
            *(models.When(space_id=pk, then=models.Value(at)) for pk, at in self.in_space.items()),
            default=models.Value(self.since),
        )


class Level(models.TextChoices):
    """How closely a member follows a thread, a space or a tag."""

    WATCHING = "watching", _("tell me about every reply")
    TRACKING = "tracking", _("show me what is new")
    NORMAL = "normal", _("tell me when somebody replies to me")
    MUTED = "muted", _("do not tell me about this one")


class ThreadWatch(models.Model):
    """How closely a member wants to follow one thread, where they said so; `until`: afterwards as if they had not."""

    Level = Level

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="thread_watches"
    )
    thread = models.ForeignKey("Thread", on_delete=models.CASCADE, related_name="watches")
    level = models.CharField(_("level"), max_length=8, choices=Level, default=Level.NORMAL)
    chosen = models.BooleanField(default=True, db_default=True)  # by the member; False where a reply made it
    until = models.DateTimeField(_("until"), null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("watched thread")
        verbose_name_plural = _("watched threads")
        constraints = [models.UniqueConstraint(fields=["member", "thread"], name="one_watch_per_thread")]
        indexes = [models.Index(fields=["thread", "level"], name="watches_of_thread")]

    def __str__(self):
        return f"watch {self.pk}"
