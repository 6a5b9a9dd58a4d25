"""Notifications: one line a thread, unread first, read when the thing is read or by the button, never by looking."""

import pytest
from django.urls import reverse

from discussions import services as discussions
from kmnet.core import activity
from kmnet.core.models import Activity, Notification
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.hub.conftest import signed_in

LIST, MARK = reverse("hub:notifications"), reverse("hub:notifications_read")


def tell():
    """What the fan-out task does after each deed."""
    for pk in Activity.objects.waiting().values_list("pk", flat=True):
        activity.fan_out(activity_id=pk)


def unread(member):
    return Notification.objects.unread().filter(recipient=member).count()


def make_reply(member, thread=None, **fields):
    post = make_post(thread=thread or make_thread(author=member), **fields)
    tell()
    return post


def test_guests_are_sent_to_sign_in(client, db):
    assert client.get(LIST).status_code == 302
    assert client.post(MARK).status_code == 302


def test_an_empty_list_says_so(member_client):
    assert "Nothing new since you were here" in member_client.get(LIST).content.decode()


def test_replies_in_one_thread_are_one_line(member, member_client):
    thread = make_thread(author=member, title="How do you count relationships?")
    for _number in range(3):
        make_reply(member, thread)
    response = member_client.get(LIST)
    assert len(response.context["unread"]) == 1
    assert response.context["unread"][0].others == 2
    assert "and 2 more here" in response.content.decode()
    assert "One thing is new to you" in " ".join(response.content.decode().split())


def test_unread_ones_come_first(member, member_client):
    old = make_reply(member)
    discussions.mark_posts_read(member=member, thread=old.thread, posts=[old])
    new = make_reply(member)
    response = member_client.get(LIST)
    assert [group.latest.activity.target for group in response.context["unread"]] == [new]
    assert [group.latest.activity.target for group in response.context["seen"]] == [old]


def test_looking_at_the_list_marks_nothing(member, member_client):
    make_reply(member)
    member_client.get(LIST)
    assert unread(member) == 1


def test_the_button_marks_what_was_on_the_page_and_nothing_newer(member, member_client):
    make_reply(member)
    newest = member_client.get(LIST).context["newest"]
    make_reply(member)
    other = make_member()
    make_reply(other)
    assert member_client.post(MARK, {"up_to": newest}).status_code == 302
    assert unread(member) == 1
    assert unread(other) == 1
    member_client.post(MARK, {"up_to": "²"})  # an odd value marks all rather than failing
    assert unread(member) == 0


def test_marking_needs_a_post(member_client):
    assert member_client.get(MARK).status_code == 405


def test_what_can_no_longer_be_seen_is_neither_shown_nor_counted(member, member_client):
    post = make_reply(member, source="A canary nobody should read.")
    discussions.hide_post(post=post, actor=make_member(is_moderator=True), reason="Unkind.")
    response = member_client.get(LIST)
    assert response.context["unread"] == []
    assert "canary" not in response.content.decode()
    assert unread(member) == 0


def test_a_member_sees_only_their_own(member):
    make_reply(make_member())
    assert signed_in(member).get(LIST).context["unread"] == []


@pytest.mark.parametrize("count", [1, 50])
def test_the_list_costs_the_same_at_any_length(member, member_client, count, django_assert_num_queries):
    space = make_space()
    for _number in range(count):
        make_post(thread=make_thread(author=member, space=space))
        post = make_post(thread=make_thread(author=member, space=space))
        discussions.mark_posts_read(member=member, thread=post.thread, posts=[post])
    tell()
    half = Notification.objects.filter(recipient=member).values_list("pk", flat=True)[:count]
    Notification.objects.filter(pk__in=list(half)).update(read_at="2026-01-01T00:00Z")
    member_client.get(LIST)
    with django_assert_num_queries(9):
        response = member_client.get(LIST)
    assert len(response.context["unread"]) == count
    assert len(response.context["seen"]) == count


def test_older_ones_are_on_further_pages(member, member_client):
    space = make_space()
    for _number in range(55):
        make_post(thread=make_thread(author=member, space=space))
    tell()
    Notification.objects.filter(recipient=member).update(read_at="2026-01-01T00:00Z")
    first = member_client.get(LIST)
    second = member_client.get(LIST + first.context["page"].next_query)
    assert (len(first.context["seen"]), len(second.context["seen"])) == (50, 5)
    assert second.context["unread"] == []
