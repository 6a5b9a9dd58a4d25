"""What moderators decide: at once, with a reason, in the log, and never about one another."""

import pytest
from allauth.usersessions.models import UserSession
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kmnet.core import moderation
from kmnet.core.models import AuditEntry, OutgoingMail
from members import services
from members.models import JoinRequest, Member, Profile
from members.permissions import can_write, is_full_member
from tests.factories import PASSWORD, make_member
from tests.mailbox import send_due

pytestmark = pytest.mark.django_db

ACTS = {
    services.suspend_member: "suspended",
    services.silence_member: "silenced",
    services.restore_member: "active",
}


@pytest.fixture
def moderator(db):
    return make_member(is_moderator=True, is_staff=True)


@pytest.fixture
def admin(db):
    return make_member(is_staff=True, is_superuser=True)


@pytest.mark.parametrize("act", ACTS)
def test_each_act_needs_a_right_and_a_reason_and_is_in_the_log(act, member, moderator):
    with pytest.raises(PermissionDenied):
        act(member=member, actor=make_member(), reason="I say so")
    with pytest.raises(ValidationError):
        act(member=member, actor=moderator, reason="  ")
    assert not AuditEntry.objects.exists()

    act(member=member, actor=moderator, reason="advertises")
    member.refresh_from_db()
    assert member.status == ACTS[act]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.target_id, entry.reason) == (moderator, member.pk, "advertises")
    assert entry.data == {"before": "active"}


@pytest.mark.parametrize(
    "flags", [{"is_moderator": True}, {"is_staff": True}, {"is_staff": True, "is_superuser": True}]
)
def test_moderator_does_not_act_on_moderators_and_admins(flags, moderator, admin):
    other = make_member(**flags)
    with pytest.raises(PermissionDenied):
        services.suspend_member(member=other, actor=moderator, reason="x")
    with pytest.raises(PermissionDenied):
        services.suspend_member(member=moderator, actor=moderator, reason="myself")
    services.suspend_member(member=other, actor=admin, reason="an admin may")


def test_suspension_ends_every_session_at_once(member, moderator, signed_in):
    laptop, phone = signed_in(member), Client()
    phone.post(reverse("account_login"), {"login": member.email, "password": PASSWORD})
    for browser in (laptop, phone):
        assert browser.get(reverse("members:directory")).status_code == 200
    assert UserSession.objects.filter(user=member).count() == 2

    services.suspend_member(member=member, actor=moderator, reason="advertises")

    for browser in (laptop, phone):
        assert browser.get(reverse("members:directory"))["Location"].startswith("/accounts/login/")
    assert not UserSession.objects.filter(user=member).exists()
    services.restore_member(member=member, actor=moderator, reason="a mistake")
    for browser in (laptop, phone):  # the old sessions do not come back
        assert browser.get(reverse("members:directory"))["Location"].startswith("/accounts/login/")


def test_suspended_member_signs_in_in_no_way(member, moderator, client):
    services.suspend_member(member=member, actor=moderator, reason="advertises")
    client.post(reverse("account_login"), {"login": member.email, "password": PASSWORD})
    client.post(reverse("account_request_login_code"), {"email": member.email})
    assert "_auth_user_id" not in client.session
    assert send_due(to=member.email) == []
    with pytest.raises(PermissionDenied):
        services.suspend_member(member=make_member(), actor=Member.objects.get(pk=member.pk), reason="x")


def test_silenced_member_reads_but_does_not_write(member, moderator, signed_in):
    services.silence_member(member=member, actor=moderator, reason="unkind")
    member.refresh_from_db()
    assert (is_full_member(member), can_write(member)) == (True, False)
    assert signed_in(member).get(reverse("members:directory")).status_code == 200


def test_hidden_profile_is_told_to_its_owner_with_the_reason(member, moderator):
    services.hide_profile(target=member.profile, actor=moderator, reason="names a patient")
    services.hide_profile(target=member.profile, actor=moderator, reason="twice is once")
    [message] = send_due(to=member.email)
    assert "names a patient" in message.get_body(("plain",)).get_content()
    assert AuditEntry.objects.count() == 1


def test_mail_about_a_profile_that_is_shown_again_is_not_sent(member, moderator):
    services.hide_profile(target=member.profile, actor=moderator, reason="names a patient")
    services.restore_profile(target=member.profile, actor=moderator, reason="it does not")
    assert send_due() == []
    assert OutgoingMail.objects.get().reason == "the profile is shown again"
    assert [entry.verb for entry in AuditEntry.objects.order_by("pk")] == [
        "members.profile_hidden",
        "members.profile_restored",
    ]


def test_only_moderators_hide_a_profile(member):
    with pytest.raises(PermissionDenied):
        services.hide_profile(target=member.profile, actor=make_member(), reason="x")
    member.profile.refresh_from_db()
    assert member.profile.state == "visible"


def test_reported_profile_reaches_the_moderators(member, moderator):
    kind = moderation.kind_named("members", "profile")
    reporter = make_member()
    assert kind.visible_to(reporter).filter(pk=member.profile.pk).exists()
    moderation.report(reporter=reporter, target=member.profile, reason="spam")
    assert moderation.resolve(target=member.profile, actor=moderator, hide=True, reason="advertises") == 1
    assert Profile.objects.get(member=member).state == "hidden"


def test_pending_member_sees_public_things_and_their_own(signed_in):
    pending = make_member(status="pending")
    browser = signed_in(pending)
    for name in ("settings", "settings_profile", "settings_mail", "waiting"):
        assert browser.get(reverse(f"members:{name}")).status_code == 200
    assert browser.get(pending.get_absolute_url()).status_code == 200
    for path in ("/members/", "/notifications/", "/discussions/ask/"):
        assert browser.get(path)["Location"] == reverse("members:waiting")
    assert browser.get("/about/privacy/").status_code == 200
    assert browser.get("/members/", headers={"HX-Request": "true"})["HX-Redirect"] == reverse(
        "members:waiting"
    )


def test_full_member_does_not_wait(member, signed_in):
    assert signed_in(member).get(reverse("members:waiting"))["Location"] == "/"


def test_presence_is_noted_at_a_visit_and_at_a_deed_and_not_at_every_page(member, signed_in):
    def seen_on():
        return str(Member.objects.get(pk=member.pk).last_seen_on)

    browser = signed_in(member)
    Member.objects.filter(pk=member.pk).update(last_seen_on="2020-01-01")
    browser.get("/members/")  # the first page of a visit, or after an hour
    assert seen_on() > "2020-01-01"
    Member.objects.filter(pk=member.pk).update(last_seen_on="2020-01-01")
    browser.get("/members/")
    assert seen_on() == "2020-01-01"
    browser.post(reverse("members:welcome_later"))
    assert seen_on() > "2020-01-01"


@pytest.mark.parametrize("state", ["waiting", "declined"])
def test_nobody_comes_in_past_the_queue(state, member, moderator):
    Member.objects.filter(pk=member.pk).update(status="pending")
    decided_at = timezone.now() if state == "declined" else None
    JoinRequest.objects.create(member=member, state=state, decided_at=decided_at)
    for act in (services.silence_member, services.restore_member):
        with pytest.raises(PermissionDenied):
            act(member=member, actor=moderator, reason="x")
    services.suspend_member(member=member, actor=moderator, reason="x")
    with pytest.raises(PermissionDenied):
        services.silence_member(member=member, actor=moderator, reason="x")
    services.restore_member(member=member, actor=moderator, reason="a mistake")
    member.refresh_from_db()
    assert (member.status, member.is_active, is_full_member(member)) == ("pending", True, False)
    services.approve_member(member=member, actor=moderator)
    services.silence_member(member=member, actor=moderator, reason="x")
    services.restore_member(member=member, actor=moderator, reason="x")
    member.refresh_from_db()
    assert member.status == "active"
