"""Probes: what they say when all is well, and what they tell, fail or keep to themselves when it is not."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from kmnet.core import health
from kmnet.core.models import Heartbeat, OutgoingMail


def test_healthz_asks_nobody(client):
    response = client.get(
        "/healthz", headers={"host": "10.0.0.7"}
    )  # probes come by address; the database is closed to us
    assert (response.status_code, response.json()) == (200, {"alive": True})
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


def test_probes_are_not_sent_to_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "delete"])
@pytest.mark.django_db
def test_probes_only_read(client, method):
    assert getattr(client, method)("/healthz").status_code in (404, 405)


@pytest.mark.django_db
def test_readyz_when_all_is_well(client, django_assert_num_queries):
    Heartbeat.objects.create(name="beat", seen_at=timezone.now())
    with django_assert_num_queries(3):
        response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "database": "ok",
        "redis": "ok",
        "beat": {"state": "ok", "seen_seconds_ago": 0},
        "mail": {"due": 0, "oldest_due_seconds": 0},
    }


@pytest.mark.django_db
def test_readyz_fails_without_the_database_and_tells_no_more(client, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("connection to 10.1.2.3 failed for user kmnet")

    monkeypatch.setattr(connection, "cursor", away)
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"ready": False, "database": "away"})


@pytest.mark.django_db
def test_readyz_tells_of_redis_away_without_failing(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert (response.status_code, response.json()["redis"]) == (200, "away")


@pytest.mark.django_db
def test_readyz_tells_of_a_beat_that_stopped_or_never_was_without_failing(client):
    assert client.get("/readyz").json()["beat"] == {"state": "never seen", "seen_seconds_ago": None}
    Heartbeat.objects.create(name="beat", seen_at=timezone.now() - timedelta(seconds=181))
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["beat"]["state"] == "not seen for 3 minutes"


@pytest.mark.django_db
def test_readyz_tells_how_long_the_oldest_due_mail_waits(client):
    now = timezone.now()
    for number, (minutes, state) in enumerate(
        [(5, "waiting"), (90, "waiting"), (600, "sent"), (-60, "waiting")]
    ):
        due_at = now - timedelta(minutes=minutes)
        OutgoingMail.objects.create(
            kind="test",
            address="somebody@example.org",
            dedupe_key=f"test:{number}",
            due_at=due_at,
            next_try_at=now + timedelta(hours=1),  # a failed try put it off; it is due all the same
            state=state,
            sent_at=now if state == "sent" else None,
        )
    report = client.get("/readyz").json()["mail"]
    assert report["due"] == 2
    assert 5400 <= report["oldest_due_seconds"] < 5460
    assert "somebody" not in client.get("/readyz").content.decode()


@pytest.mark.django_db
def test_readyz_before_the_first_migration():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_heartbeat RENAME TO not_there")
    assert health.beat_report()["state"] == "never seen"
