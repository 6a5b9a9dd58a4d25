"""What a post said before: everybody who may read the post may read that, too; of a hidden one nobody does."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kmnet.core.access import guests_sign_in
from kmnet.core.differences import around, changes

from ..models import Post, grace
from ..permissions import can_moderate, can_view_history, is_author
from .access import find_post

SHOWN = 20  # versions; of somebody who edits more often, the latest


@login_not_required
@require_safe
@guests_sign_in
def history(request, pk):
    post = find_post(request, pk)
    if not can_view_history(request.user, post):
        raise Http404
    context = {"post": post, "thread": post.thread, "steps": steps_of(post, request.user)}
    return render(request, "discussions/history.html", context)


def steps_of(post: Post, viewer) -> list[dict]:
    """Each edit, newest first: when, and what changed in title and text; last, what it said at first. What was mended after
    a moderator had hidden it is for its author and the moderators."""
    versions = post.versions.order_by("-replaced_at", "-pk")
    if not can_moderate(viewer):
        if not is_author(viewer, post):
            versions = versions.filter(withheld=False)
        elif post.published_at:  # what was kept because somebody told of it: authors are not told of reports
            versions = versions.exclude(withheld=True, replaced_at__lt=post.published_at + grace())
    versions = list(versions[: SHOWN + 1])
    source, title, steps = post.source, post.thread.title, []
    for version in versions[:SHOWN]:
        steps.append(
            {
                "at": version.replaced_at,
                "by": post.author,  # nobody edits another's words; of who withholds their name, the other name
                "changes": around(changes(version.source, source)) if version.source != source else [],
                "title": changes(version.title, title) if version.title and version.title != title else [],
            }
        )
        source, title = version.source, version.title or title
    first = {"at": post.published_at or post.created_at, "by": post.author, "source": source, "title": title}
    return [*steps, first] if len(versions) <= SHOWN else steps
