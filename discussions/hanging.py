"""What hangs on the posts of a page: reactions, and what the reader gave in private or keeps. One query for all of it."""

from django.db.models import CharField, Count, Q, Value

from . import decorate
from .models import Bookmark, Post, QuietThanks, Reaction, Thread
from .permissions import can_write_in, may_be_thanked

HELPED, KEPT = "helped", "kept"


@decorate.register
def reactions(viewer, thread: Thread, posts: list[Post]) -> None:
    """Sets on each post `reaction_counts` (kind: number), `my_reactions` (kinds), `may_react`, and of the viewer's own
    `helped_me` and `is_kept`."""
    by_id = {}
    writes = can_write_in(viewer, thread.space) and thread.is_shown
    for post in posts:
        post.reaction_counts, post.my_reactions = {}, set()
        post.helped_me = post.is_kept = False
        post.may_react = writes and may_be_thanked(viewer, post)
        by_id[post.pk] = post
    for post_id, what, count, mine in found_on(list(by_id), viewer):
        post = by_id[post_id]
        if what == HELPED:
            post.helped_me = True
        elif what == KEPT:
            post.is_kept = True
        else:
            post.reaction_counts[what] = count
            if mine:
                post.my_reactions.add(what)


def found_on(ids: list[int], viewer):
    """(post, what, how many, is the viewer among them); each part by the index of its constraint."""
    columns = ("post", "what", "many", "mine")
    counted = (
        Reaction.objects.filter(post__in=ids)
        .order_by()
        .values("post", "kind")
        .annotate(many=Count("pk"), mine=Count("pk", filter=Q(member=viewer.pk)))
        .values_list("post", "kind", "many", "mine")
    )
    if not viewer.is_authenticated:
        return counted
    own = [
        model.objects.filter(member=viewer, post__in=ids)
        .order_by()
        .annotate(what=Value(what, output_field=CharField()), many=Value(1), mine=Value(1))
        .values_list(*columns)
        for model, what in ((QuietThanks, HELPED), (Bookmark, KEPT))
    ]
    return counted.union(*own, all=True)
