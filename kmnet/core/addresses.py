"""Addresses made once. `reverse` walks all patterns of the site each time, and the same few are asked for at every page."""

from functools import lru_cache

from django.urls import get_urlconf, reverse


@lru_cache(maxsize=20_000, typed=True)
def _address(_urlconf, view_name: str, args: tuple) -> str:
    return reverse(view_name, args=args)


def address(view_name: str, *args) -> str:
    """As reverse(view_name, args=args), which depends on nothing else: addresses are stable, and the site stands at “/”.
    Raises NoReverseMatch. {% url %} asks here by itself."""
    return _address(get_urlconf(), view_name, args)
