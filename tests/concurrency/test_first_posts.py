"""Somebody's first two posts at the same moment: one of them is the first, and neither fails."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Barrier, BrokenBarrierError, get_ident

import pytest
from django.db import IntegrityError, connection

from discussions.models import Post
from discussions.services import threads
from members.models import Member
from tests.factories import make_member
from tests.factories.discussions import make_post, make_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both_have_looked(monkeypatch):
    """Neither goes on before both have seen that nothing of the author's appeared so far, or so many seconds passed."""
    barrier, published_before, waited = Barrier(2), threads.published_before, set()

    def wait_for_both(seconds: float) -> None:
        def look_then_wait(author_id):
            found = published_before(author_id)
            if get_ident() not in waited:  # at their first look only
                waited.add(get_ident())
                with suppress(BrokenBarrierError):
                    barrier.wait(timeout=seconds)
            return found

        monkeypatch.setattr(threads, "published_before", look_then_wait)

    return wait_for_both


def two_at_once(both_have_looked, seconds: float) -> list[str]:
    author, places = make_member(), [make_thread(), make_thread()]
    both_have_looked(seconds)

    def write(thread) -> str:
        with closing(connection):
            try:
                make_post(thread=thread, author=author)
            except IntegrityError:
                return "failed"
            return "written"

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(write, places))


def test_one_of_two_at_once_is_the_first(both_have_looked):
    # The second cannot look before the first is done.
    assert two_at_once(both_have_looked, seconds=1) == ["written", "written"]
    newest = Post.objects.order_by("-pk")[:2]
    assert sorted(post.is_authors_first for post in newest) == [False, True]


def test_without_the_lock_one_of_them_would_fail(both_have_looked, monkeypatch):
    """The control: both believe to be the first, and the constraint refuses the second."""
    queryset = type(Member.objects.all())
    monkeypatch.setattr(queryset, "select_for_update", lambda self, **kwargs: self)
    # Both come, however busy the machine is.
    assert two_at_once(both_have_looked, seconds=30) == ["failed", "written"]
