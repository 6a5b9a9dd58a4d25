"""Pages for guests, kept in each process for a few seconds and no longer than nothing public changes.

Kept is what a stranger gets who brings nothing along: a GET without cookies and without a query. The page stands under
its address, the host and the language, with the version of all that is public (public_changes.py), read before the page
is made. So what was hidden, taken back or made private is gone with the commit that did it, in all processes. The seconds
are for words that change by themselves (“2 hours ago”). What sets a cookie, is private or varies otherwise is not kept.
"""

import time
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.utils.translation import get_language_from_request

from . import public_changes
from .fixed import ask_first

logger = structlog.get_logger(__name__)

SECONDS = 15.0
MOST_PAGES = 300
LARGEST = 256 * 1024
MAY_VARY_BY = {"cookie", "hx-request", "accept-language", "accept-encoding"}
NEVER = ("private", "no-store")


@dataclass(frozen=True)
class KeptPage:
    version: tuple
    at: float
    headers: tuple
    content: bytes

    def answer(self) -> HttpResponse:
        response = HttpResponse(self.content)
        for name, value in self.headers:
            response[name] = value
        return response


class GuestPagesMiddleware:
    """Outside of session and member, inside of what adds the headers of safety to every answer."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.kept: dict[tuple, KeptPage] = {}

    def __call__(self, request):
        if not settings.KEEP_GUEST_PAGES or not brings_nothing(request):
            return self.get_response(request)
        try:
            version = ask_first(public_changes.version)
        except (OperationalError, InterfaceError):  # the site says it in its own way
            return self.get_response(request)
        key = request.scheme, request.get_host(), request.path_info, get_language_from_request(request)
        page = self.kept.get(key)
        if page and page.version == version and time.monotonic() - page.at < SECONDS:
            logger.info("request_finished", code=200, request=f"GET {request.path_info}", kept=True)
            return page.answer()
        response = self.get_response(request)
        if may_be_kept(response):
            while len(self.kept) >= MOST_PAGES:
                self.kept.pop(next(iter(self.kept), None), None)
            headers = tuple(response.items())
            self.kept[key] = KeptPage(version, time.monotonic(), headers, response.content)
        return response


def brings_nothing(request) -> bool:
    """Nothing by which the answer could be theirs alone, and no question."""
    sent = request.META
    return request.method == "GET" and not any(
        sent.get(name) for name in ("HTTP_COOKIE", "QUERY_STRING", "HTTP_HX_REQUEST", "HTTP_AUTHORIZATION")
    )


def may_be_kept(response) -> bool:
    return (
        response.status_code == 200
        and not response.streaming
        and not response.cookies
        and response.get("Content-Type", "").startswith("text/html")
        and not any(word in response.get("Cache-Control", "") for word in NEVER)
        and {name.strip().lower() for name in response.get("Vary", "").split(",") if name} <= MAY_VARY_BY
        and not any(name.startswith("_csp") for name in vars(response))
        and len(response.content) <= LARGEST
    )
