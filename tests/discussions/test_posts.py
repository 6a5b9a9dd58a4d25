import uuid

import pytest
from django.core.exceptions import PermissionDenied

from discussions import services
from discussions.models import PostVersion, Thread
from kmnet.core.models import Activity
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db


def test_thread_starts_with_post_number_one():
    thread = make_thread(title="Is there a template?", source="I look for **one**.", tags=["boards", "KT"])
    post = thread.posts.get()

    assert (post.number, post.path, post.parent_id) == (1, [1], None)
    assert post.html == "<p>I look for <strong>one</strong>.</p>\n"
    assert (thread.slug, thread.excerpt, thread.last_number) == ("is-there-a-template", "I look for one.", 1)
    assert sorted(thread.tags.names()) == ["KT", "boards"]
    assert Activity.objects.get().verb == "discussions.asked"


def test_title_without_latin_letters_has_an_address():
    assert make_thread(title="كيف نلخّص الأدلة؟").slug == "question"


def test_replies_are_numbered_and_counted():
    asker, helper = make_member(), make_member()
    thread = make_thread(author=asker)
    own = make_post(thread=thread, author=asker)
    thread.refresh_from_db()
    assert (own.number, thread.reply_count, thread.first_reply_at) == (2, 1, None)  # not by somebody else

    answer = make_post(thread=thread, author=helper)
    nested = make_post(thread=thread, author=asker, parent=answer)
    thread.refresh_from_db()

    assert (answer.number, answer.path) == (3, [3])
    assert (nested.number, nested.path) == (4, [3, 4])
    assert (thread.last_number, thread.reply_count, thread.last_post) == (4, 3, nested)
    assert thread.first_reply_at == answer.published_at
    assert thread.people == [asker.pk, helper.pk]


def test_reply_to_the_first_post_is_a_reply_to_the_thread():
    thread = make_thread()
    assert make_post(thread=thread, parent=thread.posts.get()).parent is None


def test_reply_to_a_post_of_another_thread_is_refused():
    with pytest.raises(PermissionDenied):
        make_post(thread=make_thread(), parent=make_post())


def test_same_form_sent_twice_makes_one_post():
    author, thread, key = make_member(), make_thread(), uuid.uuid4()
    first = make_post(thread=thread, author=author, submit_key=key, source="Once.")
    second = make_post(thread=thread, author=author, submit_key=key, source="Once.")
    other = make_post(thread=thread, submit_key=key, source="By somebody else.")

    assert second == first
    assert other != first
    assert thread.posts.count() == 3


def test_same_form_sent_twice_makes_one_thread():
    author, space, key = make_member(), make_space(), uuid.uuid4()
    assert make_thread(author=author, space=space, submit_key=key) == make_thread(
        author=author, space=space, submit_key=key
    )
    assert Thread.objects.count() == 1


def test_edit_keeps_what_was_said_before():
    author = make_member()
    thread = make_thread(author=author, title="Old title", source="Old words.")
    post = services.edit_post(
        editor=author, post=thread.posts.get(), source="New *words*.", title="New title", tags=["boards"]
    )
    thread.refresh_from_db()

    assert (post.source, post.html, post.number) == ("New *words*.", "<p>New <em>words</em>.</p>\n", 1)
    assert (thread.title, thread.slug, thread.excerpt) == ("New title", "new-title", "New words.")
    assert list(thread.tags.names()) == ["boards"]
    version = PostVersion.objects.get()
    assert (version.source, version.title, version.edited_by) == ("Old words.", "Old title", author)


def test_edit_without_a_change_makes_no_version():
    post = make_post(source="Same.")
    services.edit_post(editor=post.author, post=post, source="Same.")
    post.refresh_from_db()
    assert (post.edited_at, PostVersion.objects.count()) == (None, 0)


@pytest.mark.parametrize("moderator", [False, True])
def test_nobody_edits_the_words_of_another(moderator):
    post = make_post(source="Mine.")
    with pytest.raises(PermissionDenied):
        services.edit_post(editor=make_member(is_moderator=moderator), post=post, source="Yours.")
    post.refresh_from_db()
    assert post.source == "Mine."


def test_held_post_gets_its_number_on_release():
    thread, moderator = make_thread(), make_member(is_moderator=True)
    held = make_post(thread=thread, hold=True)
    meanwhile = make_post(thread=thread)
    assert (held.number, held.path, meanwhile.number) == (None, None, 2)

    released = services.release_post(post=held, actor=moderator, reason="A kind first post.")

    assert (released.number, released.path, released.state) == (3, [3], "visible")


def test_held_thread_appears_on_release():
    reader = make_member()
    thread = make_thread(hold=True)
    assert list(Thread.objects.visible_to(reader)) == []
    assert list(Thread.objects.visible_to(thread.author)) == [thread]

    services.release_post(post=thread.posts.get(), actor=make_member(is_moderator=True), reason="Welcome.")

    assert list(Thread.objects.visible_to(reader)) == [thread]
    thread.space.refresh_from_db()
    assert thread.space.thread_count == 1


def test_thread_deeper_than_an_index_entry_can_hold():
    thread, author = make_thread(), make_member()
    post = make_post(thread=thread, author=author)
    post.path = [post.number] * 400
    post.save()
    below = make_post(thread=thread, author=author, parent=post)
    assert (below.parent, len(below.path), below.path[-1]) == (post, 400, below.number)
