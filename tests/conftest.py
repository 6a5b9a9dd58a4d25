"""What all tests share."""

import pytest

from tests.mailbox import mailbox

__all__ = ["mailbox"]


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path_factory):
    """What tests upload goes where nobody finds it."""
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / "media"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The second of the two long walks goes last: workers steal from the end, so the two run side by side."""
    items.sort(key=lambda item: "no-scripts" in item.name)
