"""Two people at one thread at the same moment: real commits, real locks; and the race itself, seen without them."""

import uuid
from functools import partial

import pytest
from django.db import IntegrityError

from discussions import services
from discussions.models import Post, Thread
from discussions.models.thread import ThreadQuerySet
from tests import together
from tests.factories import make_member
from tests.factories.discussions import make_space, make_thread
from tests.together import meet_before

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works):
    """What each returned, or the constraint that refused it."""

    def refused(error):
        if not isinstance(error, IntegrityError):
            raise error
        return str(error).split('"')[1]

    return together.at_once(*works, errors=refused)


@pytest.fixture
def wait_for_each_other(monkeypatch):
    """From now on nobody writes until both have read (or one waits for the lock)."""

    def begin():
        meet_before(monkeypatch, services.posts, "new_post")

    return begin


def replies(thread, count=2):
    def reply(author, number):
        return lambda: services.add_reply(author=author, thread=thread, source=f"Reply {number}.").number

    return [reply(make_member(), number) for number in range(count)]


def test_two_replies_at_once_get_consecutive_numbers(wait_for_each_other):
    thread = make_thread()
    works = replies(thread)
    wait_for_each_other()
    assert sorted(at_once(*works)) == [2, 3]
    thread.refresh_from_db()
    assert (thread.last_number, thread.reply_count) == (3, 2)


def test_without_the_lock_both_would_have_the_same_number(wait_for_each_other, monkeypatch):
    """The control: the race is real, and where the lock fails the constraint still holds."""
    thread = make_thread()
    works = replies(thread)
    wait_for_each_other()
    monkeypatch.setattr(ThreadQuerySet, "select_for_update", lambda self, **kwargs: self)
    assert set(map(str, at_once(*works))) == {"2", "one_post_per_number"}
    assert thread.posts.count() == 2


def test_twenty_replies_at_once_leave_no_gap():
    thread = make_thread()
    assert sorted(at_once(*replies(thread, 20))) == list(range(2, 22))
    assert list(
        Post.objects.filter(thread=thread).order_by("number").values_list("number", flat=True)
    ) == list(range(1, 22))
    thread.refresh_from_db()
    assert (thread.last_number, thread.reply_count) == (21, 20)


def test_reply_pressed_twice_at_once_is_one_post(wait_for_each_other):
    thread, author, key = make_thread(), make_member(), uuid.uuid4()
    wait_for_each_other()

    def press():
        return services.add_reply(author=author, thread=thread, source="Once.", submit_key=key).pk

    first, second = at_once(press, press)
    assert first == second
    assert thread.posts.count() == 2


def test_question_pressed_twice_at_once_is_one_thread(wait_for_each_other):
    space, author, key = make_space(), make_member(), uuid.uuid4()
    wait_for_each_other()

    def press():
        return services.start_thread(
            author=author, space=space, title="Once?", source="Once.", submit_key=key
        ).pk

    first, second = at_once(press, press)
    assert first == second
    assert Thread.objects.count() == 1
    space.refresh_from_db()
    assert space.thread_count == 1


def test_the_same_new_tags_in_another_order_at_once_block_nobody():
    space = make_space()
    for number in range(3):
        tags = [f"new {number} {letter}" for letter in "abcde"]
        works = [
            partial(
                services.start_thread,
                author=make_member(),
                space=space,
                title="Which tags?",
                source="These.",
                tags=order,
            )
            for order in [tags, tags[::-1]] * 3
        ]
        for thread in at_once(*works):
            assert sorted(thread.tags.names()) == tags


def test_two_pages_read_at_once_lose_nothing():
    member, thread = make_member(), make_thread(replies=9)
    posts = list(thread.posts.order_by("number"))

    def read(some):
        return lambda: services.mark_posts_read(member=member, thread=thread, posts=some)

    at_once(*[read([post]) for post in posts])
    assert member.read_states.get().numbers == [(1, 11)]
