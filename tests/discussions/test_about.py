"""A thread about a resource: begun from its page, met from its page by who may read both."""

import pytest
from django.urls import reverse

from discussions.models import Thread
from kmnet.core.models import RelatedItem
from resources.models import Resource
from tests.factories import make_member
from tests.factories.discussions import make_space
from tests.factories.resources import make_resource

pytestmark = pytest.mark.django_db


def ask_about(client, resource, space, **fields):
    page = client.get(reverse("discussions:ask"), {"about": f"resource-{resource.pk}"})
    form = page.context["form"]
    sent = {"title": "Does it work on paper?", "body": form["body"].value(), "about": form["about"].value()}
    return client.post(reverse("discussions:ask"), {**sent, "kind": "question", "space": space.pk, **fields})


def talk_on(client, resource):
    return [talk.title for talk in client.get(resource.get_absolute_url()).context["talk"]]


def test_it_begins_with_the_resource_and_stands_on_its_page(client):
    resource, space = make_resource(title="A [ledger]"), make_space(readable_by="members")
    client.force_login(make_member())
    assert talk_on(client, resource) == []
    page = client.get(reverse("discussions:ask"), {"about": f"resource-{resource.pk}"})
    assert page.context["form"]["body"].value() == rf"[A \[ledger\]]({resource.get_absolute_url()})" + "\n\n"
    assert ask_about(client, resource, space).status_code == 302
    thread = Thread.objects.get()
    assert talk_on(client, resource) == [thread.title]
    client.logout()
    assert talk_on(client, resource) == []  # the space is for members
    Thread.objects.update(state="hidden")
    client.force_login(make_member())
    assert talk_on(client, resource) == []


@pytest.mark.parametrize(
    "stated", ["", "resource-", "resource-x", "resource-99999999999999999999", "thread-1", "²"]
)
def test_what_nobody_knows_begins_nothing(client, stated):
    client.force_login(make_member())
    page = client.get(reverse("discussions:ask"), {"about": stated})
    assert not page.context["form"]["body"].value()
    sent = {"title": "Does it work?", "body": "On paper", "about": stated, "kind": "question"}
    assert client.post(reverse("discussions:ask"), {**sent, "space": make_space().pk}).status_code == 302
    assert RelatedItem.objects.count() == 0


def test_what_its_author_may_not_see_is_no_subject(client):
    resource, space = make_resource(title="Behind the door"), make_space()
    Resource.objects.update(state="hidden")
    client.force_login(make_member())
    assert (
        "Behind the door"
        not in client.get(reverse("discussions:ask"), {"about": f"resource-{resource.pk}"}).content.decode()
    )
    sent = {
        "title": "Does it work?",
        "body": "On paper",
        "about": f"resource-{resource.pk}",
        "kind": "question",
    }
    client.post(reverse("discussions:ask"), {**sent, "space": space.pk})
    assert (Thread.objects.count(), RelatedItem.objects.count()) == (1, 0)


@pytest.mark.parametrize("count", [1, 50])
def test_talk_costs_one_query_at_any_number(client, count, django_assert_num_queries):
    resource, space = make_resource(), make_space()
    client.force_login(make_member())
    for number in range(min(count, 4)):
        ask_about(client, resource, space, title=f"Question {number}?")
    from django.contrib.auth.models import AnonymousUser

    from kmnet.core.about import talk_about

    with django_assert_num_queries(1):
        assert len(talk_about(resource, AnonymousUser())) == min(count, 3)
