"""A cache that is never a reason to fail: where Redis is away, everything is a miss, and limits count in this process."""

import time

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

# Counters of limits: ours (ratelimit.py) and django-allauth's. They must not be misses, or nothing would be limited.
COUNTERS = ("limit:", "allauth:rl:")
ASK_AGAIN_AFTER = (
    5.0  # seconds: a Redis that hangs would else cost its time-out at each of a page's questions
)

_away_until: dict[tuple, float] = {}
_counters = LocMemCache("limits while redis is away", {"OPTIONS": {"MAX_ENTRIES": 50_000}})


def _forgiving(name, missing):
    method, local = getattr(RedisCache, name), getattr(LocMemCache, name)

    def forgiving(self, *args, **kwargs):
        server = tuple(self._servers)
        if _away_until.get(server, 0) <= time.monotonic():
            try:
                return method(self, *args, **kwargs)
            except (RedisError, OSError):
                _away_until[server] = time.monotonic() + ASK_AGAIN_AFTER
        if args and isinstance(args[0], str) and args[0].startswith(COUNTERS):
            return local(_counters, *args, **kwargs)
        return missing(*args, **kwargs) if callable(missing) else missing

    forgiving.__name__ = name
    return forgiving


class KeptClient(RedisCacheClient):
    """Django makes a client at every question; it is only a shell around the pool, and dear to make."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._kept = {}

    def get_client(self, key=None, *, write=False):
        pool = self._get_connection_pool(write)
        if pool not in self._kept:
            self._kept[pool] = self._client(connection_pool=pool)
        return self._kept[pool]


class ForgivingRedisCache(RedisCache):
    """Redis holds nothing that cannot be rebuilt (docs/decisions): its absence costs time, never an error."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._class = KeptClient

    add = _forgiving("add", missing=True)
    get = _forgiving("get", missing=lambda key, default=None, version=None: default)
    set = _forgiving("set", missing=None)
    touch = _forgiving("touch", missing=False)
    delete = _forgiving("delete", missing=False)
    get_many = _forgiving("get_many", missing=lambda *a, **k: {})
    set_many = _forgiving("set_many", missing=lambda data, *a, **k: list(data))
    delete_many = _forgiving("delete_many", missing=None)
    has_key = _forgiving("has_key", missing=False)
    incr = _forgiving("incr", missing=lambda key, delta=1, version=None: delta)
    clear = _forgiving("clear", missing=False)
