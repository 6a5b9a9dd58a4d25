"""Reactions at the same moment: real commits, real locks; and the race itself, seen without them."""

import pytest

from discussions import services
from discussions.models import Reaction
from discussions.models.post import PostQuerySet
from kmnet.core.models import Activity
from tests.concurrency.test_posts import at_once
from tests.factories import make_member
from tests.factories.discussions import make_post
from tests.together import meet_before

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wait_before_writing(monkeypatch):
    """Nobody writes until both have read (or one waits for the lock)."""
    meet_before(monkeypatch, Reaction.objects, "create")


def press(post, member, on=True):
    return lambda: services.set_reaction(member=member, post=post, kind="thanks", on=on)


def lines():
    return sorted(Activity.objects.filter(verb="discussions.reacted").values_list("data__people", flat=True))


def test_pressed_twice_at_once_is_one_reaction(wait_before_writing):
    post, member = make_post(), make_member()
    assert at_once(press(post, member), press(post, member)) == [None, None]
    assert Reaction.objects.filter(post=post, member=member).count() == 1
    assert lines() == [1]


def test_two_people_at_once_are_one_line_that_counts_two(wait_before_writing):
    post = make_post()
    at_once(press(post, make_member()), press(post, make_member()))
    assert lines() == [2]


def test_without_the_lock_the_writer_would_be_told_twice_and_a_press_would_fail(
    wait_before_writing, monkeypatch
):
    """The control: the race is real, and where the lock fails the constraint still holds."""
    post, member = make_post(), make_member()
    monkeypatch.setattr(PostQuerySet, "select_for_update", lambda self, **kwargs: self)
    assert set(map(str, at_once(press(post, member), press(post, member)))) == {
        "None",
        "one_reaction_of_a_kind",
    }
    monkeypatch.undo()
