"""Two orders of a thread, ways through a long one, “still open”, “unread from here”."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from hypothesis import given, settings
from hypothesis import strategies as st

from discussions import pages, services
from discussions.models import Post, ReadState, Thread
from tests.factories import make_member
from tests.factories.discussions import make_post, make_thread

pytestmark = pytest.mark.django_db


def numbers_on(response):
    return [int(number) for number in re.findall(r'id="post-(\d+)"', response.content.decode())]


def walk(thread, way):
    """All pages forwards, as numbers."""
    page = pages.first_page(thread, way)
    found = [[post.number for post in page.posts]]
    while page.next_after:
        page = pages.page_after(thread, page.next_after, way)
        found.append([post.number for post in page.posts])
    return found


def make_tree(choices):
    """A thread whose reply n answers one of the posts before it; written straight into the table."""
    thread, author = make_thread(), make_member()
    posts = {1: thread.posts.get()}
    for number, choice in enumerate(choices, start=2):
        parent = posts[choice % (number - 1) + 1]
        above = None if parent.is_first else parent
        posts[number] = Post(
            thread=thread,
            author=author,
            number=number,
            parent=above,
            path=services.threads.path_below(above, number),
            published_at=thread.created_at + timedelta(minutes=number),
            source="x",
            html="<p>x</p>",
            state="visible",
        )
        posts[number].save()
    Thread.objects.filter(pk=thread.pk).update(last_number=len(posts), reply_count=len(choices))
    thread.refresh_from_db()
    return thread, posts


@given(st.lists(st.integers(0, 500), max_size=70), st.booleans())
@settings(max_examples=10, deadline=None)
def test_pages_equal_a_simple_model_both_ways_and_from_any_post(choices, in_time):
    thread, posts = make_tree(choices)
    children = {number: [] for number in posts}
    for number, post in posts.items():
        if number > 1:
            children[post.parent.number if post.parent else 1].append(number)

    def tree(number):
        yield number
        for child in children[number]:
            yield from tree(child)

    way = pages.Time if in_time else pages.Branches
    model = sorted(posts) if in_time else list(tree(1))
    assert [number for page in walk(thread, way) for number in page] == model
    assert [post.number for post in pages.last_page(thread, way).posts][-1] == model[-1]
    for number in (model[0], model[len(model) // 2], model[-1]):
        with_it = [post.number for post in pages.page_with(thread, number, way).posts]
        place = model.index(with_it[0])
        assert number in with_it
        assert with_it == model[place : place + pages.SIZE]
        before = pages.page_before(thread, number, way)
        end = model.index(number)
        expected = model[end - pages.SIZE : end] if end > pages.SIZE else model[: pages.SIZE]
        assert [post.number for post in before.posts] == expected


def test_deeper_than_the_limit_stays_in_order():
    thread, _posts = make_tree(range(8))  # each answers the one before it
    limit, Post.MAX_DEPTH = Post.MAX_DEPTH, 4
    try:
        deep, posts = make_tree([n - 1 for n in range(1, 12)])
    finally:
        Post.MAX_DEPTH = limit
    assert max(len(post.path) for post in posts.values()) == 4
    assert walk(deep, pages.Branches) == [sorted(posts)]
    assert thread.pk != deep.pk


def test_time_order_is_flat_and_says_whom_each_answers(client):
    thread = make_thread()
    first = make_post(thread=thread)
    make_post(thread=thread)
    make_post(thread=thread, parent=first)
    assert numbers_on(client.get(thread.get_absolute_url())) == [1, 2, 4, 3]
    response = client.get(thread.get_absolute_url(), {"order": "time"})
    assert numbers_on(response) == [1, 2, 3, 4]
    html = response.content.decode()
    assert html.count("in reply to") == 1
    assert 'class="replies"' not in html
    assert 'aria-current="true">As they were written<' in html


def test_a_post_moved_here_stands_where_it_was_written(client):
    thread = make_thread(replies=2)
    Post.objects.filter(thread=thread, number=3).update(published_at=thread.created_at - timedelta(days=1))
    for query in ({"order": "time"}, {"order": "time", "post": 3}):
        response = client.get(thread.get_absolute_url(), query)
        assert numbers_on(response) == [3, 1, 2]
        assert response.context["page"].previous_before is None


def test_ways_through_a_long_thread(client, django_assert_max_num_queries):
    thread = make_thread(replies=65)
    url = thread.get_absolute_url()
    for order in ("", "time"):
        query = {"order": order} if order else {}
        assert numbers_on(client.get(url, {**query, "page": "last"}))[-1] == 66
        assert 40 in numbers_on(client.get(url, {**query, "post": 40}))
        with django_assert_max_num_queries(12) as captured:
            first = client.get(url, query)
        second = client.get(f"{url}?{first.context['way_query']}after={first.context['page'].next_after}")
        assert numbers_on(second) == list(range(21, 41))
        assert not any("OFFSET" in line["sql"] for line in captured.captured_queries)
    assert 'name="post" type="number"' in second.content.decode()


def test_still_open_puts_it_among_those_that_wait(client):
    thread = make_thread(replies=1)
    client.force_login(thread.author)
    address = f"/discussions/threads/{thread.pk}/still-open/"
    assert (
        "Still open: the replies do not answer it" in client.get(thread.get_absolute_url()).content.decode()
    )
    client.post(address)
    thread.refresh_from_db()
    assert thread.waits_for_an_answer
    assert list(Thread.objects.unanswered()) == [thread]
    assert ">Still open<" in client.get("/discussions/").content.decode()
    client.post(address, {"no": "1"})
    assert list(Thread.objects.unanswered()) == []
    client.post(address)
    services.accept_answer(actor=thread.author, post=thread.posts.get(number=2))
    thread.refresh_from_db()
    assert (thread.still_open_at, thread.waits_for_an_answer) == (None, False)


def test_only_asker_and_hosts_say_still_open_and_only_where_there_are_replies():
    thread = make_thread(replies=1)
    with pytest.raises(PermissionDenied):
        services.say_still_open(actor=make_member(), thread=thread)
    assert services.say_still_open(actor=make_member(is_host=True), thread=thread).still_open_at
    with pytest.raises(PermissionDenied):
        services.say_still_open(actor=make_member(is_host=True), thread=make_thread())
    with pytest.raises(PermissionDenied):
        services.say_still_open(
            actor=make_member(is_host=True), thread=make_thread(kind="discussion", replies=1)
        )


def test_unread_from_here(client):
    member, thread = make_member(), make_thread(replies=4)
    client.force_login(member)
    html = client.get(thread.get_absolute_url()).content.decode()
    post = thread.posts.get(number=3)
    assert f'action="/discussions/posts/{post.pk}/unread/"' in html
    client.get(f"/discussions/posts/{post.pk}/unread/")
    assert ReadState.objects.get(member=member).numbers == [(1, 6)]
    response = client.post(f"/discussions/posts/{post.pk}/unread/")
    assert response["Location"] == "/discussions/"
    assert ReadState.objects.get(member=member).numbers == [(1, 3)]
    listed = client.get("/discussions/", {"show": "unread"}).content.decode()
    assert "?post=3#post-3" in listed
