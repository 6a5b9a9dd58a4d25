"""The pages on which threads are put in order."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from discussions import services
from discussions.models import Post, Thread
from kmnet.core.models import AuditEntry
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.groups import make_group

pytestmark = pytest.mark.django_db
ACTS = ("split", "merge", "move", "pin", "slow", "close")


@pytest.fixture
def moderator(client):
    found = make_member(is_moderator=True)
    client.force_login(found)
    return found


def address(act, thread):
    return reverse(f"discussions:{act}", args=[thread.pk])


def test_split_page_offers_the_posts_and_leads_to_the_new_thread(client, moderator):
    thread = make_thread(replies=3)
    html = client.get(f"{address('split', thread)}?post=3").content.decode()
    assert 'value="3" checked' in html
    assert 'value="4"' in html
    assert 'value="1"' not in html
    fields = {
        "numbers": ["3", "4"],
        "title": "Something else here",
        "kind": "question",
        "reason": "Two subjects.",
    }
    response = client.post(f"{address('split', thread)}?post=3", fields)
    new = Thread.objects.latest("pk")
    assert (response.status_code, response["Location"]) == (302, new.get_absolute_url())
    assert (new.title, new.kind, new.last_number) == ("Something else here", "question", 2)
    html = client.get(thread.get_absolute_url()).content.decode()
    assert "Some of the posts that were here have moved" in html
    assert new.get_absolute_url() in html


def test_split_page_shows_the_words_of_posts_and_not_their_marks(client, moderator):
    thread = make_thread()
    make_post(thread=thread, source="> Who said it?\n\nWe count **what travelled**.")
    html = client.get(address("split", thread)).content.decode()
    assert "Who said it? We count what travelled." in " ".join(html.split())
    assert "**" not in html


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"numbers": ["2"], "title": ""}, "Give the new thread a title"),
        ({"numbers": [], "title": "Something else"}, "Which posts? This is needed"),
        ({"numbers": ["99"], "title": "Something else"}, "99"),
        ({"numbers": ["2"], "into": "no such thing"}, "No thread that you may change"),
        ({"numbers": ["2"], "into": "/discussions/x/999999-y/"}, "No thread that you may change"),
    ],
)
def test_split_page_says_what_is_missing_and_keeps_the_reason(client, moderator, fields, words):
    thread = make_thread(replies=1)
    response = client.post(
        address("split", thread), {"kind": "question", "reason": "My careful reason.", **fields}
    )
    html = response.content.decode()
    assert response.status_code == 422
    assert words in html
    assert "My careful reason." in html
    assert Thread.objects.count() == 1


def test_merge_and_move_by_page(client, moderator):
    thread, into, members = make_thread(), make_thread(), make_space(readable_by="members")
    response = client.post(
        address("merge", thread), {"into": f"https://kmnet.example{into.url_of(1)}", "reason": "Same."}
    )
    assert (response.status_code, response["Location"]) == (302, into.get_absolute_url())
    response = client.post(address("move", into), {"space": members.pk, "reason": "For us."})
    into = Thread.objects.get(pk=into.pk)
    assert (response["Location"], into.space) == (into.get_absolute_url(), members)
    response = client.post(address("move", into), {"space": make_space().pk, "reason": "For all."})
    assert response.status_code == 422  # a public space is not among the choices
    other = make_thread()
    response = client.post(address("merge", into), {"into": str(other.pk), "reason": "Same."})
    assert response.status_code == 422
    assert "others would read them" in response.content.decode()


def test_pinned_until_the_end_of_a_day(client, moderator):
    thread = make_thread()
    today = timezone.localdate()
    for wrong in (today - timedelta(days=1), today + timedelta(days=400)):
        assert client.post(address("pin", thread), {"until": wrong, "reason": "Read it."}).status_code == 422
    assert client.post(address("pin", thread), {"until": today, "reason": "Read it."}).status_code == 302
    thread.refresh_from_db()
    assert thread.is_pinned
    assert timezone.localtime(thread.pinned_until).date() == today + timedelta(days=1)
    assert list(Thread.objects.pinned()) == [thread]
    Thread.objects.update(pinned_until=timezone.now())
    assert list(Thread.objects.pinned()) == []
    client.post(address("pin", thread), {"until": "", "reason": "Read by all."})
    thread.refresh_from_db()
    assert (thread.pinned_at, thread.pinned_until) == (None, None)
    verbs = AuditEntry.objects.order_by("pk").values_list("verb", "reason")
    assert list(verbs) == [
        ("discussions.thread_pinned", "Read it."),
        ("discussions.thread_unpinned", "Read by all."),
    ]


def test_slow_mode_is_set_said_and_logged(client, moderator):
    thread = make_thread()
    assert client.post(address("slow", thread), {"seconds": "300", "reason": "Heated."}).status_code == 302
    assert client.post(address("slow", thread), {"seconds": "7", "reason": "Heated."}).status_code == 422
    writer = make_member()
    client.force_login(writer)
    assert "Slow mode" in client.get(thread.get_absolute_url()).content.decode()
    reply = f"{thread.get_absolute_url()}reply/"
    assert client.post(reply, {"body": "One."}).status_code == 302
    response = client.post(reply, {"body": "Two, with care."})
    assert response.status_code == 429
    assert "once in 5 minutes" in response.content.decode()
    assert "Two, with care." in response.content.decode()
    assert AuditEntry.objects.get().data == {"seconds": 300}


@pytest.mark.parametrize("act", ACTS)
def test_convenors_have_the_pages_in_their_group_and_others_do_not(client, act):
    convenor, inside = make_member(), make_member()
    group = make_group(inside, convenor=convenor)
    thread = make_thread(author=convenor, space=make_space(readable_by="group", group=group))
    make_post(thread=thread, author=inside)
    for user, status in (
        (convenor, 200),
        (inside, 404),
        (make_member(is_moderator=True), 404),
        (make_member(is_host=True), 404),
    ):
        client.force_login(user)
        assert client.get(address(act, thread)).status_code == status
    client.force_login(convenor)
    assert client.get(address(act, make_thread())).status_code == 404
    assert ("Keeping order" in client.get(thread.get_absolute_url()).content.decode()) is True
    client.force_login(inside)
    assert "Keeping order" not in client.get(thread.get_absolute_url()).content.decode()


def test_acts_at_the_old_number_of_a_merged_thread_reach_its_new_home(client, moderator):
    thread, into = make_thread(), make_thread()
    services.merge_thread(actor=moderator, thread=thread, into=into, reason="Same.")
    member = make_member()
    client.force_login(member)
    response = client.post(f"{thread.get_absolute_url()}reply/", {"body": "Late, but here."})
    assert response.status_code == 302
    assert Post.objects.get(source="Late, but here.").thread == into


def test_reply_page_follows_a_post_that_has_moved(client, moderator):
    thread = make_thread(replies=2)
    new = services.split_thread(
        actor=moderator, thread=thread, numbers=[2], title="Other", reason="Two subjects."
    )
    client.force_login(make_member())
    response = client.post(f"{thread.get_absolute_url()}reply/", {"body": "To the second.", "to": "2"})
    post = Post.objects.get(source="To the second.")
    assert (response.status_code, post.thread) == (302, new)
