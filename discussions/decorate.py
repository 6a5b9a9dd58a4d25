"""What hangs on the posts of a page (reactions, polls, files ...), loaded for the whole page at once.

A part of this app that shows something with each post registers a loader, in a module that hooks.py imports:

    @decorate.register
    def reactions(viewer, thread, posts):
        for post in posts:
            post.reactions = ...

A loader sets attributes on the posts, and gives each post each of them, also where there is nothing. It makes one query
at most, whatever the number of posts: a page of 50 costs what a page of one costs.
"""

from collections.abc import Callable

from .models import Post, Thread

Loader = Callable[[object, Thread, list[Post]], None]
_loaders: list[Loader] = []


def register(loader: Loader) -> Loader:
    """Make a loader known; the same one again changes nothing."""
    if loader not in _loaders:
        _loaders.append(loader)
    return loader


def decorate(viewer, thread: Thread, posts: list[Post]) -> None:
    """Let every loader set what it sets on these posts of one thread; `viewer` may be anonymous. Posts that the viewer
    may not read are among them: what shows of those is the template's to decide."""
    if posts:
        for loader in _loaders:
            loader(viewer, thread, posts)
