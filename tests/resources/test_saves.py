"""Saving for later: a list that only its member sees."""

import pytest
from django.urls import reverse

from resources.models import SavedResource
from tests.factories.members import make_member
from tests.factories.resources import make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    member = make_member()
    client.force_login(member)
    return member


def save(client, resource, wanted="on", **data):
    return client.post(reverse("resources:save", args=[resource.pk]), {"set": wanted, **data})


def test_a_button_saves_and_takes_back_and_says_which(client, member):
    resource = make_resource(title="Keep me")
    assert b'value="on"' in client.get(resource.get_absolute_url()).content
    for _press in range(2):
        assert save(client, resource)["Location"] == resource.get_absolute_url()
    assert SavedResource.objects.count() == 1
    assert b'value="off"' in client.get(resource.get_absolute_url()).content
    assert [kept.resource for kept in client.get(reverse("resources:saved")).context["page"]] == [resource]
    client.force_login(make_member())
    assert list(client.get(reverse("resources:saved")).context["page"]) == []
    client.force_login(member)
    save(client, resource, "off")
    assert not SavedResource.objects.exists()


def test_what_may_not_be_opened_cannot_be_saved(client, member):
    hidden = make_resource(state="hidden")
    assert save(client, hidden).status_code == 404
    assert save(client, make_resource(), "perhaps").status_code == 404
    assert not SavedResource.objects.exists()


def test_what_is_gone_meanwhile_says_so_without_its_words_and_can_go(client, member):
    resource = make_resource(title="Words that were hidden")
    save(client, resource)
    resource.state = "hidden"
    resource.save(update_fields=["state"])
    page = client.get(reverse("resources:saved"))
    assert b"not there to be read" in page.content
    assert b"Words that were hidden" not in page.content
    assert save(client, resource, "off", next="/library/saved/")["Location"] == "/library/saved/"
    assert save(client, resource, "off", next="https://evil.example/")["Location"] == "/library/saved/"
    assert not SavedResource.objects.exists()


@pytest.mark.parametrize("count", [1, 50])
def test_the_list_costs_the_same_at_any_length(client, member, count, django_assert_num_queries):
    for _number in range(count):
        SavedResource.objects.create(member=member, resource=make_resource(tags=["a"]))
    client.get("/library/")
    # who asks, the bell, the saves, their records with terms and tags
    with django_assert_num_queries(6):
        page = client.get(reverse("resources:saved"))
    assert len(page.context["page"]) == min(count, 20)
