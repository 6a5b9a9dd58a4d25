"""Two adds in the same moment, with real commits: the database decides, and neither is an error."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection

from resources import services
from resources.models import Resource
from tests.factories.members import make_member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both_have_looked(monkeypatch):
    """Nobody saves before both have seen that nothing is there yet."""
    barrier, save = Barrier(2), Resource.save

    def save_together(self, *args, **kwargs):
        with suppress(BrokenBarrierError):
            barrier.wait(timeout=2)
        save(self, *args, **kwargs)

    monkeypatch.setattr(Resource, "save", save_together)


def add(member, title, key):
    with closing(connection):  # a thread's connection is its own to close
        item = {"type": "document", "title": title, "DOI": "10.1000/abc"}
        return services.add_resource(actor=member, details=services.Details(csl=item), submit_key=key).pk


def test_one_of_two_holds_the_doi_and_both_are_saved(both_have_looked):
    members = [make_member(), make_member()]
    with ThreadPoolExecutor(2) as pool:
        keys = set(pool.map(add, members, ["One", "Two"], [uuid.uuid4(), uuid.uuid4()]))
    assert len(keys) == 2
    assert sorted(Resource.objects.values_list("doi", flat=True)) == ["", "10.1000/abc"]
    assert {resource.cited_doi for resource in Resource.objects.all()} == {"10.1000/abc"}


def test_a_button_pressed_twice_at_once_makes_one_record(both_have_looked):
    member, key = make_member(), uuid.uuid4()
    with ThreadPoolExecutor(2) as pool:
        keys = set(pool.map(add, [member, member], ["One", "One"], [key, key]))
    assert len(keys) == 1
    assert Resource.objects.count() == 1
