"""Taking one's own post back, and having it back."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from .. import services
from ..models import Post
from ..permissions import can_delete_post, can_undelete_post, can_view_thread, is_author
from .access import find_post

SESSION_KEY = "taken_back"  # ids of posts, so that the thread's page can offer to have them back
KEPT = 5


def delete(request, pk):
    """Asks on GET; the button takes it back."""
    post = find_post(request, pk)
    if not is_author(request.user, post):
        raise Http404
    if post.is_taken_back:
        return redirect(post.thread)
    if not can_delete_post(request.user, post):
        raise PermissionDenied
    if request.method != "POST":
        return render(request, "discussions/delete.html", {"post": post, "thread": post.thread})
    post = services.delete_post(actor=request.user, post=post)
    kept = [*request.session.get(SESSION_KEY, []), post.pk]
    request.session[SESSION_KEY] = kept[-KEPT:]
    return redirect(post.thread.url_of(post.number) if post.number and not post.gone else post.thread)


@require_POST
def undelete(request, pk):
    post = get_object_or_404(Post.objects.select_related("thread__space", "thread__author", "author"), pk=pk)
    if not is_author(request.user, post):
        raise Http404
    if can_undelete_post(request.user, post):
        post = services.undelete_post(actor=request.user, post=post)
        messages.success(request, _("It is back, as it was."))
    elif not post.is_taken_back:
        messages.info(request, _("It is back already."))
    elif can_view_thread(request.user, post.thread):
        messages.error(request, _("The ten minutes are over: the words are gone."))
    else:
        raise PermissionDenied
    request.session[SESSION_KEY] = [one for one in request.session.get(SESSION_KEY, []) if one != post.pk]
    return redirect(Post.objects.select_related("thread__space").get(pk=post.pk))


def undo_offers(request, thread) -> list[Post]:
    """What this person took back in this thread a moment ago, in this browser; asks the database only then."""
    ids = request.session.get(SESSION_KEY) if request.user.is_authenticated else None
    if not ids:
        return []
    found = Post.objects.filter(pk__in=ids, thread=thread).defer("source", "html", "heading")
    return [post for post in found if post.undo_until and is_author(request.user, post)]
