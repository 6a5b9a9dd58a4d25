"""What a post said before: who sees it, and how the difference reads."""

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from discussions import services
from kmnet.core.differences import Change, around, changes
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread


def told(before, after):
    return [(change.kind, change.text) for change in changes(before, after)]


def test_difference_is_told_in_words():
    assert told("We met twice a month.\nThen we stopped.", "We met once a month.\nThen we stopped.") == [
        ("same", "We met "), ("out", "twice"), ("in", "once"), ("same", " a month.\nThen we stopped."),
    ]  # fmt: skip
    assert told("", "All new.") == [("in", "All new.")]
    assert told("All gone.", "") == [("out", "All gone.")]
    assert told("Same.", "Same.") == [("same", "Same.")]


@given(before=st.text(max_size=200), after=st.text(max_size=200))
def test_both_texts_can_be_read_from_the_difference(before, after):
    found = changes(before, after)
    assert "".join(change.text for change in found if change.kind != "in") == before
    assert "".join(change.text for change in found if change.kind != "out") == after


def test_a_huge_change_is_shown_whole_and_soon():
    assert told("a b " * 3000, "c d " * 3000) == [("out", "a b " * 3000), ("in", "c d " * 3000)]


def test_long_unchanged_stretches_are_cut():
    text = "".join(f"line {number}\n" for number in range(20))
    found = around([Change("out", "x\n"), Change("same", text), Change("in", "y\n")])
    assert [(change.kind, change.text) for change in found] == [
        ("out", "x\n"), ("same", "line 0\nline 1\n"), ("gap", ""), ("same", "line 18\nline 19\n"), ("in", "y\n"),
    ]  # fmt: skip


pages = pytest.mark.django_db


def address(post):
    return reverse("discussions:history", args=[post.pk])


@pages
def test_history_shows_every_version_with_its_difference_escaped(client):
    thread = make_thread(title="How do you do it?", source="We use <b>one</b> ledger.")
    post = thread.posts.get()
    for words in ("We use <b>two</b> ledgers.", "We use <b>two</b> ledgers & a map."):
        services.edit_post(editor=thread.author, post=post, source=words, title="How do you do this?")
    html = client.get(address(post)).content.decode()
    assert html.count("<ins>") == html.count("<del>") + 1
    assert "<b>" not in html
    assert "taken out:" in html
    assert "We use &lt;b&gt;one&lt;/b&gt; ledger." in html
    assert address(post) in client.get(post.thread.get_absolute_url(), follow=True).content.decode()


@pages
def test_who_may_read_the_post_may_read_what_it_said_and_nobody_else(client):
    post = make_post(thread=make_thread(space=make_space(readable_by="members")), source="Before.")
    services.edit_post(editor=post.author, post=post, source="After.")
    assert client.get(address(post)).status_code == 302
    client.force_login(make_member())
    assert "Before." in client.get(address(post)).content.decode().replace("</del>", "")
    services.hide_post(post=post, actor=make_member(is_moderator=True), reason="Unkind.")
    for person in (make_member(), post.author, make_member(is_moderator=True)):
        client.force_login(person)
        assert client.get(address(post)).status_code == 404


@pages
def test_an_older_window_does_not_overwrite_a_newer_edit_without_a_word(client):
    post = make_post(source="At first.")
    client.force_login(post.author)
    edit = reverse("discussions:edit", args=[post.pk])
    begun = client.get(edit).context["form"]["begun_from"].value()
    assert client.post(edit, {"body": "Window one.", "begun_from": begun}).status_code == 302
    response = client.post(edit, {"body": "Window two.", "begun_from": begun})
    html = response.content.decode()
    assert response.status_code == 409
    assert "Window two.</textarea>" in html
    assert "<del>" in html
    post.refresh_from_db()
    assert post.source == "Window one."
    again = response.context["form"]["begun_from"].value()
    assert client.post(edit, {"body": "Window two.", "begun_from": again}).status_code == 302
    post.refresh_from_db()
    assert post.source == "Window two."
