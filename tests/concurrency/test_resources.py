"""Two adds in the same moment, with real commits: the database decides, and neither is an error."""

import uuid
from functools import partial

import pytest

from resources import services
from resources.models import Resource
from tests.factories.members import make_member
from tests.together import at_once, meet_before

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both_have_looked(monkeypatch):
    """Nobody saves before both have seen that nothing is there yet."""
    meet_before(monkeypatch, Resource, "save")


def add(member, title, key):
    item = {"type": "document", "title": title, "DOI": "10.1000/abc"}
    return services.add_resource(actor=member, details=services.Details(csl=item), submit_key=key).pk


def test_one_of_two_holds_the_doi_and_both_are_saved(both_have_looked):
    adds = [partial(add, make_member(), title, uuid.uuid4()) for title in ("One", "Two")]
    assert len(set(at_once(*adds))) == 2
    assert sorted(Resource.objects.values_list("doi", flat=True)) == ["", "10.1000/abc"]
    assert {resource.cited_doi for resource in Resource.objects.all()} == {"10.1000/abc"}


def test_a_button_pressed_twice_at_once_makes_one_record(both_have_looked):
    member, key = make_member(), uuid.uuid4()
    assert len(set(at_once(*[partial(add, member, "One", key)] * 2))) == 1
    assert Resource.objects.count() == 1
