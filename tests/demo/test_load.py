"""Invented data in any number: consistent with what the services keep up, and nothing is taken for real."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from discussions.models import Post, Reaction, ReadState, Space, Thread
from discussions.services.threads import recount
from kmnet.demo.load import load
from members.models import DirectoryEntry, Member

KEPT = (
    "last_number",
    "gone_numbers",
    "reply_count",
    "last_post_id",
    "last_post_at",
    "people",
    "first_reply_at",
)


@pytest.fixture
def settled(monkeypatch):
    """VACUUM does not run in a test's transaction."""
    monkeypatch.setattr("kmnet.demo.load.all.settle", lambda: None)


def indexes():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")
        return cursor.fetchall()


def test_what_is_kept_of_each_thread_is_what_the_services_would_count(db, settled):
    before = indexes()
    made = load(members=40, posts=900, long_thread=300)
    assert (made.members, made.posts) == (40, 900)
    assert Member.objects.count() == 40
    assert DirectoryEntry.objects.count() == 40
    assert Post.objects.count() == 900
    assert made.threads == Thread.objects.count()
    assert Post.objects.filter(thread=made.long_thread).count() == 300
    assert Post.objects.filter(thread=made.twenty).count() == 20
    for thread in Thread.objects.all():
        kept = {name: getattr(thread, name) for name in KEPT}
        recount(thread)
        thread.refresh_from_db()
        assert {name: getattr(thread, name) for name in KEPT} == kept
        assert thread.accepted_post is None or thread.accepted_post.thread_id == thread.pk
    for post in Post.objects.select_related("parent"):
        above = post.parent.path if post.parent else []
        assert post.path == [*above[: Post.MAX_DEPTH - 1], post.number]
    assert ReadState.objects.exists()
    assert Reaction.objects.exists()
    shown = sum(Space.objects.values_list("thread_count", flat=True))
    assert shown == Thread.objects.count()
    assert indexes() == before


def test_the_next_real_row_gets_a_fresh_id(db, settled):
    load(members=3, posts=5, long_thread=3)
    thread = Thread.objects.order_by("-pk").first()
    copied = Thread.objects.get(pk=thread.pk)
    copied.pk, copied.last_post = None, None
    copied.save(force_insert=True)
    assert copied.pk == thread.pk + 1


def test_the_same_numbers_give_the_same_words(db, settled):
    load(members=5, posts=30, long_thread=10)
    first = list(Thread.objects.order_by("pk").values_list("title", "last_number"))
    load(members=5, posts=30, long_thread=10)
    assert list(Thread.objects.order_by("pk").values_list("title", "last_number")) == first * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"posts": 0}, "At least one"),
        ({"posts": 5, "long": 6}, "cannot have more posts"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(db, settings, options, message):
    settings.KMNET_DEMO = True
    with pytest.raises(CommandError, match=message):
        call_command("load_demo", **options)
    assert Member.objects.count() == 0


def test_production_refuses(db, settings):
    settings.KMNET_DEMO = False
    with pytest.raises(CommandError, match="KMNET_DEMO=1"):
        call_command("load_demo", members=1, posts=1, long=1)
    assert Member.objects.count() == 0
