"""Hosts hear of what waits too long for a moderator."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from kmnet.core import activity

from ..models import DiscussionSettings, Post


@transaction.atomic
def tell_of_long_held() -> int:
    """Tell the hosts of posts held longer than the settings allow: once of each post, of several at a time in one mail.
    Returns of how many. Any number of workers at once, doubled or missed beats do no harm: rows are claimed."""
    now = timezone.now()
    before = now - timedelta(hours=DiscussionSettings.load().held_alert_hours)
    waiting = Post.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        number__isnull=True, state=Post.State.HELD, alerted_at__isnull=True, created_at__lte=before
    )
    posts = list(waiting.select_related("author").order_by("created_at", "pk")[:500])
    if not posts:
        return 0
    ids = [post.pk for post in posts]
    Post.objects.filter(pk__in=ids).update(alerted_at=now)
    activity.record("discussions.held_long", actor=None, target=posts[0].author, data={"posts": ids}, at=now)
    return len(ids)
