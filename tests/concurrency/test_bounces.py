"""Notices that come in at the same moment, by two doors."""

import pytest
from django.db.models import QuerySet

from kmnet.core import bounces
from kmnet.core.models import MailReturn, SuppressedAddress
from tests.together import at_once, meet_before

pytestmark = pytest.mark.django_db(transaction=True)


def come_back(told_by):
    return lambda: bounces.note_return(told_by=told_by, kind="hard", address="ana@example.org")


@pytest.mark.parametrize("locked", [True, False])
def test_two_returns_count_as_two(monkeypatch, locked):
    """And without the lock as one: the control."""
    come_back("the first")()
    meet_before(monkeypatch, bounces, "score_now")
    if not locked:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **kwargs: self)
    at_once(come_back("one"), come_back("other"))
    row = SuppressedAddress.objects.get()
    assert row.score == (6 if locked else 4)
    assert row.suppressed_at is not None


def test_one_notice_by_two_doors_counts_once():
    assert sorted(at_once(come_back("one"), come_back("one"))) == [False, True]
    assert (MailReturn.objects.count(), SuppressedAddress.objects.get().score) == (1, 2)
