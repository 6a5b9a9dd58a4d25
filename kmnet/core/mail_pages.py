"""What all pages under /mail/ have in common, and how a mail is shown inside a page."""

import re
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt

# A mail may style itself, and nothing else: no script, no form, nothing fetched. Its links open in the whole window.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)


def mail_page(view):
    """A page that a link in a mail opens: public, needs no session and no cookie, tells no other site its address.

    The token in its address is the authority, so it is exempt from the CSRF check, which could not work anyway: with
    `no-referrer` browsers send "Origin: null". (Somebody else's page cannot forge a token.)"""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def page(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        add_never_cache_headers(response)
        return response

    return page


def framed_mail(html: str) -> HttpResponse:
    """The HTML part of a mail, for a sandboxed <iframe>."""
    html = re.sub(r"<head\b[^>]*>", r'\g<0><base target="_top">', html, count=1, flags=re.IGNORECASE)
    response = HttpResponse(html)
    response["Content-Security-Policy"] = FRAME_POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    add_never_cache_headers(response)
    return response
