"""What the composer is told while somebody types: few rows, and nothing that they may not see."""

import re

import pytest
from django.urls import reverse

from discussions import services
from kmnet.core.vocabulary import load_vocabulary
from members.services import set_boundary
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.events import make_event
from tests.factories.groups import make_group
from tests.factories.resources import make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    member = make_member()
    client.force_login(member)
    return member


def offered(client, kind, asked):
    response = client.get("/discussions/complete/", {"kind": kind, "q": asked})
    return [option["text"] for option in response.json()["options"]]


def test_people_are_offered_by_name_and_handle(client, member):
    ada = make_member(name="Ada Lovelace", handle="al-l")
    assert offered(client, "people", "ad") == offered(client, "people", "lovel") == ["@al-l "]
    assert offered(client, "people", "al-l") == ["@al-l "]
    assert offered(client, "people", ada.name) == ["@al-l "]
    for odd in ("", "\x00", "%", "_", "'"):
        assert offered(client, "people", odd) == []


def test_a_creator_is_offered_as_names_are_cited_and_may_be_oneself(client, member):
    make_member(name="Andrée le May", handle="andree")
    me = f"@{member.handle} "
    for asked in ("le may, andr", "May, A.", "andrée", "andree"):
        assert offered(client, "creators", asked) == ["@andree "]
    assert offered(client, "creators", "May, Bea") == offered(client, "creators", " , .") == []
    type(member.profile).objects.filter(member=member).update(is_listed=False)
    assert offered(client, "creators", member.name) == [me]
    assert offered(client, "people", member.name) == []


def test_who_is_not_there_hidden_or_kept_away_is_not_offered(client, member):
    names = ("Suspended", "Pending", "Unlisted", "Blocker", "Blocked", "Ignored")
    people = {name: make_member(name=f"Zora {name}", handle=f"zora-{name.lower()}") for name in names}
    type(member).objects.filter(pk=people["Suspended"].pk).update(status="suspended", is_active=False)
    type(member).objects.filter(pk=people["Pending"].pk).update(status="pending")
    type(people["Unlisted"].profile).objects.filter(member=people["Unlisted"]).update(is_listed=False)
    set_boundary(owner=people["Blocker"], other=member, distance="block")
    set_boundary(owner=member, other=people["Blocked"], distance="block")
    set_boundary(owner=member, other=people["Ignored"], distance="ignore")
    make_member(name="Zora Here", handle="zora-here")
    assert offered(client, "people", "zora") == offered(client, "creators", "zora,") == ["@zora-here "]
    assert offered(client, "people", member.name) == []


def test_things_are_offered_by_their_titles_as_far_as_one_sees_them(client, member):
    resource = make_resource(title="Contribution [ledger]")
    event = make_event(title="Contribution analysis, live")
    make_event(title="Contribution draft", published=False)
    inside = make_resource(title="Contribution of a group")
    type(inside).objects.filter(pk=inside.pk).update(visibility="group", group=make_group())
    make_resource(title="Other", description="contribution")
    assert sorted(offered(client, "things", "contri")) == sorted(
        [
            f"[Contribution \\[ledger\\]]({resource.get_absolute_url()}) ",
            f"[{event.title}]({event.get_absolute_url()}) ",
        ]
    )
    assert offered(client, "things", "contributi") != []
    assert offered(client, "things", "contribution led") == [
        f"[Contribution \\[ledger\\]]({resource.get_absolute_url()}) "
    ]
    for odd in ("", "':*", "& |", "\\", "\x00"):
        assert offered(client, "things", odd) == []


def test_few_are_offered(client, member):
    for number in range(9):
        make_member(name=f"Zora {number}")
        make_resource(title=f"Zora {number}")
    assert len(offered(client, "people", "zora")) == len(offered(client, "things", "zora")) == 6


def test_asking_often_is_limited_and_silenced_members_are_not_answered(client, member):
    statuses = {
        client.get("/discussions/complete/", {"kind": "people", "q": "x"}).status_code for _ in range(95)
    }
    assert statuses == {200, 429}
    client.force_login(make_member(status="silenced"))
    assert client.get("/discussions/complete/", {"kind": "people", "q": "x"}).status_code == 403


def test_like_threads_and_library_items_are_hinted_while_the_title_is_typed(client, member):
    thread = make_thread(title="How do you report relationships to a board?")
    resource = make_resource(title="Relationships: a guide")
    hidden = make_thread(title="Relationships that nobody sees")
    services.hide_post(post=hidden.posts.get(), actor=make_member(is_moderator=True), reason="x")
    convenor = make_member()
    inside = make_space(readable_by="group", group=make_group(convenor=convenor))
    make_thread(title="Relationships inside", space=inside, author=convenor)
    make_thread(title="Something else")
    asked = "What do you tell your board about relationships built?"
    html = client.get("/discussions/similar/", {"title": asked}).content.decode()
    assert thread.get_absolute_url() in html
    assert resource.get_absolute_url() in html
    for missing in ("nobody sees", "inside", "Something else"):
        assert missing not in html
    preview = client.post(
        "/discussions/ask/", {"title": asked, "body": "x", "kind": "question", "view": "preview"}
    ).content.decode()
    assert thread.get_absolute_url() in preview
    assert 'hx-get="/discussions/similar/"' in client.get("/discussions/ask/").content.decode()
    for nothing in ("", "what do you", "\x00", "':*"):
        assert "similar-h" not in client.get("/discussions/similar/", {"title": nothing}).content.decode()


def test_replies_meanwhile_are_told_to_who_may_read_them(client, member):
    thread = make_thread()
    since = reverse("discussions:since", args=[thread.pk])
    assert client.get(since, {"n": 1}).status_code == 204
    make_post(thread=thread, author=member)
    assert client.get(since, {"n": 1}).status_code == 204
    make_post(thread=thread)
    assert client.get(since, {"n": 1}).json() == {
        "words": "1 new reply while you wrote", "url": thread.url_of(3),
    }  # fmt: skip
    for odd in ("", "x", "²", "-1"):
        assert client.get(since, {"n": odd}).status_code == 204
    services.hide_post(post=thread.posts.get(number=1), actor=make_member(is_moderator=True), reason="x")
    assert client.get(since, {"n": 1}).status_code == 404
    client.logout()
    assert client.get(since, {"n": 1}).status_code == 401


def test_tags_are_offered_with_their_other_spellings(client, member):
    load_vocabulary()
    html = client.get("/discussions/ask/").content.decode()
    assert 'list="tag-words"' in html
    [label] = re.findall(r'<option value="knowledge mobilisation" label="([^"]*)"', html)
    assert "KT" in label.split(", ")


@pytest.mark.parametrize("address", ["/discussions/similar/?title=Boards", "/messages/people/?q=ada"])
@pytest.mark.parametrize("who", ["guest", "pending", "member"])
def test_a_hint_sends_nobody_to_the_sign_in_page(client, db, address, who):
    if who != "guest":
        client.force_login(make_member(status="pending" if who == "pending" else "active"))
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/discussions/ask/"}
    response = client.get(address, headers=headers)
    assert response.status_code == (200 if who == "member" else 204)
    assert "HX-Redirect" not in response
    if who != "member":
        assert response.content == b""
