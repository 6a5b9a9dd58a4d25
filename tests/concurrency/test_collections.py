"""Two people at one collection in the same moment, with real commits: each record gets a place of its own."""

import contextlib
from functools import partial

import pytest
from django.db import IntegrityError, OperationalError

from resources import services
from resources.models import Collection, CollectionItem
from resources.services import collections
from tests.factories.members import make_member
from tests.factories.resources import make_collection, make_resource
from tests.together import at_once, meet_before

pytestmark = pytest.mark.django_db(transaction=True)


def add_two_at_once(monkeypatch):
    host, other = make_member(is_host=True), make_member(is_host=True)
    collection = make_collection(owner=host, visibility="public", is_curated=True)
    adds = [
        partial(services.collect, actor=who, collection=collection, resource=make_resource())
        for who in (host, other)
    ]
    with monkeypatch.context() as during:
        meet_before(during, CollectionItem, "save")  # nobody writes before both have counted the places
        at_once(*adds)
    return list(collection.items.values_list("position", flat=True))


def test_each_record_gets_a_place_of_its_own(monkeypatch):
    assert add_two_at_once(monkeypatch) == [1, 2]


def test_without_the_lock_the_constraint_refuses(monkeypatch):
    """The control: the race is there. Where both have written before either commits, each waits for the other."""
    monkeypatch.setattr(collections, "_locked", lambda one: Collection.objects.get(pk=one.pk))
    with contextlib.suppress(IntegrityError, OperationalError):
        places = add_two_at_once(monkeypatch)
        pytest.fail(f"nobody met anybody: {places}")
