"""What is shown of posts: people, footnotes of many posts on a page, and old renderings made anew."""

import re

import pytest

from discussions import services
from discussions.models import Post
from discussions.rendering import anchor_of, render_post
from discussions.services.rendering import SLICE, render_old_posts
from kmnet.core.text import RENDER_VERSION
from members.models import OldHandle
from tests.factories import make_member
from tests.factories.discussions import make_post, make_thread

pytestmark = pytest.mark.django_db


def test_handles_lead_to_members_and_nobody_else():
    ada = make_member(handle="ada-l")
    make_member(handle="gone", status="suspended", is_active=False)
    make_member(handle="waits", status="pending")
    OldHandle.objects.create(handle="ada-before", member=ada)
    html = render_post("@ada-l @ADA-L @ada-before @gone @waits @nobody", anchor="x")
    assert re.findall(r'href="([^"]*)"', html) == ["/members/ada-l/"] * 3


def test_a_text_that_names_nobody_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        render_post("a@b.example, `@ada`", anchor="x")


def test_footnotes_of_posts_on_one_page_do_not_collide(client):
    thread, author = make_thread(source="One[^1].\n\n[^1]: A note."), make_member()
    for _number in range(3):
        make_post(thread=thread, author=author, source="One[^1].\n\n[^1]: A note.")
    html = client.get(thread.get_absolute_url()).content.decode()
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    assert sum(one.startswith("fn-") for one in ids) == 4


def test_what_was_typed_is_stored_to_the_letter(client):
    typed = "  A[^1] @nobody  \n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[^1]: ~~x~~ <b>&amp;</b> “q” 👩‍🔬"
    client.force_login(make_member())
    thread = make_thread()
    client.post(f"{thread.get_absolute_url()}reply/", {"body": typed})
    assert thread.posts.get(number=2).source == typed.strip()


def test_language_is_that_of_the_words_else_the_authors():
    french = (
        "Nous avons rencontré la direction deux fois, et on nous demande des chiffres que nous n’avons pas."
    )
    post = make_post(source=french)
    assert post.language == "fr"
    assert make_post(source="Merci!").language == "en"
    services.edit_post(
        editor=post.author, post=post, source="We met the board twice and they asked for the numbers."
    )
    post.refresh_from_db()
    assert post.language == "en"


def test_old_renderings_are_made_anew_in_slices_and_nothing_else_changes():
    thread = make_thread()
    posts = [make_post(thread=thread) for _number in range(2)]
    Post.objects.update(html="old", render_version=1, language="")
    before = list(Post.objects.order_by("pk").values("source", "edited_at", "published_at", "number"))
    assert render_old_posts(limit=2) == 2
    assert Post.objects.filter(html="old").count() == 1
    assert render_old_posts(limit=2) == 1
    assert render_old_posts() == 0
    assert list(Post.objects.order_by("pk").values("source", "edited_at", "published_at", "number")) == before
    posts[0].refresh_from_db()
    assert (posts[0].render_version, posts[0].language, SLICE) == (RENDER_VERSION, "en", 80)
    assert posts[0].html == render_post(posts[0].source, anchor="x")


def test_ids_of_footnotes_do_not_tell_who_wrote():
    one, other = make_post(source="x[^1]\n\n[^1]: y"), make_post(source="x")
    html = one.html
    services.edit_post(editor=one.author, post=one, source="x[^1]\n\n[^1]: z")
    one.refresh_from_db()
    assert re.findall(r"fn-\w+", one.html) == re.findall(r"fn-\w+", html)
    assert anchor_of(one.created_at) != anchor_of(other.created_at)
