import pytest
from django.core.cache import cache

from resources.models.care import CACHE_KEY

from .network import network

__all__ = ["network"]


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _own_settings():
    """What a test sets of the library is taken back with its rows, and not kept for the next one's first minute."""
    yield
    cache.delete(CACHE_KEY)
