"""The demo lives through the weeks before today: what happens in it happens at its own time."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from django.utils import timezone


@contextmanager
def at(moment: datetime):
    """Inside, `timezone.now()` starts at `moment` and runs on by a second a call, so that order is never a tie."""
    current = moment

    def now() -> datetime:
        nonlocal current
        current += timedelta(seconds=1)
        return current

    with patch.object(timezone, "now", now):
        yield
