"""Who is named in a post: read off its HTML, in which @handle is a link where somebody has that handle."""

import re

from django.db import connection
from django.db.models.functions import Lower
from django.utils import timezone

from kmnet.core import activity
from members.models import Member

from ..models import Post

LINK = re.compile(r'<a href="/members/([A-Za-z0-9-]+)/"[^>]*>@')
QUOTED = re.compile(r"<blockquote>.*?</blockquote>", re.S)
MOST = 20  # told of one post; more would be a mailing


def tell_newly_named(post: Post) -> None:
    """After an edit: those who were not named in it before hear of it."""
    if new := note_mentions(post):
        activity.record("discussions.mentioned", actor=post.author, target=post, data={"members": new})


def note_mentions(post: Post) -> list[int]:
    """Write down who is named, but in quotations; return those who were not named in it before. Call it with the post
    published, under its thread's lock. One query, and none where nobody is named."""
    handles = list(dict.fromkeys(handle.lower() for handle in LINK.findall(QUOTED.sub("", post.html))))[:MOST]
    if not handles:
        return []
    people = (
        Member.objects.full().alias(low=Lower("handle")).filter(low__in=handles).exclude(pk=post.author_id)
    )
    sql, params = people.order_by("pk").values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH before AS (SELECT member_id FROM discussions_mention WHERE post_id = %s)
            INSERT INTO discussions_mention (post_id, member_id, at)
            SELECT %s, named.id, %s FROM ({sql}) AS named (id)
            WHERE named.id NOT IN (SELECT member_id FROM before)
            ORDER BY named.id LIMIT greatest(0, %s - (SELECT count(*) FROM before))
            ON CONFLICT DO NOTHING RETURNING member_id
            """,  # the inner query is Django’s own; its values are parameters
            [post.pk, post.pk, timezone.now(), *params, MOST],
        )
        return [pk for (pk,) in cursor.fetchall()]
