"""Sentences that say what is the case, for the head of a page and of a letter."""

from datetime import datetime

from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from kmnet.core.numbers import in_words

WEEKDAYS = (
    gettext_lazy("Mondays"),
    gettext_lazy("Tuesdays"),
    gettext_lazy("Wednesdays"),
    gettext_lazy("Thursdays"),
    gettext_lazy("Fridays"),
    gettext_lazy("Saturdays"),
    gettext_lazy("Sundays"),
)


def capital(count: int) -> str:
    """Two, 14"""
    return capfirst(in_words(count))


def greeting(local: datetime, name: str) -> str:
    """By the reader's own clock."""
    if 4 <= local.hour < 12:
        return gettext("Good morning, %(name)s.") % {"name": name}
    if 12 <= local.hour < 18:
        return gettext("Good afternoon, %(name)s.") % {"name": name}
    return gettext("Good evening, %(name)s.") % {"name": name}


def reading_time(minutes: int) -> str:
    """“About ten minutes”, in steps that nobody takes for a measurement."""
    step = next((step for step in (2, 5, 10) if minutes <= step), 15)
    return gettext("About %(count)s minutes") % {"count": in_words(step)}
