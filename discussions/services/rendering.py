"""Posts that were rendered by an older version of the renderer are rendered anew, a slice at a time."""

from kmnet.core import jobs
from kmnet.core.language import language_of
from kmnet.core.text import RENDER_VERSION

from ..models import Post
from ..rendering import anchor_of, render_post

SLICE = 80


def render_old_posts(*, limit: int = SLICE) -> int:
    """Render the next slice, oldest version first; return how many. Nothing but html, version and language changes.

    Locks those posts, and skips what others have locked: what is being edited is rendered by that edit.
    """
    old = Post.objects.filter(render_version__lt=RENDER_VERSION).order_by("render_version", "pk")
    return jobs.serve_slice(old, render_anew, no_key=True, limit=limit)


def render_anew(posts: list[Post]) -> None:
    """The caller holds their rows."""
    languages = dict(
        Post.objects.filter(pk__in=[post.pk for post in posts]).values_list("pk", "author__language")
    )
    for post in posts:
        post.html = render_post(post.source, anchor=anchor_of(post.created_at))
        post.language = language_of(post.source, expected=post.language or languages[post.pk])
        post.render_version = RENDER_VERSION
    Post.objects.bulk_update(posts, ["html", "language", "render_version"])
