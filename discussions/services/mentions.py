"""Who is named in a post: read off its HTML, in which @handle is a link where somebody has that handle."""

import re

from django.db.models.functions import Lower

from kmnet.core import activity
from members.models import Member

from ..models import Mention, Post

LINK = re.compile(r'<a href="/members/([A-Za-z0-9-]+)/"[^>]*>@')
QUOTED = re.compile(r"<blockquote>.*?</blockquote>", re.S)
MOST = 20  # told of one post; more would be a mailing


def named_in(html: str) -> list[int]:
    """The members named, but in quotations."""
    handles = list(dict.fromkeys(handle.lower() for handle in LINK.findall(QUOTED.sub("", html))))[:MOST]
    if not handles:
        return []
    found = Member.objects.full().alias(low=Lower("handle")).filter(low__in=handles)
    return list(found.order_by("pk").values_list("pk", flat=True))


def note_mentions(post: Post) -> None:
    """Write down who is named, and tell those who were not named in it before. Call it with the post published."""
    named = [pk for pk in named_in(post.html) if pk != post.author_id]
    if not named:
        return
    before = set(Mention.objects.filter(post=post).values_list("member_id", flat=True))
    new = [pk for pk in named if pk not in before][: MOST - len(before)]
    if new:
        Mention.objects.bulk_create([Mention(post=post, member_id=pk) for pk in new], ignore_conflicts=True)
        activity.record("discussions.mentioned", actor=post.author, target=post, data={"members": new})
