"""What goes well with a record; and what the library has for a question that nobody has answered."""

import pytest

from discussions.models import Thread
from resources.finding import related_to
from resources.models import Derivative, Relation, Resource
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term

pytestmark = pytest.mark.django_db


def of(resource, viewer=None):
    resource = Resource.objects.get(pk=resource.pk)
    return [one.title for one in related_to(resource, viewer or make_member())]


def test_shared_tags_come_before_shared_terms_and_words():
    carers, setting, stage = (make_term(key, key) for key in ("audience", "setting", "stage"))
    one = make_resource(
        title="Ledgers of contribution", tags=["ledgers", "boards"], terms=[carers, setting, stage]
    )
    make_resource(title="Nothing to do with it")
    make_resource(title="Terms", terms=[carers, setting, stage])
    make_resource(title="One tag", tags=["boards"])
    make_resource(title="Both tags", tags=["ledgers", "boards"])
    make_resource(title="The ledger and its contributions")
    found = of(one)
    assert found[0] == "Both tags"
    assert set(found) == {"Both tags", "One tag", "Terms", "The ledger and its contributions"}


def test_what_is_linked_or_hidden_or_not_for_them_is_left_out():
    one = make_resource(title="Parent", tags=["a"])
    child, linked, hidden, members = (
        make_resource(title=title, tags=["a"]) for title in ("Child", "Linked", "Hidden", "Members")
    )
    Derivative.objects.create(parent=one, child=child, kind="plain-language")
    Relation.objects.create(resource=linked, kind="related", other=one)
    Resource.objects.filter(pk=hidden.pk).update(state="hidden")
    Resource.objects.filter(pk=members.pk).update(visibility="members")
    assert of(one) == ["Members"]
    assert of(one, make_member(status="pending")) == []


@pytest.mark.parametrize(
    "title", ["", "?", "the of and", "'; DROP TABLE --", "a & b | !c", "Ünïcode Wörter hier"]
)
def test_any_title_is_asked_safely(title):
    one = make_resource(title=title or "x", tags=["a"])
    other = make_resource(title="Other", tags=["a"])
    assert of(one) == [other.title]


def question(**fields):
    return make_thread(space=make_space(readable_by="members"), kind="question", **fields)


def test_a_question_that_waits_shows_what_the_library_has(client):
    asker, reader = make_member(), make_member()
    thread = question(author=asker, title="How do we write a one-page summary?")
    thread.tags.add("summaries")
    make_resource(title="Summaries in an afternoon", tags=["summaries"])
    make_resource(title="A summary on one page")
    make_resource(title="Hidden summary on a page", state="hidden")
    client.force_login(asker)
    page = client.get(Thread.objects.get(pk=thread.pk).get_absolute_url()).content.decode()
    assert "Because you asked about <bdi>summaries</bdi>" in page
    assert "Summaries in an afternoon" in page
    assert "A summary on one page" in page
    assert "Hidden summary" not in page
    client.force_login(reader)
    assert (
        "In the library, about <bdi>summaries</bdi>" in client.get(thread.get_absolute_url()).content.decode()
    )
    make_post(thread=thread, author=reader)
    assert "Summaries in an afternoon" not in client.get(thread.get_absolute_url()).content.decode()


@pytest.mark.parametrize("count", [1, 50])
def test_it_is_one_query(count, django_assert_num_queries):
    one = make_resource(title="Ledgers of contribution", tags=["a", "b"])
    for _number in range(count):
        make_resource(title="Ledgers of contribution", tags=["a"])
    one = Resource.objects.get(pk=one.pk)
    viewer, _terms = make_member(), [term.facet for term in one.terms.all()]
    one._prefetched_objects_cache = {"terms": []}
    with django_assert_num_queries(1):
        assert len(related_to(one, viewer)) == min(count, 4)
