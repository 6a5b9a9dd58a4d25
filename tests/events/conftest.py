from datetime import UTC, datetime

import pytest


@pytest.fixture
def clock(time_machine):
    """The clock, ticking on from now; `clock.shift(timedelta(...))` travels."""
    time_machine.move_to(datetime.now(UTC))
    return time_machine
