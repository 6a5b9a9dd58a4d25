"""How pages are reached: what a member may not see is a 404; a guest is sent to sign in, whether it exists or not."""

import functools

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from ..models import Post, Space, Thread


def open_to_guests(view):
    """A public page of something that may be members' own."""

    @login_not_required
    @functools.wraps(view)
    def wrapped(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except Http404:
            if request.user.is_authenticated:
                raise
            return redirect_to_login(request.get_full_path())

    return wrapped


def find_space(request: HttpRequest, slug: str) -> Space:
    return get_object_or_404(Space.objects.visible_to(request.user), slug=slug)


def find_thread(request: HttpRequest, pk: int) -> Thread:
    return get_object_or_404(Thread.objects.visible_to(request.user).select_related("space", "author"), pk=pk)


def find_post(request: HttpRequest, pk: int) -> Post:
    return get_object_or_404(
        Post.objects.visible_to(request.user).select_related("thread__space", "thread__author", "author"),
        pk=pk,
    )
