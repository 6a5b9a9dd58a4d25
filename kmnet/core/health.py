"""What probes ask: /healthz, is this process alive; /readyz, should it be sent requests.

Only the database makes a site unready. Redis away, a beat that stopped or mail that waits is told, not punished: taking
the web servers out as well would help nobody. No answer holds a name, an address or an error's text.
"""

from datetime import timedelta

import redis
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, Min
from django.http import JsonResponse
from django.utils import timezone

BEAT_MISSING_AFTER = timedelta(minutes=3)


def live() -> JsonResponse:
    return _answer({"alive": True})


def ready() -> JsonResponse:
    if not database_answers():
        return _answer({"ready": False, "database": "away"}, status=503)
    report = {"ready": True, "database": "ok", "redis": "ok" if redis_answers() else "away"}
    return _answer(report | {"beat": beat_report(), "mail": mail_report()})


PROBES = {"/healthz": live, "/readyz": ready}


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True


def redis_answers() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
    try:
        return client.ping()
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def beat_report() -> dict:
    """Without beat no reminder, digest or offer goes out, and nothing else would show it."""
    seen_at = _ask(
        lambda: _model("Heartbeat").objects.filter(name="beat").values_list("seen_at", flat=True).first()
    )
    if seen_at is None:
        return {"state": "never seen", "seen_seconds_ago": None}
    ago = timezone.now() - seen_at
    state = "ok" if ago < BEAT_MISSING_AFTER else "not seen for 3 minutes"
    return {"state": state, "seen_seconds_ago": round(ago.total_seconds())}


def mail_report() -> dict:
    """How much mail should have gone out by now, and since when."""
    now = timezone.now()
    due = _ask(
        lambda: (
            _model("OutgoingMail")
            .objects.waiting()
            .filter(due_at__lte=now)
            .aggregate(n=Count("pk"), oldest=Min("due_at"))
        )
    )
    if due is None:
        return {"due": None, "oldest_due_seconds": None}
    return {
        "due": due["n"],
        "oldest_due_seconds": round((now - due["oldest"]).total_seconds()) if due["n"] else 0,
    }


def _model(name: str):
    return apps.get_model("core", name)


def _ask(question):
    """None where the tables are not there yet: a probe may come before the first migration."""
    try:
        return question()
    except (DatabaseError, InterfaceError):
        return None


def _answer(report: dict, status: int = 200) -> JsonResponse:
    return JsonResponse(report, status=status, headers={"Cache-Control": "no-store"})
