import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from discussions import pages, services
from discussions.models import Post, ReadState, Thread
from discussions.models.numbers import as_multirange, ranges_of
from members.signals import member_erased
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db


def make_tree(thread, parents):
    """Replies, each to the post whose number is given (1: to the thread)."""
    author = make_member()
    posts = {1: thread.posts.get()}
    for parent in parents:
        post = make_post(thread=thread, author=author, parent=posts[parent])
        posts[post.number] = post
    thread.refresh_from_db()
    return posts


def numbers_on(response):
    return [int(number) for number in re.findall(r'id="post-(\d+)"', response.content.decode())]


@pytest.mark.parametrize("replies", [1, 19])
def test_thread_page_costs_the_same_at_any_length(client, django_assert_num_queries, replies):
    thread = make_thread(replies=replies, tags=["boards"])
    client.force_login(make_member())
    client.get(thread.get_absolute_url())  # warms what is cached; and everything is read
    with django_assert_num_queries(9):
        response = client.get(thread.get_absolute_url())
    assert numbers_on(response) == list(range(1, replies + 2))


def test_posts_stand_in_branches_with_their_replies_inside(client):
    thread = make_thread()
    make_tree(thread, [1, 1, 2, 4, 5, 6, 3])  # 2; 3; 4 to 2; 5 to 4; 6 to 5; 7 to 6; 8 to 3
    response = client.get(thread.get_absolute_url())

    assert numbers_on(response) == [1, 2, 4, 5, 6, 7, 3, 8]
    levels = [item.level for item in response.context["items"]]
    assert levels == [0, 1, 2, 3, 3, 0, 1]
    html = response.content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    assert main.count("<article") == main.count("</article>") == 8
    assert main.count("<div") == main.count("</div>")
    assert main.count("in reply to") == 3  # 5, 6 and 7; 4 and 8 stand right inside what they answer


@given(st.lists(st.integers(0, 200), max_size=25))
@settings(max_examples=15, deadline=None)
def test_branch_order_equals_a_recursive_model(choices):
    """Paths alone, without the database: the services number, Postgres orders arrays as Python orders lists."""
    paths, children = {1: [1]}, {1: []}
    for number, choice in enumerate(choices, start=2):
        parent = choice % (number - 1) + 1
        above = Post(number=parent, path=paths[parent]) if parent != 1 else None
        paths[number] = services.threads.path_below(above, number)
        children[number] = []
        children[parent].append(number)

    def walk(number):
        yield number
        for child in children[number]:
            yield from walk(child)

    assert sorted(paths, key=paths.get) == list(walk(1))


def test_pages_follow_one_another_without_gap_or_double(client):
    thread = make_thread(replies=45)
    url = thread.get_absolute_url()
    first = client.get(url)
    second = client.get(f"{url}?after={first.context['page'].next_after}")
    third = client.get(f"{url}?after={second.context['page'].next_after}")
    assert numbers_on(first) + numbers_on(second) + numbers_on(third) == list(range(1, 47))
    assert third.context["page"].next_after is None

    back = client.get(f"{url}?before={third.context['page'].previous_before}")
    assert numbers_on(back) == numbers_on(second)
    assert numbers_on(client.get(f"{url}?before={back.context['page'].previous_before}")) == numbers_on(first)


@pytest.mark.parametrize("number", [1, 2, 20, 21, 22, 33, 45, 46])
def test_permalink_leads_to_the_page_with_the_post(client, django_assert_max_num_queries, number):
    thread = make_thread(replies=45)
    with django_assert_max_num_queries(9) as captured:
        response = client.get(thread.get_absolute_url(), {"post": number})
    assert number in numbers_on(response)
    assert not any("OFFSET" in query["sql"] for query in captured.captured_queries)


def test_permalink_survives_replies_written_above_it(client):
    thread = make_thread(replies=30)
    posts = {post.number: post for post in thread.posts.all()}
    for _count in range(25):
        make_post(thread=thread, parent=posts[2], author=thread.author)
    response = client.get(thread.get_absolute_url(), {"post": 31})
    assert 31 in numbers_on(response)


@pytest.mark.parametrize("number", ["0", "7", "x", "1" * 30, "-1", "١"])
def test_number_that_was_never_given_is_not_found(client, number):
    thread = make_thread()
    client.force_login(make_member())
    assert client.get(thread.get_absolute_url(), {"post": number}).status_code == 404


def test_old_titles_and_spaces_lead_on(client):
    thread = make_thread(replies=1)
    good = thread.get_absolute_url()
    elsewhere = make_space()
    for wrong in (
        reverse("discussions:thread", args=[thread.space.slug, thread.pk, "an-old-title"]),
        reverse("discussions:thread", args=[elsewhere.slug, thread.pk, thread.slug]),
        reverse("discussions:thread_by_id", args=[thread.space.slug, thread.pk]),
    ):
        response = client.get(wrong, {"post": 2})
        assert (response.status_code, response["Location"]) == (301, f"{good}?post=2")


def test_chosen_answer_stands_first_and_in_its_place(client):
    thread = make_thread(replies=3)
    answer = thread.posts.get(number=3)
    services.accept_answer(actor=thread.author, post=answer)
    html = client.get(thread.get_absolute_url()).content.decode()
    assert html.count(str(answer.html)) == 2
    assert html.index("post--accepted") < html.index('id="post-2"') < html.index('id="post-3"')
    assert html.count('id="post-3"') == 1


def test_reading_keeps_holes():
    member, thread = make_member(), make_thread(replies=9)
    posts = list(thread.posts.order_by("number"))
    services.mark_posts_read(member=member, thread=thread, posts=posts[:3] + posts[6:8])
    state = ReadState.objects.get(member=member)
    assert state.numbers == [(1, 4), (7, 9)]

    services.mark_posts_read(member=member, thread=thread, posts=[posts[4]])
    found = Thread.objects.with_card(member).get(pk=thread.pk)
    assert (found.unread_count, found.first_unread, found.opened) == (4, 4, True)


@given(st.sets(st.integers(1, 60)))
def test_ranges_hold_exactly_their_numbers(numbers):
    ranges = ranges_of(numbers)
    assert {n for low, high in ranges for n in range(low, high)} == numbers
    assert all(a[1] < b[0] for a, b in zip(ranges, ranges[1:], strict=False))  # merged


@given(read=st.sets(st.integers(1, 12)), hidden=st.sets(st.integers(2, 12)))
@settings(max_examples=15, deadline=None)
def test_unread_counts_equal_a_count_by_hand(read, hidden):
    member = make_member()
    thread = make_thread()
    author = make_member()
    Post.objects.bulk_create(
        Post(
            thread=thread,
            author=author,
            number=number,
            path=[number],
            published_at=thread.created_at,
            source="x",
            state="hidden" if number in hidden else "visible",
        )
        for number in range(2, 13)
    )
    Thread.objects.filter(pk=thread.pk).update(last_number=12)
    with_lock = services.threads.lock_thread
    services.threads.recount(with_lock(thread.pk))
    ReadState.objects.mark(member=member, thread_id=thread.pk, numbers=read)

    by_hand = [
        post.number for post in thread.posts.order_by("number") if post.is_shown and post.number not in read
    ]
    found = Thread.objects.with_card(member).get(pk=thread.pk)

    assert (found.unread_count, found.first_unread) == (len(by_hand), by_hand[0] if by_hand else None)
    assert Thread.objects.unread_by(member).filter(pk=thread.pk).exists() is bool(by_hand)


def test_opening_a_page_marks_what_it_showed_and_nothing_else(client):
    member, thread = make_member(), make_thread(replies=30)
    client.force_login(member)
    client.get(thread.get_absolute_url())
    assert ReadState.objects.get(member=member).numbers == [(1, 21)]
    client.get(thread.get_absolute_url(), {"post": 31})
    assert ReadState.objects.get(member=member).numbers == [(1, 21), (28, 32)]  # 21 to 27 were not shown


def test_page_fetched_ahead_marks_nothing(client):
    member, thread = make_member(), make_thread(replies=3)
    client.force_login(member)
    client.get(thread.get_absolute_url(), headers={"Sec-Purpose": "prefetch"})
    assert not ReadState.objects.filter(member=member).exists()


def test_news_are_marked_for_who_was_here_before(client):
    member, thread = make_member(), make_thread(replies=1)
    client.force_login(member)
    first = client.get(thread.get_absolute_url())
    assert "badge--new" not in first.content.decode()  # everything is new: nothing is pointed at

    make_post(thread=thread)
    listed = client.get(reverse("discussions:index"), {"show": "unread"}).content.decode()
    assert "?post=3#post-3" in listed
    second = client.get(thread.get_absolute_url()).content.decode()
    assert second.count("badge--new") == 1
    assert second.count('id="new"') == 1
    assert "badge--new" not in client.get(thread.get_absolute_url()).content.decode()


def test_own_posts_are_read(client):
    thread = make_thread()
    make_post(thread=thread, author=thread.author)
    assert Thread.objects.with_card(thread.author).get().unread_count == 0


def test_mark_all_read_leaves_what_comes_later():
    member, thread = make_member(), make_thread(replies=2)
    services.mark_all_read(member=member)
    assert list(Thread.objects.unread_by(member)) == []
    make_post(thread=thread)
    assert [t.unread_count for t in Thread.objects.unread_by(member).with_card(member)] == [1]


def test_numbers_are_written_as_postgres_reads_them():
    assert as_multirange([(1, 4), (7, 9)]) == "{[1,4),[7,9)}"


def test_page_that_begins_inside_a_branch_says_whom_it_answers():
    author = make_member()
    parent = Post(pk=1, number=5, path=[5], author=author)
    child = Post(pk=2, number=6, path=[5, 6], parent=parent, author=author)
    sibling = Post(pk=3, number=7, path=[5, 7], parent=parent, author=author)
    items = pages.nest([child, sibling])
    assert [(item.level, item.says_to_whom) for item in items] == [(0, True), (0, True)]


def test_what_an_erased_member_read_and_followed_is_forgotten():
    member, other, thread = make_member(), make_member(), make_thread(replies=1)
    for reader in (member, other):
        services.mark_posts_read(member=reader, thread=thread, posts=thread.posts.all())
        services.set_watch(member=reader, thread=thread, level="watching")
    own = make_post(thread=thread, author=member)
    member_erased.send(sender=None, member=member)
    assert (member.read_states.count(), member.thread_watches.count()) == (0, 0)
    assert (other.read_states.count(), other.thread_watches.count()) == (1, 1)
    assert Post.objects.filter(pk=own.pk).exists()


def test_news_of_a_thread_where_one_never_was_begin_after_what_was_caught_up_with(client):
    thread, member = make_thread(replies=30), make_member()
    earlier = timezone.now() - timedelta(days=1)
    Post.objects.update(published_at=earlier)
    Thread.objects.update(created_at=earlier, last_post_at=earlier)
    services.mark_all_read(member=member)
    for _reply in range(2):
        make_post(thread=thread)
    client.force_login(member)
    there = f"{thread.get_absolute_url()}?post=32#post-32"
    row = client.get(reverse("discussions:index")).content.decode()
    assert f'<a href="{there}"><strong>2 new</strong></a>' in row
    page = client.get(thread.get_absolute_url()).content.decode()
    assert f'href="{there}">2 not read yet</a>' in page
    assert 'id="new"' not in page


def test_jump_to_what_was_never_seen_shows_where_it_begins(client):
    thread, member = make_thread(replies=30), make_member()
    Post.objects.update(published_at=timezone.now() - timedelta(days=1))
    Thread.objects.update(created_at=timezone.now() - timedelta(days=1))
    services.mark_all_read(member=member)
    make_post(thread=thread)
    client.force_login(member)
    page = client.get(f"{thread.get_absolute_url()}?post=32").content.decode()
    assert page.index('id="post-31"') < page.index('id="new"') < page.index('id="post-32"')
    assert page.count('id="new"') == 1
    assert "not read yet" not in client.get(thread.get_absolute_url()).content.decode()


def test_of_a_thread_that_is_all_new_the_first_unread_post_is_the_first(client):
    thread, member = make_thread(replies=2), make_member()
    found = Thread.objects.with_card(member).get(pk=thread.pk)
    assert (found.unread_count, found.first_unread, found.news_from) == (3, 1, None)
    client.force_login(member)
    row = client.get(reverse("discussions:index")).content.decode()
    assert f'href="{thread.get_absolute_url()}"' in row  # its title leads there
    assert "new</strong>" not in row
    page = client.get(thread.get_absolute_url())
    assert numbers_on(page) == [1, 2, 3]
    assert 'id="new"' not in page.content.decode()
