"""Where people whose joining is not finished may go, and the list of where somebody is signed in."""

from datetime import timedelta

from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url

from kmnet.core import access, kept_text
from kmnet.core.frame import BELL_PATH

from . import services, session_limits, sessions
from .models import Status
from .permissions import is_full_member

SOCIAL_PAGES = ("orcid_", "google_", "openid_connect_")
# What is theirs although they are no full members yet: their own account, profile and settings, by name of the view.
OWN_PAGES = ACCOUNT_PAGES = ("account_", "mfa_", "usersessions_", "socialaccount_", *SOCIAL_PAGES)
OPEN_TO_ALL_STAFF = ("members:settings", "about:", "members:consent", "members:agree")
OWN_NAMESPACE = "members"
NOT_THEIRS = {
    "members:directory",
    "members:countries",
    "members:introductions",
    "members:introduction",
    "members:introduce",
}
# While the account waits for its end: the way back, and the copy.
WHILE_LEAVING = {
    *("members:leaving", "members:leaving_undo", "members:your_data", "members:copy_ask", "members:copy"),
    *("account_logout", "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
}
ALSO_THEIRS = {"hub:welcome_done"}
READ_WITHOUT_PROOF = {"account_email", "socialaccount_connections"}
PROOF_PAGES = {*READ_WITHOUT_PROOF, "account_set_password", "mfa_activate_totp", "mfa_add_webauthn"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
SEEN_EVERY = timedelta(hours=1)  # how exact "last seen" is on the list of sessions
AGREE_LATER = "agree_later"  # session key: so was the new version of the agreement
LATER = "welcome_later"  # session key: the first steps were put off until the next sign-in


def send(request, view_name):
    """htmx would swap the page that a redirect leads to into a corner of this one."""
    if not request.htmx:
        return redirect(view_name)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = resolve_url(view_name)
    return response


def asks_by_itself(request) -> bool:
    """A page left open asks what stands on the bell: nobody is there, no session is prolonged."""
    return request.path_info == BELL_PATH


def needs_second_step(user) -> bool:
    """A moderator or admin without an app and without a key."""
    return (
        settings.STAFF_NEED_SECOND_STEP
        and user.is_authenticated
        and session_limits.is_staff(user)
        and not (settings.KMNET_DEMO and user.is_demo)
        and not is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
    )


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
        if user.status == Status.LEAVING:
            public = not getattr(view_func, "login_required", True) and match.view_name != "hub:home"
            if match.view_name in WHILE_LEAVING or public:
                return None
            return send(request, "members:leaving")
        if is_full_member(user):
            return self.lead_to_first_steps(request, match)
        if not getattr(view_func, "login_required", True) or self.is_own(match):
            return None
        return send(request, "members:waiting")

    def is_own(self, match) -> bool:
        if match.view_name in NOT_THEIRS:
            return False
        if match.view_name in ALSO_THEIRS:
            return True
        account = not match.namespace and (match.url_name or "").startswith(OWN_PAGES)
        return account or match.namespace == OWN_NAMESPACE

    def lead_to_first_steps(self, request, match):
        finished = request.user.agreed_at and request.user.onboarded_at
        if match.view_name != "hub:home" or request.method != "GET" or request.htmx:
            return None
        if finished:
            anew = services.must_agree_anew(request.user) and not request.session.get(AGREE_LATER)
            return redirect("members:agree") if anew else None
        return None if request.session.get(LATER) else redirect("members:welcome")


class SessionCookieMiddleware(SessionMiddleware):
    """As Django's, which takes the cookie of a session that has ended out of the browser. By then somebody may have
    signed in there, and the cookie is another one: so only a page does it, not what a page asks for by itself."""

    def process_response(self, request, response):
        response = super().process_response(request, response)
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        asked_by_a_page = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        if cookie is not None and not cookie.value and asked_by_a_page:
            del response.cookies[settings.SESSION_COOKIE_NAME]
        return response


class OwnerMiddleware(AuthenticationMiddleware):
    """As Django's, with the member that the session brought along. At once: something asks at every page anyway."""

    def process_request(self, request):
        super().process_request(request)
        request.user = sessions.user_of(request)


class SessionLimitMiddleware:
    """Right after AuthenticationMiddleware: who has been away for too long is a guest from here on."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            if session_limits.has_run_out(request.session, request.user):
                logout(request)
            elif not asks_by_itself(request):
                session_limits.note_use(request.session, request.user)
        return self.get_response(request)


class SecondStepMiddleware:
    """Moderators and admins sign in with a second step. Until they have one they may set it up, see to their account
    and sign out, and nothing else. Demo accounts of the demo are spared: everybody knows their passwords anyway."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view_func, view_args, view_kwargs):
        if not needs_second_step(request.user):
            return None
        request.second_step_missing = True  # the page on which it is set up says why they are there
        match = request.resolver_match
        own = not match.namespace and (match.url_name or "").startswith(ACCOUNT_PAGES)
        if own or match.view_name.startswith(OPEN_TO_ALL_STAFF):
            return None
        if request.method == "POST":
            kept_text.keep(request)
        return send(request, "mfa_index")


class FreshSignInMiddleware:
    """What changes how an account is kept safe asks for proof. allauth has none to ask for of those who have neither
    password nor second step and come in by code: they sign in once more, unless they just did."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view_func, view_args, view_kwargs):
        match = request.resolver_match
        asked = not match.namespace and match.url_name in PROOF_PAGES
        if not asked or not request.user.is_authenticated or request.user.has_usable_password():
            return None
        if request.method in SAFE_METHODS and match.url_name in READ_WITHOUT_PROOF:
            return None
        if session_limits.is_fresh(request.session) or get_reauthentication_flows(request.user):
            return None
        logout(request)
        return access.sign_in_first(request)


class SessionListMiddleware:
    """Keeps the list under "where you are signed in", and notes the visit. allauth's own costs five queries, one a write,
    at every request; this one knows from the question that every page asks, and writes once an hour."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if (
            request.user.is_authenticated
            and not asks_by_itself(request)
            and sessions.is_due_on_the_list(request, SEEN_EVERY)
        ):
            UserSession.objects.create_from_request(request)
            services.note_presence(member=request.user)
        return self.get_response(request)
