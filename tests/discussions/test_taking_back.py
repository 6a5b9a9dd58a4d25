"""Taking a post back: who sees what, what counts, undo, and that the words are really gone afterwards."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from discussions import services
from discussions.contributing import answers_by
from discussions.models import Post, PostVersion, Space, Thread
from discussions.permissions import can_view_post
from discussions.searching import search
from kmnet.core import activity, moderation
from kmnet.core.models import Activity, OutgoingMail
from kmnet.core.search import SearchText
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db
SECRET = "quinquennial"


def page(client, thread, user=None, query=""):
    client.logout()
    if user:
        client.force_login(user)
    response = client.get(thread.get_absolute_url() + query)
    return response.content.decode() if response.status_code == 200 else response.status_code


def later(minutes=11):
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True)


def fresh(thread):
    return Thread.objects.select_related("space").get(pk=thread.pk)


def test_reply_that_nobody_answered_disappears_and_comes_back(client):
    thread = make_thread(replies=1)
    post = make_post(thread=thread, source=f"It is {SECRET}.")
    client.force_login(post.author)
    address = reverse("discussions:delete", args=[post.pk])
    assert SECRET in client.get(address).content.decode()
    assert Post.objects.get(pk=post.pk).is_shown
    assert client.post(address)["Location"] == thread.get_absolute_url()

    thread = fresh(thread)
    assert (thread.reply_count, thread.last_number, thread.gone_numbers) == (1, 3, [(3, 4)])
    assert thread.last_post_id != post.pk
    for reader in (None, make_member(), thread.author, make_member(is_moderator=True)):
        html = page(client, thread, reader)
        assert SECRET not in html
        assert 'id="post-3"' not in html
        assert "You took a post back" not in html
    assert answers_by(post.author, make_member()).count() == 0
    assert search(SearchText(SECRET), make_member(), 5).total == 0
    assert not can_view_post(make_member(), Post.objects.get(pk=post.pk))

    client.force_login(post.author)
    client.post(address)  # a second press is no harm
    undo = reverse("discussions:undelete", args=[post.pk])
    assert client.post(undo)["Location"] == f"{thread.get_absolute_url()}?post=3#post-3"
    thread = fresh(thread)
    assert (thread.reply_count, thread.gone_numbers, thread.last_post_id) == (2, [], post.pk)
    assert SECRET in page(client, thread)


def test_the_page_offers_undo_where_it_was_taken_back(client):
    post = make_post()
    client.force_login(post.author)
    client.post(reverse("discussions:delete", args=[post.pk]))
    html = client.get(post.thread.get_absolute_url()).content.decode()
    assert html.count(reverse("discussions:undelete", args=[post.pk])) == 1
    with later():
        assert "undelete" not in client.get(post.thread.get_absolute_url()).content.decode()


def test_answered_reply_leaves_a_stub_until_nothing_is_left_below(client):
    thread = make_thread()
    post = make_post(thread=thread, source=f"It is {SECRET}.")
    answer = make_post(thread=thread, parent=post)
    services.delete_post(actor=post.author, post=post)
    for reader in (None, make_member(), make_member(is_moderator=True)):
        html = page(client, thread, reader)
        assert SECRET not in html
        assert 'id="post-2"' in html
        assert "Its author took this reply back" in html
        assert "undelete" not in html
    assert "undelete" in page(client, thread, post.author)

    services.delete_post(actor=answer.author, post=answer)
    assert 'id="post-2"' not in page(client, thread)
    services.undelete_post(actor=answer.author, post=answer)
    assert "Its author took this reply back" in page(client, thread)
    assert (fresh(thread).reply_count, fresh(thread).gone_numbers) == (1, [(2, 3)])


def test_thread_without_replies_goes_whole_and_comes_back(client):
    space = make_space()
    thread = make_thread(space=space, title=f"About {SECRET}?")
    first = thread.posts.get()
    services.delete_post(actor=thread.author, post=first)
    for reader in (None, make_member()):
        assert page(client, thread, reader) in (302, 404)
    client.force_login(make_member())
    assert SECRET not in client.get(reverse("discussions:index")).content.decode()
    assert Space.objects.get(pk=space.pk).thread_count == 0
    services.undelete_post(actor=thread.author, post=first)
    assert SECRET in page(client, fresh(thread), make_member())
    assert Space.objects.get(pk=space.pk).thread_count == 1
    assert fresh(thread).title == f"About {SECRET}?"


def test_thread_with_replies_keeps_them_and_loses_title_and_words(client):
    thread = make_thread(title=f"About {SECRET}?", source=f"More on {SECRET}.")
    reply = make_post(thread=thread, source="My reply stays.")
    services.delete_post(actor=thread.author, post=thread.posts.get(number=1))
    html = page(client, fresh(thread), make_member())
    assert SECRET not in html
    assert "A question that was taken back" in html
    assert "My reply stays." in html
    with later():
        assert services.wipe_taken_back() == 1
        thread = fresh(thread)
        assert (thread.state, thread.title) == ("visible", "A question that was taken back")
        assert thread.posts.get(number=1).source == ""
        assert list(thread.posts.shown()) == [reply]


def test_title_comes_back_with_the_first_post():
    thread = make_thread(title="As it was?", replies=1)
    first = thread.posts.get(number=1)
    services.delete_post(actor=thread.author, post=first)
    services.undelete_post(actor=thread.author, post=first)
    thread = fresh(thread)
    assert (thread.title, thread.slug, thread.state) == ("As it was?", "as-it-was", "visible")
    assert thread.excerpt
    assert PostVersion.objects.count() == 0


def test_words_are_wiped_after_ten_minutes_and_not_before(settings):
    thread = make_thread(replies=1)
    post = make_post(thread=thread, source=f"It is {SECRET}.")
    services.edit_post(editor=post.author, post=post, source=f"It was {SECRET}.")
    services.delete_post(actor=post.author, post=post)
    with later(9):
        assert services.wipe_taken_back() == 0
    with later():
        with pytest.raises(PermissionDenied):
            services.undelete_post(actor=post.author, post=post)
        assert services.wipe_taken_back() == 1
        assert services.wipe_taken_back() == 0
    post.refresh_from_db()
    assert (post.source, post.html, post.heading, post.number) == ("", "", "", 3)
    assert PostVersion.objects.count() == 0
    assert Post.objects.filter(search=SearchText(SECRET).query).count() == 0
    assert make_post(thread=thread).number == 4


def test_tags_go_with_the_words():
    thread = make_thread(replies=1, tags=[SECRET])
    services.delete_post(actor=thread.author, post=thread.posts.get(number=1))
    with later():
        assert services.wipe_taken_back() == 1
    thread = fresh(thread)
    assert (list(thread.tags.names()), thread.tag_ids) == ([], [])


def test_thread_of_which_nothing_is_left_is_deleted():
    thread = make_thread()
    services.delete_post(actor=thread.author, post=thread.posts.get())
    with later():
        assert services.wipe_taken_back() == 1
    assert not Thread.objects.filter(pk=thread.pk).exists()
    assert not Activity.objects.filter(verb="discussions.asked").exists()


def test_what_was_reported_is_not_wiped_before_a_moderator_has_looked():
    post, moderator = make_post(), make_member(is_moderator=True)
    flag = moderation.report(reporter=make_member(), target=post, reason="unkind", note="")
    services.delete_post(actor=post.author, post=post)
    with later():
        assert services.wipe_taken_back() == 0
        assert Post.objects.visible_to(moderator).filter(pk=post.pk).exists()
        type(flag).objects.update(state="dismissed", resolved_at=timezone.now())
        assert services.wipe_taken_back() == 1


def test_what_a_moderator_hid_does_not_come_back_by_undo_nor_by_restoring():
    post, moderator = make_post(), make_member(is_moderator=True)
    services.delete_post(actor=post.author, post=post)
    services.hide_post(post=post, actor=moderator, reason="Unkind.")
    with pytest.raises(PermissionDenied):
        services.undelete_post(actor=post.author, post=post)
    services.restore_post(post=post, actor=moderator, reason="Not so.")
    assert Post.objects.get(pk=post.pk).state == "deleted"
    with pytest.raises(PermissionDenied):
        services.delete_post(actor=make_member(), post=make_post())
    hidden = make_post()
    services.hide_post(post=hidden, actor=moderator, reason="Unkind.")
    with pytest.raises(PermissionDenied):
        services.delete_post(actor=hidden.author, post=hidden)


@pytest.mark.parametrize("who", ["stranger", "moderator", "admin"])
def test_nobody_takes_back_for_another(client, who):
    post = make_post()
    person = {
        "stranger": lambda: make_member(),
        "moderator": lambda: make_member(is_moderator=True),
        "admin": lambda: make_member(is_superuser=True, is_staff=True),
    }[who]()
    client.force_login(person)
    for name in ("delete", "undelete"):
        assert client.post(reverse(f"discussions:{name}", args=[post.pk])).status_code == 404
    assert Post.objects.get(pk=post.pk).is_shown


def test_chosen_answer_that_is_taken_back_is_chosen_no_longer():
    thread = make_thread()
    post = make_post(thread=thread)
    services.accept_answer(actor=thread.author, post=post)
    services.delete_post(actor=post.author, post=post)
    thread = fresh(thread)
    assert (thread.accepted_post, thread.first_reply_at) == (None, None)
    assert thread.waits_for_an_answer


def test_held_post_is_taken_back_and_held_again():
    thread = make_thread()
    post = services.add_reply(author=make_member(), thread=thread, source="Hm.", hold=True)
    services.delete_post(actor=post.author, post=post)
    assert Post.objects.get(pk=post.pk).state == "deleted"
    services.undelete_post(actor=post.author, post=post)
    assert Post.objects.get(pk=post.pk).state == "held"


def test_reply_to_what_was_taken_back_meanwhile_is_not_lost(client):
    thread = make_thread()
    post = make_post(thread=thread)
    services.delete_post(actor=post.author, post=post)
    reply = make_post(thread=thread, parent=post, source="Written meanwhile.")
    html = page(client, thread)
    assert 'id="post-2"' in html
    assert "Written meanwhile." in html
    assert reply.path == [2, 3]


def test_edit_in_the_first_minutes_leaves_no_trace(settings):
    settings.POST_GRACE_MINUTES = 5
    post = make_post(source="Teh first words.")
    services.edit_post(editor=post.author, post=post, source="The first words.")
    post.refresh_from_db()
    assert (post.source, post.edited_at, post.versions.count()) == ("The first words.", None, 0)
    with later(6):
        services.edit_post(editor=post.author, post=post, source="Other words.")
    post.refresh_from_db()
    assert post.edited_at is not None
    assert [version.source for version in post.versions.all()] == ["The first words."]


def test_mail_waits_for_the_grace_and_says_what_was_edited(settings, mailbox):
    settings.POST_GRACE_MINUTES = 5
    thread = make_thread()
    post, gone = make_post(thread=thread, source="Teh first words."), make_post(thread=thread)
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    assert mailbox(to=thread.author.email) == []
    assert {mail.due_at for mail in OutgoingMail.objects.all()} == {
        one.published_at + timedelta(minutes=5) for one in (post, gone)
    }
    services.edit_post(editor=post.author, post=post, source="The first words.")
    services.delete_post(actor=gone.author, post=gone)
    with later(6):
        [message] = mailbox(to=thread.author.email)
    assert "The first words." in message.get_body(("plain",)).get_content()
    assert [mail.reason for mail in OutgoingMail.objects.filter(state="withheld")] == [
        "its author took the post back before sending"
    ]


@pytest.mark.django_db
@hypothesis_settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_counts_and_stubs_follow_from_the_posts_alone(data):
    """Any tree, any order of taking back and having back: what is shown, gone and counted is what a plain model says."""
    author = make_member()
    thread = make_thread()
    posts = [thread.posts.get()]
    for _number in range(data.draw(st.integers(1, 6))):
        posts.append(make_post(thread=thread, author=author, parent=data.draw(st.sampled_from(posts))))
    for _step in range(data.draw(st.integers(1, 8))):
        post = Post.objects.select_related("thread__space").get(pk=data.draw(st.sampled_from(posts)).pk)
        act = services.undelete_post if post.is_taken_back else services.delete_post
        act(actor=post.author, post=post)
    rows = {post.pk: post for post in Post.objects.filter(thread=thread)}
    first = posts[0].pk

    def below(pk):
        return [one for one in rows.values() if (one.parent_id or first) == pk and one.pk != pk]

    def gone(post):
        return post.is_taken_back and all(gone(one) for one in below(post.pk))

    thread = fresh(thread)
    shown = [post for post in rows.values() if not post.is_taken_back]
    assert {post.pk for post in rows.values() if post.gone} == {
        post.pk for post in rows.values() if gone(post)
    }
    assert thread.reply_count == sum(1 for post in shown if post.number > 1)
    assert thread.state == ("deleted" if gone(rows[first]) else "visible")
    assert thread.space.thread_count == (thread.state == "visible")
    assert not PostVersion.objects.filter(post__in=[post.pk for post in shown]).exists()


@pytest.mark.django_db(transaction=True)
def test_delete_and_reply_at_once_leave_a_reply_with_its_stub():
    thread = make_thread()
    parent, replier = make_post(thread=thread), make_member()

    def run(act):
        with closing(connection):
            return act()

    acts = [
        lambda: services.delete_post(actor=parent.author, post=parent),
        lambda: services.add_reply(author=replier, thread=thread, source="Meanwhile.", parent=parent),
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, acts))
    parent.refresh_from_db()
    assert (parent.state, parent.gone, fresh(thread).reply_count) == ("deleted", False, 1)
