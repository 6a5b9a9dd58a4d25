"""People in one conversation at the same moment: real commits, real locks; and the race itself, seen without them."""

from threading import Event

import pytest

from discussions import services
from discussions.models import Participant, Space, Thread
from discussions.models.thread import ThreadQuerySet
from discussions.services import conversations
from members import services as members
from members.models import Boundary, Member
from tests import together
from tests.factories import make_member
from tests.factories.discussions import make_message
from tests.together import Meeting, meet_after, meet_before, until

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works):
    return together.at_once(*works, errors=lambda error: type(error).__name__)


def each_writes_first(one, other):
    return [
        lambda: services.start_conversation(author=one, people=[other], source="You first.").number,
        lambda: services.start_conversation(author=other, people=[one], source="No, you.").number,
    ]


def test_two_who_begin_with_each_other_have_one_conversation(monkeypatch):
    one, other = make_member(), make_member()
    meet_after(monkeypatch, conversations, "talk_of")
    assert sorted(at_once(*each_writes_first(one, other))) == [1, 2]
    assert Thread.objects.count() == Space.objects.filter(readable_by="people").count() == 1


def test_without_the_lock_each_would_have_begun_one(monkeypatch):
    one, other = make_member(), make_member()
    meet_after(monkeypatch, conversations, "talk_of")
    monkeypatch.setattr(conversations, "hold_people", lambda ids: None)
    assert at_once(*each_writes_first(one, other)) == [1, 1]
    assert Thread.objects.count() == 2


def leave_while_written_to(monkeypatch):
    """What the writer got, and whether there is somebody to read it."""
    one, other = make_member(), make_member()
    thread = make_message(one, other).thread
    meeting = Meeting()  # of one who has seen that they are there, and one who has seen how much they read
    meet_after(monkeypatch, conversations, "why_silent", meeting)
    meet_before(monkeypatch, Participant, "save", meeting)
    sent, _left = at_once(
        lambda: services.send_message(author=one, thread=thread, source="Are you there?").number,
        lambda: services.leave_conversation(member=other, thread=thread),
    )
    return sent, Participant.objects.get(thread=thread, member=other).left_number


def test_who_leaves_reads_what_came_before_and_nobody_writes_to_them_after(monkeypatch):
    assert leave_while_written_to(monkeypatch) in ((2, 2), ("CannotWrite", 1))


def test_without_the_lock_a_message_would_reach_nobody(monkeypatch):
    monkeypatch.setattr(ThreadQuerySet, "select_for_update", lambda self, **kwargs: self)
    assert leave_while_written_to(monkeypatch) == (2, 1)


def bring_in_while_blocked(monkeypatch, *, waits):
    """Whether somebody was brought in by a person whom they had blocked by then. `waits`: for the block, between
    the check and the seat."""
    one, other, third = make_member(), make_member(), make_member()
    thread = make_message(one, other).thread
    checked, blocked, limit = Event(), Event(), conversations.check_may_bring_in

    def linger(actor):
        limit(actor)
        checked.set()
        if waits:
            until(blocked)

    def block():
        until(checked)
        members.set_boundary(owner=third, other=one, distance="block")
        blocked.set()

    monkeypatch.setattr(conversations, "check_may_bring_in", linger)
    at_once(lambda: services.add_person(actor=one, thread=thread, member=third).pk, block)
    return Participant.objects.get(member=third).joined_at > Boundary.objects.get().created_at


def test_nobody_is_brought_in_by_whom_they_have_blocked(monkeypatch):
    assert bring_in_while_blocked(monkeypatch, waits=True) is False


def test_without_the_lock_they_would_be(monkeypatch):
    """The control. The one who blocks goes on locking: it takes both."""
    monkeypatch.setattr(conversations, "lock_members", lambda *ids: Member.objects.in_bulk(ids))
    assert bring_in_while_blocked(monkeypatch, waits=True) is True
