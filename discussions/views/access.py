"""How pages are reached: what a member may not see is a 404; a guest is sent to sign in, whether it exists or not."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from ..models import Post, Space, Thread


def find_space(request: HttpRequest, slug: str) -> Space:
    return get_object_or_404(Space.objects.visible_to(request.user), slug=slug)


def find_thread(request: HttpRequest, pk: int) -> Thread:
    return get_object_or_404(Thread.objects.visible_to(request.user).select_related("space", "author"), pk=pk)


def find_post(request: HttpRequest, pk: int) -> Post:
    """Also one of the reader's own conversations."""
    return get_object_or_404(
        Post.objects.readable_by(request.user).select_related("thread__space", "thread__author", "author"),
        pk=pk,
    )
