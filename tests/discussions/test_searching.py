import pytest
from django.contrib.auth.models import AnonymousUser

from discussions import services
from discussions.searching import search
from kmnet.core.search import SearchText
from kmnet.core.vocabulary import load_vocabulary
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db


def found(words, viewer=None):
    return search(SearchText(words), viewer or AnonymousUser(), 10)


def test_one_hit_per_thread_by_its_best_post():
    thread = make_thread(title="Ledgers for boards", source="Does a ledger work?")
    make_post(thread=thread, source="My ledger has three columns.")
    make_thread(title="Something else", source="Nothing of the kind.")
    page = found("ledger")
    assert page.total == 1
    assert [hit.title for hit in page.hits] == ["Ledgers for boards"]
    assert page.hits[0].url == thread.get_absolute_url()


def test_hit_in_a_reply_leads_to_the_reply():
    thread = make_thread(title="A question", source="How?")
    make_post(thread=thread, source="With a **colander**, and an étude.")
    hit = found("colanders").hits[0]
    assert hit.url == f"{thread.get_absolute_url()}?post=2#post-2"
    assert "\ue000colander\ue001" in hit.snippet
    assert "**" not in hit.snippet
    assert found("etude").total == 1


def test_title_counts_most_and_tags_count():
    reply = make_thread(title="Other", source="x")
    make_post(thread=reply, source="storytelling")
    titled = make_thread(title="Storytelling", source="x")
    tagged = make_thread(title="Tagged", source="x", tags=["storytelling"])
    assert [hit.title for hit in found("storytelling").hits][-1] == "Other"
    assert {hit.url for hit in found("storytelling").hits} == {
        f"{reply.get_absolute_url()}?post=2#post-2",
        titled.get_absolute_url(),
        tagged.get_absolute_url(),
    }


def test_synonyms_of_the_field_are_found():
    load_vocabulary()
    make_thread(title="KT strategy", source="x")
    assert found("knowledge mobilisation").total == 1


def test_new_words_are_found_after_an_edit_and_old_ones_not():
    thread = make_thread(title="Old title", source="x")
    services.edit_post(editor=thread.author, post=thread.posts.get(), source="x", title="Fresh heading")
    assert (found("fresh").total, found("old title").total) == (1, 0)


def test_nobody_finds_what_they_may_not_see():
    thread = make_thread(space=make_space(readable_by="members"), title="Unobtainium", source="x")
    reply = make_post(thread=make_thread(), source="unobtainium again")
    assert found("unobtainium", make_member()).total == 2
    assert found("unobtainium", make_member(status="pending")).total == 1
    assert found("unobtainium").total == 1
    services.hide_post(post=reply, actor=make_member(is_moderator=True), reason="Spam.")
    assert found("unobtainium").total == 0
    assert found("unobtainium", reply.author).total == 2
    assert [hit.url for hit in found("unobtainium", make_member()).hits] == [thread.get_absolute_url()]


def test_nothing_typed_finds_nothing():
    make_thread()
    assert found("  ").hits == []
