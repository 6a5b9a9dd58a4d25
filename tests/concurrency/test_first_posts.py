"""Somebody's first two posts at the same moment: one of them is the first, and neither fails."""

from functools import partial
from threading import get_ident

import pytest
from django.db import IntegrityError

from discussions.models import Post
from discussions.services import threads
from members.models import Member
from tests.factories import make_member
from tests.factories.discussions import make_post, make_thread
from tests.together import Meeting, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both_have_looked(monkeypatch):
    """From now on neither goes on before both have seen that nothing of the author's appeared so far (or one waits for
    the lock)."""

    def begin() -> None:
        meeting, published_before, came = Meeting(), threads.published_before, set()

        def look_then_wait(author_id):
            found = published_before(author_id)
            if get_ident() not in came:  # at their first look only
                came.add(get_ident())
                meeting.come()
            return found

        monkeypatch.setattr(threads, "published_before", look_then_wait)

    return begin


def two_at_once(both_have_looked) -> list[str]:
    author, places = make_member(), [make_thread(), make_thread()]
    both_have_looked()

    def write(thread) -> str:
        try:
            make_post(thread=thread, author=author)
        except IntegrityError:
            return "failed"
        return "written"

    return sorted(at_once(*[partial(write, place) for place in places]))


def test_one_of_two_at_once_is_the_first(both_have_looked):
    assert two_at_once(both_have_looked) == ["written", "written"]
    newest = Post.objects.order_by("-pk")[:2]
    assert sorted(post.is_authors_first for post in newest) == [False, True]


def test_without_the_lock_one_of_them_would_fail(both_have_looked, monkeypatch):
    """The control: both believe to be the first, and the constraint refuses the second."""
    queryset = type(Member.objects.all())
    monkeypatch.setattr(queryset, "select_for_update", lambda self, **kwargs: self)
    assert two_at_once(both_have_looked) == ["failed", "written"]
