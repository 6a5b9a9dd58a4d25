"""Where people whose joining is not finished may go, and the list of where somebody is signed in."""

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url

from . import services
from .permissions import is_full_member

# What is theirs although they are no full members yet: their own account, profile and settings, by name of the view.
OWN_PAGES = ("account_", "mfa_", "usersessions_")
OWN_NAMESPACE = "members"
NOT_THEIRS = {"members:directory"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
SEEN_EVERY = 3600  # seconds: how exact "last seen" is on the list of sessions
LATER = "welcome_later"  # session key: the first steps were put off until the next sign-in


class StandingMiddleware:
    """After LoginRequiredMiddleware. An unproven or pending member sees public things and what is their own; a full
    member who has not finished the first steps is led to them from the home page, once a session."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view_func, view_args, view_kwargs):
        user = request.user
        if not user.is_authenticated:
            return None
        if user.is_demo and not settings.KMNET_DEMO:
            logout(request)
            return redirect("account_login")
        if request.method not in SAFE_METHODS:
            services.note_presence(member=user)
        match = request.resolver_match
        if is_full_member(user):
            return self.lead_to_first_steps(request, match)
        if not getattr(view_func, "login_required", True) or self.is_own(match):
            return None
        return self.send(request, "members:waiting")

    def is_own(self, match) -> bool:
        if match.view_name in NOT_THEIRS:
            return False
        return match.namespace == OWN_NAMESPACE or (match.url_name or "").startswith(OWN_PAGES)

    def lead_to_first_steps(self, request, match):
        finished = request.user.agreed_at and request.user.onboarded_at
        if finished or match.view_name != "hub:home" or request.method != "GET" or request.htmx:
            return None
        return None if request.session.get(LATER) else redirect("members:welcome")

    def send(self, request, view_name):
        """htmx would swap the page that a redirect leads to into a corner of this one."""
        if not request.htmx:
            return redirect(view_name)
        response = HttpResponse(status=204)
        response["HX-Redirect"] = resolve_url(view_name)
        return response


class SessionListMiddleware:
    """Keeps the list under "where you are signed in". allauth's own costs five queries, one a write, at every request;
    this one a look into the cache, and its queries once an hour."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        key = request.session.session_key
        if key and request.user.is_authenticated and cache.add(f"seen:{key}", 1, SEEN_EVERY):
            UserSession.objects.create_from_request(request)
        return self.get_response(request)
