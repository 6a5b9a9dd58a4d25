"""Posts that were rendered by an older version of the renderer are rendered anew, a slice at a time."""

from django.db import transaction

from kmnet.core.language import language_of
from kmnet.core.text import RENDER_VERSION

from ..models import Post
from ..rendering import anchor_of, render_post

SLICE = 80


@transaction.atomic
def render_old_posts(*, limit: int = SLICE) -> int:
    """Render the next slice, oldest version first; return how many. Nothing but html, version and language changes.

    Locks those posts, and skips what others have locked: what is being edited is rendered by that edit.
    """
    old = Post.objects.filter(render_version__lt=RENDER_VERSION).order_by("render_version", "pk")
    posts = list(old.select_for_update(of=("self",), skip_locked=True, no_key=True)[:limit])
    languages = dict(
        Post.objects.filter(pk__in=[post.pk for post in posts]).values_list("pk", "author__language")
    )
    for post in posts:
        post.html = render_post(post.source, anchor=anchor_of(post.created_at))
        post.language = language_of(post.source, expected=post.language or languages[post.pk])
        post.render_version = RENDER_VERSION
    Post.objects.bulk_update(posts, ["html", "language", "render_version"])
    return len(posts)
