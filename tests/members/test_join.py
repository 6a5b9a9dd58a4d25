"""Joining: from the page to a proven address, on any device; nothing tells whether an address is known."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import check_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from kmnet.core import activity
from kmnet.core.models import Activity, AuditEntry, CommunitySettings, OutgoingMail
from members import services
from members.models import JoinRequest, Member
from members.permissions import is_full_member
from tests.factories import PASSWORD, make_member
from tests.mailbox import html_of, links_in, send_due, text_of

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
    assert client.post(proof_link())["Location"] == reverse("members:waiting")
    member = Member.objects.get(email="ana@example.org")
    assert (member.status, is_full_member(member)) == ("pending", False)
    assert reverse("members:waiting") in client.get("/").content.decode()
    assert client.get(reverse("members:directory"))["Location"] == reverse("members:waiting")
    assert client.get(member.get_absolute_url()).status_code == 200
    assert client.get(moderator.get_absolute_url()).status_code == 404

    services.approve_member(member=member, actor=moderator)
    assert client.get(reverse("members:directory")).status_code == 200
    CommunitySettings.load().delete()


# --- each policy, each way in ----------------------------------------------------------------------------------------
POLICIES = ("open", "approval", "invitation")


def settled(policy: str, **more) -> tuple[str, bool]:
    """Standing and fullness of somebody who came through the gate while this policy held."""
    CommunitySettings(join_policy=policy).save()
    member = Member(email="ana@example.org", name="Ana Silva")
    try:
        services.save_joining_member(member, **more)
    except services.NotInvited:
        return "refused", Member.objects.exclude(is_host=True).exists()
    services.prove_address(member=member, address=member.email)
    member.refresh_from_db()
    return member.status, is_full_member(member)


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [("open", ("active", True)), ("approval", ("pending", False)), ("invitation", ("refused", False))],
)
def test_the_gate_lets_in_whom_the_policy_lets_in(policy, outcome):
    assert settled(policy) == outcome


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [("open", ("active", True)), ("approval", ("pending", False)), ("invitation", ("active", True))],
)
def test_an_invitation_opens_the_door_and_spares_no_approval(policy, outcome):
    _invitation, token = services.make_invitation_link(by=make_member(is_host=True), max_uses=1)
    assert settled(policy, invitation_token=token) == outcome


@pytest.mark.parametrize("before", POLICIES)
@pytest.mark.parametrize("after", POLICIES)
def test_a_policy_that_changes_midway_lets_nobody_slip_through(before, after):
    """Joined under one policy, the address proven under another: never more than both would give."""
    token = ""
    if before == "invitation":
        token = services.make_invitation_link(by=make_member(is_host=True), max_uses=1)[1]
    CommunitySettings(join_policy=before).save()
    member = Member(email="ana@example.org", name="Ana Silva")
    services.save_joining_member(member, invitation_token=token)
    CommunitySettings(join_policy=after).save()
    services.prove_address(member=member)
    member.refresh_from_db()
    in_at_once = (before, after) in {("open", "open"), ("invitation", "open"), ("invitation", "invitation")}
    assert is_full_member(member) == in_at_once
    assert in_at_once or member.join_request.waits_since is not None


def test_whoever_was_let_in_before_proving_stays_in_when_the_door_closes():
    CommunitySettings(join_policy="approval").save()
    member = Member(email="ana@example.org", name="Ana Silva")
    services.save_joining_member(member)
    services.approve_member(member=member, actor=make_member(is_moderator=True))
    services.prove_address(member=member)
    member.refresh_from_db()
    assert is_full_member(member)


def test_questions_that_came_up_while_somebody_typed_are_asked_at_their_fields(client):
    client.get(reverse("members:join"))
    CommunitySettings(join_policy="approval", join_question_2="").save()
    response = client.post(reverse("members:join"), answers())
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["answer_1"]
    assert response.context["form"]["name"].value() == "Ana Silva"
    client.post(reverse("members:join"), answers(answer_1="I link wards and papers."))
    asked = Member.objects.get().join_request
    assert asked.answers == [["What do you do between research and practice?", "I link wards and papers."]]


def test_whoever_was_not_asked_answers_on_the_page_where_they_wait(client, signed_in):
    CommunitySettings(join_policy="open").save()
    client.post(reverse("members:join"), answers())
    CommunitySettings(join_policy="approval").save()
    client.post(proof_link())
    page = client.get(reverse("members:waiting")).content.decode()
    assert "usually within 2 working days" in page
    assert client.post(reverse("members:waiting"), {"answer_1": "", "answer_2": ""}).status_code == 422
    client.post(reverse("members:waiting"), {"answer_1": "One.", "answer_2": "{{7*7}} <b>two</b>"})
    asked = Member.objects.get().join_request
    assert [answer for _question, answer in asked.answers] == ["One.", "{{7*7}} <b>two</b>"]
    assert "&lt;b&gt;two" in client.get(reverse("members:waiting")).content.decode()
    client.post(reverse("members:waiting"), {"answer_1": "Other.", "answer_2": "Words."})
    asked.refresh_from_db()
    assert asked.answers[0][1] == "One."


@pytest.mark.parametrize("way", ["code", "reset"])
def test_neither_a_code_nor_a_new_password_goes_round_the_approval(way, client):
    CommunitySettings(join_policy="approval").save()
    client.post(reverse("members:join"), answers(answer_1="One.", answer_2="Two."))
    name = "account_request_login_code" if way == "code" else "account_reset_password"
    other = Client()
    other.post(reverse(name), {"email": "ana@example.org"})
    links = [link for letter in send_due(to="ana@example.org") for link in links_in(letter)]
    for link in links:
        path = link.removeprefix("http://testserver")
        page = other.get(path, follow=True)
        if page.redirect_chain:
            path = page.redirect_chain[-1][0]
        other.post(path, {"password1": "four other odd words", "password2": "four other odd words"})
    member = Member.objects.get()
    assert (member.status, is_full_member(member)) == ("pending", False)


def test_waiting_and_the_answer_are_told_by_mail_once():
    CommunitySettings(join_policy="approval", join_wait_days=3).save()
    moderator, member = make_member(is_moderator=True), Member(email="ana@example.org", name="Ana Silva")
    services.save_joining_member(member)
    services.prove_address(member=member)
    services.finish_welcome(member=member)
    [letter] = send_due(to="ana@example.org")
    assert "usually within 3 working days" in text_of(letter)

    assert services.approve_member(member=member, actor=moderator)
    assert not services.approve_member(member=member, actor=make_member(is_moderator=True))
    assert not services.decline_member(member=member, actor=moderator, reason="No.")
    subjects = [letter["Subject"] for letter in send_due(to="ana@example.org")]
    assert subjects == ["We have your request to join", "You are in, Ana", "Welcome to kmnet, Ana"]
    assert AuditEntry.objects.get(verb="members.approved").actor == moderator


def test_declined_is_told_kindly_with_the_reason_and_can_be_mended():
    CommunitySettings(join_policy="approval").save()
    moderator, member = make_member(is_moderator=True), Member(email="ana@example.org", name="Ana Silva")
    services.save_joining_member(member)
    services.prove_address(member=member)
    with pytest.raises(ValidationError):
        services.decline_member(member=member, actor=moderator, reason=" ")
    with pytest.raises(PermissionDenied):
        services.decline_member(member=member, actor=make_member(), reason="No.")
    assert services.decline_member(member=member, actor=moderator, reason="You sell <b>software</b>.")
    assert not services.decline_member(member=member, actor=moderator, reason="Again.")
    letter = send_due(to="ana@example.org")[-1]
    assert "You sell <b>software</b>." in text_of(letter)
    assert "You sell &lt;b&gt;software" in html_of(letter)
    assert (JoinRequest.objects.get().state, AuditEntry.objects.get(verb="members.declined").reason) == (
        "declined", "You sell <b>software</b>.",
    )  # fmt: skip
    assert services.approve_member(member=member, actor=moderator)
    member.refresh_from_db()
    assert is_full_member(member)


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
