"""A cache that is never a reason to fail: where Redis is away, everything is a miss."""

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError


def _forgiving(name, missing):
    method = getattr(RedisCache, name)

    def forgiving(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        except (RedisError, OSError):
            return missing(*args, **kwargs) if callable(missing) else missing

    forgiving.__name__ = name
    return forgiving


class ForgivingRedisCache(RedisCache):
    """Redis holds nothing that cannot be rebuilt (docs/decisions): its absence costs time, never an error."""

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
