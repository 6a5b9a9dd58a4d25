"""What no browser sends, and somebody will: answered like any other mistake, never by an error of ours."""

import pytest
from django.urls import reverse

from tests.factories import make_member
from tests.factories.discussions import make_message, make_space, make_thread

pytestmark = pytest.mark.django_db
HUGE = 10**30


@pytest.fixture
def me(client):
    member = make_member(is_host=True, is_moderator=True)
    client.force_login(member)
    return member


@pytest.mark.parametrize("person", ["\x00", "ada\x00", "²", "a" * 500, "(", "@[.*"])
def test_a_list_of_nobodys_threads(client, me, person):
    make_thread()
    for address in (reverse("discussions:index"), make_space().get_absolute_url()):
        assert client.get(address, {"person": person, "tag": person, "kind": person}).status_code == 200


@pytest.mark.parametrize("pk", [0, 2**31, 2**63, HUGE])
def test_numbers_that_nothing_has(client, me, pk):
    addresses = [
        reverse("following:tag", args=[pk]),
        reverse("following:space", args=[pk]),
        reverse("messages:conversation", args=[pk]),
        reverse("discussions:thread_by_id", args=[make_space().slug, pk]),
        reverse("discussions:history", args=[pk]),
        reverse("discussions:keep", args=[pk]),
        reverse("discussions:vote", args=[pk]),
        reverse("discussions:split", args=[pk]),
        reverse("discussions:unmask", args=[pk]),
    ]
    for address in addresses:
        assert client.get(address).status_code == 404, address


def test_signs_that_no_column_takes(client, me):
    thread = make_thread()
    talk = make_message(me, make_member()).thread
    odd = "a\x00b"
    for name, query in (
        ("discussions:complete", {"q": odd, "kind": "people"}),
        ("discussions:complete", {"q": odd, "kind": "things"}),
        ("discussions:similar", {"title": odd}),
        ("messages:people", {"q": odd, "to": odd}),
        ("messages:new", {"q": odd, "to": odd}),
        ("messages:inbox", {"show": odd, "after": odd}),
        ("discussions:bookmarks", {"after": odd, "before": odd}),
    ):
        assert client.get(reverse(name), query).status_code == 200, (name, query)
    for address, fields, status in (
        (reverse("discussions:read_all"), {"space": odd, "query": f"person={odd}"}, 404),
        (reverse("discussions:draft_drop"), {"key": odd}, 404),
        (reverse("discussions:draft_save"), {"key": "ask", "body": odd, "draft_tab": odd}, 200),
        (reverse("messages:new"), {"to": odd, "body": odd}, 422),
        (reverse("messages:add", args=[talk.pk]), {"handle": odd, "q": odd}, 409),
        (reverse("discussions:ask"), {"space": odd, "kind": odd, "title": odd, "body": odd}, 422),
        (reverse("discussions:merge", args=[thread.pk]), {"into": odd, "reason": odd}, 422),
        (reverse("discussions:move", args=[thread.pk]), {"space": odd, "reason": odd}, 422),
        (reverse("discussions:pin", args=[thread.pk]), {"until": odd, "reason": odd}, 422),
        (f"{thread.get_absolute_url()}reply/", {"body": "Fine.", "to": "²", "seen": odd}, 422),
    ):
        assert client.post(address, fields).status_code == status, address
