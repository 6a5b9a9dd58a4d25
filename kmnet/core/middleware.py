"""What happens to every request."""

import logging
import zoneinfo

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import InterfaceError, OperationalError
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from . import access, health, kept_text, views
from .models import CommunitySettings

logger = logging.getLogger(__name__)


class PassThrough:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)


class HealthMiddleware(PassThrough):
    """Probes come by address, plainly and often: answered before host check, redirect to https and session."""

    def __call__(self, request):
        probe = health.PROBES.get(request.path) if request.method in ("GET", "HEAD") else None
        return probe() if probe else self.get_response(request)


class UnavailableMiddleware(PassThrough):
    """The database away becomes a styled 503. (Where a middleware met it, views.server_error finds out.)"""

    def process_exception(self, request, exception):
        if isinstance(exception, OperationalError | InterfaceError):
            logger.error("the database is not available", exc_info=exception)
            return views.unavailable(request)
        return None


class PolicyMiddleware(CSPMiddleware):
    """As django-csp's, which makes the policy anew for each response; ours is the same for all that ask for no other."""

    policy = None

    def process_response(self, request, response):
        if HEADER in response:
            return response
        if hasattr(request, "_csp_nonce") or any(name.startswith("_csp") for name in vars(response)):
            return super().process_response(request, response)
        if self.policy is None:
            self.policy = super().process_response(request, response).get(HEADER)
        if self.policy is not None:
            response[HEADER] = self.policy
        return response


class ReaderMiddleware(PassThrough):
    """Pages speak the reader's language and tell the reader's time; for guests, the community's."""

    def __call__(self, request):
        if request.user.is_authenticated:
            language, zone = request.user.language, request.user.time_zone
        else:
            language, zone = (
                translation.get_language_from_request(request),
                CommunitySettings.load().time_zone,
            )
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()
        try:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            timezone.deactivate()
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()
            translation.deactivate()


class KeepTextMiddleware(PassThrough):
    """A form sent after the login has run out: the text is kept, and offered again after signing in.

    Stands before LoginRequiredMiddleware. htmx is sent on by a header, since it would swap the login page in.
    """

    def process_view(self, request, view_func, view_args, view_kwargs):
        if request.user.is_authenticated or not getattr(view_func, "login_required", True):
            return None
        if request.method == "POST":
            kept_text.keep(request)
        if request.htmx:
            return access.sign_in_first(request)
        return None


class AdminQueryMiddleware(PassThrough):
    """Django's admin hands what its filters are given to the database, which takes no NUL: a bad address, no trace."""

    def process_view(self, request, view_func, view_args, view_kwargs):
        if "admin" in request.resolver_match.namespaces:
            asked = [
                request.path_info,
                *request.GET,
                *(value for _k, v in request.GET.lists() for value in v),
            ]
            if any("\x00" in words for words in asked):
                return views.bad_request(request)
        return None


class InvalidFormMiddleware(PassThrough):
    """A form that comes back with mistakes is a 422, also from views of others (allauth answers 200)."""

    def process_template_response(self, request, response):
        form = (response.context_data or {}).get("form")
        if request.method == "POST" and response.status_code == 200 and getattr(form, "errors", None):
            response.status_code = 422
            if any(
                form.has_error(name, "too_many_login_attempts") for name in (NON_FIELD_ERRORS, *form.fields)
            ):
                response.status_code = 429
                response["Retry-After"] = str(views.RETRY_AFTER * 2)
        return response


class PrivatePagesMiddleware(PassThrough):
    """What was made for one reader is kept by no shared cache; a partial is never mistaken for its page."""

    def __call__(self, request):
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request", "Cookie", "Accept-Language"])
        if not response.has_header("Cache-Control") and (
            request.user.is_authenticated or request.method != "GET"
        ):
            add_never_cache_headers(response)
        return response
