"""Invitations: by mail to one address, by a link to so many; and the end of each."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kmnet.core.models import AuditEntry, CommunitySettings, OutgoingMail
from members import services
from members.models import Invitation, InvitationUse, Member, NeverInvite
from members.permissions import is_full_member
from tests.factories import make_member
from tests.mailbox import links_in, send_due, text_of
from tests.members.test_join import answers, proof_link

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(db):
    return make_member(name="Rosalind Achebe", is_host=True)


@pytest.fixture
def by_invitation(db):
    CommunitySettings(join_policy="invitation").save()


def mailed_token(address: str) -> str:
    [letter] = send_due(to=address)
    [link] = [link for link in links_in(letter) if "/join/invited/" in link]
    return link.rstrip("/").rpartition("/")[2]


def accept(client, token):
    page = client.get(reverse("members:invited", args=[token]))
    assert page.status_code == 200
    return client.post(reverse("members:invited", args=[token]))


def test_invited_by_mail_one_is_in_without_proving_the_address_again(host, by_invitation, client):
    services.invite_address(by=host, address="ana@example.org", name="Ana Silva", note="Come and see.")
    [letter] = send_due(to="ana@example.org")
    assert letter["Subject"] == "Rosalind Achebe invites you to kmnet"
    assert "Come and see." in text_of(letter)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    response = accept(client, mailed_token("ana@example.org"))
    assert response["Location"] == reverse("members:join")
    form = client.get(reverse("members:join")).context["form"]
    assert (form["name"].value(), form["email"].value()) == ("Ana Silva", "ana@example.org")
    response = client.post(reverse("members:join"), answers())
    assert "confirm-email" not in response["Location"]
    member = Member.objects.get(email="ana@example.org")
    assert is_full_member(member)
    assert EmailAddress.objects.get(user=member).verified
    assert [mail.kind for mail in OutgoingMail.objects.filter(kind__contains="confirmation")] == []
    invitation = Invitation.objects.get()
    assert (invitation.address, invitation.name, invitation.uses.get().member) == ("", "", member)


def test_a_link_for_several_proves_no_address(host, by_invitation, client):
    _invitation, token = services.make_invitation_link(by=host, max_uses=2)
    accept(client, token)
    response = client.post(reverse("members:join"), answers())
    assert response["Location"] == "/accounts/confirm-email/"
    member = Member.objects.get(email="ana@example.org")
    assert not is_full_member(member)
    client.post(proof_link())
    member.refresh_from_db()
    assert is_full_member(member)


def test_without_an_invitation_the_door_is_closed_and_says_so(by_invitation, client):
    page = client.get(reverse("members:join"))
    assert page.status_code == 403
    assert "by invitation" in page.content.decode()
    assert client.post(reverse("members:join"), answers()).status_code == 403
    assert Member.objects.count() == 0


def test_an_invitation_by_mail_is_for_its_address_only(host, by_invitation, client):
    services.invite_address(by=host, address="ana@example.org")
    accept(client, mailed_token("ana@example.org"))
    response = client.post(reverse("members:join"), answers(email="eve@example.org"))
    assert response.status_code == 422
    assert "email" in response.context["form"].errors
    assert not Member.objects.filter(email="eve@example.org").exists()
    assert InvitationUse.objects.count() == 0


def test_in_an_open_community_another_address_joins_without_the_invitation(host, client):
    services.invite_address(by=host, address="ana@example.org")
    accept(client, mailed_token("ana@example.org"))
    client.post(reverse("members:join"), answers(email="eve@example.org"))
    assert not is_full_member(Member.objects.get(email="eve@example.org"))
    assert InvitationUse.objects.count() == 0


def test_an_invitation_spares_nobody_the_approval(host, client):
    CommunitySettings(join_policy="approval").save()
    services.invite_address(by=host, address="ana@example.org")
    accept(client, mailed_token("ana@example.org"))
    client.post(reverse("members:join"), answers(answer_1="One.", answer_2="Two."))
    member = Member.objects.get(email="ana@example.org")
    assert (member.status, bool(member.address_proven_at)) == ("pending", True)
    assert member.join_request.waits_since is not None
    assert client.get(reverse("members:directory"))["Location"] == reverse("members:waiting")


def test_the_answer_to_a_known_address_uses_no_invitation_up(host, by_invitation):
    make_member(email="ana@example.org")
    _invitation, token = services.make_invitation_link(by=host, max_uses=1)
    here, there = Client(), Client()
    accept(here, token)
    accept(there, token)
    known = here.post(reverse("members:join"), answers())
    unknown = there.post(reverse("members:join"), answers(email="new@example.org"))
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert InvitationUse.objects.get().member.email == "new@example.org"


@pytest.mark.parametrize("how", ["expired", "revoked", "used", "wrong", "other page"])
def test_what_does_not_work_any_more_says_so(how, host, by_invitation, client):
    invitation, token = services.make_invitation_link(by=host, max_uses=1)
    if how == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "revoked":
        services.revoke_invitation(invitation=invitation, by=host)
    elif how == "used":
        InvitationUse.objects.create(invitation=invitation, member=make_member())
    elif how == "wrong":
        token = token[:-1] + ("a" if token[-1] != "a" else "b")
    else:
        client.session.save()
    url = reverse("members:invited", args=[token])
    if how != "other page":
        assert client.get(url).status_code == client.post(url).status_code == 404
    assert client.post(reverse("members:join"), answers()).status_code == 403
    assert not Member.objects.filter(email="ana@example.org").exists()


@pytest.mark.parametrize("how", ["expired", "revoked", "used"])
def test_what_ends_while_somebody_joins_is_not_used(how, host):
    """Asked again under the lock, whatever the page found a moment ago."""
    invitation, token = services.make_invitation_link(by=host, max_uses=1)
    if how == "expired":
        Invitation.objects.update(expires_at=timezone.now())
    elif how == "revoked":
        services.revoke_invitation(invitation=invitation, by=host)
    else:
        assert services.use_invitation(member=make_member(), token=token) == invitation
    late = make_member()
    assert services.use_invitation(member=late, token=token) is None
    assert not InvitationUse.objects.filter(member=late).exists()


def test_used_up_while_somebody_fills_in_the_page(host, by_invitation, client, monkeypatch):
    invitation, token = services.make_invitation_link(by=host, max_uses=1)
    accept(client, token)
    monkeypatch.setattr(services, "is_door_open", lambda **kwargs: True)
    InvitationUse.objects.create(invitation=invitation, member=make_member())
    response = client.post(reverse("members:join"), answers())
    assert response.status_code == 403
    assert "Nothing was stored" in response.content.decode()
    assert not Member.objects.filter(email="ana@example.org").exists()


def test_opening_the_link_changes_nothing(host, client):
    _invitation, token = services.make_invitation_link(by=host, max_uses=1)
    response = client.get(reverse("members:invited", args=[token]))
    assert response.status_code == 200
    assert not client.session.keys()
    assert response["Referrer-Policy"]


def test_tokens_are_kept_as_hashes_only(host):
    invitation, token = services.make_invitation_link(by=host, max_uses=1)
    services.invite_address(by=host, address="ana@example.org")
    told = mailed_token("ana@example.org")
    for row in Invitation.objects.values():
        assert token not in map(str, row.values())
        assert told not in map(str, row.values())
    assert not OutgoingMail.objects.exclude(secret="").exists()
    assert services.find_invitation(invitation.token_hash) is None


def test_a_use_comes_back_with_an_account_that_was_never_proven(host):
    invitation, token = services.make_invitation_link(by=host, max_uses=1)
    member = make_member(address_proven=False)
    assert services.use_invitation(member=member, token=token) == invitation
    assert services.find_invitation(token) is None
    member.delete()
    assert services.find_invitation(token) == invitation


def test_a_member_who_is_invited_gets_no_mail_and_nobody_can_tell(host, signed_in):
    make_member(email="ana@example.org")
    visitor = signed_in(host)
    said = []
    for address in ("ana@example.org", "new@example.org"):
        response = visitor.post(
            reverse("members:invite"), {"address": address, "name": "", "note": "", "days": 14}, follow=True
        )
        assert response.status_code == 200
        said.append(re.findall(r"on its way", response.content.decode()))
    assert said[0] == said[1] == ["on its way"]
    assert send_due(to="ana@example.org") == []
    assert len(send_due(to="new@example.org")) == 1
    assert OutgoingMail.objects.get(address="ana@example.org").state == "withheld"
    page = visitor.get(reverse("members:invitations")).content.decode()
    assert page.count("until") == 2


def test_a_second_address_that_a_member_has_proven_is_theirs_too(host):
    EmailAddress.objects.create(user=make_member(), email="ana@work.example", verified=True)
    EmailAddress.objects.create(user=make_member(), email="ben@work.example", verified=False)
    for address in ("Ana@work.example", "ben@work.example"):
        services.invite_address(by=host, address=address)
    assert send_due(to="Ana@work.example") == []
    assert len(send_due(to="ben@work.example")) == 1


def test_several_who_invite_one_address_make_one_mail(host):
    services.invite_address(by=host, address="ana@example.org")
    services.invite_address(by=make_member(is_organiser=True), address="ANA@example.org")
    assert OutgoingMail.objects.filter(kind="members.invitation").count() == 1


def test_who_was_invited_by_mistake_can_be_invited_anew(host):
    services.invite_address(by=host, address="ana@example.org")
    services.revoke_invitation(invitation=Invitation.objects.get(), by=host)
    services.invite_address(by=host, address="ana@example.org")
    assert len(send_due(to="ana@example.org")) == 1  # the first one is withheld: it leads nowhere


def test_never_again_is_one_press_and_lasts(host, client):
    services.invite_address(by=host, address="Ana@example.org", name="Ana")
    [letter] = send_due(to="Ana@example.org")
    [token] = re.findall(r"/join/invited/([\w-]+)/", text_of(letter))
    assert services.find_invitation(token) is not None
    url = letter["List-Unsubscribe"].strip("<>").removeprefix("http://testserver")
    assert client.get(url).status_code == 200
    assert NeverInvite.objects.count() == 0
    assert client.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    client.post(url)
    assert NeverInvite.objects.count() == 1
    assert Invitation.objects.get().address == ""
    assert services.find_invitation(token) is None
    Invitation.objects.update(mailed_at=timezone.now() - timedelta(days=400))
    services.invite_address(by=host, address="ana@example.ORG")
    assert len(send_due(to="ana@example.ORG")) == 0
    assert OutgoingMail.objects.latest("pk").reason == "they want no invitations"


def test_a_wrong_never_again_link_is_dead(client):
    assert client.get(reverse("members:no_invitations", args=["nonsense"])).status_code == 404


@pytest.mark.parametrize(
    ("role", "may", "lists"),
    [({}, False, False), ({"is_host": True}, True, False), ({"is_organiser": True}, True, True),
     ({"is_moderator": True}, True, False), ({"is_staff": True, "is_superuser": True}, True, True)],
)  # fmt: skip
def test_who_may_invite(role, may, lists, signed_in):
    member = make_member(**role)
    visitor = signed_in(member)
    for name in ("invitations", "invite", "invitation_link"):
        assert visitor.get(reverse(f"members:{name}")).status_code == (200 if may else 404)
    assert visitor.get(reverse("members:bring_in")).status_code == (200 if lists else 404)
    if not may:
        with pytest.raises(PermissionDenied):
            services.invite_address(by=member, address="ana@example.org")
    if not lists:
        with pytest.raises(PermissionDenied):
            services.bring_in_list(by=member, name="x", basis="list", promise="x", people=[])


def test_only_its_maker_or_an_admin_withdraws(host, signed_in):
    invitation, token = services.make_invitation_link(by=host, max_uses=3)
    url = reverse("members:invitation_revoke", args=[invitation.pk])
    assert signed_in(make_member(is_host=True)).post(url).status_code == 404
    admin = make_member(is_staff=True, is_superuser=True)
    assert services.revoke_invitation(invitation=invitation, by=admin)
    assert not services.revoke_invitation(invitation=invitation, by=host)
    assert services.find_invitation(token) is None
    assert AuditEntry.objects.get(verb="members.invitation_revoked").actor == admin


def test_the_link_is_shown_once(host, signed_in):
    visitor = signed_in(host)
    response = visitor.post(
        reverse("members:invitation_link"), {"max_uses": 5, "note": "Handout", "days": 30}
    )
    [token] = re.findall(r"/join/invited/([\w-]+)/", response.content.decode())
    assert services.find_invitation(token).max_uses == 5
    assert token not in visitor.get(reverse("members:invitations")).content.decode()


@pytest.mark.parametrize("uses", [0, 501, "", "many"])
def test_odd_numbers_of_people_are_refused_at_the_field(uses, host, signed_in):
    response = signed_in(host).post(reverse("members:invitation_link"), {"max_uses": uses, "days": 14})
    assert response.status_code == 422
    assert "max_uses" in response.context["form"].errors
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_costs_the_same_at_any_length(count, host, signed_in, django_assert_max_num_queries):
    for _number in range(count):
        services.make_invitation_link(by=host, max_uses=2)
    visitor = signed_in(host)
    visitor.get(reverse("members:invitations"))
    with django_assert_max_num_queries(5):
        response = visitor.get(reverse("members:invitations"))
    assert len(response.context["page"].items) == count


def test_addresses_of_those_who_never_came_are_forgotten(host):
    services.invite_address(by=host, address="ana@example.org", name="Ana")
    assert services.forget_old_invitations() == 0
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=31))
    assert services.forget_old_invitations() == 1
    invitation = Invitation.objects.get()
    assert (invitation.address, invitation.name) == ("", "")
    assert invitation.is_for("ANA@example.org")


@pytest.mark.parametrize("email", ["known@example.org", "nobody@example.org"])
def test_the_door_closes_behind_a_known_and_an_unknown_address(email, host, client):
    CommunitySettings(join_policy="invitation").save()
    make_member(email="known@example.org")
    _invitation, token = services.make_invitation_link(by=host, max_uses=5)
    client.post(reverse("members:invited", args=[token]))
    data = {"name": "Ana", "email": email, "password1": "four odd words here", "agree": "on"}
    assert client.post(reverse("members:join"), data).status_code == 302
    assert client.get(reverse("members:join")).status_code == 403
