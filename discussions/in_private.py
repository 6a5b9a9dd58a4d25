"""What a moderator gets who was told of one post in a private place: the post, and no more around it than it takes to
judge it. Groups and conversations; the rest of both stays closed to them."""

from django.db.models import Q

from .models import Post

NEAR = 5  # messages of a conversation, before and after


def is_private(post: Post) -> bool:
    return post.thread.space.group_id is not None or post.thread.is_conversation


def around(post: Post) -> list[Post]:
    """What a reported post answers, and the two posts before it; in a conversation the five messages before it."""
    before = Q(pk=post.parent_id)
    if post.number:
        near = NEAR if post.thread.is_conversation else 2
        before |= Q(number__lt=post.number, number__gte=post.number - near)
    return _shown(post, before)


def after(post: Post) -> list[Post]:
    """The five messages after it in a conversation: an answer may change how the words are to be taken."""
    if not post.thread.is_conversation or not post.number:
        return []
    return _shown(post, Q(number__gt=post.number, number__lte=post.number + NEAR))


def _shown(post: Post, rule: Q) -> list[Post]:
    posts = Post.objects.shown().published().filter(rule, thread=post.thread_id)
    return list(posts.select_related("author", "thread__space").order_by("number"))
