"""Two workers at the same schedule: real commits, real locks; and the race itself, seen without them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kmnet.core import jobs
from kmnet.core.models import OutgoingMail
from kmnet.hub import services
from kmnet.hub.models import DigestRun, DigestSchedule, DigestScheduleQuerySet
from tests.factories import make_member
from tests.together import at_once, meet_before

pytestmark = pytest.mark.django_db(transaction=True)


def make_due_readers(count):
    readers = [make_member(profile={"digest": "daily"}) for _number in range(count)]
    services.refresh_schedules()
    now = timezone.now()
    DigestSchedule.objects.update(
        next_due_at=now - timedelta(minutes=1), covered_until=now - timedelta(days=1)
    )
    return readers


def two_workers(work):
    return at_once(work, work)


@pytest.fixture
def both_have_read(monkeypatch):
    """Neither worker writes until both have read what is due, and what was made (or one waits for the lock)."""
    meet_before(monkeypatch, DigestRun.objects, "bulk_create")


def test_two_workers_share_the_members_and_double_none(both_have_read):
    readers = make_due_readers(4)
    assert sum(two_workers(lambda: services.claim_due_digests(limit=2))) == 4
    assert sorted(DigestRun.objects.values_list("member_id", flat=True)) == [reader.pk for reader in readers]
    assert OutgoingMail.objects.filter(kind="hub.digest").count() == 4


def test_two_workers_at_one_member_make_one_digest(both_have_read):
    make_due_readers(1)
    assert sorted(two_workers(services.claim_due_digests)) == [0, 1]
    assert DigestRun.objects.count() == 1


def test_worker_passes_over_members_that_another_one_has():
    first, second = make_due_readers(2)

    def claim():
        with closing(connection), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '9s'")  # rather than wait for the other for ever
            return services.claim_due_digests(limit=1)

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        assert services.claim_due_digests(limit=1) == 1
        assert pool.submit(claim).result() == 1
    assert sorted(DigestRun.objects.values_list("member_id", flat=True)) == [first.pk, second.pk]


def test_without_the_lock_both_would_have_made_it(both_have_read, monkeypatch):
    """The control: the race is real, and where the lock fails the constraint still holds."""
    make_due_readers(1)
    monkeypatch.setattr(DigestScheduleQuerySet, "select_for_update", lambda self, **kwargs: self)

    broken = []  # what the slice of one of them ran into, and then its only row alone
    monkeypatch.setattr(
        jobs.logger, "warning", lambda *args, exc_info: broken.append(str(exc_info).split('"')[1])
    )
    assert sorted(two_workers(services.claim_due_digests)) == [0, 1]
    assert broken == ["one_digest_per_member_and_period"]
    assert DigestRun.objects.count() == 1
    assert OutgoingMail.objects.filter(kind="hub.digest").count() == 1
