"""Search: every kind at once, synonyms said, nothing that the viewer may not see, and no input that breaks it."""

import pytest
from django.test import Client
from django.urls import reverse

from discussions import services as discussions
from kmnet.core.vocabulary import load_vocabulary
from tests.factories import make_member
from tests.factories.discussions import make_space, make_thread
from tests.factories.events import make_event
from tests.factories.resources import make_resource
from tests.hub.conftest import signed_in

SEARCH = reverse("hub:search")

pytestmark = pytest.mark.django_db


def titles(response):
    return sorted(plain(hit.title) for block in response.context["blocks"] for hit in block["hits"])


def plain(text):
    return text.replace("\ue000", "").replace("\ue001", "")


def test_one_search_finds_every_kind(member_client):
    make_thread(title="What does a quokka board want?")
    make_event(title="Quokka open hour")
    make_resource(title="Quokka ledger")
    make_member(name="Quentin Quokka")
    response = member_client.get(SEARCH, {"q": "quokka"})
    assert titles(response) == [
        "Quentin Quokka",
        "Quokka ledger",
        "Quokka open hour",
        "What does a quokka board want?",
    ]
    assert response.context["total"] == 4
    assert response.context["tabs"][0]["count"] == 4


def test_a_tab_shows_one_kind_and_keeps_the_totals_of_all(member_client):
    for number in range(8):
        make_resource(title=f"Quokka ledger {number}")
    make_event(title="Quokka open hour")
    everything = member_client.get(SEARCH, {"q": "quokka"})
    assert len(everything.context["blocks"]) == 2
    assert sum(len(block["hits"]) for block in everything.context["blocks"]) == 6  # five, and one
    library = next(block for block in everything.context["blocks"] if block["more"])
    only = member_client.get(library["href"])
    assert titles(only) == [f"Quokka ledger {number}" for number in range(8)]
    assert [tab["count"] for tab in only.context["tabs"]] == [
        9,
        *(t["count"] for t in everything.context["tabs"][1:]),
    ]
    assert member_client.get(SEARCH, {"q": "quokka", "kind": "nonsense"}).context["kind"] == ""


def test_words_of_the_field_find_their_synonyms_and_say_so(member_client):
    load_vocabulary()
    make_resource(title="Knowledge translation in rural clinics")
    response = member_client.get(SEARCH, {"q": "KT"})
    assert titles(response) == ["Knowledge translation in rural clinics"]
    assert "knowledge translation" in response.context["also"]
    assert "Also searched for:" in response.content.decode()


def test_nobody_finds_what_they_may_not_see():
    members_only, public = make_space(readable_by="members"), make_space()
    make_thread(space=members_only, title="Canary in the members' space")
    hidden = make_thread(space=public, title="Canary that was hidden")
    discussions.hide_post(post=hidden.posts.get(), actor=make_member(is_moderator=True), reason="Unkind.")
    make_event(title="Canary for members", visibility=1)
    make_event(title="Canary draft", published=False)
    make_resource(title="Canary for members", visibility="members")
    make_member(name="Canary Person")
    guest = Client().get(SEARCH, {"q": "canary"})
    assert (titles(guest), guest.context["total"]) == ([], 0)
    pending = signed_in(make_member(status="pending")).get(SEARCH, {"q": "canary"}, follow=True)
    assert "Canary" not in pending.content.decode()
    member = signed_in(make_member()).get(SEARCH, {"q": "canary"})
    assert titles(member) == [
        "Canary Person",
        "Canary for members",
        "Canary for members",
        "Canary in the members' space",
    ]
    assert member.context["total"] == 4


def test_nothing_found_says_so_and_offers_to_ask(member_client, client):
    response = member_client.get(SEARCH, {"q": "theatre for dissemination"})
    page = " ".join(response.content.decode().split())
    assert "Nobody has written about “theatre for dissemination” yet." in page
    assert f"{reverse('discussions:ask')}?title=theatre+for+dissemination" in page
    assert "Ask the community" not in client.get(SEARCH, {"q": "theatre"}).content.decode()


def test_a_near_miss_is_asked_back(member_client):
    load_vocabulary()
    response = member_client.get(SEARCH, {"q": "knowlege translaton"})
    assert "knowledge translation" in [word["words"].lower() for word in response.context["did_you_mean"]]


@pytest.mark.parametrize(
    "odd",
    [
        "\x00",
        "quo\x00kka",
        "a" * 5000,
        "'; DROP TABLE --",
        "& | ! ( ) <-> :*",
        '"unclosed',
        "\\",
        "<script>alert(1)</script>",
        "\u202eabc",
        "🦘" * 300,
        "%s %(x)s {0}",
        "\ue000<b>\ue001",
        "word " * 400,
        "   ",
        "-",
    ],
)
def test_no_input_breaks_the_page(client, odd):
    response = client.get(SEARCH, {"q": odd})
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()
    assert len(response.context["text"].text) <= 200


def test_bytes_that_are_no_text_do_not_break_it_either(client):
    assert client.get(SEARCH + "?q=%ff%fe%00&kind=%00").status_code == 200


@pytest.mark.parametrize("count", [1, 50])
def test_search_costs_the_same_however_much_is_found(member_client, count, django_assert_max_num_queries):
    space, author = make_space(), make_member()
    for _number in range(count):
        make_thread(space=space, author=author, title="Quokka question")
        make_event(title="Quokka event")
        make_resource(title="Quokka resource")
        make_member(name="Quokka Person")
    member_client.get(SEARCH, {"q": "quokka"})
    with django_assert_max_num_queries(12) as captured:
        member_client.get(SEARCH, {"q": "quokka"})
    assert len(captured.captured_queries) == QUERIES


QUERIES = 12
