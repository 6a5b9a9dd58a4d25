from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from discussions import holding, services
from discussions.models import DiscussionSettings, HeldFor, Post, PostVersion, Space
from kmnet.core import activity
from kmnet.core.models import Activity, Notification, OutgoingMail
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.mailbox import send_due, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("daily_limits")]
LONG_AGO = timedelta(days=100)


@pytest.fixture
def ruled():
    """Changes the settings of discussions for one test; the cache forgets them afterwards."""

    def change(**fields):
        found = DiscussionSettings.load()
        for name, value in fields.items():
            setattr(found, name, value)
        found.save()

    yield change
    DiscussionSettings().save()


def settled(**fields):
    return make_member(joined_at=timezone.now() - LONG_AGO, **fields)


def somewhere(**fields):
    """A thread in which a newcomer may reply: by somebody who is not new."""
    return make_thread(author=settled(), **fields)


def test_new_member_may_start_so_many_threads_in_a_day_and_hears_when_it_ends(ruled):
    ruled(new_threads_per_day=2)
    author = make_member(time_zone="Asia/Tokyo")
    first = make_thread(author=author)
    make_thread(author=author)
    with pytest.raises(services.LimitReached) as caught:
        make_thread(author=author)

    assert caught.value.until == first.posts.get().created_at + timedelta(days=1)
    end = timezone.localtime(caught.value.until + timedelta(minutes=1), ZoneInfo("Asia/Tokyo"))
    assert caught.value.sentence == (
        "You have started 2 threads within 24 hours: the most for somebody who is new here. "
        f"You can go on from tomorrow, {end:%H:%M}. Your text is still here."
    )
    make_post(author=author)  # replies go on


def test_who_is_settled_or_trusted_has_the_wider_limit(ruled):
    ruled(new_threads_per_day=1, threads_per_day=2)
    for author in (settled(), make_member(is_host=True), make_member(is_moderator=True)):
        make_thread(author=author)
        make_thread(author=author)
        with pytest.raises(services.LimitReached, match="2 threads within 24 hours: the most for one person"):
            make_thread(author=author)


def test_posts_of_a_day_are_counted_with_first_posts_and_held_ones(ruled):
    ruled(new_posts_per_day=3)
    author = make_member()
    make_thread(author=author)
    make_post(author=author, hold=True)
    make_post(author=author)
    with pytest.raises(services.LimitReached, match="3 posts"):
        make_post(author=author)
    with pytest.raises(services.LimitReached, match="3 posts"):
        make_thread(author=author)


def test_what_is_older_than_a_day_counts_no_more(ruled):
    ruled(new_posts_per_day=1)
    author = make_member()
    post = make_post(author=author)
    with pytest.raises(services.LimitReached):
        make_post(author=author)
    yesterday = timezone.now() - timedelta(hours=24, minutes=1)
    Post.objects.filter(pk=post.pk).update(created_at=yesterday, published_at=yesterday)
    make_post(author=author)


def test_the_same_form_sent_again_is_no_second_post(ruled):
    import uuid

    ruled(new_posts_per_day=1)
    author, thread, key = make_member(), make_thread(), uuid.uuid4()
    first = make_post(thread=thread, author=author, submit_key=key)
    assert make_post(thread=thread, author=author, submit_key=key) == first


def test_conversations_have_a_limit_of_their_own(ruled):
    ruled(new_conversations_per_day=0)
    private = Space(readable_by="people")
    author = make_member()
    with pytest.raises(services.LimitReached, match="cannot begin a conversation yet"):
        services.limits.check_may_start(author, private)
    services.limits.check_may_start(settled(), private)
    ruled(new_conversations_per_day=1)
    make_thread(author=author)  # a thread is no conversation
    services.limits.check_may_start(author, private)


@pytest.mark.parametrize("what", ["ask", "reply"])
def test_page_says_which_limit_and_keeps_the_text(client, ruled, what):
    ruled(new_posts_per_day=1)
    author, space = make_member(), make_space()
    make_post(author=author)
    thread = make_thread(space=space)
    client.force_login(author)
    address = f"/discussions/{space.slug}/ask/" if what == "ask" else f"{thread.get_absolute_url()}reply/"
    response = client.post(
        address, {"title": "A long title?", "kind": "question", "body": "My careful words."}
    )
    html = response.content.decode()
    assert response.status_code == 429
    assert "You have written 1 post within 24 hours" in html
    assert "My careful words." in html
    assert Post.objects.filter(source="My careful words.").count() == 0


def test_cost_of_the_limit_is_one_query(django_assert_num_queries):
    author, thread = settled(), make_thread()
    make_post(author=author)
    DiscussionSettings.load()
    with django_assert_num_queries(1):
        services.limits.check_may_reply(author, thread)


# --- slow mode ---------------------------------------------------------------------------------------------------------
def test_slow_mode_lets_one_write_again_after_a_while():
    thread, author, other = make_thread(), make_member(), make_member()
    thread.slow_seconds = 300
    thread.save()
    post = make_post(thread=thread, author=author)
    make_post(thread=thread, author=other)
    with pytest.raises(
        services.LimitReached, match="slow mode: each person may write once in 5 minutes"
    ) as caught:
        make_post(thread=thread, author=author)
    assert caught.value.until == post.created_at + timedelta(minutes=5)
    make_post(author=author)  # elsewhere
    Post.objects.filter(pk=post.pk).update(created_at=timezone.now() - timedelta(minutes=5))
    make_post(thread=thread, author=author)
    moderator = make_member(is_moderator=True)
    make_post(thread=thread, author=moderator)
    make_post(thread=thread, author=moderator)


# --- holding -----------------------------------------------------------------------------------------------------------
def test_first_posts_of_a_new_member_are_held_until_so_many_have_appeared(ruled):
    ruled(held_posts=2)
    author, moderator = make_member(), make_member(is_moderator=True)
    first = make_post(thread=somewhere(), author=author)
    assert (first.state, first.held_for, first.number) == ("held", HeldFor.NEW, None)
    waiting = make_post(thread=somewhere(), author=author)
    assert waiting.state == "held"  # one that waits has not appeared
    for post in (first, waiting):
        services.release_post(post=post, actor=moderator, reason="Kind.")
    assert make_post(thread=somewhere(), author=author).state == "visible"


def test_nobody_else_is_held(ruled):
    ruled(held_posts=3)
    for author in (settled(), make_member(is_host=True), make_member(is_moderator=True)):
        assert make_post(thread=somewhere(), author=author).state == "visible"


def test_nothing_is_held_in_a_groups_space(ruled):
    from tests.factories.groups import make_group

    ruled(held_posts=3)
    convenor = make_member(joined_at=timezone.now())
    group = make_group(convenor=convenor)
    space = make_space(readable_by="group", group=group)
    assert make_thread(author=convenor, space=space).state == "visible"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("See https://a.example/1 and www.b.example, https://c.example.", "held"),
        ("See https://a.example/1 twice: https://a.example/1, and https://b.example.", "visible"),
        ("See http://localhost:8000/x http://localhost:8000/y http://localhost:8000/z", "visible"),
    ],
)
def test_many_links_in_the_first_post_of_somebody_new_hold_it(text, state, settings):
    settings.SITE_URL = "http://localhost:8000"
    post = make_post(thread=somewhere(), source=text)
    assert (post.state, post.held_for) == (state, "links" if state == "held" else "")
    known = settled()
    assert make_post(source=text, author=known).state == "visible"


def test_edited_held_post_stays_in_the_queue(ruled):
    ruled(held_posts=1)
    post = make_post(thread=somewhere())
    services.edit_post(editor=post.author, post=post, source="Better words.")
    post.refresh_from_db()
    assert (post.state, post.number, post.source) == ("held", None, "Better words.")
    assert PostVersion.objects.count() == 1


def test_writer_is_told_why_and_how_long_and_others_see_nothing(client, ruled):
    ruled(held_posts=1, held_alert_hours=30)
    author, thread = make_member(), somewhere()
    client.force_login(author)
    html = client.post(
        f"{thread.get_absolute_url()}reply/", {"body": "My first words."}, follow=True
    ).content.decode()
    said = "A moderator looks at the first words of everybody who is new here. That takes 30 hours at most."
    assert html.count(said) == 2  # the message, and beside the post
    assert "Waiting for a moderator" in html
    client.force_login(make_member())
    assert "My first words." not in client.get(thread.get_absolute_url()).content.decode()


def test_wait_is_told_from_what_it_took_lately(monkeypatch):
    now = timezone.now()
    for hours in (1, 5, 30):
        post = make_post()
        Post.objects.filter(pk=post.pk).update(
            held_for="new", created_at=now - timedelta(hours=hours), published_at=now
        )
    monkeypatch.setattr(holding, "CACHE_KEY", "usual-wait-of-this-test")
    holding.cache.delete(holding.CACHE_KEY)
    assert holding.how_long() == "Lately that took about 5 hours."
    holding.cache.delete(holding.CACHE_KEY)


# --- what waits too long -----------------------------------------------------------------------------------------------
def held_since(hours):
    post = make_post(thread=somewhere(), hold=True)
    Post.objects.filter(pk=post.pk).update(created_at=timezone.now() - timedelta(hours=hours))
    return post


def test_hosts_hear_once_of_what_waits_too_long():
    host, moderator = make_member(is_host=True), make_member(is_moderator=True)
    make_member()
    first, second, young = held_since(25), held_since(26), held_since(23)
    assert (services.tell_of_long_held(), services.tell_of_long_held()) == (2, 0)
    deed = Activity.objects.get(verb="discussions.held_long")
    assert deed.data == {"posts": [second.pk, first.pk]}
    activity.fan_out(activity_id=deed.pk)
    assert set(Notification.objects.values_list("recipient", flat=True)) == {host.pk, moderator.pk}
    mails = {message["To"]: message for message in send_due()}
    assert set(mails) == {host.email, moderator.email}
    assert mails[host.email]["Subject"] == "2 posts wait for a moderator."
    assert "/moderation/" in text_of(mails[moderator.email])
    assert "/moderation/" not in text_of(mails[host.email])
    Post.objects.filter(pk=young.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert services.tell_of_long_held() == 1


def test_no_mail_about_what_was_released_before_it_was_sent():
    moderator = make_member(is_moderator=True)
    post = held_since(30)
    services.tell_of_long_held()
    activity.fan_out(activity_id=Activity.objects.get(verb="discussions.held_long").pk)
    services.release_post(post=post, actor=moderator, reason="Kind.")
    send_due()
    row = OutgoingMail.objects.get(kind="discussions.held_long")
    assert (row.state, row.reason) == ("withheld", "all of them were decided meanwhile")


def test_notification_names_no_words_and_shows_moderators_the_way(client):
    host, moderator = make_member(is_host=True), make_member(is_moderator=True)
    held_since(30)
    services.tell_of_long_held()
    activity.fan_out(activity_id=Activity.objects.get(verb="discussions.held_long").pk)
    for user, shown in ((host, False), (moderator, True)):
        client.force_login(user)
        html = client.get("/notifications/").content.decode()
        assert "1 post has waited for a moderator longer than we promise" in html
        assert ("To the queue" in html) is shown
