"""The second step: for all who want it, for moderators and admins without a choice, and never left out."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from django.urls import reverse

from tests.factories import PASSWORD, make_member
from tests.mailbox import links_in, text_of

SECRET = "JBSWY3DPEHPK3PXP"


def code_now() -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(SECRET, counter))


@pytest.fixture
def with_app(db):
    member = make_member(email="ana@example.org")
    TOTP.activate(member, SECRET)
    RecoveryCodes.activate(member)
    return member


def sign_in(client, **data):
    return client.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD, **data})


def is_in(client) -> bool:
    return "_auth_user_id" in client.session


def test_password_alone_does_not_open_an_account_with_a_second_step(client, with_app):
    assert sign_in(client)["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(client)
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 422
    assert not is_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_now()})
    assert is_in(client)


def test_a_recovery_code_works_once(client, with_app):
    codes = Authenticator.objects.get(user=with_app, type="recovery_codes").wrap().get_unused_codes()
    sign_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert is_in(client)
    again = Client()
    sign_in(again)
    again.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert not is_in(again)


def test_a_mailed_code_does_not_leave_the_second_step_out(client, with_app, mailbox):
    client.post("/accounts/login/code/", {"email": "ana@example.org"})
    code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", text_of(mailbox()[-1]))[0]
    answer = client.post("/accounts/login/code/confirm/", {"code": code})
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(client)


def test_a_new_password_does_not_leave_the_second_step_out(client, with_app, mailbox):
    client.post("/accounts/password/reset/", {"email": "ana@example.org"})
    link = next(link for link in links_in(mailbox()[-1]) if "/reset/key/" in link)
    page = client.get(link.replace("http://testserver", ""), follow=True)
    new = "four-words-unlike-others"
    client.post(page.request["PATH_INFO"], {"password1": new, "password2": new})
    assert not is_in(client)
    with_app.refresh_from_db()
    assert with_app.check_password(new)
    assert sign_in(client, password=new)["Location"] == "/accounts/2fa/authenticate/"


@pytest.fixture
def needed(settings):
    settings.STAFF_NEED_SECOND_STEP = True


@pytest.mark.parametrize("role", ["is_moderator", "is_staff"])
def test_staff_without_a_second_step_reach_their_account_only(role, needed, signed_in, db):
    client = signed_in(make_member(**{role: True}))
    for page in (
        "/",
        "/discussions/",
        "/moderation/",
        "/admin/",
        "/admin/account/emailaddress/",
        "/members/",
    ):
        assert client.get(page)["Location"] == reverse("mfa_index"), page
    assert client.post("/discussions/ask/", {"title": "T"})["Location"] == reverse("mfa_index")
    assert client.get("/", headers={"HX-Request": "true"})["HX-Redirect"] == reverse("mfa_index")
    for page in (
        "/accounts/2fa/",
        "/settings/",
        "/settings/consents/",
        "/about/privacy/",
        "/accounts/sessions/",
    ):
        assert client.get(page).status_code == 200, page
    assert "set up a second step first" in client.get("/accounts/2fa/").content.decode()
    assert client.post("/accounts/logout/").status_code == 302


def test_staff_with_a_second_step_go_where_they_want(needed, signed_in, db):
    moderator = make_member(is_moderator=True)
    TOTP.activate(moderator, generate_totp_secret())
    assert signed_in(moderator).get("/moderation/").status_code == 200


def test_recovery_codes_alone_are_no_second_step(needed, signed_in, db):
    moderator = make_member(is_moderator=True)
    RecoveryCodes.activate(moderator)
    assert signed_in(moderator).get("/moderation/")["Location"] == reverse("mfa_index")


def test_members_choose(needed, signed_in, db):
    assert signed_in(make_member()).get("/members/").status_code == 200


def test_demo_staff_are_spared_in_the_demo_alone(needed, signed_in, settings, db):
    moderator = make_member(email="moderator@demo.kmnet.example", is_moderator=True)
    client = signed_in(moderator)
    assert client.get("/moderation/").status_code == 200
    settings.KMNET_DEMO = False
    assert client.get("/moderation/")["Location"] == "/accounts/login/"  # they do not exist elsewhere


def test_setting_up_an_app_asks_for_proof_and_is_told(
    client, member, mailbox, django_capture_on_commit_callbacks
):
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    counter = next(iter(yield_hotp_counters_from_time()))
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/activate/", {"code": format_hotp_value(hotp_value(secret, counter))})
    assert set(member.authenticator_set.values_list("type", flat=True)) == {"totp", "recovery_codes"}
    assert "Signing in takes a second step now" in [
        message["Subject"] for message in mailbox(to=member.email)
    ]
