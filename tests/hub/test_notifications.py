"""Notifications: one line a thread, unread first, read when the thing is read or by the button, never by looking."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from discussions import services as discussions
from discussions.models import Thread
from kmnet.core import activity, frame
from kmnet.core.models import Activity, Notification
from kmnet.hub import services as hub
from kmnet.hub.models import DigestRun
from members import services as members
from members.models import Member
from tests.factories import make_member
from tests.factories.copying import more_threads
from tests.factories.discussions import make_post, make_space, make_thread
from tests.hub.conftest import signed_in

LIST, MARK, BELL = reverse("hub:notifications"), reverse("hub:notifications_read"), reverse("hub:bell")


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
    assert "and two more here" in response.content.decode()
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
    fresh = make_post(thread=make_thread(author=member, space=space))
    post = make_post(thread=make_thread(author=member, space=space))
    discussions.mark_posts_read(member=member, thread=post.thread, posts=[post])
    tell()
    for thread in (fresh.thread, post.thread):
        more_threads(thread, count - 1)
    half = Notification.objects.filter(recipient=member).values_list("pk", flat=True)[:count]
    Notification.objects.filter(pk__in=list(half)).update(read_at="2026-01-01T00:00Z")
    member_client.get(LIST)
    with django_assert_num_queries(9):
        response = member_client.get(LIST)
    assert len(response.context["unread"]) == count
    assert len(response.context["seen"]) == count


def test_older_ones_are_on_further_pages(member, member_client):
    post = make_reply(member)
    more_threads(post.thread, 54)
    Notification.objects.filter(recipient=member).update(read_at="2026-01-01T00:00Z")
    first = member_client.get(LIST)
    second = member_client.get(LIST + first.context["page"].next_query)
    assert (len(first.context["seen"]), len(second.context["seen"])) == (50, 5)
    assert second.context["unread"] == []


# --- one line, and the bell ------------------------------------------------------------------------------------------
def figure(member):
    """What the bell of any page says."""
    return frame.things_unread(member.pk)


def test_one_line_is_marked_with_all_that_it_holds_and_nothing_else(member, member_client):
    thread, other, strange = make_thread(author=member), make_thread(author=member), make_member()
    for _number in range(2):
        make_reply(member, thread)
    make_reply(member, other)
    make_reply(strange)
    group = next(g for g in member_client.get(LIST).context["unread"] if g.others)
    make_reply(member, thread)
    theirs = Notification.objects.get(recipient=strange).pk
    for _twice in range(2):
        assert member_client.post(MARK, {"only": f"{group.ids} {theirs} x ²"})["Location"] == LIST
        assert (unread(member), unread(strange)) == (2, 1)  # what came meanwhile, and the other thread


def test_the_bell_counts_threads_and_not_replies(member, member_client):
    thread = make_thread(author=member)
    for _number in range(3):
        make_reply(member, thread)
    make_reply(member)
    make_reply(make_member())
    assert figure(member) == 2 == len(member_client.get(LIST).context["unread"])
    assert 'aria-label="Notifications, 2 new"' in member_client.get("/").content.decode()


def test_the_bell_does_not_ring_for_those_whom_one_ignores_nor_for_what_is_gone(member):
    post, gone = make_reply(member), make_reply(member)
    assert figure(member) == 2
    members.set_boundary(owner=member, other=post.author, distance="ignore")
    assert figure(member) == 1
    type(gone).objects.filter(pk=gone.pk).delete()
    assert figure(member) == 0


def test_the_bell_is_quiet_when_the_thread_was_read_by_whatever_way(member, member_client):
    post = make_reply(member)
    member_client.get(post.get_absolute_url())
    assert figure(member) == 0


@pytest.mark.parametrize("what", ["all", "space", "threads", "digest"])
def test_the_bell_is_quiet_about_what_was_marked_as_read(member, what):
    thread = make_thread(author=member)
    reply = make_reply(member, thread)
    discussions.set_space_level(member=member, space=make_space(), level="watching")
    begun = make_thread(tags=["boards"])
    discussions.set_space_level(member=member, space=begun.space, level="watching")
    activity.record(
        "discussions.could_answer", actor=begun.author, target=begun, data={"members": [member.pk]}
    )
    elsewhere = make_reply(member)
    tell()
    assert figure(member) == 3
    both = Thread.objects.filter(pk__in=[thread.pk, begun.pk])
    if what == "all":
        discussions.mark_all_read(member=member)
    elif what == "space":
        for space in {thread.space, begun.space}:
            discussions.mark_all_read(member=member, space=space)
    elif what == "threads":
        discussions.mark_all_read(member=member, threads=both)
    else:
        now = timezone.now()
        run = DigestRun.objects.create(
            member=member, period="x", since=now - timedelta(days=1), until=now, due_at=now,
            ahead_from=now, ahead_until=now,
        )  # fmt: skip
        hub.mark_digest_read(run=run)
    left = Notification.objects.unread().filter(recipient=member)
    expected = [elsewhere.pk] if what in ("space", "threads") else []
    assert [row.activity.target_id for row in left] == expected
    assert reply.thread_id == thread.pk


def test_a_newcomer_whom_the_host_looked_at_is_no_news(db):
    host, newcomer = make_member(is_host=True), make_member()
    activity.record("members.joined", actor=newcomer, target=newcomer)
    tell()
    assert figure(host) == 1
    signed_in(host).get(newcomer.get_absolute_url())
    assert figure(host) == 0


@pytest.mark.parametrize("count", [1, 50])
def test_the_bell_costs_one_query(member, count, django_assert_num_queries):
    more_threads(make_reply(member).thread, count - 1)
    figure(member)
    with django_assert_num_queries(1):
        assert figure(member) == count


def test_an_open_page_asks_what_is_new(member, member_client):
    cache.delete(activity.bell_key(member.pk))
    make_reply(member)
    answer = member_client.get(BELL, {"shown": "0"})
    assert answer.json() == {
        "count": 1, "figure": "1", "label": "Notifications, 1 new", "said": "1 thing is new to you",
    }  # fmt: skip
    assert "private" in answer["Cache-Control"] or "no-store" in answer["Cache-Control"]
    same = member_client.get(BELL, {"shown": "1"})
    assert (same.status_code, same.content) == (204, b"")
    member_client.post(MARK)
    assert member_client.get(BELL, {"shown": "1"}).json() == {
        "count": 0, "figure": "", "label": "Notifications", "said": "",
    }  # fmt: skip
    assert member_client.get(BELL, {"shown": "²"}).status_code == 204


def test_asking_by_itself_is_no_visit_and_prolongs_no_session(member, member_client):
    member_client.get(LIST)
    long_ago = timezone.now() - timedelta(days=20)
    Member.objects.filter(pk=member.pk).update(last_seen_on=long_ago.date())
    member.usersession_set.update(last_seen_at=long_ago)
    session = member_client.session
    session["seen_at"] = int(long_ago.timestamp())
    session.save()

    def noted():
        seen_on = Member.objects.get(pk=member.pk).last_seen_on
        return seen_on, member.usersession_set.get().last_seen_at, member_client.session["seen_at"]

    before = noted()
    member_client.get(BELL)
    assert noted() == before
    member_client.get(LIST)
    after = noted()
    assert after[0] == timezone.now().date()
    assert all(new > old for new, old in zip(after, before, strict=True))
