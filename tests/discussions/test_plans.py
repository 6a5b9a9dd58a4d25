"""How Postgres answers the pages of discussions where there is much to read: by index, and touching little.

The numbers of posts are small enough for a test and large enough that reading them all would show.
"""

import json
import re

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from discussions.models import Post, ReadState, Thread, ThreadWatch
from kmnet.demo.load import load
from tests.factories import make_member

POSTS, LONG, MOST = 12_000, 4_000, 1_900
READS_POSTS = {"discussions_post"}


@pytest.fixture(scope="module")
def crowd(django_db_setup, django_db_blocker):
    """Twelve thousand posts, once for this module; they go again at its end."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("kmnet.demo.load.all.settle", lambda: None)
        connection.ensure_connection()
        with transaction.atomic():
            made = load(members=50, posts=POSTS, long_thread=LONG)
            with connection.cursor() as cursor:
                cursor.execute(
                    "ANALYZE discussions_post, discussions_thread, discussions_readstate, taggit_taggeditem"
                )
            yield made
            transaction.set_rollback(True)


@pytest.fixture
def reader(crowd, db):
    """Has read some, follows some, wrote some."""
    member = make_member()
    threads = list(Thread.objects.order_by("pk")[5:60])
    for thread in threads[:30]:
        ReadState.objects.mark(member=member, thread_id=thread.pk, numbers=range(1, thread.last_number + 1))
    for thread in threads[30:]:
        ThreadWatch.objects.create(member=member, thread=thread, level="watching")
    Thread.objects.filter(pk__in=[thread.pk for thread in threads[:3]]).update(author=member)
    return member


def nodes(plan: dict):
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def plans_of(queries):
    """The plans, with what was really read, of all that a page asked about posts."""
    for query in queries:
        sql = query["sql"]
        if "discussions_post" not in sql or not sql.lstrip().upper().startswith(("SELECT", "WITH")):
            continue
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.replace("%", "%%"))
            [answer] = cursor.fetchone()
        yield sql, (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]


def assert_little_is_read(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        response = client.get(address)
    assert response.status_code == 200
    assert len(asked) <= 12, [query["sql"][:120] for query in asked]
    for sql, plan in plans_of(asked.captured_queries):
        for node in nodes(plan):
            if node.get("Relation Name") not in READS_POSTS:
                continue
            assert node["Node Type"] != "Seq Scan", sql
            read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            assert read <= MOST, (read, node["Node Type"], sql)
    return response


@pytest.mark.parametrize("show", ["", "unread", "unanswered", "open", "watching", "mine"])
def test_lists(client, reader, show):
    client.force_login(reader)
    assert_little_is_read(client, reverse("discussions:index") + (f"?show={show}" if show else ""))


def test_the_list_of_a_space_and_of_a_tag(client, reader, crowd):
    client.force_login(reader)
    long = Thread.objects.get(pk=crowd.long_thread)
    assert_little_is_read(client, long.space.get_absolute_url())
    assert_little_is_read(client, f"{reverse('discussions:index')}?tag={long.tags.first().name}")


@pytest.mark.parametrize("show", ["", "unanswered", "open"])
def test_the_list_for_guests(client, crowd, db, show):
    assert_little_is_read(client, reverse("discussions:index") + (f"?show={show}" if show else ""))


def rare_word() -> str:
    """One that few posts have: the load puts it before bold words."""
    return re.search(r"(\w+) \*\*", Post.objects.filter(source__contains=" **").first().source)[1]


@pytest.mark.parametrize("signed_in", [True, False])
def test_search(client, reader, crowd, signed_in):
    if signed_in:
        client.force_login(reader)
    for words, found in (
        ("people", True),  # more posts than may be read have it
        (rare_word(), True),
        (f"people {rare_word()}", True),
        ("people work broker", True),
        ("quokka", False),
    ):
        response = assert_little_is_read(client, f"{reverse('hub:search')}?q={words}")
        keys = [block["key"] for block in response.context["blocks"]]
        assert ("discussions" in keys) is found, words


@pytest.mark.parametrize("place", ["", "?post=1500", f"?post={LONG}", "?after=700", "?before=2900"])
@pytest.mark.parametrize("order", ["", "order=time"])
def test_any_page_of_a_long_thread(client, reader, crowd, place, order):
    client.force_login(reader)
    address = Thread.objects.select_related("space").get(pk=crowd.long_thread).get_absolute_url()
    query = "&".join(part for part in (place.lstrip("?"), order) if part)
    assert_little_is_read(client, f"{address}?{query}" if query else address)


def test_home(client, reader):
    client.force_login(reader)
    assert_little_is_read(client, reverse("hub:home"))
