"""Whoever signs in stays signed in, whatever the page before it still had asked for; and a passkey signs in."""

from threading import Event

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.urls import reverse

from tests.factories import make_member
from tests.together import LONG

from .people import PASSWORD

pytestmark = pytest.mark.browser


def sign_in(someone) -> None:
    someone.go("/accounts/login/")
    someone.fill("E-mail", someone.address)
    someone.fill("Password", PASSWORD)
    someone.press("Sign in")


def test_a_late_answer_to_the_sign_in_page_signs_nobody_out(site, monkeypatch):
    """The page asks for what a passkey needs as soon as somebody goes to the address. Here the answer to it comes when
    they have signed in by password, and before the page that follows."""
    asked, signed_in, heard = Event(), Event(), Event()
    passkey, answer = reverse("mfa_login_webauthn"), WSGIHandler.get_response

    def in_this_order(handler, request):
        if request.path == reverse("account_login") and request.method == "POST":
            assert asked.wait(LONG)
        if request.path == "/":  # where the answer to the form has sent them
            signed_in.set()
            assert heard.wait(LONG)
        response = answer(handler, request)
        if request.path == passkey:
            asked.set()
            assert signed_in.wait(LONG)
        return response

    monkeypatch.setattr(WSGIHandler, "get_response", in_this_order)
    make_member(name="Ana Silva", email="ana@example.org", password=PASSWORD)
    ana = site.person("Ana Silva", "ana@example.org", scripts=True)
    ana.page.on("response", lambda response: response.url.endswith(passkey) and heard.set())
    sign_in(ana)
    ana.go("/settings/")
    ana.has_title("Settings")


def test_a_passkey_is_made_and_opens_the_door(site):
    make_member(name="Ana Silva", email="ana@example.org", password=PASSWORD)
    ana = site.person("Ana Silva", "ana@example.org", scripts=True)
    device = ana.context.new_cdp_session(ana.page)
    device.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    device.send("WebAuthn.addVirtualAuthenticator", {"options": {**kind, "isUserVerified": True}})

    sign_in(ana)
    ana.go("/accounts/2fa/webauthn/add/")
    ana.fill("Password", PASSWORD)
    ana.press("Go on")
    ana.page.get_by_label("Sign in with it alone").check()
    ana.press("Ask for the key")
    ana.context.clear_cookies()
    ana.go("/accounts/login/")
    ana.press("Use a passkey")
    ana.go("/settings/")
    ana.has_title("Settings")
