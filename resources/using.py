"""How a visit to a page becomes an event that is counted, without a write to the database and without slowing the page.

The view marks its answer, the middleware (outside of the pages kept for guests, so that these count, too) takes the mark
off and puts the event on a list in Redis, from where a job takes it (services.usage). Where Redis is away, or was emptied,
what was on the list is lost: numbers for authors are no accounts.

Counted is what a person saw: answers 200 and 304, of a download its first range; not robots, not what a browser fetches in
advance, not one's own record, and the same visitor once in WINDOW seconds. Who the visitor is cannot be told back: the
salt is new each day, and thrown away with it.
"""

import hashlib
import hmac
import json
import logging
import secrets
import time
from functools import lru_cache

import redis
from django.conf import settings
from django.utils import timezone

from kmnet.core.ratelimit import client_ip

from .models import Resource
from .models.care import UsageEvent
from .robots import is_prefetch, is_robot

logger = logging.getLogger(__name__)
WINDOW = 30  # seconds, as COUNTER says
MOST = 200_000  # events on the list; what comes beyond is lost
MARK = "X-Kmnet-Use"
PATIENCE = 0.2  # seconds for Redis
ASK_AGAIN_AFTER = 5.0
_COUNT = """
if redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[3]) and redis.call('LLEN', KEYS[2]) < tonumber(ARGV[2]) then
  redis.call('RPUSH', KEYS[2], ARGV[1])
end
"""
READ, DOWNLOAD = UsageEvent.Kind.READ, UsageEvent.Kind.DOWNLOAD


def mark(request, response, resource: Resource | None, kind: str = READ):
    """This answer shows the record, or gives a file of it; returns the answer. One's own does not count."""
    user = request.user
    mine = resource is None or user.pk in (resource.added_by_id, resource.keeper_id)
    if not (user.is_authenticated and mine) and resource is not None:
        response[MARK] = f"{kind} {resource.pk}"
    return response


class UsageMiddleware:
    """Outside of the pages that are kept for guests."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        stated = response.get(MARK, "")
        if stated:
            del response[MARK]
        if stated and request.method == "GET" and _was_seen(response):
            kind, _space, number = stated.partition(" ")
            _Counter.count(request, kind, int(number))
        return response


def _was_seen(response) -> bool:
    if response.status_code == 206:
        return response.get("Content-Range", "").startswith("bytes 0-")
    return response.status_code in (200, 304)


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.CACHES["default"]["LOCATION"],
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        decode_responses=True,
    )


def key(name: str) -> str:
    return f"usage:{settings.CACHES['default'].get('KEY_PREFIX', '')}:{name}"


class _Counter:
    """What each process remembers: the salt of the day, and that Redis was away."""

    away_until = 0.0
    salt = ("", "")  # of which day, which

    @classmethod
    def count(cls, request, kind: str, resource_id: int) -> None:
        """Never raises, and waits no longer than PATIENCE once in ASK_AGAIN_AFTER seconds."""
        agent = request.headers.get("User-Agent", "")
        if is_robot(agent) or is_prefetch(request.headers) or cls.away_until > time.monotonic():
            return
        user = getattr(request, "user", None)
        member = user.pk if user is not None and user.is_authenticated else None
        who = f"member {member}" if member else f"{client_ip(request)} {agent[:500]}"
        try:
            visitor = hmac.new(cls._salt().encode(), who.encode(), hashlib.sha256).hexdigest()[:32]
            event = json.dumps([resource_id, kind, visitor, int(timezone.now().timestamp())])
            seen = key(f"seen:{kind}:{resource_id}:{visitor}")
            client().eval(_COUNT, 2, seen, key("events"), event, MOST, WINDOW)
        except (redis.RedisError, OSError):
            cls.away_until = time.monotonic() + ASK_AGAIN_AFTER
            logger.warning("uses are not counted: redis is away")

    @classmethod
    def _salt(cls) -> str:
        """One for all processes and for one day (UTC); nobody has it afterwards."""
        now = timezone.now()
        day = now.strftime("%Y-%m-%d")
        if cls.salt[0] != day:
            left = 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
            name = key(f"salt:{day}")
            client().set(name, secrets.token_hex(32), nx=True, ex=max(left, 1))
            cls.salt = (day, client().get(name) or secrets.token_hex(32))
        return cls.salt[1]
