"""What tests of discussions share."""

import pytest

from discussions.models import DiscussionSettings


@pytest.fixture
def ruled(db):
    """Changes the settings of discussions for one test; the cache forgets them afterwards."""

    def change(**fields):
        found = DiscussionSettings.load()
        for name, value in fields.items():
            setattr(found, name, value)
        found.save()

    yield change
    DiscussionSettings().save()
