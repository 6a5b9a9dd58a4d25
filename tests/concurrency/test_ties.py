"""Introductions and boundaries at the same moment: real commits, real locks; and the race itself, seen without them."""

import pytest

from kmnet.core.models import Activity
from members import services
from members.models import Boundary, Introduction
from members.services import introductions
from tests import together
from tests.factories import make_member
from tests.together import Meeting

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works):
    return together.at_once(*works, errors=lambda error: type(error).__name__)


@pytest.fixture
def asked():
    """An introduction, and the two."""
    one, other = make_member(), make_member()
    made = services.propose_introduction(
        proposer=make_member(), one=one, other=other, reason="Both count falls."
    )
    return made, one, other


def say_yes(introduction, member):
    return lambda: services.answer_introduction(introduction=introduction, member=member, yes=True).state


def wait_before_saving(monkeypatch):
    """Nobody writes an answer until both have read the row (or one waits for the lock)."""
    meeting, save = Meeting(), Introduction.save

    def wait(self, **fields):
        if not self._state.adding and fields.get("update_fields", [""])[0].endswith("answer"):
            meeting.come()
        return save(self, **fields)

    monkeypatch.setattr(Introduction, "save", wait)


def test_two_yeses_at_once_introduce_once(asked, monkeypatch):
    introduction, one, other = asked
    wait_before_saving(monkeypatch)
    assert sorted(at_once(say_yes(introduction, one), say_yes(introduction, other))) == ["made", "open"]
    assert Activity.objects.filter(verb="members.introduction_made").count() == 1  # one mail each


def test_without_the_locks_two_yeses_would_miss_each_other(asked, monkeypatch):
    introduction, one, other = asked
    wait_before_saving(monkeypatch)
    people = {member.pk: member for member in (one, other)}
    monkeypatch.setattr(introductions, "lock_members", lambda *ids: people)
    monkeypatch.setattr(
        introductions,
        "find_locked",
        lambda pk: Introduction.objects.select_related("first", "second", "proposer").get(pk=pk),
    )
    assert at_once(say_yes(introduction, one), say_yes(introduction, other)) == ["open", "open"]


def test_a_block_and_the_second_yes_at_once_are_one_after_the_other(asked):
    introduction, one, other = asked
    services.answer_introduction(introduction=introduction, member=one, yes=True)
    at_once(
        say_yes(introduction, other),
        lambda: services.set_boundary(owner=one, other=other, distance="block").distance,
    )
    introduction.refresh_from_db()
    assert Boundary.objects.count() == 1
    made = Activity.objects.filter(verb="members.introduction_made").count()
    assert (introduction.state, made) in (("made", 1), ("open", 0))


def test_one_pair_proposed_by_many_at_once_is_asked_once():
    one, other = make_member(), make_member()
    proposers = [make_member() for _number in range(4)]

    def propose(proposer, first, second):
        return lambda: bool(
            services.propose_introduction(
                proposer=proposer, one=first, other=second, reason="Both count falls."
            )
        )

    works = [propose(p, *((one, other) if n % 2 else (other, one))) for n, p in enumerate(proposers)]
    assert sorted(map(str, at_once(*works))) == ["AlreadyProposed"] * 3 + ["True"]


def test_the_limit_a_day_holds_for_many_at_once():
    proposer, people = make_member(), [make_member() for _number in range(8)]
    works = [
        lambda pair=pair: bool(
            services.propose_introduction(
                proposer=proposer, one=pair[0], other=pair[1], reason="Both count falls."
            )
        )
        for pair in zip(people, people[1:], strict=False)
    ]
    assert sorted(map(str, at_once(*works))) == ["TooMany"] * 2 + ["True"] * 5


def test_leaving_while_the_other_answers_blocks_neither(asked, monkeypatch):
    """Both take the members first and the introduction afterwards; the other way round they would wait in a circle."""
    introduction, one, other = asked
    meeting = Meeting()
    lock, withdraw = introductions.lock_members, introductions.withdraw_introductions

    def lock_and_wait(*ids):
        locked = lock(*ids)
        meeting.come()
        return locked

    def withdraw_and_wait(**given):
        withdraw(**given)
        meeting.come()

    monkeypatch.setattr(introductions, "lock_members", lock_and_wait)
    for module in (services, services.leaving):
        monkeypatch.setattr(module, "withdraw_introductions", withdraw_and_wait)
    ended = at_once(
        say_yes(introduction, one),
        lambda: services.start_leaving(member=other, keep_words=True).member_id,
    )
    assert ended[1] == other.pk
    assert ended[0] in ("open", "IntroductionOver")
    introduction.refresh_from_db()
    assert introduction.state == "withdrawn"
