"""The rows that the directory filters and counts by, made from the profiles with the rule about who sees what."""

import secrets

from django.core.cache import cache
from django.db import connection, transaction

# In the cache, see members.finding.by_country. There is another version after each change: what was counted before it is
# not read after it. ("directory:countries" held the counts in another shape.)
COUNTRIES_KEY, VERSION_KEY = "directory:by-country", "directory:version"


# One statement for one profile and for all of them. What is hidden from everybody but its owner gets no key at all.
INDEX = """
INSERT INTO members_directoryentry (
    member_id, is_listed, for_anyone, for_members, for_groups,
    wishes, wishes_seen_by, wishes_until, free_for, free_for_seen_by, paused_until)
SELECT
    p.member_id, p.is_listed, k.for_anyone, k.for_members, k.for_groups,
    w.wishes, p.looking_for_seen_by, p.looking_until, f.free_for, p.availability_seen_by, p.paused_until
FROM members_profile p
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(DISTINCT key) FILTER (WHERE level <= 10), '{}') AS for_anyone,
        coalesce(array_agg(DISTINCT key) FILTER (WHERE level <= 20), '{}') AS for_members,
        coalesce(array_agg(DISTINCT key) FILTER (WHERE level = 30), '{}') AS for_groups
    FROM (
        SELECT 'role:' || t.slug, p.roles_seen_by
        FROM members_profile_roles m JOIN core_term t ON t.id = m.term_id WHERE m.profile_id = p.id
        UNION ALL
        SELECT 'setting:' || t.slug, p.work_settings_seen_by
        FROM members_profile_work_settings m JOIN core_term t ON t.id = m.term_id WHERE m.profile_id = p.id
        UNION ALL
        SELECT 'interest:' || t.slug, p.interests_seen_by
        FROM members_profile_interests m JOIN core_term t ON t.id = m.term_id WHERE m.profile_id = p.id
        UNION ALL
        SELECT 'help:' || t.slug, p.can_help_seen_by
        FROM members_profile_can_help m JOIN taggit_tag t ON t.id = m.tag_id WHERE m.profile_id = p.id
        UNION ALL
        SELECT 'team:' || p.team_size, p.team_size_seen_by WHERE p.team_size <> ''
        UNION ALL
        SELECT 'country:' || p.country, p.place_seen_by WHERE p.country <> ''
        UNION ALL
        SELECT 'language:' || spoken, p.languages_seen_by FROM unnest(p.languages_work) AS spoken
    ) AS shown (key, level)
    WHERE p.state = 'visible'
) AS k
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT 'help:' || t.slug), '{}') AS wishes
    FROM members_profile_looking_for m JOIN taggit_tag t ON t.id = m.tag_id
    WHERE m.profile_id = p.id AND p.state = 'visible' AND p.looking_for_seen_by < 40
) AS w
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT 'free:' || what), '{}') AS free_for
    FROM unnest(p.availability) AS what
    WHERE p.state = 'visible' AND p.availability_seen_by < 40
) AS f
{where}
ON CONFLICT (member_id) DO UPDATE SET
    is_listed = excluded.is_listed, for_anyone = excluded.for_anyone, for_members = excluded.for_members,
    for_groups = excluded.for_groups, wishes = excluded.wishes, wishes_seen_by = excluded.wishes_seen_by,
    wishes_until = excluded.wishes_until, free_for = excluded.free_for,
    free_for_seen_by = excluded.free_for_seen_by, paused_until = excluded.paused_until
"""


def index_entries(profile_ids: list[int] | None = None) -> None:
    """Write the entries of these profiles, or of all. One statement; call it in the transaction of the change."""
    with connection.cursor() as cursor:
        if profile_ids is None:
            cursor.execute(INDEX.replace("{where}", ""))
        else:
            cursor.execute(INDEX.replace("{where}", "WHERE p.id = ANY(%s)"), [profile_ids])
    transaction.on_commit(forget_counts, robust=True)


def forget_counts() -> None:
    """Also those that somebody is counting at this moment."""
    cache.set(VERSION_KEY, secrets.token_hex(8), None)
    cache.delete(COUNTRIES_KEY)
