import pytest
from django.test import Client

from kmnet.core.vocabulary import load_vocabulary
from tests.factories import make_member


@pytest.fixture(autouse=True)
def no_limits(settings):
    """The counts live in Redis, beyond a test's end; limits have tests of their own."""
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False


@pytest.fixture
def vocabulary(db):
    load_vocabulary()


@pytest.fixture
def member(db):
    return make_member(name="Ana Silva", email="ana@example.org")


@pytest.fixture
def signed_in():
    """signed_in(member) is a browser in which this member has signed in."""

    def open_browser(member) -> Client:
        client = Client()
        client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return open_browser
