"""What all pages under /mail/ have in common."""

from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt


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
