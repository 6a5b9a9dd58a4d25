"""Guests at something that is not for guests: they are asked to sign in, whether it exists or not."""

import functools

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """To the sign-in page, and back here afterwards. htmx is sent on by a header, or it would swap that page in."""
    back = request.get_full_path()
    if not request.htmx:
        return redirect_to_login(back, resolve_url("account_login"))
    try:
        back = request.htmx.current_url_abs_path or "/"
    except ValueError:  # what the header says is no address
        back = "/"
    response = HttpResponse(status=204)
    response["HX-Redirect"] = redirect_to_login(back, resolve_url("account_login")).url
    return response


def guests_sign_in(view):
    """For public views of things that may not be public: what is a 404 for members is the sign-in page for guests."""

    @functools.wraps(view)
    def wrapped(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except Http404:
            if request.user.is_authenticated:
                raise
            return sign_in_first(request)

    return wrapped
