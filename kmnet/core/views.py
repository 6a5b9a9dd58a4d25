"""Pages that belong to no app: what went wrong, and what this place is.

The error pages stand when nothing else does: 400, 500 and 503 ask neither the database nor the request; the others show
the whole frame where they can, and the bare page where they cannot.
"""

import sys
from contextlib import suppress

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_safe

from . import kept_text
from .models import CommunitySettings
from .text import render_markdown

RETRY_AFTER = 30  # seconds
LAST_RESORT = "<!doctype html><title>{0}</title><h1>{0}</h1>"


def _error_page(request, status: int, *, framed: bool, **context) -> HttpResponse:
    template = f"errors/{status}.html"
    html = None
    if framed and hasattr(request, "user"):
        with suppress(DatabaseError, InterfaceError):
            html = loader.render_to_string(template, {"layout": "base.html", **context}, request)
    if html is None:
        try:
            html = loader.render_to_string(template, {"layout": "errors/bare.html", **context})
        except Exception:  # static files not collected, a broken template: still an answer
            html = LAST_RESORT.format(_("Something went wrong on our side"))
    response = HttpResponse(html, status=status)
    add_never_cache_headers(response)
    return response


@requires_csrf_token
def bad_request(request, exception=None):
    return _error_page(request, 400, framed=False)


@requires_csrf_token
def forbidden(request, exception=None):
    return _error_page(request, 403, framed=True)


@requires_csrf_token
def not_found(request, exception=None):
    return _error_page(request, 404, framed=True)


@requires_csrf_token
def too_many(request, exception=None):
    """Answered by rate limits, ours and django-allauth's (handler429)."""
    response = _error_page(request, 429, framed=True, typed=typed_by(request))
    response["Retry-After"] = str(RETRY_AFTER * 2)
    return response


@requires_csrf_token
def server_error(request):
    error = sys.exc_info()[1]
    while (
        error is not None
    ):  # the session or the member could not be read: not our fault alone, and it passes
        if isinstance(error, OperationalError | InterfaceError):
            return unavailable(request)
        error = error.__cause__ or error.__context__
    return _error_page(request, 500, framed=False, typed=typed_by(request))


@requires_csrf_token
def unavailable(request):
    """The database is away: say so, say when to come back, lose nothing of what was typed."""
    response = _error_page(request, 503, framed=False, typed=typed_by(request))
    response["Retry-After"] = str(RETRY_AFTER)
    return response


@requires_csrf_token
def csrf_failure(request, reason=""):
    """The page was open for too long, or cookies are off. What was typed is shown, so that it can be copied."""
    return _error_page(request, 403, framed=True, out_of_date=True, typed=typed_by(request))


def typed_by(request: HttpRequest) -> list[str]:
    """The words of this form, longest first; no secrets, and nothing that the page itself put in."""
    try:
        lists = list(request.POST.lists()) if request.method == "POST" else []
    except Exception:  # a broken upload: there is nothing to show
        return []
    words = [
        value
        for name, values in lists
        if name not in kept_text.SKIPPED and "password" not in name
        for value in values
        if len(value.split()) > 1
    ]
    return sorted(words, key=len, reverse=True)


ABOUT_PAGES = ("how-we-treat-each-other", "privacy", "accessibility", "contact")


@require_safe
@login_not_required
def about(request, page):
    community = CommunitySettings.load()
    agreement = render_markdown(community.agreement) if community.agreement else ""
    return render(request, f"about/{page}.html", {"page_name": page, "agreement_html": agreement})
