"""Spaces, threads and posts, made by the services, as members make them."""

import threading
from contextlib import contextmanager
from itertools import count

from discussions import services
from discussions.models import Post, Space, Thread

from .members import make_member

numbers = count(1)
_now = threading.local()


@contextmanager
def _making():
    """What the author has written today is not asked, where no daily limit holds (tests.conftest): a sixth of the time."""
    _now.making = True
    try:
        yield
    finally:
        _now.making = False


def is_making() -> bool:
    """Is it a factory that writes in this thread of the process, not a page or a service that is tested?"""
    return getattr(_now, "making", False)


def make_space(**fields) -> Space:
    """A public space where members may start threads."""
    number = next(numbers)
    fields.setdefault("slug", f"space-{number}")
    fields.setdefault("name", f"Space {number}")
    fields.setdefault("readable_by", "public")
    return Space.objects.create(**fields)


def make_thread(*, replies: int = 0, author=None, space=None, **fields) -> Thread:
    """A question, with so many replies by one other person."""
    number = next(numbers)
    fields.setdefault("title", f"How do you do this {number}?")
    fields.setdefault("source", f"I would like to know how **you** do this ({number}).")
    fields.setdefault("kind", "question")
    author, space = author or make_member(), space or make_space()
    with _making():
        thread = services.start_thread(author=author, space=space, **fields)
    if replies:
        replier = make_member()
        for _number in range(replies):
            make_post(thread=thread, author=replier)
        thread.refresh_from_db()
    return thread


def make_post(*, thread=None, author=None, **fields) -> Post:
    """A reply."""
    fields.setdefault("source", f"This is how I do it ({next(numbers)}).")
    author, thread = author or make_member(), thread or make_thread()
    with _making():
        return services.add_reply(author=author, thread=thread, **fields)


def make_message(author, *others, thread=None, **fields) -> Post:
    """A private message: the first one to these people, or with `thread` one more there."""
    fields.setdefault("source", f"Between us ({next(numbers)}).")
    if thread is not None:
        return services.send_message(author=author, thread=thread, **fields)
    return services.start_conversation(author=author, people=others, **fields)
