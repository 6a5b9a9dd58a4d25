"""Threads close to a thread, and the gentle question before an old one is revived."""

from collections import OrderedDict
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from discussions import related, services
from discussions.models import DiscussionSettings, Post, Thread
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.groups import make_group

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    """Numbers of threads come again in other tests."""
    monkeypatch.setattr(related, "_kept", OrderedDict())
    return related._kept


def close_to(thread, viewer):
    return related.related_to(Thread.objects.select_related("space").get(pk=thread.pk), viewer)


def test_threads_with_the_same_words_or_tags_are_close():
    thread = make_thread(title="How do you report relationships to a hospital board?", tags=["boards"])
    words = make_thread(title="Reporting to the board of a hospital")
    tags = make_thread(title="A wholly different line", tags=["boards"])
    make_thread(title="Journal clubs for nurses")
    make_thread(title="A board game evening")  # one word is not enough
    assert set(close_to(thread, make_member())) == {words, tags}


def test_guests_find_what_is_close_too(client):
    space = make_space(readable_by="public")
    thread = make_thread(space=space, title="How do you report relationships to a hospital board?")
    other = make_thread(space=space, title="Reporting to the board of a hospital")
    make_thread(space=make_space(readable_by="members"), title="A hospital board that reports relationships")
    page = client.get(thread.get_absolute_url())
    assert page.status_code == 200
    assert page.context["close"] == [other]


def test_nothing_hidden_held_merged_or_private_is_close():
    title = "Payroll systems for patient partners"
    moderator, convenor = make_member(is_moderator=True), make_member()
    thread = make_thread(title=title)
    hidden, merged, taken = (make_thread(title=title) for _number in range(3))
    make_thread(title=title, hold=True)
    services.hide_post(post=hidden.posts.get(), actor=moderator, reason="Names.")
    services.merge_thread(actor=moderator, thread=merged, into=make_thread(), reason="Same.")
    services.delete_post(actor=taken.author, post=taken.posts.get())
    group = make_group(convenor=convenor)
    private = make_thread(title=title, author=convenor, space=make_space(readable_by="group", group=group))
    among = make_thread(title=title, space=make_space(readable_by="members"))
    for viewer in (make_member(), moderator, convenor):
        assert close_to(thread, viewer) == [among]
    assert close_to(thread, make_member(status="pending")) == []
    assert set(close_to(private, convenor)) == {thread, among}
    other = make_thread(title=title, author=convenor, space=private.space)
    related._kept.clear()
    assert set(close_to(private, convenor)) == {thread, among, other}


def test_what_was_kept_is_asked_anew_for_each_reader(kept):
    title = "Payroll systems for patient partners"
    thread, other = make_thread(title=title), make_thread(title=title)
    member = make_member()
    assert close_to(thread, member) == [other]
    services.hide_post(post=other.posts.get(), actor=make_member(is_moderator=True), reason="Names.")
    assert close_to(thread, member) == []
    assert [ids for _until, ids in kept.values()] == [[other.pk]]


def test_costs_two_queries_and_one_where_it_was_kept(kept, django_assert_num_queries):
    thread, member = make_thread(title="Payroll systems for partners"), make_member()
    for _number in range(20):
        make_thread(title="Payroll systems for partners")
    thread = Thread.objects.select_related("space").get(pk=thread.pk)
    assert member.unwanted == frozenset()  # read once for a request, wherever
    with django_assert_num_queries(2):
        assert len(related.related_to(thread, member)) == related.SHOWN
    with django_assert_num_queries(1):
        for row in related.related_to(thread, member):
            assert row.get_absolute_url()
            assert not row.waits_for_an_answer or row.reply_count == 0


def test_words_and_tags_are_looked_up_in_indexes():
    author, space = make_member(), make_space()
    thread = make_thread(author=author, space=space, title="Payroll systems for partners", tags=["boards"])
    now = timezone.now()
    threads = Thread.objects.bulk_create(
        [
            Thread(space=space, title=f"Some other title {n}", slug="x", author=author, last_number=1)
            for n in range(4000)
        ]
    )
    Post.objects.bulk_create(
        [
            Post(
                thread=row,
                number=1,
                path=[1],
                author=author,
                source="Words of everybody, as they write them. " * 15,
                heading=row.title,
                published_at=now,
            )
            for row in threads
        ]
    )
    sql, values = related.question(Thread.objects.select_related("space").get(pk=thread.pk), members=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('first_posts_search'::regclass)")
        cursor.execute("ANALYZE discussions_post, discussions_thread")
        cursor.execute(f"EXPLAIN {sql}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "first_posts_search" in plan
    assert "Seq Scan on discussions_post" not in plan
    assert "Seq Scan on discussions_thread" not in plan


# --- reviving ----------------------------------------------------------------------------------------------------------
def age(thread, days):
    Thread.objects.filter(pk=thread.pk).update(last_post_at=timezone.now() - timedelta(days=days))


def test_whoever_replies_to_an_old_thread_is_asked_whether_a_new_one_fits(client):
    thread = make_thread()
    said = "The latest post here is from"
    client.force_login(make_member())
    age(thread, 300)
    assert said not in client.get(thread.get_absolute_url()).content.decode()
    age(thread, 400)
    html = client.get(thread.get_absolute_url()).content.decode()
    assert said in html
    assert f"/discussions/{thread.space.slug}/ask/" in html[html.index(said) :]
    assert "<textarea" in html  # replying stays possible
    make_post(thread=thread)
    assert said not in client.get(thread.get_absolute_url()).content.decode()


def test_after_how_many_months_is_a_setting(client):
    thread = make_thread()
    age(thread, 400)
    settings = DiscussionSettings.load()
    settings.revive_months = 0
    settings.save()
    try:
        client.force_login(make_member())
        assert "The latest post here is from" not in client.get(thread.get_absolute_url()).content.decode()
    finally:
        DiscussionSettings().save()
