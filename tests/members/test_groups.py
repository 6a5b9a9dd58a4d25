"""Groups: who comes in and goes, who leads, and what each person finds on the pages."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from kmnet.core import activity
from kmnet.core.mail import Withhold, get_kind
from kmnet.core.models import Activity, AuditEntry, Flag, Notification, OutgoingMail
from kmnet.core.search import SearchText
from members import group_permissions
from members.group_hooks import search_groups
from members.models import Boundary, Group, GroupMember, Joining, Standing
from members.services import group_upkeep, groups, suspend_member
from members.signals import member_erased
from tests.factories.discussions import make_space, make_thread
from tests.factories.events import make_event
from tests.factories.groups import make_group, put_in
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term

pytestmark = pytest.mark.django_db
PAGES = ("detail", "people", "edit", "close", "leave", "invite")


def url(name, *args):
    return reverse(f"groups:{name}", args=args)


def standings(group) -> dict:
    return dict(GroupMember.objects.filter(group=group).values_list("member__name", "standing"))


def told(verb) -> list[str]:
    """Who hears of the deeds of this kind; the fan-out is run here."""
    for deed in Activity.objects.filter(verb=verb):
        activity.fan_out(activity_id=deed.pk)
    rows = Notification.objects.filter(activity__verb=verb).order_by("pk")
    return list(rows.values_list("recipient__name", flat=True))


def compose(kind, member):
    mail = OutgoingMail.objects.get(kind=kind, member=member)
    return get_kind(kind).compose(mail)


@pytest.fixture
def ana():
    return make_member(name="Ana Silva")


@pytest.fixture
def convenor(client):
    member = make_member(name="Anneke Visser")
    client.force_login(member)
    return member


# --- coming in -------------------------------------------------------------------------------------------------------
def test_an_open_group_is_joined_at_once_and_once(convenor, ana):
    group = make_group(convenor=convenor)
    for _press in range(2):
        groups.join_group(member=ana, group=group)
    assert standings(group) == {"Anneke Visser": "convenor", "Ana Silva": "member"}


def test_a_request_waits_for_a_convenor_who_is_told(convenor, ana):
    group = make_group(convenor=convenor, joining=Joining.REQUEST)
    for _press in range(2):
        groups.join_group(member=ana, group=group)
    assert standings(group)["Ana Silva"] == "requested"
    assert told("groups.requested") == ["Anneke Visser"]
    assert compose("groups.requested", convenor).context["who"] == ana
    assert groups.answer_request(actor=convenor, group=group, member=ana, admit=True)
    assert standings(group)["Ana Silva"] == "member"
    with pytest.raises(Withhold):
        compose("groups.requested", convenor)
    assert told("groups.admitted") == ["Ana Silva"]
    assert compose("groups.admitted", ana).context["group"] == group
    assert not groups.answer_request(actor=convenor, group=group, member=ana, admit=True)


def test_a_declined_request_is_gone_and_nobody_is_mailed(convenor, ana):
    group = make_group(convenor=convenor, joining=Joining.REQUEST)
    groups.join_group(member=ana, group=group)
    with pytest.raises(PermissionDenied):
        groups.answer_request(actor=make_member(), group=group, member=ana, admit=True)
    groups.answer_request(actor=convenor, group=group, member=ana, admit=False)
    assert standings(group) == {"Anneke Visser": "convenor"}
    assert not OutgoingMail.objects.filter(member=ana).exists()


def test_an_invitation_is_mailed_and_answered_by_its_own_person(convenor, ana):
    group = make_group(convenor=convenor, is_listed=False)
    with pytest.raises(PermissionDenied):
        groups.join_group(member=ana, group=group)
    for _press in range(2):
        groups.invite_member(actor=convenor, group=group, member=ana)
    assert told("groups.invited") == ["Ana Silva"]
    assert compose("groups.invited", ana).context["who"] == convenor
    assert groups.join_group(member=ana, group=group).standing == "member"
    with pytest.raises(Withhold):
        compose("groups.invited", ana)


def test_a_declined_invitation_leaves_no_trace(convenor, ana):
    group = make_group(convenor=convenor, is_listed=False)
    groups.invite_member(actor=convenor, group=group, member=ana)
    assert groups.step_back(member=ana, group=group)
    assert not groups.step_back(member=ana, group=group)
    assert standings(group) == {"Anneke Visser": "convenor"}
    assert not group_permissions.can_view_group(ana, group)


def test_an_invitation_by_somebody_one_blocks_is_not_heard(client, convenor, ana):
    Boundary.objects.create(owner=ana, other=convenor, distance="block")
    group = make_group(convenor=convenor)
    assert groups.invite_member(actor=convenor, group=group, member=ana).standing == "invited"
    assert told("groups.invited") == []
    client.force_login(ana)
    assert client.get(url("index")).context["invitations"] == []


def test_inviting_who_asked_lets_them_in(convenor, ana):
    group = make_group(convenor=convenor, joining=Joining.REQUEST)
    groups.join_group(member=ana, group=group)
    assert groups.invite_member(actor=convenor, group=group, member=ana).standing == "member"


def test_who_may_not_write_does_not_come_in(convenor):
    group = make_group(convenor=convenor)
    for member in (make_member(status="silenced"), make_member(status="pending")):
        with pytest.raises(PermissionDenied):
            groups.join_group(member=member, group=group)
        with pytest.raises(PermissionDenied):
            groups.make_group(actor=member, name="Ours")


def test_a_closed_group_takes_nobody_and_keeps_its_readers(convenor, ana):
    group = make_group(ana, convenor=convenor, joining=Joining.REQUEST)
    asking = make_member()
    groups.join_group(member=asking, group=group)
    groups.close_group(actor=convenor, group=group)
    assert standings(group) == {"Anneke Visser": "convenor", "Ana Silva": "member"}
    with pytest.raises(groups.GroupClosed):
        groups.join_group(member=asking, group=group)
    with pytest.raises(groups.GroupClosed):
        groups.invite_member(actor=convenor, group=group, member=asking)
    assert groups.leave_group(member=convenor, group=group)  # nobody needs to lead it any more
    assert groups.close_group(actor=ana, group=group).closed_at is not None


def test_limits_of_making_and_inviting(convenor, monkeypatch):
    monkeypatch.setattr(groups, "MOST_A_DAY", 2)
    monkeypatch.setattr(groups, "MOST_INVITED", 1)
    made = [make_group(convenor=convenor) for _number in range(2)]
    with pytest.raises(groups.TooManyGroups):
        make_group(convenor=convenor)
    Group.objects.update(created_at=timezone.now() - timedelta(days=2))
    make_group(convenor=convenor)
    groups.invite_member(actor=convenor, group=made[0], member=make_member())
    with pytest.raises(groups.TooManyInvited):
        groups.invite_member(actor=convenor, group=made[0], member=make_member())


# --- leading and leaving ---------------------------------------------------------------------------------------------
def test_the_last_convenor_hands_over_before_leaving(convenor, ana):
    group = make_group(ana, convenor=convenor)
    for act in (
        lambda: groups.leave_group(member=convenor, group=group),
        lambda: groups.unmake_convenor(actor=convenor, group=group, member=convenor),
    ):
        with pytest.raises(groups.LastConvenor):
            act()
    groups.make_convenor(actor=convenor, group=group, member=ana)
    assert told("groups.led") == ["Ana Silva"]
    assert groups.leave_group(member=convenor, group=group)
    assert standings(group) == {"Ana Silva": "convenor"}


def test_the_database_itself_keeps_a_convenor(convenor):
    group = make_group(convenor=convenor)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS group_has_a_convenor IMMEDIATE")
    with pytest.raises(IntegrityError), transaction.atomic():
        GroupMember.objects.filter(group=group).update(standing="member")


def test_convenors_take_out_members_and_moderators_say_why(convenor, ana):
    group = make_group(ana, convenor=convenor)
    moderator, other = make_member(is_moderator=True), make_member(name="Owen Pritchard")
    put_in(group, other)
    for actor in (ana, make_member()):
        with pytest.raises(PermissionDenied):
            groups.remove_member(actor=actor, group=group, member=other)
    assert groups.remove_member(actor=convenor, group=group, member=other)
    assert not AuditEntry.objects.exists()
    assert groups.remove_member(actor=moderator, group=group, member=ana, reason="Advertises.")
    assert AuditEntry.objects.values_list("verb", "reason").get() == ("groups.member_removed", "Advertises.")
    assert standings(group) == {"Anneke Visser": "convenor"}
    with pytest.raises(PermissionDenied):
        groups.remove_member(actor=moderator, group=group, member=convenor, reason="Why not.")


def test_a_moderator_has_no_hand_in_a_private_group(convenor, ana):
    group = make_group(ana, convenor=convenor, is_listed=False)
    with pytest.raises(PermissionDenied):
        groups.remove_member(actor=make_member(is_moderator=True), group=group, member=ana, reason="Because.")


def test_when_the_convenor_is_suspended_the_longest_standing_member_leads(convenor, ana):
    moderator = make_member(is_moderator=True)
    silenced = make_member(status="silenced", name="Silent Sam")
    group = make_group(silenced, ana, make_member(name="Owen Pritchard"), convenor=convenor)
    suspend_member(member=convenor, actor=moderator, reason="Advertises.")
    assert standings(group) == {
        "Anneke Visser": "member",
        "Silent Sam": "member",
        "Ana Silva": "convenor",
        "Owen Pritchard": "member",
    }
    assert told("groups.led") == ["Ana Silva"]
    assert compose("groups.led", ana).context["who"] is None


def test_where_nobody_can_lead_the_moderators_are_told_and_no_name_of_a_private_group(convenor):
    moderator = make_member(is_moderator=True)
    group = make_group(make_member(status="silenced"), convenor=convenor, is_listed=False)
    suspend_member(member=convenor, actor=moderator, reason="Advertises.")
    assert standings(group)["Anneke Visser"] == "convenor"
    assert compose("groups.unled", moderator).context["name"] == ""
    ana = make_member(name="Ana Silva")
    put_in(group, ana)
    assert group_upkeep.hand_on_group(group=group, actor=moderator, reason="Its convenor is suspended.")
    assert standings(group)["Ana Silva"] == "convenor"


def test_when_an_account_is_deleted_its_groups_go_on_or_close(convenor, ana):
    alone, shared = make_group(convenor=convenor), make_group(ana, convenor=convenor)
    invited = make_member()
    groups.invite_member(actor=convenor, group=shared, member=invited)
    member_erased.send(sender=type(convenor), member=convenor, keep_words=True, addresses=[])
    alone.refresh_from_db()
    shared.refresh_from_db()
    assert alone.is_closed
    assert shared.made_by is None
    assert GroupMember.objects.get(group=shared, member=ana).standing == "convenor"
    assert GroupMember.objects.get(group=shared, member=invited).invited_by is None
    assert not GroupMember.objects.filter(member=convenor).exists()


def test_what_convenors_do_is_refused_to_all_others(convenor, ana):
    group = make_group(ana, convenor=convenor, joining=Joining.REQUEST)
    asking, invited = make_member(), make_member()
    groups.join_group(member=asking, group=group)
    groups.invite_member(actor=convenor, group=group, member=invited)
    said = {"name": "Ours", "purpose": "", "ways": "", "joining": Joining.OPEN, "is_listed": True}
    before = standings(group)
    for actor in (ana, asking, invited, make_member(is_moderator=True)):
        for act in (
            lambda who: groups.edit_group(actor=who, group=group, **said),
            lambda who: groups.close_group(actor=who, group=group),
            lambda who: groups.answer_request(actor=who, group=group, member=asking, admit=True),
            lambda who: groups.answer_request(actor=who, group=group, member=asking, admit=False),
            lambda who: groups.invite_member(actor=who, group=group, member=make_member()),
            lambda who: groups.withdraw_invitation(actor=who, group=group, member=invited),
            lambda who: groups.make_convenor(actor=who, group=group, member=ana),
            lambda who: groups.unmake_convenor(actor=who, group=group, member=convenor),
        ):
            with pytest.raises(PermissionDenied):
                act(actor)
    assert standings(group) == before
    assert groups.withdraw_invitation(actor=convenor, group=group, member=invited)
    assert not groups.withdraw_invitation(actor=convenor, group=group, member=invited)


def test_what_moderators_do_with_a_group_is_refused_to_its_convenor(convenor, ana):
    group = make_group(ana, convenor=convenor)
    for act in (
        lambda: group_upkeep.hide_group(target=group, actor=convenor, reason="Because."),
        lambda: group_upkeep.restore_group(target=group, actor=convenor, reason="Because."),
        lambda: group_upkeep.hand_on_group(group=group, actor=convenor, reason="Because."),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_who_is_no_full_member_is_neither_invited_nor_let_in(convenor):
    group = make_group(convenor=convenor, joining=Joining.REQUEST)
    asked, pending = make_member(status="pending"), make_member(status="pending")
    put_in(group, asked, Standing.REQUESTED)
    with pytest.raises(PermissionDenied):
        groups.answer_request(actor=convenor, group=group, member=asked, admit=True)
    with pytest.raises(PermissionDenied):
        groups.invite_member(actor=convenor, group=group, member=pending)
    assert groups.answer_request(actor=convenor, group=group, member=asked, admit=False)


def test_what_a_suspended_member_asked_for_ends(convenor, ana):
    group = make_group(convenor=convenor, joining=Joining.REQUEST)
    groups.join_group(member=ana, group=group)
    suspend_member(member=ana, actor=make_member(is_moderator=True), reason="Advertises.")
    assert standings(group) == {"Anneke Visser": "convenor"}


def test_nobody_joins_what_moderators_hid_and_what_became_private_is_by_invitation(convenor, ana):
    group = make_group(convenor=convenor)
    group_upkeep.hide_group(target=group, actor=make_member(is_moderator=True), reason="Unkind.")
    with pytest.raises(PermissionDenied):
        groups.join_group(member=ana, group=group)
    put_in(group, ana, Standing.REQUESTED)  # had asked before it was opened to all, and hidden
    with pytest.raises(PermissionDenied):
        groups.join_group(member=ana, group=group)
    group = make_group(convenor=convenor)
    said = {"name": "Ours", "purpose": "", "ways": "", "joining": Joining.OPEN, "is_listed": False}
    assert groups.edit_group(actor=convenor, group=group, **said).joining == Joining.INVITATION
    with pytest.raises(PermissionDenied):
        groups.join_group(member=ana, group=group)


# --- who sees a group ------------------------------------------------------------------------------------------------
def test_predicate_and_filter_agree(convenor, ana):
    people = {
        "guest": AnonymousUser(),
        "pending": make_member(status="pending"),
        "member": make_member(),
        "moderator": make_member(is_moderator=True),
        "admin": make_member(is_superuser=True, is_staff=True),
        "invited": make_member(),
        "asked": make_member(),
        "inside": ana,
        "convenor": convenor,
    }
    listed, private, hidden, closed = (
        make_group(ana, convenor=convenor, is_listed=number != 1) for number in range(4)
    )
    for group in (listed, private, hidden, closed):
        put_in(group, people["invited"], Standing.INVITED)
        put_in(group, people["asked"], Standing.REQUESTED)
    group_upkeep.hide_group(target=hidden, actor=people["moderator"], reason="Unkind.")
    groups.close_group(actor=convenor, group=closed)
    seen = {}
    for name, user in people.items():
        found = set(Group.objects.visible_to(user).values_list("pk", flat=True))
        for group in Group.objects.all():
            assert group_permissions.can_view_group(user, group) is (group.pk in found), (name, group)
        seen[name] = found
    everything = {group.pk for group in (listed, private, hidden, closed)}
    waiting = everything - {closed.pk}
    assert seen == {
        "guest": set(),
        "pending": set(),
        **dict.fromkeys(("member", "moderator", "admin"), {listed.pk}),
        **dict.fromkeys(("invited", "asked"), waiting),
        **dict.fromkeys(("inside", "convenor"), everything),
    }


def test_a_private_group_is_not_there_for_those_outside(client, convenor, ana):
    group = make_group(ana, convenor=convenor, is_listed=False, name="Learning set Zwischenraum")
    outsider = make_member(is_moderator=True, is_superuser=True, is_staff=True)
    client.force_login(outsider)
    for name in PAGES:
        assert client.get(url(name, group.slug)).status_code == 404, name
    for name in ("join", "step_back", "invite", "leave", "close"):
        assert client.post(url(name, group.slug)).status_code == 404, name
    assert client.get(reverse("hub:report", args=["members.group", group.pk])).status_code == 404
    for address in (
        "/groups/",
        "/groups/?q=zwischenraum",
        "/search/?q=zwischenraum",
        "/",
        "/admin/members/group/",
    ):
        page = client.get(address)
        assert page.status_code == 200
        assert "Learning set" not in page.content.decode(), address
    page = client.get(reverse("admin:members_group_change", args=[group.pk])).content.decode()
    assert [name for name in ("Learning set", "Ana Silva", "Anneke Visser") if name in page] == []
    found = client.get(
        f"/admin/autocomplete/?app_label=discussions&model_name=space&field_name=group&term={'Learn'}"
    )
    assert found.json()["results"] == []
    assert search_groups(SearchText("zwischenraum"), outsider, 5).total == 0
    assert search_groups(SearchText("zwischenraum"), ana, 5).total == 1
    client.logout()
    assert client.get(url("detail", group.slug)).status_code == 302


def test_addresses_of_private_groups_cannot_be_guessed(convenor):
    private, listed = make_group(name="Book club", is_listed=False), make_group(name="Book club")
    assert private.slug != "book-club"
    assert private.slug.startswith("book-club-")
    assert listed.slug == "book-club"
    assert make_group(name="New").slug == "new-2"
    assert private.joining == Joining.INVITATION


def test_a_reported_private_group_is_read_at_the_desk_and_that_is_logged(client, convenor, ana):
    group = make_group(
        ana, convenor=convenor, is_listed=False, name="Zwischenraum", purpose="We sell things."
    )
    moderator = make_member(is_moderator=True)
    client.force_login(moderator)
    case = reverse("hub:moderation_case", args=["members.group", group.pk])
    assert client.get(case).status_code == 404
    client.force_login(ana)
    assert (
        client.post(reverse("hub:report", args=["members.group", group.pk]), {"reason": "spam"}).status_code
        == 302
    )
    client.force_login(moderator)
    queue = client.get(reverse("hub:moderation")).content.decode()
    assert "Zwischenraum" not in queue
    assert "Something in a private place" in queue
    assert not AuditEntry.objects.exists()
    page = client.get(case)
    assert "We sell things." in page.content.decode()
    client.get(case)
    assert list(AuditEntry.objects.values_list("verb", "actor")) == [("reports.private_read", moderator.pk)]
    answers = {"decision": "hide", "reason": "Advertising.", "seen_state": "visible"}
    answers["seen_flags"] = Flag.objects.get().pk
    assert (
        client.post(reverse("hub:moderation_decide", args=["members.group", group.pk]), answers).status_code
        == 302
    )
    group.refresh_from_db()
    assert group.state == "hidden"


# --- pages -----------------------------------------------------------------------------------------------------------
def test_a_convenor_opens_every_page_and_an_insider_those_of_an_insider(client, convenor, ana):
    group = make_group(
        ana, convenor=convenor, joining=Joining.REQUEST, purpose="We read.", ways="- Twice a year"
    )
    asking = make_member(name="Owen Pritchard")
    groups.join_group(member=asking, group=group)
    for name in PAGES:
        assert client.get(url(name, group.slug)).status_code == 200, name
    assert client.get(url("remove", group.slug, ana.handle)).status_code == 200
    assert client.get(url("people", group.slug)).context["requests"][0].member == asking
    client.force_login(ana)
    answers = {name: client.get(url(name, group.slug)).status_code for name in PAGES}
    assert answers == {"detail": 200, "people": 200, "edit": 403, "close": 403, "leave": 200, "invite": 403}
    assert "requests" not in client.get(url("people", group.slug)).context


def test_making_a_group_by_the_page(client, convenor):
    answers = {
        "name": "Evidence to practice",
        "purpose": "We read together.",
        "seen": "private",
        "joining": "open",
    }
    response = client.post(url("new"), {**answers, "name": "x"})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["name"])
    assert "We read together." in response.content.decode()
    key = "6f1f0a8e-6f0c-4b7e-9a44-1f1f0a8e6f0c"
    for _press in range(2):
        assert client.post(url("new"), {**answers, "submit_key": key}).status_code == 302
    group = Group.objects.get()
    assert (group.name, group.is_listed, group.joining, group.made_by) == (
        "Evidence to practice",
        False,
        "invitation",
        convenor,
    )
    client.post(url("edit", group.slug), {**answers, "seen": "listed", "joining": "request"})
    group.refresh_from_db()
    assert (group.is_listed, group.joining) == (True, "request")


def test_asking_being_let_in_and_leaving_by_the_pages(client, convenor, ana):
    group = make_group(convenor=convenor, joining=Joining.REQUEST)
    client.force_login(ana)
    assert "Ask to join" in client.get(url("detail", group.slug)).content.decode()
    client.get(url("join", group.slug))
    assert "Ana Silva" not in standings(group)
    client.post(url("join", group.slug))
    assert "You asked to join" in client.get(url("detail", group.slug)).content.decode()
    client.force_login(convenor)
    assert client.post(url("act", group.slug, ana.handle, "admit")).status_code == 302
    client.force_login(ana)
    assert client.post(url("act", group.slug, convenor.handle, "unlead")).status_code == 403
    client.get(url("leave", group.slug))
    assert standings(group)["Ana Silva"] == "member"
    client.post(url("leave", group.slug))
    assert standings(group) == {"Anneke Visser": "convenor"}


def test_the_last_convenor_is_shown_who_could_take_over(client, convenor, ana):
    group = make_group(ana, convenor=convenor)
    assert [row.member for row in client.get(url("leave", group.slug)).context["heirs"]] == [ana]
    assert client.post(url("leave", group.slug)).status_code == 409
    client.post(url("act", group.slug, ana.handle, "lead"))
    assert client.post(url("leave", group.slug)).status_code == 302
    assert standings(group) == {"Ana Silva": "convenor"}


def test_inviting_by_name_or_handle_finds_whom_the_directory_finds(client, convenor, ana):
    group = make_group(convenor=convenor)
    make_member(name="Ana Unlisted", profile={"is_listed": False}, handle="ana-unlisted")
    make_member(name="Ana Pending", status="pending")
    address = url("invite", group.slug)
    assert client.get(f"{address}?q=ana").context["found"] == [ana]
    assert [person.name for person in client.get(f"{address}?q=@ana-unlisted").context["found"]] == [
        "Ana Unlisted"
    ]
    client.post(address, {"handle": ana.handle})
    assert standings(group)["Ana Silva"] == "invited"
    assert client.post(address, {"handle": "nobody-of-this-name"}).status_code == 404


def test_an_invitation_is_answered_on_the_groups_page(client, convenor, ana):
    group = make_group(convenor=convenor, is_listed=False)
    groups.invite_member(actor=convenor, group=group, member=ana)
    client.force_login(ana)
    page = client.get(url("detail", group.slug)).content.decode()
    assert "invites you to this group" in page
    assert "Everybody in it" not in page  # who is in a private group is seen by those in it
    assert client.get(url("people", group.slug)).status_code == 404
    client.post(url("join", group.slug))
    assert "Everybody in it" in client.get(url("detail", group.slug)).content.decode()


@pytest.mark.parametrize("count", [1, 50])
def test_pages_cost_the_same_at_any_length(client, convenor, count, django_assert_num_queries):
    group = make_group(*(make_member() for _number in range(count)), convenor=convenor)
    for number in range(count):
        other = Group.objects.create(name=f"Group {number:02}", slug=f"numbered-{number}")
        put_in(other, convenor, Standing.MEMBER if number % 2 else Standing.INVITED)
    for address in (url("index"), url("detail", group.slug), url("people", group.slug)):
        client.get(address)
    for address, queries in COST.items():
        with django_assert_num_queries(queries, info=address):
            assert client.get(url(address, *([] if address == "index" else [group.slug]))).status_code == 200


COST = {"index": 5, "detail": 10, "people": 7}


def test_notifications_about_groups_are_shown_and_read_by_opening_the_group(client, convenor, ana):
    group = make_group(convenor=convenor, name="Evidence to practice")
    groups.invite_member(actor=convenor, group=group, member=ana)
    told("groups.invited")
    client.force_login(ana)
    assert "invites you to" in client.get("/notifications/").content.decode()
    client.get(url("detail", group.slug))
    assert not Notification.objects.filter(recipient=ana, read_at__isnull=True).exists()


@pytest.mark.parametrize("count", [1, 50])
def test_a_full_group_page_costs_the_same(client, convenor, ana, count, django_assert_num_queries):
    group = make_group(ana, convenor=convenor)
    space = make_space(readable_by="group", group=group)
    for _number in range(count):
        make_thread(author=ana, space=space, tags=["a tag"])
        make_event(visibility=2, group=group)
        make_event(visibility=2, group=group, starts_in=timedelta(days=-9))
        resource = make_resource(terms=[make_term()])
        type(resource).objects.filter(pk=resource.pk).update(visibility="group", group=group, added_by=ana)
    client.get(url("detail", group.slug))
    with django_assert_num_queries(12):
        page = client.get(url("detail", group.slug))
    shown = {
        part.key: len(found.rows) for part, found in page.context["parts"] + page.context["parts_beside"]
    }
    assert shown == dict.fromkeys(("events", "discussions", "meetings", "library"), min(count, 5))
