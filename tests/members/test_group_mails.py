"""What the mails about groups say, and that they are not sent to whom they no longer concern."""

import pytest

from kmnet.core import activity, mail
from kmnet.core.mail.choices import choose
from kmnet.core.models import Activity, OutgoingMail
from members.models import Joining
from members.services import groups, suspend_member
from tests.factories.groups import make_group
from tests.factories.members import make_member

pytestmark = pytest.mark.django_db
NAME = "Bread & <roses>"


def send_all(mailoutbox) -> dict:
    """Every deed told and every mail sent; by receiver the subject, the text and the HTML."""
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    mail.send_due_mail(limit=50)
    return {
        sent.to[0]: (sent.subject, sent.body, sent.alternatives[0][0] if sent.alternatives else "")
        for sent in mailoutbox
    }


@pytest.fixture
def convenor():
    return make_member(name="Anneke Visser", email="anneke@example.org")


@pytest.fixture
def ana():
    return make_member(name="Ana Silva", email="ana@example.org")


def test_an_invitation_says_who_invites_to_what_and_leads_to_the_page(mailoutbox, convenor, ana):
    group = make_group(convenor=convenor, name=NAME, purpose="We read.", is_listed=False)
    groups.invite_member(actor=convenor, group=group, member=ana)
    sent = send_all(mailoutbox)
    assert list(sent) == ["ana@example.org"]
    subject, text, html = sent["ana@example.org"]
    assert subject == f"Anneke Visser invites you to {NAME}"
    for part in (text, html):
        assert "We read." in part
        assert group.get_absolute_url() in part
        assert "invited you to a group" in part
    assert "<roses>" not in html


def test_a_request_and_its_answer(mailoutbox, convenor, ana):
    group = make_group(convenor=convenor, name=NAME, joining=Joining.REQUEST)
    groups.join_group(member=ana, group=group)
    subject, text, html = send_all(mailoutbox)["anneke@example.org"]
    assert subject == f"Ana Silva asks to join {NAME}"
    for part in (text, html):
        assert f"{group.get_absolute_url()}people/#requests" in part
    groups.answer_request(actor=convenor, group=group, member=ana, admit=True)
    assert send_all(mailoutbox)["ana@example.org"][0] == f"You are now in {NAME}"


def test_who_leads_from_now_on_is_told(mailoutbox, convenor, ana):
    moderator = make_member(is_moderator=True, email="moderator@example.org")
    group = make_group(ana, convenor=convenor, name=NAME)
    suspend_member(member=convenor, actor=moderator, reason="Advertises.")
    subject, text, html = send_all(mailoutbox)["ana@example.org"]
    assert subject == f"You are now a convenor of {NAME}"
    assert "you have been in it longest" in text
    suspend_member(member=ana, actor=moderator, reason="Advertises, too.")
    subject, text, html = send_all(mailoutbox)["moderator@example.org"]
    assert subject == f"Nobody leads {NAME}"
    assert f"/admin/members/group/{group.pk}/change/" in text


@pytest.mark.parametrize("what", ["taken back", "closed", "switched off", "inviter suspended"])
def test_an_invitation_that_no_longer_stands_is_not_sent(mailoutbox, convenor, ana, what):
    group = make_group(make_member(), convenor=convenor)
    groups.invite_member(actor=convenor, group=group, member=ana)
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    if what == "taken back":
        groups.withdraw_invitation(actor=convenor, group=group, member=ana)
    elif what == "closed":
        groups.close_group(actor=convenor, group=group)
    elif what == "switched off":
        choose("groups", "never", member_id=ana.pk)
    else:
        suspend_member(member=convenor, actor=make_member(is_moderator=True), reason="Advertises.")
    assert "ana@example.org" not in send_all(mailoutbox)
    row = OutgoingMail.objects.get(kind="groups.invited")
    assert (row.state, bool(row.reason)) == ("withheld", True)
