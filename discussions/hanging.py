"""What hangs on the posts of a page: reactions, and what the reader gave in private or keeps. One query for all of it."""

from django.db.models import CharField, Count, Q, Value

from kmnet.core.fixed import fixed

from . import decorate
from .models import Bookmark, Post, QuietThanks, Reaction, Thread
from .permissions import can_write_in, has_standing_words

HELPED, KEPT, OWN = "helped", "kept", "own"


@decorate.register
def reactions(viewer, thread: Thread, posts: list[Post]) -> None:
    """Sets on each post `reaction_counts` (kind: number), `my_reactions` (kinds), `may_react`, and of the viewer's own
    `helped_me` and `is_kept`."""
    by_id = {}
    writes = can_write_in(viewer, thread.space) and thread.is_shown
    for post in posts:
        post.reaction_counts, post.my_reactions = {}, set()
        post.helped_me = post.is_kept = False
        post.may_react = writes and has_standing_words(post) and post.author_id != viewer.pk
        by_id[post.pk] = post
    for post_id, what, count, mine in found_on(list(by_id), viewer):
        post = by_id[post_id]
        if what == HELPED:
            post.helped_me = True
        elif what == KEPT:
            post.is_kept = True
        elif what == OWN:  # written without their name
            post.may_react, post.is_own = False, True
        else:
            post.reaction_counts[what] = count
            if mine:
                post.my_reactions.add(what)


@fixed
def reactions_on(*, posts):
    """(post, what, how many, 0): for guests, who are among nobody."""
    found = Reaction.objects.filter(post__any_of=posts).order_by().values("post", "kind")
    return found.annotate(many=Count("pk"), mine=Value(0)).values_list("post", "kind", "many", "mine")


@fixed
def hanging_on(*, posts, viewer):
    """(post, what, how many, is the viewer among them); each part by the index of its constraint."""
    counted = Reaction.objects.filter(post__any_of=posts).order_by().values("post", "kind")
    counted = counted.annotate(many=Count("pk"), mine=Count("pk", filter=Q(member=viewer)))
    own = [
        model.objects.filter(member=viewer, post__any_of=posts)
        .order_by()
        .annotate(what=Value(what, output_field=CharField()), many=Value(1), mine=Value(1))
        .values_list("post", "what", "many", "mine")
        for model, what in ((QuietThanks, HELPED), (Bookmark, KEPT))
    ]
    masked = Post.objects.filter(pk__any_of=posts, mask__member=viewer).order_by()
    masked = masked.annotate(what=Value(OWN, output_field=CharField()), many=Value(1), mine=Value(1))
    own.append(masked.values_list("pk", "what", "many", "mine"))
    return counted.values_list("post", "kind", "many", "mine").union(*own, all=True)


def found_on(posts: list[int], viewer) -> list[tuple]:
    if viewer.is_authenticated:
        return hanging_on(posts=posts, viewer=viewer.pk)
    return reactions_on(posts=posts)
