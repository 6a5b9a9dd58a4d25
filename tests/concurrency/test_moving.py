"""Threads are split and merged while people write in them: real commits, real locks; and the race without them."""

from functools import partial

import pytest

from discussions import services
from discussions.models import Post, Thread
from discussions.models.thread import ThreadQuerySet
from tests.factories import make_member
from tests.factories.discussions import make_space, make_thread
from tests.together import Meeting, at_once, meet_before

pytestmark = pytest.mark.django_db(transaction=True)


def merging(thread, into):
    moderator = make_member(is_moderator=True)
    return partial(services.merge_thread, actor=moderator, thread=thread, into=into, reason="The same.")


def splitting(thread, numbers, **fields):
    moderator = make_member(is_moderator=True)
    return partial(
        services.split_thread, actor=moderator, thread=thread, numbers=numbers, reason="Two.", **fields
    )


def replying(thread):
    return partial(services.add_reply, author=make_member(), thread=thread, source="Meanwhile.")


@pytest.fixture
def both_have_read(monkeypatch):
    """The reply and the merge each begin to write when both have read (or one waits for the lock)."""
    meeting = Meeting()

    def begin():
        meet_before(monkeypatch, services.posts, "new_post", meeting)
        meet_before(monkeypatch, services.moving, "_carry", meeting)

    return begin


def test_reply_written_during_a_merge_arrives_in_the_new_home(both_have_read):
    thread, into = make_thread(replies=1), make_thread()
    works = [replying(thread), merging(thread, into)]
    both_have_read()
    post, _into = at_once(*works)
    post.refresh_from_db()
    assert post.thread == into
    check(into, count=4)


def test_without_the_lock_it_would_stay_in_a_thread_that_is_no_more(both_have_read, monkeypatch):
    thread, into = make_thread(replies=1), make_thread()
    works = [replying(thread), merging(thread, into)]
    both_have_read()
    monkeypatch.setattr(ThreadQuerySet, "select_for_update", lambda self, **kwargs: self)
    post, _into = at_once(*works)
    post.refresh_from_db()
    assert post.thread == thread


def test_two_threads_changed_crosswise_while_many_write():
    space = make_space()
    one, other = make_thread(replies=4, space=space), make_thread(replies=4, space=space)
    works = [replying(thread) for thread in (one, other) * 4]
    works += [splitting(one, [2, 4], into=other), splitting(other, [3, 5], into=one)]
    at_once(*works)
    check(one, count=5 + 4)
    check(other, count=5 + 4)
    works = [replying(thread) for thread in (one, other) * 4] + [merging(other, one)]
    at_once(*works)
    check(one, count=26)


def check(thread, *, count):
    """What the row says is what stands there; nothing is lost, no number is given twice."""
    thread = Thread.objects.get(pk=thread.pk)
    numbers = list(Post.objects.filter(thread=thread).order_by("number").values_list("number", flat=True))
    assert len(numbers) == len(set(numbers)) == count
    assert (thread.reply_count, thread.last_number >= numbers[-1]) == (count - 1, True)
    assert not Post.objects.filter(thread=thread).exclude(path__len__gte=1).exists()
