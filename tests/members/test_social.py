"""Coming in through ORCID, LinkedIn and Google, each played by a service of our own that answers as they do."""

from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from kmnet import social
from kmnet.core.models import CommunitySettings
from kmnet.core.models.community import JoinPolicy
from members.adapter_social import SocialAdapter
from members.models import Member, SeenBy, Status
from tests.factories import PASSWORD, make_member

SECRETS = {name: ("our-id", "our-secret") for name in social.DOORS}
ORCID = "0000-0002-1825-0097"
CALLBACKS = {
    "orcid": "/accounts/orcid/login/",
    "linkedin": "/accounts/oidc/linkedin/login/",
    "google": "/accounts/google/login/",
}


class Answer:
    def __init__(self, data):
        self.data, self.status_code, self.ok = data, 200, True
        self.headers = {"content-type": "application/json"}

    def json(self):
        return self.data

    def raise_for_status(self):
        pass


class Elsewhere:
    """What the three services answer to our server."""

    person: dict = {}

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass

    def request(self, method, url, **kwargs):
        return self.get(url)

    def get(self, url, **kwargs):
        if "well-known" in url:
            base = "https://www.linkedin.com/oauth"
            ends = {name: f"{base}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
            return Answer(
                {**ends, "userinfo_endpoint": f"{base}/userinfo", "issuer": base, "jwks_uri": f"{base}/jwks"}
            )
        if "token" in url:
            return Answer({"access_token": "t", "token_type": "bearer", "orcid": ORCID})
        return Answer(self.person)

    post = get


@pytest.fixture
def doors(settings, monkeypatch):
    """doors(**person): the three are configured, and whoever signs in there is this person."""
    settings.SOCIALACCOUNT_PROVIDERS = social.providers(SECRETS)
    monkeypatch.setattr(SocialAdapter, "get_requests_session", lambda self: Elsewhere())

    def set_person(**person):
        monkeypatch.setattr(Elsewhere, "person", person)

    set_person()
    return set_person


def orcid_record():
    return {
        "orcid-identifier": {"path": ORCID, "uri": f"https://orcid.org/{ORCID}"},
        "person": {"name": {"given-names": {"value": "Josiah"}, "family-name": {"value": "Carberry"}}},
    }


def go_through(client, door, process="login"):
    """Press the button, be vouched for, come back."""
    start = client.post(f"{CALLBACKS[door]}?process={process}")
    assert start.status_code == 302
    assert start["Location"].startswith(social.DOORS[door].origin)
    state = parse_qs(urlsplit(start["Location"]).query)["state"][0]
    return client.get(f"{CALLBACKS[door]}callback/", {"code": "c", "state": state})


def fill(client, email, **data):
    return client.post(
        "/accounts/3rdparty/signup/", {"name": "Josiah Carberry", "email": email, "agree": "on", **data}
    )


def test_nothing_is_offered_where_nothing_is_configured(client, db):
    for page in ("/accounts/login/", "/join/"):
        assert "Go on with" not in client.get(page).content.decode()
    assert client.post("/accounts/orcid/login/").status_code == 404
    assert social.providers({"orcid": ("only-the-id", "")}) == {}
    assert social.origins({"google": ("a", "b")}) == ["https://accounts.google.com"]


def test_each_that_is_configured_has_its_button(client, db, doors):
    for page in ("/accounts/login/", "/join/"):
        words = client.get(page).content.decode()
        assert [label for label in ("ORCID", "LinkedIn", "Google") if f"Go on with {label}" in words] == [
            "ORCID", "LinkedIn", "Google",
        ]  # fmt: skip


def test_orcid_tells_no_address_so_it_is_asked_and_proven(client, db, doors, mailbox):
    doors(**orcid_record())
    assert go_through(client, "orcid")["Location"] == "/accounts/3rdparty/signup/"
    assert 'value="Josiah Carberry"' in client.get("/accounts/3rdparty/signup/").content.decode()
    assert fill(client, "").status_code == 422
    assert not Member.objects.exists()
    assert fill(client, "josiah@example.org").status_code == 302
    member = Member.objects.get()
    assert (member.name, member.address_proven_at, member.has_usable_password()) == (
        "Josiah Carberry",
        None,
        False,
    )
    assert (member.profile.orcid, member.profile.orcid_seen_by) == (ORCID, SeenBy.ME)
    assert member.consents.count() == 2  # the agreement, and the notice beside it
    assert "_auth_user_id" not in client.session
    assert [message["To"] for message in mailbox()] == ["josiah@example.org"]
    assert SocialAccount.objects.get().extra_data == {}
    # Once more, before the address is proven: still outside.
    again = Client()
    go_through(again, "orcid")
    assert "_auth_user_id" not in again.session


def test_the_same_questions_and_the_same_policy_hold(client, db, doors):
    CommunitySettings.objects.update_or_create(pk=1, defaults={"join_policy": JoinPolicy.APPROVAL})
    doors(**orcid_record())
    go_through(client, "orcid")
    refused = client.post("/accounts/3rdparty/signup/", {"name": "J", "email": "josiah@example.org"})
    assert refused.status_code == 422
    questions = {"answer_1": "Broker", "answer_2": "A friend told me"}
    fill(client, "josiah@example.org", **questions)
    assert Member.objects.get().status == Status.PENDING


def test_by_invitation_nobody_comes_in_by_another_door(client, db, doors):
    CommunitySettings.objects.update_or_create(pk=1, defaults={"join_policy": JoinPolicy.INVITATION})
    doors(**orcid_record())
    go_through(client, "orcid")
    fill(client, "josiah@example.org")
    assert not Member.objects.exists()


def test_google_may_say_that_an_address_is_proven(client, db, doors):
    doors(id="g-1", email="josiah@gmail.example", verified_email=True, name="Josiah Carberry")
    go_through(client, "google")
    fill(client, "josiah@gmail.example")
    member = Member.objects.get()
    assert member.address_proven_at is not None
    assert client.session["_auth_user_id"] == str(member.pk)


def test_google_proves_only_the_address_that_it_names(client, db, doors):
    doors(id="g-1", email="josiah@gmail.example", verified_email=True, name="Josiah Carberry")
    go_through(client, "google")
    fill(client, "somebody.else@example.org")
    member = Member.objects.get()
    assert (member.email, member.address_proven_at) == ("somebody.else@example.org", None)
    assert list(member.emailaddress_set.values_list("email", "verified")) == [
        ("somebody.else@example.org", False)
    ]


def test_linkedin_is_not_believed_about_addresses(client, db, doors):
    doors(sub="l-1", email="josiah@old-job.example", email_verified=True, name="Josiah Carberry")
    go_through(client, "linkedin")
    fill(client, "josiah@old-job.example")
    assert Member.objects.get().address_proven_at is None
    assert "_auth_user_id" not in client.session


def test_no_account_is_opened_by_an_address_alone(client, db, doors, mailbox):
    member = make_member(email="josiah@gmail.example")
    doors(id="g-1", email="josiah@gmail.example", verified_email=True, name="Josiah Carberry")
    go_through(client, "google")
    stranger = fill(client, "josiah@gmail.example")
    assert stranger["Location"] == "/accounts/confirm-email/"  # the page that everybody sees
    assert not SocialAccount.objects.exists()
    assert Member.objects.get() == member
    assert [message["Subject"] for message in mailbox()] == ["You already have an account"] or len(
        mailbox()
    ) == 1


def test_connecting_and_taking_away_in_the_settings(db, doors, mailbox):
    member = make_member(email="ana@example.org")
    client = Client()
    client.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    doors(**orcid_record())
    go_through(client, "orcid", process="connect")
    member.profile.refresh_from_db()
    assert member.profile.orcid == ORCID
    assert "ORCID" in client.get("/accounts/3rdparty/").content.decode()
    account = SocialAccount.objects.get(user=member)
    client.post("/accounts/3rdparty/", {"account": account.pk})
    member.profile.refresh_from_db()
    assert (member.profile.orcid, member.profile.orcid_seen_by) == ("", SeenBy.ME)
    assert len(mailbox(to="ana@example.org")) == 2  # told of both


def test_what_belongs_to_another_account_is_not_taken_over(db, doors):
    other, member = make_member(), make_member(email="ana@example.org")
    SocialAccount.objects.create(user=other, provider="orcid", uid=ORCID)
    client = Client()
    client.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    doors(**orcid_record())
    go_through(client, "orcid", process="connect")
    assert list(SocialAccount.objects.values_list("user_id", flat=True)) == [other.pk]
    member.profile.refresh_from_db()
    assert member.profile.orcid == ""


def test_a_second_sign_in_through_it_opens_the_account_and_its_second_step(db, doors):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    member = make_member()
    SocialAccount.objects.create(user=member, provider="orcid", uid=ORCID)
    doors(**orcid_record())
    first = Client()
    go_through(first, "orcid")
    assert first.session["_auth_user_id"] == str(member.pk)
    TOTP.activate(member, generate_totp_secret())
    second = Client()
    assert go_through(second, "orcid")["Location"] == "/accounts/2fa/authenticate/"
    assert "_auth_user_id" not in second.session
