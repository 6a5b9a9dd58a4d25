"""Ways in without a password, answers that tell nothing, limits that keep strangers out and let the owner in."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.views import LoginWebAuthnView
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import hashers
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from kmnet.core import known_browser, ratelimit
from kmnet.core.models import OutgoingMail
from members.models import Member
from tests.factories import PASSWORD, make_member
from tests.mailbox import links_in, text_of

JOIN = {"name": "Ana Silva", "email": "ana@example.org", "agree": "on"}


def code_in(message) -> str:
    return re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", text_of(message))[0]


def is_in(client) -> bool:
    return "_auth_user_id" in client.session


# --- joining -----------------------------------------------------------------------------------------------------------
def test_joining_by_code_proves_the_address_and_signs_in(client, db, mailbox):
    assert client.post("/join/code/", JOIN)["Location"] == "/accounts/login/code/confirm/"
    member = Member.objects.get()
    assert (member.address_proven_at, member.has_usable_password(), is_in(client)) == (None, False, False)
    assert client.post("/accounts/login/code/confirm/", {"code": "WRONG1"}).status_code == 422
    answer = client.post("/accounts/login/code/confirm/", {"code": code_in(mailbox()[-1])})
    assert answer["Location"] == "/welcome/"
    member.refresh_from_db()
    assert member.address_proven_at
    assert is_in(client)


def test_joining_by_passkey_goes_on_to_make_one(client, db, mailbox):
    client.post("/join/passkey/", JOIN)
    answer = client.post("/accounts/login/code/confirm/", {"code": code_in(mailbox()[-1])})
    assert answer["Location"] == "/accounts/2fa/webauthn/add/"
    page = client.get(answer["Location"])
    assert page.status_code == 200  # the mailed code is proof enough
    assert page.context["form"]["passwordless"].initial is True


def test_joining_by_code_needs_the_same_yes(client, db):
    answer = client.post("/join/code/", {**JOIN, "agree": ""})
    assert (answer.status_code, Member.objects.count()) == (422, 0)


def test_a_code_is_tried_three_times(client, db, mailbox):
    client.post("/join/code/", JOIN)
    code = code_in(mailbox()[-1])
    for _number in range(3):
        client.post("/accounts/login/code/confirm/", {"code": "WRONG1"})
    client.post("/accounts/login/code/confirm/", {"code": code})
    assert not is_in(client)


# --- passkeys ----------------------------------------------------------------------------------------------------------
PASSKEY = "/accounts/2fa/webauthn/login/"


def challenge_for(client) -> str:
    client.get("/accounts/login/")
    return client.get(PASSKEY, headers={"Accept": "application/json"}).json()["challenge"]


@pytest.fixture
def compared(monkeypatch):
    """What allauth would compare with the answer of a key, each time."""
    found = []

    def post(view, request, *args, **kwargs):
        found.append(auth.get_state())
        return HttpResponse()

    monkeypatch.setattr(LoginWebAuthnView, "post", post)
    return found


def test_to_ask_for_a_passkey_begins_no_session(client, db):
    """Its cookie would replace that of who signs in by password before the answer comes."""
    client.get("/accounts/login/")
    answer = client.get(PASSKEY, headers={"Accept": "application/json"})
    assert answer.json()["request_options"]["publicKey"]["userVerification"] == "required"
    assert (list(answer.cookies), Session.objects.count()) == ([], 0)
    assert "no-store" in answer["Cache-Control"]


def test_the_challenge_of_a_passkey_is_used_once(client, db, compared):
    challenge = challenge_for(client)
    for _time in range(2):
        client.post(PASSKEY, {"challenge": challenge})
    assert [bool(state) for state in compared] == [True, False]
    assert compared[0]["user_verification"] == "required"
    assert Session.objects.count() == 0


@pytest.mark.parametrize(("minutes", "good"), [(59, True), (61, False)])
def test_the_challenge_of_a_passkey_lasts_for_an_hour(client, db, compared, minutes, good):
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        challenge = challenge_for(client)
        clock.move_to(start + timedelta(minutes=minutes))
        client.post(PASSKEY, {"challenge": challenge})
    assert [bool(state) for state in compared] == [good]


def test_the_challenge_of_a_passkey_is_good_in_the_browser_that_asked(client, db, compared):
    other = Client()
    other.get("/accounts/login/")
    challenge = challenge_for(client)
    other.post(PASSKEY, {"challenge": challenge})
    client.post(PASSKEY, {"challenge": challenge})
    client.post(PASSKEY, {"challenge": "made-up"})
    client.post(PASSKEY)
    assert [bool(state) for state in compared] == [False, True, False, False]


# --- the cookie of the session ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "address"),
    [("get", "/notifications/bell/"), ("get", PASSKEY), ("post", "/discussions/drafts/save/")],
)
@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
def test_what_a_page_asks_for_by_itself_takes_no_session_away(client, db, method, address, mode):
    """By the time it is answered, somebody may have signed in in this browser: the cookie is not the one that came."""
    client.cookies["session"] = "of-a-session-that-has-ended"
    asks = {"Accept": "application/json", "Sec-Fetch-Mode": mode}
    assert "session" not in getattr(client, method)(address, headers=asks).cookies


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Mode": "navigate"}])
def test_a_page_takes_the_cookie_of_an_ended_session_away(client, db, headers):
    client.cookies["session"] = "of-a-session-that-has-ended"
    assert client.get("/accounts/login/", headers=headers).cookies["session"].value == ""


# --- nothing to be learnt ----------------------------------------------------------------------------------------------
def without_tokens(response) -> str:
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return re.sub(r"(known|ana)@example\.org", "ADDRESS", body)


ASKED = {
    "/join/": {**JOIN, "password1": "four-words-unlike-others"},
    "/join/code/": JOIN,
    "/accounts/login/": {"login": "", "password": "not-the-password"},
    "/accounts/login/code/": {},
    "/accounts/password/reset/": {},
}


def asked(address, email):
    client = Client()
    data = {**ASKED[address], ("login" if "login" in ASKED[address] else "email"): email}
    first = client.post(address, data)
    then = client.get(first["Location"]) if first.status_code == 302 else first
    return first, then


@pytest.mark.parametrize("address", ASKED)
def test_known_and_unknown_addresses_are_answered_alike(address, db):
    make_member(email="known@example.org")
    known, known_then = asked(address, "known@example.org")
    unknown, unknown_then = asked(address, "ana@example.org")
    assert known.status_code == unknown.status_code
    assert known.get("Location") == unknown.get("Location")
    assert sorted(known.cookies) == sorted(unknown.cookies)
    assert without_tokens(known_then) == without_tokens(unknown_then)


@pytest.mark.parametrize("address", ASKED)
def test_known_and_unknown_addresses_cost_the_same_work(address, db, monkeypatch):
    """The slow part is the hasher: it runs as often for either; each leads to at most one mail in the outbox."""
    make_member(email="known@example.org")
    runs = []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(
        hashers.MD5PasswordHasher, "encode", lambda *args, **kwargs: runs.append(1) or encode(*args, **kwargs)
    )
    counts = []
    for email in ("known@example.org", "ana@example.org"):
        runs.clear()
        before = OutgoingMail.objects.count()
        asked(address, email)
        counts.append((len(runs), OutgoingMail.objects.count() - before))
    assert counts[0] == counts[1]


def test_naming_somebody_elses_address_looks_like_naming_any(db, mailbox):
    known, unknown = (
        f"{word}@{uuid4().hex}.example" for word in ("known", "unknown")
    )  # limits outlive a test
    make_member(email=known)
    pages = []
    for email in (known, unknown):
        member = make_member(name="Mo", email=f"mo-{email[0]}@{uuid4().hex}.example")
        client = Client()
        client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        answer = client.post("/accounts/email/", {"email": email, "action_add": ""})
        assert answer.status_code == 302
        page = client.get("/accounts/email/").content.decode()
        assert "Not proven yet" in page  # the change that is under way shows
        pages.append(page.count("Not proven yet"))
        assert not EmailAddress.objects.filter(user=member, email=email, verified=True).exists()
    assert pages == [1, 1]
    [told] = [message for message in mailbox(to=known)]
    assert "/confirm-email/" not in text_of(told)
    [asked_for_proof] = [message for message in mailbox(to=unknown)]
    assert "/confirm-email/" in text_of(asked_for_proof)


def test_an_address_that_somebody_merely_typed_keeps_nobody_out(client, db, mailbox):
    address = f"ana@{uuid4().hex}.example"  # limits outlive a test
    squatter = make_member()
    EmailAddress.objects.create(user=squatter, email=address, verified=False)
    client.post("/accounts/login/code/", {"email": address})
    assert "code" not in mailbox()[-1]["Subject"].lower()  # not theirs: no code for the squatter's account
    Client().post("/join/", {**JOIN, "email": address, "password1": "four-words-unlike-others"})
    assert Member.objects.filter(email=address).exists()


# --- changes ask for proof, and the old address hears ------------------------------------------------------------------
def test_a_change_of_address_asks_for_proof_and_tells_the_old_one(db, mailbox):
    member = make_member(email="old@example.org")
    client = Client()
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    refused = client.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})
    assert refused["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email="new@example.org").exists()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})
    [proof] = mailbox(to="new@example.org")
    link = re.search(r"/accounts/confirm-email/\S+", text_of(proof))[0]
    client.get(link)
    assert not EmailAddress.objects.get(email="new@example.org").verified  # a scanner changes nothing
    client.post(link)
    client.post("/accounts/email/", {"email": "new@example.org", "action_primary": ""})
    member.refresh_from_db()
    assert member.email == "new@example.org"
    told = mailbox(to="old@example.org")
    assert [message["Subject"] for message in told] == [
        "One more e-mail address opens your account",
        "Your account has another e-mail address",
    ]
    assert not any("/confirm-email/" in text_of(message) for message in told)


def test_without_password_and_second_step_the_proof_is_a_fresh_sign_in(client, db):
    member = make_member(password=None)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
        assert client.get("/accounts/2fa/webauthn/add/").status_code == 200
        clock.move_to(start + timedelta(minutes=16))
        assert client.get("/accounts/email/").status_code == 200
        refused = client.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})
        assert refused["Location"].startswith("/accounts/login/")
        assert not EmailAddress.objects.filter(email="new@example.org").exists()
        assert not is_in(client)


def test_a_change_of_password_asks_for_the_old_one_and_is_told(member, mailbox):
    client = Client()
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    new = {"password1": "four-words-unlike-others", "password2": "four-words-unlike-others"}
    wrong = client.post("/accounts/password/change/", {"oldpassword": "no", **new})
    assert wrong.status_code == 422
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})
    assert [message["Subject"] for message in mailbox(to=member.email)] == ["Your password was changed"]


# --- limits ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def limits(settings, no_limits):
    """As in production, each test with counters of its own."""
    from kmnet import settings as ours

    settings.ACCOUNT_RATE_LIMITS = ours.ACCOUNT_RATE_LIMITS
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "limits of one test",
        }
    }
    cache.clear()


def try_password(client, password="wrong", email="ana@example.org", ip="10.0.0.1"):
    return client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR=ip)


def test_tries_are_counted_by_account_however_spelt_and_wherever_from(limits, member):
    spellings = [
        "ana@example.org",
        "ANA@example.org",
        "Ana@Example.org ",
        "ana@EXAMPLE.ORG",
        "aNa@example.org",
    ]
    codes = [
        try_password(Client(), email=email, ip=f"10.0.0.{number}").status_code
        for number, email in enumerate(spellings)
    ]
    assert codes == [422] * 5
    refused = try_password(Client(), PASSWORD, ip="10.0.0.99")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0


def test_tries_are_counted_by_network_address_too(limits, db):
    codes = [try_password(Client(), email=f"n{number}@example.org").status_code for number in range(21)]
    assert (codes[:20], codes[20]) == ([422] * 20, 429)


def test_a_forged_forwarding_header_changes_nothing(limits, db, settings):
    assert settings.ALLAUTH_TRUSTED_PROXY_COUNT == 0
    codes = [
        Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})
        .post("/accounts/login/", {"login": f"n{number}@example.org", "password": "x"})
        .status_code
        for number in range(21)
    ]
    assert codes[-1] == 429


@pytest.mark.parametrize(
    ("proxies", "header", "found"),
    [
        (0, "192.0.2.1", "10.0.0.1"),
        (1, "192.0.2.1", "192.0.2.1"),
        (
            1,
            "203.0.113.9, 192.0.2.1",
            "192.0.2.1",
        ),  # what the visitor wrote stands before what our proxy wrote
        (2, "192.0.2.1", "10.0.0.1"),
        (1, "nonsense", "10.0.0.1"),
        (1, "", "10.0.0.1"),
    ],
)
def test_the_visitors_address_is_what_our_own_proxies_say(proxies, header, found, rf, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    request = rf.get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": header})
    assert ratelimit.client_ip(request) == found


def test_two_people_behind_one_proxy_are_told_apart(limits, db, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(20):
        Client(headers={"X-Forwarded-For": "192.0.2.1"}).post(
            "/accounts/login/", {"login": f"n{number}@example.org", "password": "x"}
        )
    make_member(email="ana@example.org")
    other = Client(headers={"X-Forwarded-For": "192.0.2.2"})
    assert (
        other.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD}).status_code == 302
    )


def test_an_ipv6_visitor_is_counted_by_network(rf):
    one, other = (rf.get("/", REMOTE_ADDR=f"2001:db8::{number}") for number in (1, 2))
    assert ratelimit.client_network(one) == ratelimit.client_network(other) == "2001:db8::"


def test_a_stranger_cannot_keep_the_owner_out(limits, member, mailbox):
    owner = Client()
    assert try_password(owner, PASSWORD).status_code == 302
    owner.post("/accounts/logout/")
    for number in range(6):
        try_password(Client(), ip=f"10.0.1.{number}")
    assert try_password(Client(), PASSWORD, ip="10.0.2.1").status_code == 429  # a browser that nobody knows
    assert try_password(owner, PASSWORD, ip="10.0.2.1").status_code == 302  # the one they always use


def test_the_other_ways_stay_open_when_the_password_is_full(limits, member, mailbox):
    for number in range(6):
        try_password(Client(), ip=f"10.0.1.{number}")
    client = Client()
    assert client.post("/accounts/password/reset/", {"email": member.email}).status_code == 302
    client.post("/accounts/login/code/", {"email": member.email})
    client.post("/accounts/login/code/confirm/", {"code": code_in(mailbox()[-1])})
    assert is_in(client)


def test_a_known_browser_gets_its_code_when_strangers_have_asked_for_many(limits, member, mailbox):
    owner = Client()
    try_password(owner, PASSWORD)
    owner.post("/accounts/logout/")
    codes = [Client().post("/accounts/login/code/", {"email": member.email}).status_code for _n in range(4)]
    assert codes == [302, 302, 302, 429]
    assert owner.post("/accounts/login/code/", {"email": member.email}).status_code == 302


def test_a_mailbox_is_not_filled_by_a_stranger(limits, db, mailbox):
    make_member(email="ana@example.org")
    for _number in range(8):
        Client().post("/join/", {**JOIN, "password1": "four-words-unlike-others"})
    assert len(mailbox(to="ana@example.org")) == 1


def test_limits_hold_while_redis_is_away(settings, no_limits, member):
    from kmnet import settings as ours

    settings.ACCOUNT_RATE_LIMITS = ours.ACCOUNT_RATE_LIMITS
    settings.CACHES = {
        "default": {"BACKEND": "kmnet.core.cache.ForgivingRedisCache", "LOCATION": "redis://127.0.0.1:1/3"}
    }
    codes = [try_password(Client(), ip="10.9.0.1").status_code for _number in range(6)]
    assert codes == [422] * 5 + [429]
    other = make_member()
    assert try_password(Client(), PASSWORD, email=other.email, ip="10.9.0.2").status_code == 302


def test_the_known_browsers_cookie_opens_nothing_and_names_nobody(limits, member):
    client = Client()
    try_password(client, PASSWORD)
    cookie = client.cookies["known"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert member.email not in cookie.value
    stranger = Client()
    stranger.cookies["known"] = cookie.value
    assert not is_in(stranger)
    assert stranger.get("/settings/").status_code == 302


def test_an_admin_filter_with_a_nul_is_a_bad_address(signed_in, db):
    admin = signed_in(make_member(is_staff=True, is_superuser=True))
    assert admin.get("/admin/members/member/?status=%00").status_code == 400
    assert admin.get("/admin/members/member/?status=active").status_code == 200


# --- somebody else's address -------------------------------------------------------------------------------------------
DOUBLES = ["m\u0131ke@example.org", "mike@g\u0131t.example", "\u017fam@example.org"]


@pytest.mark.parametrize("way", ["/accounts/password/reset/", "/accounts/login/code/"])
@pytest.mark.parametrize("double", DOUBLES)
def test_no_key_goes_to_an_address_that_looks_like_the_owners(way, double, db, mailbox):
    """The database takes one for the other where it ignores case."""
    make_member(email="mike@example.org")
    make_member(email="mike@git.example")
    make_member(email="sam@example.org")
    Client().post(way, {"email": double})
    assert [message["Subject"] for message in mailbox()] == ["No account with this address"]
    assert OutgoingMail.objects.get().refs == {}


def test_a_password_opens_nothing_under_such_an_address(db, client):
    make_member(email="mike@example.org")
    answer = client.post("/accounts/login/", {"login": DOUBLES[0], "password": PASSWORD})
    assert (answer.status_code, is_in(client)) == (422, False)


@pytest.mark.parametrize("double", DOUBLES)
def test_nobody_joins_with_such_an_address(double, db):
    answer = Client().post("/join/code/", {**JOIN, "email": double})
    assert (answer.status_code, Member.objects.count()) == (422, 0)


def test_tries_with_such_an_address_count_for_the_owner(db):
    assert known_browser.plain("m\u0131\u212ae@example.org") == known_browser.plain("MIKE@example.org")


@pytest.mark.parametrize(("name", "greets"), [("Dr. Ana", True), ("casino.example Win", False)])
def test_a_name_puts_no_link_into_a_strangers_mailbox(name, greets, client, db, mailbox):
    client.post("/join/", {**JOIN, "name": name, "password1": "four-words-unlike-others"})
    [message] = mailbox()
    assert ("Welcome, Dr.." in text_of(message)) == greets
    assert "casino" not in text_of(message)


def begun_by_another() -> Member:
    """Somebody has typed an address that is not theirs, with a password and an account elsewhere that are."""
    Client().post("/join/", {**JOIN, "password1": "four-words-unlike-others"})
    member = Member.objects.get()
    SocialAccount.objects.create(user=member, provider="orcid", uid="0000-0001-5109-3700")
    return member


def test_the_owner_of_an_address_who_comes_by_code_is_alone_in_the_account(client, db, mailbox):
    member = begun_by_another()
    client.post("/accounts/login/code/", {"email": "ana@example.org"})
    client.post("/accounts/login/code/confirm/", {"code": code_in(mailbox()[-1])})
    member.refresh_from_db()
    assert member.address_proven_at
    assert is_in(client)
    assert not member.has_usable_password()
    assert not SocialAccount.objects.exists()


def test_the_owner_of_an_address_who_sets_a_password_is_alone_in_the_account(client, db, mailbox):
    member = begun_by_another()
    client.post("/accounts/password/reset/", {"email": "ana@example.org"})
    [link] = [link for link in links_in(mailbox()[-1]) if "/reset/key/" in link]
    form = client.get(link.removeprefix("http://testserver"))["Location"]
    client.post(form, {"password1": "entirely-new-words", "password2": "entirely-new-words"})
    member.refresh_from_db()
    assert member.check_password("entirely-new-words")
    assert not SocialAccount.objects.exists()


def test_a_code_takes_no_password_from_whoever_had_proven_the_address(client, member, mailbox):
    client.post("/accounts/login/code/", {"email": member.email})
    client.post("/accounts/login/code/confirm/", {"code": code_in(mailbox()[-1])})
    member.refresh_from_db()
    assert is_in(client)
    assert member.check_password(PASSWORD)


def test_choosing_an_unproven_main_address_tells_nothing_about_it(member):
    make_member(email="known@example.org")
    client = Client()
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    said = []
    for address in ("known@example.org", "nobody@example.org"):
        EmailAddress.objects.create(user=member, email=address, verified=False, primary=False)
        page = client.post("/accounts/email/", {"action_primary": "", "email": address}, follow=True)
        said.append([str(message) for message in page.context["messages"]])
    assert said[0]
    assert said[0] == said[1]
