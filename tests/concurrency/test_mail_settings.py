"""Two windows with the page of mail settings: what is stored is the one or the other, never half of each."""

import pytest
from django.db.models import QuerySet

from kmnet.core.mail.choices import choices_of
from kmnet.core.models.mail import MailChoice
from members import services
from members.models import Member
from members.services import mail_settings
from members.services.mail_settings import Wish
from tests import together
from tests.factories import make_member
from tests.together import Meeting

pytestmark = pytest.mark.django_db(transaction=True)
ONE, OTHER = (
    ("digest", "at_once"),
    ("at_once", "never"),
)  # of replies and of mentions; both usually come at once


def choose(member, of_replies, of_mentions):
    return lambda: services.change_mails(
        member=member,
        wanted={"reply": Wish(of_replies), "mention": Wish(of_mentions)},
        digest="weekly",
        digest_weekday=1,
        digest_days=[],
        digest_hour=7,
        digest_minutes=5,
        bundle_minutes=10,
        quiet_from=None,
        quiet_until=None,
        paused_until=None,
    )


@pytest.fixture
def stored(monkeypatch):
    """What of both is left, where nobody writes until both have read what held (or one waits for the lock)."""
    meeting, bulk_create = Meeting(), QuerySet.bulk_create

    def wait(self, *args, **fields):
        if self.model is MailChoice:
            meeting.come()
        return bulk_create(self, *args, **fields)

    monkeypatch.setattr(QuerySet, "bulk_create", wait)

    def left():
        member = make_member()
        together.at_once(choose(member, *ONE), choose(member, *OTHER))
        chosen = choices_of(member_id=member.pk)
        return chosen["reply"], chosen["mention"]

    return left


def test_two_windows_at_once_leave_what_one_of_them_said(stored):
    assert stored() in (ONE, OTHER)


def test_without_the_lock_half_of_each_would_be_left(stored, monkeypatch):
    monkeypatch.setattr(mail_settings, "_lock", lambda member: Member.objects.get(pk=member.pk))
    assert stored() == ("digest", "never")
