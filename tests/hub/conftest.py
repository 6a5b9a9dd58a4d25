"""Who looks at the hub's pages."""

import pytest
from django.core.cache import cache
from django.test import Client

from tests.factories import make_member


def signed_in(member) -> Client:
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture(autouse=True)
def fresh_cache(db):
    """Redis outlives a test; what it kept of the last one must not be seen here. (Not `clear`: that empties the Redis
    of the tests that run beside this one.)"""
    cache.delete_many(["vocabulary", "community-settings"])


@pytest.fixture
def member(db):
    return make_member(name="Rosalind Achebe")


@pytest.fixture
def member_client(member):
    return signed_in(member)


@pytest.fixture
def moderator(db):
    return make_member(name="Priya Nair", is_moderator=True)


@pytest.fixture
def moderator_client(moderator):
    return signed_in(moderator)
