"""What happens once, when a web server has loaded everything."""

import gc

import pytest

from kmnet.core.startup import keep_what_is_loaded


@pytest.fixture
def collector():
    before = gc.get_threshold()
    yield gc
    gc.set_threshold(*before)


def test_the_collector_leaves_what_is_loaded_alone(collector):
    many = [[number] for number in range(50_000)]
    keep_what_is_loaded()
    assert len(collector.get_objects()) < 1_000  # what it would walk through
    assert collector.get_threshold() == (20_000, 10, 10)
    assert len(many) == 50_000
