"""Limits on how often something may be done. Counted in the cache; where Redis is away, in each web process (cache.py)."""

import functools
import ipaddress
import time

from django.core.cache import cache

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def allow(key: str, *, limit: int, seconds: int) -> bool:
    """Count one more use of `key` in the current window of `seconds`; False when that is more than `limit`."""
    window = int(time.time() // seconds)
    name = f"limit:{key}:{window}"
    if cache.add(name, 1, seconds):
        return limit >= 1
    try:
        return cache.incr(name) <= limit
    except ValueError:  # it ran out between the two calls
        return True


def once(key: str, *, seconds: int) -> bool:
    """Is nobody before me within `seconds`? For what is used up by its use."""
    return cache.add(f"limit:once:{key}", 1, seconds)


def limited(scope: str, rate: str):
    """View decorator: at most `rate` ("20/h") POSTs by one member, or by one address for guests; else a 429 page."""
    count, period = rate.split("/")

    def decorate(view):
        @functools.wraps(view)
        def wrapped(request, *args, **kwargs):
            from .views import too_many  # views import much; this module is imported by them

            if request.method == "POST":
                who = (
                    f"member:{request.user.pk}"
                    if request.user.is_authenticated
                    else f"ip:{client_network(request)}"
                )
                if not allow(f"{scope}:{who}", limit=int(count), seconds=PERIODS[period]):
                    return too_many(request)
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def client_ip(request) -> str:
    """The visitor's address; X-Forwarded-For counts only as far as our own proxies wrote it, and only if it is one."""
    from django.conf import settings

    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    forwarded = [
        part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()
    ]
    told = forwarded[-proxies] if proxies and len(forwarded) >= proxies else ""
    for address in (told, request.META.get("REMOTE_ADDR", "")):
        try:
            return str(ipaddress.ip_address(address))
        except ValueError:
            continue
    return "0.0.0.0"  # a unix socket without a proxy that tells


def client_network(request) -> str:
    """What a limit counts by: the address, or the /64 of an IPv6 one, of which everybody has billions."""
    address = ipaddress.ip_address(client_ip(request))
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False).network_address)
