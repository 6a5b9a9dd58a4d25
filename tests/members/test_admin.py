"""The admin pages: moderators look and act with a reason; only admins change roles; no password is shown."""

import pytest
from allauth.mfa.models import Authenticator

from kmnet.core.models import AuditEntry
from members import services
from members.models import Member, SeenBy
from tests.factories import make_member

pytestmark = pytest.mark.django_db

MEMBERS = "/admin/members/member/"
PROFILES = "/admin/members/profile/"


@pytest.fixture
def moderator(signed_in):
    return signed_in(make_member(name="Mod", is_moderator=True, is_staff=True))


@pytest.fixture
def admin_browser(signed_in):
    return signed_in(make_member(name="Admin", is_staff=True, is_superuser=True))


def change_page(member) -> str:
    return f"{MEMBERS}{member.pk}/change/"


def test_guest_and_member_do_not_get_in(client, member, signed_in):
    assert client.get(MEMBERS)["Location"] == f"/accounts/login/?next={MEMBERS}"
    assert client.get("/admin/login/?next=/admin/")["Location"].startswith("/accounts/login/")
    assert signed_in(member).get(MEMBERS, follow=True).status_code == 403


def test_staff_who_do_not_moderate_see_no_members(signed_in, member):
    helper = signed_in(make_member(is_staff=True))
    assert helper.get(MEMBERS).status_code == 403
    assert helper.get(change_page(member)).status_code == 403


@pytest.mark.parametrize(
    "path", [MEMBERS, f"{MEMBERS}?q=ana", PROFILES, f"{PROFILES}?q=ana", f"{MEMBERS}?status=active"]
)
def test_moderators_find_members(path, moderator, member):
    assert "Ana Silva" in moderator.get(path).content.decode()


def test_no_password_is_shown(moderator, admin_browser, member):
    for browser in (moderator, admin_browser):
        content = browser.get(change_page(member)).content.decode()
        assert member.password not in content
        assert 'name="password"' not in content


@pytest.mark.parametrize(
    "question",
    [
        f"{MEMBERS}?password__startswith=md5",
        f"{MEMBERS}?email__startswith=ana",
        f"{PROFILES}?about__icontains=secret",
        f"{PROFILES}?member__password__startswith=md5",
        f"{PROFILES}?about_seen_by=0",
    ],
)
def test_addresses_ask_only_what_the_filters_offer(question, moderator, admin_browser, member):
    """Otherwise a moderator spells out a password's hash, or what somebody hides, letter by letter."""
    assert moderator.get(question).status_code == 400
    assert admin_browser.get(question).status_code == 400


@pytest.mark.parametrize(
    "question",
    ["is_host__exact=0", "status__exact=active", "address_proven_at__isempty=0", "joined_at__year=2020"],
)
def test_the_filters_themselves_work(question, moderator, member):
    assert moderator.get(f"{MEMBERS}?{question}").status_code == 200


def test_moderators_cannot_raise_anybody(moderator, member):
    own = Member.objects.get(name="Mod")
    for target in (own, member):
        page = change_page(target)
        data = {"is_superuser": "on", "is_staff": "on", "is_moderator": "on", "reason": "me", "name": "Other"}
        assert moderator.get(page).status_code == 200
        assert moderator.post(page, data).status_code == 403
        target.refresh_from_db()
        assert not target.is_superuser
    with pytest.raises(services.standing.PermissionDenied):
        services.set_roles(member=own, actor=own, reason="x", is_superuser=True)


def inline(count=0):
    return {f"old_handles-{key}": value for key, value in (("TOTAL_FORMS", count), ("INITIAL_FORMS", count))}


def test_admins_change_roles_with_a_reason_in_the_log(admin_browser, member):
    data = {"is_host": "on", "is_organiser": "on", **inline()}
    refused = admin_browser.post(change_page(member), data)
    assert "reason" in refused.context["adminform"].form.errors
    response = admin_browser.post(change_page(member), {**data, "reason": "welcomes people"})
    assert response.status_code == 302
    member.refresh_from_db()
    assert (member.is_host, member.is_organiser, member.is_moderator, member.name) == (
        True,
        True,
        False,
        "Ana Silva",
    )
    entry = AuditEntry.objects.get(verb="members.roles_changed")
    assert (entry.reason, entry.data) == ("welcomes people", {"is_host": True, "is_organiser": True})


def test_admin_who_may_not_enter_is_refused(admin_browser, member):
    response = admin_browser.post(change_page(member), {"is_superuser": "on", "reason": "x", **inline()})
    assert "is_staff" in response.context["adminform"].form.errors


@pytest.mark.parametrize(
    ("action", "status"), [("suspend", "suspended"), ("silence", "silenced"), ("restore", "active")]
)
def test_actions_call_the_services_with_the_reason(action, status, moderator, member):
    data = {"action": action, "_selected_action": [member.pk], "reason": ""}
    moderator.post(MEMBERS, data)
    assert not AuditEntry.objects.exists()  # no reason, no deed
    moderator.post(MEMBERS, {**data, "reason": "advertises"})
    member.refresh_from_db()
    assert (member.status, AuditEntry.objects.get().reason) == (status, "advertises")


def test_action_on_an_admin_is_refused(moderator):
    admin = make_member(is_staff=True, is_superuser=True)
    response = moderator.post(
        MEMBERS, {"action": "suspend", "_selected_action": [admin.pk], "reason": "x"}, follow=True
    )
    assert "Not allowed" in response.content.decode()
    admin.refresh_from_db()
    assert admin.status == "active"


def test_waiting_members_are_approved(moderator):
    waiting = make_member(status="pending")
    moderator.post(MEMBERS, {"action": "approve", "_selected_action": [waiting.pk], "reason": ""})
    waiting.refresh_from_db()
    assert waiting.status == "active"


def test_profile_in_the_admin_shows_what_members_see(moderator, member):
    services.update_profile(
        member=member,
        headline="<b>For members</b>",
        organisation="Mine alone",
        organisation_seen_by=SeenBy.ME,
    )
    content = moderator.get(f"{PROFILES}{member.profile.pk}/change/").content.decode()
    assert "&lt;b&gt;For members" in content
    assert "Mine alone" not in content
    assert member.email not in content


def test_profile_is_hidden_and_shown_from_the_list(moderator, member):
    for action, state in (("hide", "hidden"), ("show", "visible")):
        data = {"action": action, "_selected_action": [member.profile.pk], "reason": "names a patient"}
        moderator.post(PROFILES, data)
        member.profile.refresh_from_db()
        assert member.profile.state == state


@pytest.mark.parametrize("path", [f"{MEMBERS}add/", f"{PROFILES}add/"])
def test_nobody_is_made_by_hand(path, admin_browser):
    assert admin_browser.get(path).status_code == 403


@pytest.mark.parametrize("count", [1, 20])
def test_list_costs_the_same_at_any_length(count, moderator, django_assert_num_queries):
    for _number in range(count):
        make_member()
    moderator.get(MEMBERS)
    with django_assert_num_queries(7):
        # the moderator, how many, who, and what the calendar and the filters ask
        assert moderator.get(MEMBERS).status_code == 200


# --- what packages would show ------------------------------------------------------------------------------------------
ADDRESSES = "/admin/account/emailaddress/"
SECOND_STEPS = "/admin/mfa/authenticator/"


def test_addresses_are_found_and_not_changed(moderator, member):
    address = member.emailaddress_set.get()
    page = f"{ADDRESSES}{address.pk}/change/"
    assert member.email in moderator.get(f"{ADDRESSES}?q=ana").content.decode()
    assert member.email in moderator.get(page).content.decode()
    assert moderator.post(page, {"verified": ""}).status_code == 403
    assert moderator.get(f"{ADDRESSES}add/").status_code == 403


@pytest.mark.parametrize("path", ["/admin/usersessions/usersession/", "/admin/auth/group/"])
def test_open_sessions_and_groups_have_no_page(path, admin_browser):
    assert admin_browser.get(path).status_code == 404


def test_second_step_is_taken_away_with_an_entry_in_the_log_and_its_secret_never_shown(
    admin_browser, moderator, member
):
    step = Authenticator.objects.create(user=member, type="totp", data={"secret": "hush-hush"})
    page = f"{SECOND_STEPS}{step.pk}/"
    assert moderator.get(SECOND_STEPS).status_code == 403
    assert "Ana Silva" in admin_browser.get(f"{SECOND_STEPS}?q=ana").content.decode()
    assert "hush" not in admin_browser.get(f"{page}change/").content.decode()
    assert admin_browser.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    press = {"action": "take_away", "_selected_action": [step.pk]}
    admin_browser.post(SECOND_STEPS, press)
    assert Authenticator.objects.exists()  # without a reason nothing is done
    admin_browser.post(SECOND_STEPS, {**press, "reason": "lost the phone"})
    assert not Authenticator.objects.exists()
    entry = AuditEntry.objects.get(verb="members.second_step_removed")
    assert (entry.target_id, entry.reason, entry.data) == (member.pk, "lost the phone", {"type": "totp"})


def test_deletion_is_started_and_undone_for_somebody_with_a_reason(admin_browser, moderator, member):
    press = {"action": "start_leaving", "_selected_action": [member.pk]}
    moderator.post(MEMBERS, {**press, "reason": "asked by letter"})
    admin_browser.post(MEMBERS, press)
    member.refresh_from_db()
    assert member.status == "active"
    admin_browser.post(MEMBERS, {**press, "reason": "asked by letter"})
    member.refresh_from_db()
    assert member.status == "leaving"
    admin_browser.post(MEMBERS, {**press, "action": "undo_leaving", "reason": "changed their mind"})
    member.refresh_from_db()
    assert member.status == "active"
    reasons = AuditEntry.objects.filter(verb__startswith="members.leaving_").values_list("reason", flat=True)
    assert set(reasons) == {"asked by letter", "changed their mind"}
