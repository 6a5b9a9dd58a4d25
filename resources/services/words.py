"""The words of the library, for those who mistype them."""

from django.db import connection, transaction

LOCK = 7_306_003  # one gathering at a time

# Titles and names as they are folded for typos already, tags and terms folded alike; nothing of a group, nothing hidden.
GATHER = """
WITH seen AS (
    SELECT id, fuzzy, term_ids, tag_ids FROM resources_resource
    WHERE state = 'visible' AND published_at IS NOT NULL AND group_id IS NULL
), named AS (
    SELECT id, unnest(string_to_array(fuzzy, ' ')) AS word FROM seen
    UNION
    SELECT s.id, unnest(regexp_split_to_array(lower(unaccent(t.name)), '[^[:alnum:]]+'))
    FROM seen s, unnest(s.tag_ids) AS tag JOIN taggit_tag t ON t.id = tag
    UNION
    SELECT s.id, unnest(regexp_split_to_array(lower(unaccent(t.name)), '[^[:alnum:]]+'))
    FROM seen s, unnest(s.term_ids) AS term JOIN core_term t ON t.id = term
    UNION
    SELECT -id, unnest(regexp_split_to_array(lower(unaccent(word)), '[^[:alnum:]]+')) FROM core_synonym
), counted AS (
    SELECT word, count(*) AS number FROM named
    WHERE length(word) BETWEEN 4 AND 40 AND word !~ '[0-9]' GROUP BY word
), gone AS (
    DELETE FROM resources_libraryword WHERE word NOT IN (SELECT word FROM counted)
)
INSERT INTO resources_libraryword (word, number) SELECT word, number FROM counted ORDER BY word
ON CONFLICT (word) DO UPDATE SET number = excluded.number WHERE resources_libraryword.number <> excluded.number
"""


@transaction.atomic
def gather_words() -> int:
    """Make LibraryWord anew; return how many words are new or counted anew. Two at once: one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(GATHER)
        return cursor.rowcount
