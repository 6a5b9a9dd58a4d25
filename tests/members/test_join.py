"""Joining: from the page to a proven address, on any device; nothing tells whether an address is known."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import check_password
from django.test import Client
from django.urls import reverse

from kmnet.core import activity
from kmnet.core.models import Activity, CommunitySettings, OutgoingMail
from members import services
from members.models import Member
from members.permissions import is_full_member
from tests.factories import PASSWORD, make_member
from tests.mailbox import links_in, send_due

pytestmark = pytest.mark.django_db


def answers(**changed):
    return {
        "name": "Ana Silva",
        "email": "ana@example.org",
        "password1": "four odd words here",
        "agree": "on",
        "time_zone": "America/Recife",
        **changed,
    }


def proof_link(address="ana@example.org") -> str:
    [message] = [
        one for one in send_due(to=address) if any("confirm-email" in link for link in links_in(one))
    ][-1:]
    [link] = [link for link in links_in(message) if "confirm-email" in link]
    return link.removeprefix("http://testserver")


def test_joining_ends_at_the_first_steps(client):
    response = client.post(reverse("members:join"), answers())
    assert (response.status_code, response["Location"]) == (302, "/accounts/confirm-email/")
    member = Member.objects.get()
    assert (member.handle, member.name, member.time_zone) == ("ana-silva", "Ana Silva", "America/Recife")
    assert member.agreed_at is not None
    assert member.profile.welcome_step == 0
    assert not is_full_member(member)

    link = proof_link()
    page = client.get(link)
    assert page.status_code == 200
    member.refresh_from_db()
    assert member.address_proven_at is None  # a GET changes nothing
    response = client.post(link)
    member.refresh_from_db()
    assert is_full_member(member)
    assert client.get("/", follow=True).redirect_chain == [("/welcome/", 302), ("/welcome/1/", 302)]


def test_address_is_proven_on_another_device(client):
    client.post(reverse("members:join"), answers())
    link, phone = proof_link(), Client()

    phone.get(link)
    response = phone.post(link)

    assert (response.status_code, response["Location"]) == (302, reverse("members:proven"))
    assert "Sign in here" in phone.get(reverse("members:proven")).content.decode()
    assert "_auth_user_id" not in phone.session  # the link proves an address, it does not sign in
    phone.post(reverse("account_login"), {"login": "ANA@Example.org", "password": "four odd words here"})
    assert phone.session["_auth_user_id"] == str(Member.objects.get().pk)


def test_link_opened_thrice_by_a_scanner_changes_nothing(client):
    client.post(reverse("members:join"), answers())
    link, scanner = proof_link(), Client()
    for method in (scanner.get, scanner.head, scanner.get):
        assert method(link).status_code == 200
    assert not EmailAddress.objects.get().verified
    client.post(link)
    assert EmailAddress.objects.get().verified


def test_opening_the_link_of_another_account_signs_nobody_out(client, signed_in):
    client.post(reverse("members:join"), answers())
    browser = signed_in(make_member())
    browser.get(proof_link())
    assert "_auth_user_id" in browser.session


@pytest.mark.parametrize("link", ["/accounts/confirm-email/nonsense/", "/accounts/confirm-email/MQ:1x:abc/"])
def test_wrong_link_is_said_to_be_wrong(link, client):
    assert client.get(link).status_code == 200
    assert client.post(link).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", "Ana\x00"), ("name", "\u202eanA"), ("name", "\u200b"), ("name", "x" * 121),
        ("email", "not-an-address"), ("email", "a\x00@example.org"), ("password1", "short"), ("agree", ""),
    ],
)  # fmt: skip
def test_refused_answers_are_kept_and_nobody_is_made(field, value, client):
    response = client.post(reverse("members:join"), answers(**{field: value}))
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert response.context["form"]["email" if field == "name" else "name"].value()
    assert not Member.objects.exists()


@pytest.mark.parametrize("zone", ["", "Mars/Base", "\x00", "x" * 60])
def test_unknown_time_zone_becomes_that_of_the_community(zone, client):
    client.post(reverse("members:join"), answers(time_zone=zone))
    assert [member.time_zone for member in Member.objects.all()] in ([CommunitySettings.load().time_zone], [])
    if zone != "\x00":
        assert Member.objects.exists()


def without_token(response) -> str:
    return re.sub(r'value="\w{64}"', "", response.content.decode())


@pytest.mark.parametrize("known", ["ana@example.org", "ANA@Example.ORG"])
def test_known_address_gets_the_same_answer_as_an_unknown_one(known):
    make_member(email="ana@example.org", name="Somebody")
    here, there = Client(), Client()
    one = here.post(reverse("members:join"), answers(email=known))
    other = there.post(reverse("members:join"), answers(email="new@example.org"))

    assert (one.status_code, one["Location"]) == (other.status_code, other["Location"])
    first, second = here.get(one["Location"]), there.get(other["Location"])
    assert first.status_code == second.status_code
    assert without_token(first) == without_token(second).replace("new@example.org", known.lower())
    assert Member.objects.filter(email__iexact="ana@example.org").count() == 1
    kinds = list(OutgoingMail.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["account.account_already_exists", "account.email_confirmation_signup"]


@pytest.mark.parametrize("name", ["account_request_login_code", "account_reset_password"])
def test_code_and_reset_do_not_tell_either(name):
    make_member(email="ana@example.org")
    answered = []
    for address in ("ana@example.org", "nobody@example.org"):
        response = Client().post(reverse(name), {"email": address})
        answered.append((response.status_code, response["Location"]))
    assert answered[0] == answered[1]


def test_two_people_may_join_with_addresses_that_differ_only_in_case_but_once(client):
    make_member(email="ana@example.org")
    client.post(reverse("members:join"), answers(email="Ana@example.org"))
    assert Member.objects.count() == 1


def test_address_taken_at_the_same_moment_is_not_an_error(client, monkeypatch):
    """Between the question whether the address is known and the row, somebody else joined with it."""
    make_member(email="ana@example.org")
    monkeypatch.setattr(
        "members.forms.join.JoinForm.validate_unique_email", lambda self, value: value, raising=False
    )
    monkeypatch.setattr(
        "allauth.account.forms.BaseSignupForm.validate_unique_email", lambda self, value: value
    )
    response = client.post(reverse("members:join"), answers())
    assert (response.status_code, response["Location"]) == (302, "/accounts/confirm-email/")
    assert Member.objects.count() == 1


def test_sign_in_by_password_ignores_the_case_of_the_address(client, member):
    client.post(reverse("account_login"), {"login": "ANA@example.ORG", "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(member.pk)


def test_wrong_password_signs_nobody_in(client, member):
    client.post(reverse("account_login"), {"login": "ana@example.org", "password": "wrong"})
    assert "_auth_user_id" not in client.session


def test_unproven_address_does_not_sign_in_by_password(client):
    make_member(email="ana@example.org", address_proven=False)
    response = client.post(reverse("account_login"), {"login": "ana@example.org", "password": PASSWORD})
    assert response["Location"] == "/accounts/confirm-email/"
    assert "_auth_user_id" not in client.session


def test_hosts_hear_of_a_newcomer_once_the_address_is_proven(client):
    host = make_member(is_host=True)
    client.post(reverse("members:join"), answers())
    assert not Activity.objects.filter(verb="members.joined").exists()
    client.post(proof_link())
    [deed] = Activity.objects.filter(verb="members.joined")
    activity.fan_out(activity_id=deed.pk)
    assert list(deed.notifications.values_list("recipient", flat=True)) == [host.pk]
    [letter] = send_due(to=host.email)
    assert letter["Subject"] == "Ana Silva is new here"
    assert "http://testserver/members/ana-silva/" in links_in(letter)
    assert "List-Unsubscribe" in letter


def test_newcomer_who_was_suspended_meanwhile_is_not_announced(client):
    make_member(is_host=True)
    client.post(reverse("members:join"), answers())
    client.post(proof_link())
    activity.fan_out(activity_id=Activity.objects.get(verb="members.joined").pk)
    newcomer = Member.objects.get(email="ana@example.org")
    services.suspend_member(member=newcomer, actor=make_member(is_moderator=True), reason="advertises")
    send_due()
    row = OutgoingMail.objects.get(kind="members.newcomer")
    assert (row.state, row.reason) == ("withheld", "the newcomer is no longer a member")


def test_with_approval_nobody_is_let_in_by_a_proven_address(client):
    CommunitySettings(join_policy="approval").save()
    moderator = make_member(is_moderator=True)
    client.post(reverse("members:join"), answers(answer_1="I link wards and papers.", answer_2="Company."))
    client.post(proof_link())
    member = Member.objects.get(email="ana@example.org")
    assert (member.status, is_full_member(member)) == ("pending", False)
    assert client.get(reverse("members:directory"))["Location"] == reverse("members:waiting")
    assert client.get(member.get_absolute_url()).status_code == 200
    assert client.get(moderator.get_absolute_url()).status_code == 404

    services.approve_member(member=member, actor=moderator)
    assert client.get(reverse("members:directory")).status_code == 200
    CommunitySettings.load().delete()


@pytest.mark.parametrize("demo", [True, False])
def test_demo_accounts_sign_in_only_in_the_demo(demo, client, settings, signed_in):
    member = make_member(email="member@demo.kmnet.example")
    session = signed_in(member)
    settings.KMNET_DEMO = demo
    client.post(reverse("account_login"), {"login": member.email, "password": PASSWORD})
    assert ("_auth_user_id" in client.session) == demo
    session.get("/settings/")
    assert ("_auth_user_id" in session.session) == demo  # a session from before ends


def test_demo_addresses_join_only_in_the_demo(client, settings):
    settings.KMNET_DEMO = False
    response = client.post(reverse("members:join"), answers(email="x@demo.kmnet.example"))
    assert "email" in response.context["form"].errors
    assert not Member.objects.exists()


def test_password_is_stored_hashed(client):
    client.post(reverse("members:join"), answers())
    member = Member.objects.get()
    assert member.password != "four odd words here"
    assert check_password("four odd words here", member.password)
