"""What all tests share."""

import pytest

from discussions.services import limits
from tests.mailbox import mailbox

__all__ = ["mailbox"]


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path_factory):
    """What tests upload goes where nobody finds it."""
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / "media"


@pytest.fixture(autouse=True)
def no_daily_limits(request, monkeypatch):
    """Tests write more in a second than a person in a day; those of the limits themselves ask for `daily_limits`."""
    if "daily_limits" not in request.fixturenames:
        monkeypatch.setattr(limits, "allowance", lambda author: limits.Allowance(9999, 9999, 9999, False))


@pytest.fixture
def daily_limits():
    """The limits hold, as on the real site."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The second of the two long walks goes last: workers steal from the end, so the two run side by side."""
    items.sort(key=lambda item: "no-scripts" in item.name)
