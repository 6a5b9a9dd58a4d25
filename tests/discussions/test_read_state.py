"""What a member has read: markers of threads, and what counts as read without one."""

from datetime import timedelta
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from taggit.models import Tag

from discussions import services
from discussions.models import CaughtUp, Owed, Post, ReadState, Thread
from discussions.services import reading
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db


def seen_by(member, thread):
    Owed.forget(member)
    found = Thread.objects.with_card(member).get(pk=thread.pk)
    is_unread = Thread.objects.unread_by(member).filter(pk=thread.pk).exists()
    return found.unread_count, found.first_unread, is_unread


def add_posts(thread, author, count, at=None):
    """Replies as publish() leaves them, without the telling."""
    at = at or timezone.now()
    last = thread.last_number
    Post.objects.bulk_create(
        Post(thread=thread, author=author, number=n, path=[n], published_at=at, source="x", state="visible")
        for n in range(last + 1, last + count + 1)
    )
    Thread.objects.filter(pk=thread.pk).update(last_number=last + count, last_post_at=at)
    thread.refresh_from_db()


steps = st.one_of(
    st.tuples(st.just("post"), st.integers(1, 4)),
    st.tuples(st.just("read"), st.sets(st.integers(1, 12), min_size=1)),
    st.tuples(st.just("caught up"), st.booleans()),
    st.tuples(st.just("unread from"), st.integers(1, 12)),
    st.tuples(st.just("hide"), st.integers(2, 12)),
)


@given(st.lists(steps, max_size=8))
@settings(max_examples=20, deadline=None)
def test_unread_equals_a_set_kept_by_hand(history):
    """Whatever is read, marked, reopened, hidden and written in whatever order."""
    member, author, thread = make_member(), make_member(), make_thread()
    moderator = make_member(is_moderator=True)
    read, hidden = set(), set()
    with mock.patch.object(reading, "IN_FLIGHT", timedelta(0)):
        for step, value in history:
            there = set(range(1, thread.last_number + 1))
            if step == "post":
                add_posts(thread, author, value)
            elif step == "read":
                posts = list(thread.posts.filter(number__in=value))
                services.mark_posts_read(member=member, thread=thread, posts=posts)
                read |= value & there
            elif step == "caught up":
                services.mark_all_read(member=member, space=thread.space if value else None)
                read |= there
            elif step == "unread from" and value in there - hidden:
                services.mark_unread_from(member=member, post=thread.posts.get(number=value))
                read -= set(range(value, thread.last_number + 1))
            elif step == "hide" and value in there - hidden:
                post = thread.posts.get(number=value)
                services.hide_post(post=post, actor=moderator, reason="Spam.")
                hidden.add(value)
    unread = sorted(set(range(1, thread.last_number + 1)) - hidden - read)
    assert seen_by(member, thread) == (len(unread), unread[0] if unread else None, bool(unread))


def test_caught_up_writes_one_row_for_a_thousand_threads():
    member, author = make_member(), make_member()
    old = timezone.now() - timedelta(hours=1)
    threads = [make_thread(author=author) for _ in range(5)]
    Thread.objects.update(last_post_at=old, created_at=old)
    Post.objects.update(published_at=old)
    services.mark_all_read(member=member)
    assert (CaughtUp.objects.count(), ReadState.objects.filter(member=member).count()) == (1, 0)
    assert [seen_by(member, thread) for thread in threads] == [(0, None, False)] * 5
    make_post(thread=threads[0])
    assert seen_by(member, threads[0]) == (1, 2, True)


def test_what_is_on_its_way_while_one_says_caught_up_is_not_lost():
    """Its moment is earlier than the pressing, its commit later."""
    member, thread = make_member(), make_thread(replies=2)
    before = timezone.now()
    services.mark_all_read(member=member)
    assert seen_by(member, thread) == (0, None, False)
    add_posts(thread, make_member(), 1, at=before)
    assert seen_by(member, thread) == (1, 4, True)


def test_caught_up_with_a_space_says_nothing_of_others():
    member, here, there = make_member(), make_thread(), make_thread()
    services.mark_all_read(member=member, space=here.space)
    assert [seen_by(member, thread)[2] for thread in (here, there)] == [False, True]
    services.mark_all_read(member=member, threads=Thread.objects.filter(pk=there.pk))
    assert seen_by(member, there)[2] is False


def test_newcomer_owes_a_look_at_the_week_before_and_no_more():
    member, author = make_member(), make_member()
    old, young = make_thread(author=author), make_thread(author=author)
    long_ago = member.joined_at - timedelta(days=8)
    Post.objects.filter(thread=old).update(published_at=long_ago)
    Thread.objects.filter(pk=old.pk).update(last_post_at=long_ago, created_at=long_ago)
    assert seen_by(member, old) == (0, None, False)
    assert seen_by(member, young) == (1, 1, True)
    make_post(thread=old, author=author)
    assert seen_by(member, old) == (1, 2, True)  # a reply of today in it is owed


def test_of_an_older_thread_a_newcomer_owes_a_look_at_what_stands_of_the_last_week():
    thread, long_ago = make_thread(replies=4), timezone.now() - timedelta(days=30)
    Thread.objects.filter(pk=thread.pk).update(created_at=long_ago)
    thread.posts.filter(number__lte=2).update(published_at=long_ago)
    moderator = make_member(is_moderator=True)
    services.hide_post(post=thread.posts.get(number=4), actor=moderator, reason="Not here.")
    found = Thread.objects.with_reading(make_member()).get(pk=thread.pk)
    assert (found.unread_count, found.first_unread) == (2, 3)


def test_nothing_becomes_read_by_age():
    member, thread = make_member(), make_thread()
    years = timedelta(days=2000)
    type(member).objects.filter(pk=member.pk).update(joined_at=member.joined_at - years)
    member.refresh_from_db()
    then = timezone.now() - years + timedelta(days=1)
    Post.objects.update(published_at=then)
    Thread.objects.update(last_post_at=then)
    assert seen_by(member, thread) == (1, 1, True)


def test_late_release_is_unread_though_all_was_read():
    member, thread = make_member(), make_thread()
    held = services.add_reply(author=make_member(), thread=thread, source="Wait.", hold=True)
    make_post(thread=thread)
    services.mark_all_read(member=member)
    services.release_post(post=held, actor=make_member(is_moderator=True), reason="Fine.")
    assert seen_by(member, thread) == (1, 3, True)


def test_unread_again_shows_in_the_list_however_old():
    member, thread = make_member(), make_thread(replies=3)
    old = timezone.now() - timedelta(days=3)
    Post.objects.update(published_at=old)
    Thread.objects.update(last_post_at=old)
    services.mark_all_read(member=member)
    services.mark_unread_from(member=member, post=thread.posts.get(number=3))
    assert seen_by(member, thread) == (2, 3, True)
    assert list(Thread.objects.unread_by(member)) == [thread]
    services.mark_all_read(member=member)
    assert seen_by(member, thread) == (0, None, False)


def test_only_what_one_may_read_is_marked_unread():
    thread = make_thread(space=make_space(readable_by="members"))
    with pytest.raises(PermissionDenied):
        services.mark_unread_from(member=make_member(status="pending"), post=thread.posts.get())
    assert not ReadState.objects.filter(reopened=True).exists()


def test_moved_posts_are_read_by_those_who_had_read_them():
    """One read it there, one was caught up, one has read nothing of either."""
    author = make_member()
    source, target = make_thread(author=author), make_thread(author=author)
    readers = {name: make_member() for name in ("read it", "knows the target", "knows the source", "neither")}
    add_posts(source, author, 2)
    for name in ("read it", "knows the source"):
        numbers = [1, 2, 3] if name == "read it" else [1]
        ReadState.objects.mark(member=readers[name], thread_id=source.pk, numbers=numbers)
    for name in ("read it", "knows the target"):
        ReadState.objects.mark(member=readers[name], thread_id=target.pk, numbers=[1])
    Post.objects.filter(thread=source, number=3).update(thread=target, number=2, path=[2])
    Thread.objects.filter(pk=target.pk).update(last_number=2)
    ReadState.objects.carry(source_id=source.pk, target_id=target.pk, numbers={3: 2})
    assert {name: seen_by(reader, target)[:2] for name, reader in readers.items()} == {
        "read it": (0, None),
        "knows the target": (1, 2),
        "knows the source": (2, 1),
        "neither": (2, 1),
    }


def test_two_first_pages_opened_at_once_lose_nothing():
    member, thread = make_member(), make_thread(replies=4)
    for numbers in ([1, 2], [4]):
        ReadState.objects.mark(member=member, thread_id=thread.pk, numbers=numbers)
    assert ReadState.objects.get(member=member).numbers == [(1, 3), (4, 5)]


# --- the copy of the tags -------------------------------------------------------------------------------------------
def copy_is_right(thread):
    thread.refresh_from_db()
    return thread.tag_ids == [
        item.tag_id for item in thread.tags.through.objects.filter(object_id=thread.pk).order_by("pk")
    ]


def test_ids_of_tags_follow_whoever_changes_them():
    thread, other = make_thread(tags=["boards", "stories"]), make_thread(tags=["boards"])
    boards = Tag.objects.get(name="boards")
    assert copy_is_right(thread)
    assert other.tags.get() == boards
    services.edit_post(
        editor=thread.author, post=thread.posts.get(), source="New.", title="New title", tags=["hospitals"]
    )
    assert copy_is_right(thread)
    other.tags.add("hospitals")
    boards.delete()
    assert copy_is_right(other)
    assert other.tag_ids == thread.tag_ids == [Tag.objects.get(name="hospitals").pk]
