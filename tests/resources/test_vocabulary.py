"""What the vocabulary may have missed becomes one of its terms."""

import pytest
from django.urls import reverse
from taggit.models import Tag

from discussions.models import TagLevel
from kmnet.core import free_tags
from kmnet.core.models import AuditEntry, Facet, OutgoingMail, Synonym, SynonymGroup, Term
from kmnet.core.vocabulary import expand, find_term, forget_words
from resources.models import Resource
from tests.factories.discussions import make_thread
from tests.factories.events import make_event
from tests.factories.groups import make_group
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_old_words():
    forget_words()
    yield
    forget_words()


@pytest.fixture
def admin():
    return make_member(is_superuser=True, is_staff=True)


def listed():
    return [(one.tag.name, one.count) for one in free_tags.free_tags()]


def test_tags_that_all_members_meet_often_and_that_are_no_term():
    make_term("method", "workshop")
    group = SynonymGroup.objects.create()
    for word in ("workshop", "work shop"):
        Synonym.objects.create(group=group, word=word)
    for number in range(5):
        make_resource(tags=["mindlines", "work shop", "Workshop", *(["few"] if number else [])])
    make_thread(tags=["mindlines"])
    make_event().tags.add("mindlines")
    hidden, inside = make_resource(tags=["few"], state="hidden"), make_resource(tags=["few"])
    Resource.objects.filter(pk=inside.pk).update(visibility="group", group=make_group())
    assert hidden.tags.count() == 1
    assert listed() == [("mindlines", 7)]


def test_a_tag_becomes_a_term_on_all_that_bears_it(admin, client):
    term = make_term("method", "communities of mindlines")
    both = make_resource(tags=["mindlines", "other"], terms=[term])
    one, thread, event = (
        make_resource(tags=["mindlines"]),
        make_thread(tags=["mindlines"]),
        make_event(),
    )
    event.tags.add("mindlines")
    tag = Tag.objects.get(name="mindlines")
    follower, follows_both = make_member(), make_member()
    named = Tag.objects.create(name=term.name)
    for member, followed in ((follower, tag), (follows_both, tag), (follows_both, named)):
        TagLevel.objects.create(member=member, tag=followed, level="watching")
    client.force_login(admin)
    address = reverse("admin:core_term_free_tag", args=[tag.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"term": ""}).status_code == 422
    assert client.post(address, {"term": term.pk}).status_code == 302
    assert free_tags.merge_tag(actor=admin, tag=tag, term=term) == 0  # twice is once
    for resource, tags in ((both, ["other"]), (one, [])):
        assert (list(resource.terms.all()), list(resource.tags.names())) == ([term], tags)
    assert (list(thread.tags.names()), list(event.tags.names())) == ([term.name], [term.name])
    assert sorted(TagLevel.objects.values_list("member", "tag")) == [
        (follower.pk, named.pk),
        (follows_both.pk, named.pk),
    ]
    assert not Tag.objects.filter(pk=tag.pk).exists()
    forget_words()  # what the commit does
    assert set(expand("mindlines")) == {"mindlines", term.name}
    assert find_term("Mindlines") == term
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor, entry.data["things"]) == ("core.tag_merged", admin, 4)
    found = client.get("/library/?q=mindlines").context["resources"]
    assert {resource.pk for resource in found} == {both.pk, one.pk}
    for name in ("Mindlines", term.name):  # links to the tag go on
        found = client.get("/library/", {"tag": name}).context["resources"]
        assert {resource.pk for resource in found} == {both.pk, one.pk}


def test_a_tag_that_became_a_term_not_meant_for_records_is_still_found_by_its_old_name(admin, client):
    Facet.objects.create(key="challenge", label="Challenge", applies_to=["member"])
    resource, term = make_resource(tags=["isolation"]), make_term("challenge", "working alone")
    free_tags.merge_tag(actor=admin, tag=Tag.objects.get(name="isolation"), term=term)
    forget_words()
    client.force_login(admin)
    assert list(resource.tags.names()) == ["working alone"]
    assert client.get("/library/", {"tag": "isolation"}).context["resources"] == [resource]


def test_two_groups_of_synonyms_become_one(admin):
    term = make_term("method", "coffee")
    for words in (("coffee", "kaffee"), ("randomised coffee", "coffee trial")):
        group = SynonymGroup.objects.create()
        for word in words:
            Synonym.objects.create(group=group, word=word)
    make_resource(tags=["coffee trial"])
    free_tags.merge_tag(actor=admin, tag=Tag.objects.get(name="coffee trial"), term=term)
    forget_words()
    assert set(expand("kaffee")) == {"coffee", "kaffee", "randomised coffee", "coffee trial"}
    assert SynonymGroup.objects.count() == 1


def test_admins_hear_of_it_once_a_month(admin):
    make_member(is_moderator=True)
    assert free_tags.tell_admins() == 0
    for _row in range(5):
        make_resource(tags=["mindlines"])
    assert (free_tags.tell_admins(), free_tags.tell_admins()) == (1, 0)
    assert OutgoingMail.objects.get().member == admin


def test_terms_are_retired_and_used_again_in_the_admin(admin, client):
    term = make_term("method", "fax")
    resource = make_resource(terms=[term])
    client.force_login(admin)
    address = reverse("admin:core_term_changelist")
    client.post(address, {"action": "retire", "_selected_action": [term.pk]})
    assert not Term.objects.current().filter(pk=term.pk).exists()
    assert list(resource.terms.all()) == [term]  # what has it keeps it
    client.post(address, {"action": "use_again", "_selected_action": [term.pk]})
    assert Term.objects.current().filter(pk=term.pk).exists()
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["core.term_retired", "core.term_used_again"]
