"""PRODUCT.md's rules 1 to 3 of places, asked of the database itself: what must never be so, whatever went on before.

Everything that storms at events ends here: `assert broken_rules(event) == []`. It trusts only rows, no service.
"""

from django.db import connection
from django.utils import timezone

from events.models import Event

LIVE = "('requested', 'confirmed', 'waiting', 'offered', 'soft', 'recording')"

RULES = (
    # --- 1: never more places held than there are ------------------------------------------------------------------------
    (
        "more places are held than there are",
        """SELECT list.way || ': ' || count(*) || ' of ' || list.places FROM list JOIN mine r ON r.way = list.way
           WHERE r.status = 'confirmed' OR r.status = 'offered' AND r.offer_expires_at > %(now)s
           GROUP BY list.way, list.places HAVING count(*) > list.places""",
    ),
    (
        "somebody is on no list of the event",
        f"""SELECT r.id FROM mine r WHERE r.status IN {LIVE} AND r.way NOT IN (SELECT way FROM list)""",
    ),
    # --- 2: one person, one registration; the queue in its order ---------------------------------------------------------
    (
        "two live registrations of one person",
        f"""SELECT lower(coalesce(m.email, r.guest_address)) FROM mine r LEFT JOIN members_member m ON m.id = r.member_id
           WHERE r.status IN {LIVE} GROUP BY 1 HAVING count(*) > 1""",
    ),
    (
        "a place is free while somebody waits",
        """SELECT list.way FROM list, events_event e WHERE e.id = %(id)s AND e.published_at IS NOT NULL
           AND e.cancelled_at IS NULL AND e.postponed_at IS NULL AND e.starts_at - interval '3 hours' > %(now)s
           AND EXISTS (SELECT 1 FROM mine w WHERE w.way = list.way AND w.status = 'waiting')
           AND (list.places IS NULL OR list.places > (SELECT count(*) FROM mine r WHERE r.way = list.way
               AND r.status IN ('confirmed', 'offered')))""",
    ),
    (
        "an offer went to somebody behind one who waits",  # who has joined again since that offer is another matter
        """SELECT o.id || ' before ' || w.id FROM mine w JOIN mine o ON o.way = w.way WHERE w.status = 'waiting'
           AND o.given_by_id IS NULL AND o.offered_at >= o.joined_at
           AND o.offered_at > (SELECT max(l.at) FROM log l WHERE l.registration_id = w.id AND l.to_status = 'waiting')
           AND (-o.priority, o.joined_at, o.id) > (-w.priority, w.joined_at, w.id)""",
    ),
    (
        "a passer-by took a place while somebody waited",
        """SELECT c.registration_id || ' before ' || w.id FROM log c JOIN mine n ON n.id = c.registration_id
           JOIN mine w ON w.way = n.way AND w.id <> n.id
           WHERE c.to_status = 'confirmed' AND c.from_status IN ('', 'unproven', 'requested', 'recording')
           AND (SELECT l.to_status FROM log l WHERE l.registration_id = w.id AND l.id < c.id ORDER BY l.id DESC LIMIT 1)
               = 'waiting'
           AND NOT EXISTS (SELECT 1 FROM log l WHERE l.registration_id IN (w.id, n.id) AND l.why LIKE '%%from %% to %%')""",
    ),
    # --- every change has its row, and its mail --------------------------------------------------------------------------
    (
        "the log does not end in the state",
        """SELECT r.id || ' ' || r.status FROM mine r WHERE r.status IS DISTINCT FROM
           (SELECT l.to_status FROM log l WHERE l.registration_id = r.id ORDER BY l.id DESC LIMIT 1)""",
    ),
    (
        "a step of the log does not begin where the one before ended",
        """SELECT registration_id || ' ' || from_status || ' ' || to_status FROM (SELECT *, lag(to_status, 1, '')
           OVER (PARTITION BY registration_id ORDER BY id) AS before FROM log) steps WHERE before <> from_status""",
    ),
    (
        "a change without its mail",
        """SELECT r.id || ' ' || r.status FROM mine r CROSS JOIN LATERAL (SELECT l.why FROM log l
               WHERE l.registration_id = r.id AND l.from_status <> l.to_status ORDER BY l.id DESC LIMIT 1) last
           JOIN owed ON owed.status = r.status AND (owed.why IS NULL OR owed.why = last.why)
           WHERE NOT (r.status = 'expired' AND r.given_by_id IS NOT NULL)
           GROUP BY r.id, r.status, r.event_id
           HAVING NOT EXISTS (SELECT 1 FROM core_outgoingmail m WHERE m.kind = ANY (array_agg(owed.kind))
               AND m.dedupe_key LIKE m.kind || ':' || r.event_id || '.' || r.id || ':%%')""",
    ),
)

WORDS = """
WITH list AS (
    SELECT ways.way, CASE WHEN ways.way = 'online' THEN e.online_capacity + e.online_overbooking
        ELSE e.capacity + e.overbooking END AS places
    FROM events_event e CROSS JOIN LATERAL unnest(
        CASE WHEN e.kind = 'hybrid' THEN ARRAY['room', 'online'] ELSE ARRAY[''] END) AS ways (way)
    WHERE e.id = %(id)s),
mine AS (SELECT * FROM events_registration WHERE event_id = %(id)s),
log AS (SELECT l.* FROM events_registrationlog l JOIN mine r ON r.id = l.registration_id),
owed (status, why, kind) AS (VALUES
    ('confirmed', NULL, 'events.confirmed'), ('waiting', NULL, 'events.waiting'), ('offered', NULL, 'events.offer'),
    ('offered', NULL, 'events.place_given'), ('soft', NULL, 'events.soft'), ('recording', NULL, 'events.recording'),
    ('requested', NULL, 'events.requested'), ('expired', NULL, 'events.offer_passed'),
    ('removed', NULL, 'events.removed'), ('removed', NULL, 'events.refused'), ('unproven', NULL, 'events.prove'),
    ('waiting', 'the event was postponed', 'events.postponed'), ('cancelled', 'gave it up', 'events.cancelled_by_you'),
    ('cancelled', 'gave it to somebody', 'events.place_passed_on'))
"""


def broken_rules(event: Event, now=None) -> list[str]:
    """Which of the rules do not hold for this event, and where; empty where all is well."""
    broken = []
    with connection.cursor() as cursor:
        for name, question in RULES:
            cursor.execute(WORDS + question, {"id": event.pk, "now": now or timezone.now()})
            broken += [f"{name}: {row[0]}" for row in cursor.fetchall()]
    return broken
