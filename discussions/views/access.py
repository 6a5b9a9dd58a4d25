"""How pages are reached: what a member may not see is a 404; a guest is sent to sign in, whether it exists or not."""

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from .. import moved
from ..models import Post, Space, Thread


def find_space(request: HttpRequest, slug: str) -> Space:
    return get_object_or_404(Space.objects.visible_to(request.user), slug=slug)


def find_thread(request: HttpRequest, pk: int) -> Thread:
    """The thread; for one that was merged the thread that it has become."""
    threads = Thread.objects.visible_to(request.user).select_related("space", "author")
    found = threads.filter(pk=pk).first() or moved.home_of(request.user, pk)
    if found is None:
        raise Http404
    return found


def find_post(request: HttpRequest, pk: int) -> Post:
    """Also one of the reader's own conversations."""
    return get_object_or_404(
        Post.objects.readable_by(request.user).select_related("thread__space", "thread__author", "author"),
        pk=pk,
    )
