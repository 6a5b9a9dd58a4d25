"""What a member has read of a thread, and how closely they follow it."""

from collections.abc import Iterable

from django.conf import settings
from django.db import connection, models
from django.db.models import Lookup
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .numbers import NumbersField, as_multirange, ranges_of


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


class ReadStateQuerySet(models.QuerySet):
    def mark(self, *, member, thread_id: int, numbers: Iterable[int]) -> None:
        """Add these numbers to what the member has read. One statement, so two open pages lose nothing."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO discussions_readstate AS mine (member_id, thread_id, numbers, seen_at)
                VALUES (%s, %s, %s::int4multirange, %s)
                ON CONFLICT (member_id, thread_id) DO UPDATE
                SET numbers = mine.numbers + excluded.numbers, seen_at = excluded.seen_at
                """,
                [member.pk, thread_id, as_multirange(ranges_of(numbers)), timezone.now()],
            )

    def mark_all(self, *, member, threads) -> None:
        """Everything published so far in these threads (a queryset) is read."""
        sql, params = threads.unread_by(member).order_by().values("pk", "last_number").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                INSERT INTO discussions_readstate AS mine (member_id, thread_id, numbers, seen_at)
                SELECT %s, unread.id, int4multirange(int4range(1, unread.last_number + 1)), %s
                FROM ({sql}) AS unread (id, last_number)
                ON CONFLICT (member_id, thread_id) DO UPDATE
                SET numbers = mine.numbers + excluded.numbers, seen_at = excluded.seen_at
                """,  # the inner query is Django’s own; its values are parameters
                [member.pk, timezone.now(), *params],
            )


class ReadState(models.Model):
    """Which posts of a thread a member has seen: ranges of numbers, so that holes survive."""

    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="read_states")
    thread = models.ForeignKey("Thread", on_delete=models.CASCADE, related_name="read_states")
    numbers = NumbersField(default=list)
    seen_at = models.DateTimeField(_("last here"), default=timezone.now)

    objects = ReadStateQuerySet.as_manager()

    class Meta:
        verbose_name = _("read marker")
        verbose_name_plural = _("read markers")
        constraints = [
            models.UniqueConstraint(fields=["member", "thread"], name="one_read_marker_per_thread")
        ]

    def __str__(self):
        return f"read marker {self.pk}"

    def has(self, number: int) -> bool:
        return any(low <= number < high for low, high in self.numbers)


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
    until = models.DateTimeField(_("until"), null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("watched thread")
        verbose_name_plural = _("watched threads")
        constraints = [models.UniqueConstraint(fields=["member", "thread"], name="one_watch_per_thread")]
        indexes = [models.Index(fields=["thread", "level"], name="watches_of_thread")]

    def __str__(self):
        return f"watch {self.pk}"
