"""Fifty people press Join at the same moment with a link for five: five are in. Two moderators, two hosts: one counts."""

from functools import partial

import pytest

from kmnet.core.models import AuditEntry, CommunitySettings, OutgoingMail
from members import services
from members.models import Greeting, InvitationUse, Member
from members.services import invitations
from tests.factories import make_member
from tests.together import Meeting, at_once, meet_after

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE, USES = 50, 5


@pytest.fixture
def all_have_counted(monkeypatch):
    """Nobody goes on before some have counted the uses that are left (or those wait for the lock)."""
    meet_after(monkeypatch, invitations, "has_no_use_left", Meeting(6))


@pytest.fixture
def by_invitation():
    """Somebody has joined before: the first one ever stores the texts agreed to, and the others would wait for that."""
    services.save_joining_member(Member(email="first@example.org", name="First"))
    CommunitySettings(join_policy="invitation").save()


def join_all(token: str, people: int) -> list[str]:
    def join(number: int) -> str:
        member = Member(email=f"p{number}@example.org", name=f"Person {number}")
        try:
            services.save_joining_member(member, invitation_token=token)
        except services.NotInvited:
            return "refused"
        return "in"

    return sorted(at_once(*[partial(join, number) for number in range(people)], threads=12))


def test_a_link_for_five_lets_in_exactly_five_of_fifty(by_invitation, all_have_counted):
    _invitation, token = services.make_invitation_link(by=make_member(is_host=True), max_uses=USES)
    assert join_all(token, PEOPLE) == ["in"] * USES + ["refused"] * (PEOPLE - USES)
    assert InvitationUse.objects.count() == USES
    assert Member.objects.filter(email__startswith="p").count() == USES  # of the others nothing was stored


def test_without_the_lock_more_would_come_in(by_invitation, all_have_counted, monkeypatch):
    """The control: they count at the same time, and each finds a use that is left."""
    _invitation, token = services.make_invitation_link(by=make_member(is_host=True), max_uses=1)
    queryset = type(invitations.Invitation.objects.all())
    monkeypatch.setattr(queryset, "select_for_update", lambda self, **kwargs: self)
    assert join_all(token, 6).count("in") > 1


@pytest.mark.parametrize("second", ["approve", "decline"])
def test_of_two_moderators_who_decide_at_once_one_counts(second):
    CommunitySettings(join_policy="approval").save()
    one, other = make_member(is_moderator=True), make_member(is_moderator=True)
    member = Member(email="ana@example.org", name="Ana")
    services.save_joining_member(member)
    services.prove_address(member=member)

    def approve():
        return services.approve_member(member=member, actor=one)

    def decide():
        if second == "approve":
            return services.approve_member(member=member, actor=other)
        return services.decline_member(member=member, actor=other, reason="No.")

    done = at_once(approve, decide)
    # A decline that came first can still be followed by the approval, which is then the last word.
    assert sum(done) == 1 or second == "decline"
    member.refresh_from_db()
    state = member.join_request.state
    assert (member.status, state) in {("active", "approved"), ("pending", "declined")}
    assert AuditEntry.objects.filter(verb="members.approved").count() <= 1
    assert OutgoingMail.objects.filter(kind="members.let_in").count() <= 1


def test_of_two_hosts_who_greet_at_once_one_counts():
    newcomer = make_member()
    hosts = [make_member(is_host=True), make_member(is_host=True)]
    done = at_once(
        *(lambda host=host: services.greet_newcomer(newcomer=newcomer, host=host) for host in hosts)
    )
    assert sorted(done) == [False, True]
    assert Greeting.objects.get().host == hosts[done.index(True)]
