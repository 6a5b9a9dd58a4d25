"""Drafts: kept, offered, never overwritten silently, gone when sent; and replies written meanwhile."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from discussions import services
from discussions.models import DiscussionSettings, Draft
from discussions.services import Sent
from kmnet.core import retention
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.groups import make_group

pytestmark = pytest.mark.django_db
SAVE = "/discussions/drafts/save/"
DRAFTS = "/discussions/drafts/"


@pytest.fixture
def member(client):
    member = make_member()
    client.force_login(member)
    return member


def save(client, key, body, *, tab="one", revision=0, **more):
    return client.post(
        SAVE, {"key": key, "body": body, "draft_tab": tab, "draft_revision": revision or "", **more}
    )


def texts(member, key):
    draft = Draft.objects.filter(member=member, key=key).first()
    return [fields.get("body") for fields in services.texts_of(draft)] if draft else []


def reply_to(thread):
    return reverse("discussions:reply", args=[thread.space.slug, thread.pk, thread.slug])


def test_draft_is_saved_offered_continued_and_gone_when_sent(client, member):
    thread = make_thread()
    key, other = f"reply:{thread.pk}", make_member()
    answer = save(client, key, "Half a thou")
    assert (answer.status_code, answer.json()["revision"]) == (200, 1)
    assert save(client, key, "Half a thought", revision=1).json()["revision"] == 2
    page = client.get(thread.get_absolute_url()).content.decode()
    assert f"{reply_to(thread)}?draft=0" in page
    assert "Half a thought" not in page
    html = client.get(f"{reply_to(thread)}?draft=0").content.decode()
    assert "Half a thought</textarea>" in html
    assert 'name="draft_revision" value="2"' in html
    assert "Half a thought" in client.get(DRAFTS).content.decode()
    client.post(reply_to(thread), {"body": "A whole thought", "draft_revision": "2"})
    assert Draft.objects.count() == 0
    client.force_login(other)
    assert "You began to write here" not in client.get(thread.get_absolute_url()).content.decode()


def test_new_question_and_edit_have_drafts_of_their_own(client, member):
    space, post = make_space(), make_post(author=member)
    save(client, "ask", "One", title="What?", tags="boards", tried="This", kind="question", nonsense="x")
    save(client, f"ask:{space.pk}", "Two")
    save(client, f"edit:{post.pk}", "Three")
    assert Draft.objects.get(key="ask").data["fields"] == {
        "title": "What?", "body": "One", "tags": "boards", "tried": "This", "kind": "question",
    }  # fmt: skip
    for address, words in (
        ("/discussions/ask/", "One"),
        (f"/discussions/{space.slug}/ask/", "Two"),
        (f"/discussions/posts/{post.pk}/edit/", "Three"),
    ):
        assert "You began to write here" in client.get(address).content.decode()
        assert f"{words}</textarea>" in client.get(address + "?draft=0").content.decode()
    client.post(f"/discussions/posts/{post.pk}/edit/", {"body": "Three it is", "draft_tab": "one"})
    assert set(Draft.objects.values_list("key", flat=True)) == {"ask", f"ask:{space.pk}"}


def test_wish_to_ask_without_ones_name_outlives_the_draft(client, member):
    DiscussionSettings().save()
    DiscussionSettings.objects.get().unmaskers.set([make_member(is_moderator=True) for _ in range(2)])
    save(client, "ask", "May I say this?", masked="on")
    box = client.get("/discussions/ask/?draft=0").context["form"]["masked"]
    assert "checked" in str(box)
    assert "without your name" in client.get(DRAFTS).content.decode()
    Draft.objects.all().delete()
    save(client, "ask", "I say this.")
    assert "checked" not in str(client.get("/discussions/ask/?draft=0").context["form"]["masked"])
    assert "without your name" not in client.get(DRAFTS).content.decode()


def test_older_window_does_not_overwrite_a_newer_draft(client, member):
    thread = make_thread()
    key = f"reply:{thread.pk}"
    save(client, key, "From one", tab="one")
    answer = save(client, key, "From two", tab="two")
    assert answer.status_code == 409
    assert texts(member, key) == ["From one", "From two"]
    save(client, key, "From two, more", tab="two")
    assert texts(member, key) == ["From one", "From two, more"]  # one text a window
    save(client, key, "From one, more", tab="one", revision=0)  # its answer was lost on the way
    assert texts(member, key) == ["From one, more", "From two, more"]
    assert "From two, more</textarea>" in client.get(f"{reply_to(thread)}?draft=1").content.decode()


def test_sending_one_window_keeps_what_the_other_wrote(client, member):
    thread = make_thread()
    key = f"reply:{thread.pk}"
    save(client, key, "From one", tab="one")
    save(client, key, "From two", tab="two")
    client.post(reply_to(thread), {"body": "From one, sent", "draft_tab": "one"})
    assert texts(member, key) == ["From two"]
    client.post(reply_to(thread), {"body": "Another, from nowhere"})
    assert texts(member, key) == ["From two"]


def test_draft_that_arrives_after_its_post_does_not_come_back(client, member):
    thread, submit_key = make_thread(), str(uuid.uuid4())
    client.post(reply_to(thread), {"body": "Sent.", "submit_key": submit_key, "draft_tab": "one"})
    save(client, f"reply:{thread.pk}", "Sent.", submit_key=submit_key)
    assert Draft.objects.count() == 0


def test_emptied_draft_goes_and_the_one_beside_it_takes_its_place(client, member):
    thread = make_thread()
    key = f"reply:{thread.pk}"
    save(client, key, "From one", tab="one")
    save(client, key, "From two", tab="two")
    save(client, key, "", tab="one")
    assert texts(member, key) == ["From two"]
    client.post("/discussions/drafts/drop/", {"key": key})
    assert texts(member, key) == []


def test_refused_reply_keeps_its_draft(client, member):
    thread = make_thread()
    save(client, f"reply:{thread.pk}", "x")
    assert client.post(reply_to(thread), {"body": "", "draft_tab": "one"}).status_code == 422
    assert Draft.objects.count() == 1


@pytest.mark.parametrize(
    "key", ["", "x", "reply:", "reply:0", "reply:x", "ask:", "edit:-1", "reply:99999999999999999999"]
)
def test_odd_places_take_no_draft(client, member, key):
    assert save(client, key, "x").status_code == 404


def test_draft_for_what_one_may_not_see_is_refused_as_if_it_were_not(client, member):
    convenor = make_member()
    group = make_group(convenor=convenor)
    inside = make_thread(space=make_space(readable_by="group", group=group), author=convenor)
    hidden = make_thread()
    services.hide_post(post=hidden.posts.get(), actor=make_member(is_moderator=True), reason="x")
    others = make_post()
    for key in (
        f"reply:{inside.pk}",
        f"ask:{inside.space_id}",
        f"reply:{hidden.pk}",
        "reply:999999",
        f"edit:{others.pk}",
        "edit:999999",
        "ask:999999",
    ):
        assert save(client, key, "x").status_code == 404


def test_too_long_is_said_and_many_too(client, member):
    thread = make_thread()
    answer = save(client, f"reply:{thread.pk}", "x" * 200_001)
    assert answer.status_code == 422
    assert "too long" in answer.json()["words"]


def test_guest_is_told_401_and_nothing_is_kept(client):
    thread = make_thread()
    assert save(client, f"reply:{thread.pk}", "x").status_code == 401
    assert "kept_text" not in client.session


def test_draft_is_kept_by_a_button_without_scripts(client, member):
    thread = make_thread()
    response = client.post(reply_to(thread), {"body": "By button", "view": "draft"})
    assert response["Location"] == DRAFTS
    assert "By button" in client.get(DRAFTS).content.decode()
    assert thread.posts.count() == 1
    client.post(reply_to(thread), {"body": "By button, more", "view": "draft", "draft_revision": "1"})
    assert texts(member, f"reply:{thread.pk}") == ["By button, more"]


def test_words_for_a_place_that_is_closed_to_one_now_stay_to_be_copied(client, member):
    thread = make_thread()
    save(client, f"reply:{thread.pk}", "Still mine")
    services.hide_post(post=thread.posts.get(), actor=make_member(is_moderator=True), reason="x")
    html = client.get(DRAFTS).content.decode()
    assert "Still mine" in html
    assert thread.title not in html


def test_text_sent_where_nothing_is_any_more_is_shown_for_copying(client, member):
    thread = make_thread()
    services.delete_post(actor=thread.author, post=thread.posts.get())
    response = client.post(reply_to(thread), {"body": "All that I wrote, and it was long."})
    assert response.status_code == 404
    assert "All that I wrote, and it was long.</textarea>" in response.content.decode()
    assert client.post(f"{reply_to(thread)[:-7]}/reply/", {"body": ""}).status_code == 404


def test_nobody_sees_or_drops_the_drafts_of_others(client, member):
    mine = make_thread()
    save(client, f"reply:{mine.pk}", "Mine alone")
    client.force_login(make_member())
    assert "Mine alone" not in client.get(DRAFTS).content.decode()
    assert client.post("/discussions/drafts/drop/", {"key": f"reply:{mine.pk}"}).status_code == 404
    assert Draft.objects.count() == 1


@pytest.mark.parametrize("count", [1, 20])
def test_drafts_of_a_thread_page_cost_no_query(client, member, django_assert_num_queries, count):
    thread = make_thread()
    for _number in range(count):
        Draft.objects.create(
            member=make_member(), key=f"reply:{thread.pk}", thread=thread, data={"fields": {}}
        )
    client.get(thread.get_absolute_url())
    with django_assert_num_queries(9):  # with what the library has for a question that waits
        client.get(thread.get_absolute_url())


def test_old_drafts_are_forgotten():
    draft = Draft.objects.create(member=make_member(), key="ask", data={"fields": {"body": "x"}})
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=364))
    retention.run()
    assert Draft.objects.filter(pk=draft.pk).exists()
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=366))
    retention.run()
    assert not Draft.objects.filter(pk=draft.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_windows_at_once_lose_no_text():
    member = make_member()

    def run(number):
        with closing(connection):
            services.save_draft(
                member=member, sent=Sent(key="ask", tab=f"tab{number}"), fields={"body": f"text {number}"}
            )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    assert sorted(texts(member, "ask")) == [f"text {number}" for number in range(6)]


# --- replies written meanwhile ---------------------------------------------------------------------------------------
def test_replies_written_meanwhile_are_shown_once_before_sending(client, member):
    thread = make_thread()
    assert 'name="seen" value="1"' in client.get(thread.get_absolute_url()).content.decode()
    make_post(thread=thread, source="I was **quicker**.")
    make_post(thread=thread, author=member, source="From my other window.")
    response = client.post(reply_to(thread), {"body": "My answer.", "seen": "1"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "1 new reply while you wrote" in html
    assert "<strong>quicker</strong>" in html
    assert "From my other window." not in html
    assert "My answer.</textarea>" in html
    assert "Post anyway" in html
    make_post(thread=thread)
    again = {"body": "My answer.", "seen": response.context["form"]["seen"].value() or ""}
    assert client.post(reply_to(thread), again).status_code == 302


def test_hidden_replies_are_not_shown_before_sending(client, member):
    thread = make_thread()
    post = make_post(thread=thread)
    services.hide_post(post=post, actor=make_member(is_moderator=True), reason="x")
    assert client.post(reply_to(thread), {"body": "My answer.", "seen": "1"}).status_code == 302


# --- quoting ---------------------------------------------------------------------------------------------------------
def test_quote_link_brings_the_words_with_who_said_them_and_where(client, member):
    thread = make_thread(author=make_member(name="Ada [Lovelace]"), source="First line.\n\nSecond *line*.")
    html = client.get(f"{reply_to(thread)}?quote=1").content.decode()
    address = f"{thread.get_absolute_url()}?post=1#post-1"
    assert f"[Ada Lovelace wrote]({address}):\n\n&gt; First line.\n&gt;\n&gt; Second *line*.\n" in html
    for odd in ("9", "x", "²", ""):
        assert client.get(f"{reply_to(thread)}?quote={odd}").status_code == 200


def test_hidden_words_are_not_quoted(client, member):
    post = make_post(source="Hidden words")
    services.hide_post(post=post, actor=make_member(is_moderator=True), reason="x")
    assert "Hidden words" not in client.get(f"{reply_to(post.thread)}?quote=2").content.decode()
