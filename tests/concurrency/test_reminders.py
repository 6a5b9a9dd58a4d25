"""Two beats at the same moment: real commits, real locks; and the race itself, seen without them."""

from datetime import UTC, datetime

import pytest
from django.db.models import QuerySet

from discussions import services
from discussions.models import QuietThanks, ThanksMonth
from kmnet.core.models import Activity, Notification, OutgoingMail
from tests.concurrency.test_posts import at_once
from tests.factories import make_member
from tests.factories.discussions import make_post
from tests.together import meet_after, meet_before

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def no_locks(monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **kwargs: self)


@pytest.mark.parametrize("locked", [True, False])
def test_two_beats_remind_once(monkeypatch, locked):
    """And without the lock both would: the control."""
    services.keep_post(member=make_member(), post=make_post(), remind_at=NOON)
    meet_after(monkeypatch, services.bookmarks, "why_not")
    if not locked:
        no_locks(monkeypatch)
    at_once(*[lambda: services.remind_of_kept(now=NOON)] * 2)
    reminders = Notification.objects.filter(activity__verb="discussions.kept")
    assert reminders.count() == (1 if locked else 2)
    assert OutgoingMail.objects.filter(kind="discussions.kept").count() == 1  # by its key


@pytest.mark.parametrize("locked", [True, False])
def test_two_beats_tell_an_author_once(monkeypatch, caplog, locked):
    """Without the lock the constraint still holds, and one of the two beats fails on it, which is noted."""
    post = make_post()
    services.set_quiet_thanks(member=make_member(), post=post, on=True)
    QuietThanks.objects.update(at=datetime(2026, 10, 9, tzinfo=UTC))
    meet_before(monkeypatch, ThanksMonth.objects, "create")
    if not locked:
        no_locks(monkeypatch)
    told = at_once(*[lambda: services.tell_of_thanks(now=NOON)] * 2)
    assert sorted(told) == [0, 1]
    assert ("one_telling_of_thanks_per_month" in caplog.text) == (not locked)
    assert ThanksMonth.objects.count() == 1
    assert Activity.objects.filter(verb="discussions.helped").count() == 1
