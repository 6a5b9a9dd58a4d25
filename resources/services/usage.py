"""From single uses to numbers: read, downloaded, saved, used.

What came (UsageEvent) is summed by day (UsageDay) and goes after seven days; the sums for pages (ResourceUse, and
Resource.popularity for "most used") are written by jobs alone and only where they changed, since each write to these
tables makes the pages that are kept for guests anew. A count of people is one of people and days: the same person on two
days is two, because nothing ties the days together.
"""

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import redis
from django.db import connection, transaction
from django.utils import timezone

from .. import using
from ..models import ResourceUse, UsageEvent

logger = logging.getLogger(__name__)
SLICE = 1000
MOST = 50_000  # events in one run
SUMMED_DAYS = 5  # back from today: rows that are younger than what is forgotten
WEIGHTS = {"read": 1, "downloaded": 3, "saved": 5, "used": 10}


def take_events() -> int:
    """Take what was counted off the list in Redis; return how many. Any number of workers may do it at once. What a killed
    worker has taken and not yet written is lost."""
    taken = 0
    while taken < MOST:
        try:
            found = using.client().lpop(using.key("events"), SLICE)
        except (redis.RedisError, OSError):
            return taken
        if not found:
            return taken
        UsageEvent.objects.bulk_create(filter(None, map(_event, found)))
        taken += len(found)
    return taken


def _event(stated: str) -> UsageEvent | None:
    try:
        resource_id, kind, visitor, at = json.loads(stated)
        moment = datetime.fromtimestamp(at, UTC)
        return UsageEvent(
            resource_id=int(resource_id), kind=UsageEvent.Kind(kind), visitor=str(visitor)[:32], at=moment
        )
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def sum_days() -> int:
    """People and times of each record and day; then the sums for pages. Returns how many days of records were written.
    Safe to repeat: a sum never falls, whatever of what came is gone already."""
    since = timezone.now() - timedelta(days=SUMMED_DAYS)
    since = since.replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO resources_usageday (resource_id, kind, day, people, times)
            SELECT e.resource_id, e.kind, (e.at AT TIME ZONE 'UTC')::date AS day, count(DISTINCT e.visitor), count(*)
            FROM resources_usageevent e JOIN resources_resource r ON r.id = e.resource_id
            WHERE e.at >= %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            ON CONFLICT (resource_id, kind, day) DO UPDATE
            SET people = excluded.people, times = excluded.times
            WHERE resources_usageday.times < excluded.times
            """,
            [since],
        )
        written = cursor.rowcount
    recount()
    return written


_SUMS = """
SELECT r.id, coalesce(d.read, 0) AS read, coalesce(d.downloaded, 0) AS downloaded,
       coalesce(u.used, 0) AS used, coalesce(s.saved, 0) AS saved
FROM resources_resource r
LEFT JOIN (SELECT resource_id, sum(people) FILTER (WHERE kind = 'read') AS read,
                  sum(people) FILTER (WHERE kind = 'download') AS downloaded
           FROM resources_usageday {only} GROUP BY 1) d ON d.resource_id = r.id
LEFT JOIN (SELECT resource_id, count(*) AS saved FROM resources_savedresource {only} GROUP BY 1) s ON s.resource_id = r.id
LEFT JOIN (SELECT resource_id, count(*) AS used FROM (
             SELECT resource_id, member_id FROM resources_usedmark {only}
             UNION
             SELECT t.resource_id, coalesce(t.author_id, m.author_id, -t.id)
             FROM (SELECT * FROM resources_story {only}) t LEFT JOIN resources_storymask m ON m.story_id = t.id
             WHERE t.state = 'visible') users GROUP BY 1) u ON u.resource_id = r.id
LEFT JOIN resources_resourceuse old ON old.resource_id = r.id
WHERE {among} (coalesce(d.read, 0), coalesce(d.downloaded, 0), coalesce(u.used, 0), coalesce(s.saved, 0))
      IS DISTINCT FROM
      (coalesce(old.read, 0), coalesce(old.downloaded, 0), coalesce(old.used, 0), coalesce(old.saved, 0))
"""


def recount(ids: Iterable[int] | None = None) -> int:
    """Write the sums that have changed, of all records or of these; return how many. A member who said "I used this" and
    told a story used it once; a story that is hidden counts for nobody."""
    ids = None if ids is None else list(ids)
    only, among = ("", "") if ids is None else ("WHERE resource_id = ANY(%s)", "r.id = ANY(%s) AND")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SUMS.format(only=only, among=among), [] if ids is None else [ids] * 5)
        rows = [
            ResourceUse(resource_id=pk, read=read, downloaded=downloaded, used=used, saved=saved)
            for pk, read, downloaded, used, saved in cursor.fetchall()
        ]
        if rows:  # nothing is written where nothing changed, not even an empty statement
            ResourceUse.objects.bulk_create(
                sorted(rows, key=lambda row: row.resource_id),
                update_conflicts=True,
                unique_fields=["resource"],
                update_fields=["read", "downloaded", "used", "saved"],
                batch_size=2000,
            )
    return len(rows)


def rank() -> int:
    """How much each record is used, for "most used"; return for how many that has changed."""
    weight = " + ".join(f"{weight} * u.{name}" for name, weight in WEIGHTS.items())
    changed = f"""
        FROM resources_resourceuse u WHERE u.resource_id = r.id AND r.popularity <> least({weight}, 2147483647)
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM resources_resource r WHERE EXISTS (SELECT {changed}))")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(f"UPDATE resources_resource r SET popularity = least({weight}, 2147483647) {changed}")
        return cursor.rowcount


def old_events(before):
    return UsageEvent.objects.filter(at__lt=before)
