"""Addresses that take a reply: one per member and thing, for 90 days from the last mail that carried it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from kmnet.core import inbound
from kmnet.core.models import ReplyAddress
from tests.factories import make_member
from tests.factories.discussions import make_thread

PURPOSE = "discussions.thread"


@pytest.mark.django_db
def test_an_address_is_the_members_own_for_each_thing():
    ana, per = make_member(), make_member()
    one, other = make_thread(), make_thread()

    found = [
        inbound.reply_address(member=member, purpose=PURPOSE, target=thread)
        for member, thread in ((ana, one), (ana, one), (ana, other), (per, one))
    ]

    assert found[0] == found[1]
    assert len(set(found)) == 3
    row = ReplyAddress.objects.get(member=per)
    assert found[3] == f"reply+{row.token}@kmnet.example"
    assert len(row.token) == 26
    assert abs(row.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)


@pytest.mark.django_db
def test_an_address_lasts_from_the_latest_mail_and_one_that_ended_is_not_used_again():
    ana, thread = make_member(), make_thread()
    first = inbound.reply_address(member=ana, purpose=PURPOSE, target=thread)
    ReplyAddress.objects.update(expires_at=timezone.now() + timedelta(days=10))

    assert inbound.reply_address(member=ana, purpose=PURPOSE, target=thread) == first
    assert ReplyAddress.objects.get().expires_at > timezone.now() + timedelta(days=89)

    ReplyAddress.objects.update(expires_at=timezone.now() - timedelta(days=1))
    second = inbound.reply_address(member=ana, purpose=PURPOSE, target=thread)
    assert second != first
    assert sorted(ReplyAddress.objects.values_list("revoked_for", flat=True)) == ["", "ended"]


@pytest.mark.django_db
def test_revoked_addresses_are_replaced_by_new_ones():
    ana, per, thread = make_member(), make_member(), make_thread()
    first = inbound.reply_address(member=ana, purpose=PURPOSE, target=thread)
    others = inbound.reply_address(member=per, purpose=PURPOSE, target=thread)

    assert inbound.revoke(member=ana, why="suspended") == 1

    assert inbound.reply_address(member=ana, purpose=PURPOSE, target=thread) != first
    assert inbound.reply_address(member=per, purpose=PURPOSE, target=thread) == others


@pytest.mark.django_db
def test_there_is_no_address_where_no_mail_comes_in_or_for_nobody(settings):
    ana, thread = make_member(), make_thread()
    assert inbound.reply_address(member=None, purpose=PURPOSE, target=thread) == ""
    settings.INBOUND_MAIL = False
    assert inbound.reply_address(member=ana, purpose=PURPOSE, target=thread) == ""
    assert not ReplyAddress.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_make_one_address(monkeypatch):
    ana, thread = make_member(), make_thread()
    looked, first = Barrier(2), ReplyAddress.objects.none().__class__.first

    def look_together(self):
        found = first(self)
        if self.model is ReplyAddress and found is None:
            looked.wait(timeout=5)
        return found

    monkeypatch.setattr(type(ReplyAddress.objects.none()), "first", look_together)

    def make(_number):
        with closing(connection):
            return inbound.reply_address(member=ana, purpose=PURPOSE, target=thread)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(make, range(2))

    assert one == other
    assert ReplyAddress.objects.count() == 1
