"""What hangs on the posts of a page: reactions, and what the reader gave in private or kept. One query for all of it."""

from django.db.models import Count, Q, Value

from . import decorate
from .models import Post, Reaction, Thread
from .permissions import can_write_in, may_be_thanked


@decorate.register
def reactions(viewer, thread: Thread, posts: list[Post]) -> None:
    """Sets `reaction_counts` (kind: number), `my_reactions` (kinds) and `may_react` on each post."""
    by_id = {}
    writes = can_write_in(viewer, thread.space) and thread.is_shown
    for post in posts:
        post.reaction_counts, post.my_reactions = {}, set()
        post.may_react = writes and may_be_thanked(viewer, post)
        by_id[post.pk] = post
    for post_id, kind, count, mine in found_on(by_id, viewer):
        by_id[post_id].reaction_counts[kind] = count
        if mine:
            by_id[post_id].my_reactions.add(kind)


def found_on(ids, viewer):
    """(post, kind, how many, is the viewer among them). By the index of one_reaction_of_a_kind."""
    mine = Count("pk", filter=Q(member=viewer.pk)) if viewer.is_authenticated else Value(0)
    return (
        Reaction.objects.filter(post__in=list(ids))
        .values("post", "kind")
        .annotate(many=Count("pk"), mine=mine)
        .values_list("post", "kind", "many", "mine")
        .order_by()
    )
