"""Many people at one group, on real commits: one standing each, and always a convenor."""

from contextlib import contextmanager
from threading import Event

import pytest
from django.db import IntegrityError, connection

from discussions.models import Space
from discussions.services import open_group_space
from events import services
from events.models import Visibility
from events.services import register_member, registering
from members.models import Group, GroupMember, Joining, Member
from members.services import groups, suspend_member
from tests import together
from tests.factories.events import make_event, make_registration
from tests.factories.groups import make_group, put_in
from tests.factories.members import make_member
from tests.together import meet_after, until

from .test_registration import at_once

pytestmark = pytest.mark.django_db(transaction=True)  # real commits, so real locks


def standings(group) -> list[str]:
    return sorted(GroupMember.objects.filter(group=group).values_list("standing", flat=True))


@contextmanager
def without_the_guard():
    """The database's own refusal put aside, so that only the lock of the services is asked."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE members_groupmember DISABLE TRIGGER group_has_a_convenor")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE members_groupmember ENABLE TRIGGER group_has_a_convenor")


def two_convenors():
    first, second = make_member(), make_member()
    group = make_group(second, convenor=first)
    groups.make_convenor(actor=first, group=group, member=second)
    return group, first, second


def unlocked(group_id):
    return Group.objects.get(pk=group_id)


@pytest.mark.parametrize("locked", [True, False])
def test_of_two_convenors_who_leave_at_once_one_stays(monkeypatch, locked):
    group, *both = two_convenors()
    meet_after(monkeypatch, groups, "_check_not_last")
    if not locked:
        monkeypatch.setattr(groups, "lock_group", unlocked)
    with without_the_guard():
        results = at_once([lambda who=who: groups.leave_group(member=who, group=group) for who in both])
    left = [result for result in results if result is True]
    if locked:
        assert [type(result) for result in results if result is not True] == [groups.LastConvenor]
        assert standings(group) == ["convenor"]
    else:  # the race is there, and the lock is what keeps it away
        assert (len(left), standings(group)) == (2, [])


def test_whoever_writes_past_the_services_is_stopped_by_the_database(monkeypatch):
    group, *both = two_convenors()
    meet_after(monkeypatch, groups, "_check_not_last")
    monkeypatch.setattr(groups, "lock_group", unlocked)
    results = at_once([lambda who=who: groups.leave_group(member=who, group=group) for who in both])
    assert sorted(type(result).__name__ for result in results) == ["IntegrityError", "bool"]
    assert IntegrityError in {type(result) for result in results}
    assert standings(group) == ["convenor"]


def test_joining_many_times_at_once_is_one_standing():
    member, group = make_member(), make_group()
    results = at_once([lambda: groups.join_group(member=member, group=group).standing for _press in range(8)])
    assert results == ["member"] * 8
    assert standings(group) == ["convenor", "member"]


def test_joining_being_invited_and_let_in_at_once_is_one_standing():
    convenor, member = make_member(), make_member()
    group = make_group(convenor=convenor, joining=Joining.REQUEST)
    at_once(
        [
            lambda: groups.join_group(member=member, group=group),
            lambda: groups.invite_member(actor=convenor, group=group, member=member),
            lambda: groups.answer_request(actor=convenor, group=group, member=member, admit=True),
            lambda: groups.join_group(member=member, group=group),
        ]
    )
    assert GroupMember.objects.filter(group=group, member=member).count() == 1


def test_joining_while_it_is_closed_leaves_nobody_waiting():
    convenor = make_member()
    group = make_group(convenor=convenor, joining=Joining.REQUEST)
    people = [make_member() for _number in range(4)]
    deeds = [lambda who=who: groups.join_group(member=who, group=group) for who in people]
    at_once([*deeds, lambda: groups.close_group(actor=convenor, group=group)])
    assert standings(group) == ["convenor"]


def test_two_convenors_suspended_at_once_leave_the_group_to_a_third():
    group, first, second = two_convenors()
    third, moderator = make_member(), make_member(is_moderator=True)
    put_in(group, third)
    results = at_once(
        [
            lambda who=who: suspend_member(member=who, actor=moderator, reason="Both advertise.").status
            for who in (first, second)
        ]
    )
    assert results == ["suspended"] * 2
    leading = GroupMember.objects.filter(group=group, standing="convenor")
    able = Member.objects.full().filter(pk__in=leading.values("member"))
    assert list(able) == [third]


def test_a_hand_over_to_somebody_who_is_suspended_meanwhile_does_not_leave_the_group_to_them():
    convenor, heir, moderator = make_member(), make_member(), make_member(is_moderator=True)
    group = make_group(heir, convenor=convenor)
    at_once(
        [
            lambda: groups.make_convenor(actor=convenor, group=group, member=heir),
            lambda: suspend_member(member=heir, actor=moderator, reason="Advertises."),
        ]
    )
    leading = GroupMember.objects.filter(group=group, standing="convenor")
    assert list(leading.values_list("member", flat=True)) == [convenor.pk]


def test_the_same_form_pressed_twice_at_once_makes_one_group():
    maker = make_member()
    key = "6f1f0a8e-6f0c-4b7e-9a44-1f1f0a8e6f0c"
    at_once([lambda: groups.make_group(actor=maker, name="Ours", submit_key=key) for _press in range(4)])
    assert Group.objects.count() == 1


def test_two_who_make_a_group_of_one_name_get_two_addresses():
    makers = [make_member() for _number in range(3)]
    at_once([lambda who=who: groups.make_group(actor=who, name="Ours").slug for who in makers])
    assert sorted(Group.objects.values_list("slug", flat=True)) == ["ours", "ours-2", "ours-3"]


def test_limits_of_making_hold_under_many_presses(monkeypatch):
    monkeypatch.setattr(groups, "MOST_A_DAY", 2)
    maker = make_member()
    at_once([lambda: groups.make_group(actor=maker, name="Ours") for _press in range(6)])
    assert Group.objects.count() == 2


def test_a_group_space_opened_by_two_at_once_is_one():
    group, *both = two_convenors()
    at_once([lambda who=who: open_group_space(actor=who, group=group).pk for who in both])
    assert Space.objects.filter(group=group).count() == 1


@pytest.mark.parametrize("held", [True, False])
def test_who_leaves_while_they_register_for_the_groups_event_has_no_place(monkeypatch, held):
    convenor, member = make_member(is_organiser=True), make_member()
    group = make_group(member, convenor=convenor)
    event = make_event(visibility=Visibility.GROUP, group=group, organisers=[convenor])
    asked, left = Event(), Event()
    take_place = registering.enter_line

    def take_place_later(*args, **kwargs):  # everything is asked, nothing is written: now they leave
        asked.set()
        until(left)
        take_place(*args, **kwargs)

    def leave():
        until(asked)
        groups.leave_group(member=member, group=group)
        left.set()

    monkeypatch.setattr(registering, "enter_line", take_place_later)
    if not held:
        monkeypatch.setattr(registering, "is_held_in_group", lambda **who: True)
    at_once([lambda: register_member(event=event, member=member).status, leave])
    assert standings(group) == ["convenor"]
    # without the lock a place stays with somebody outside: the race is there
    assert event.registrations.live().filter(member=member).count() == (0 if held else 1)


@pytest.mark.parametrize("in_order", [True, False])
def test_who_leaves_while_they_come_to_its_event_after_all_is_waited_for(monkeypatch, in_order):
    """They have the recording only: so both deeds lock that event and their standing. Events come first, for both."""
    convenor, member = make_member(is_organiser=True), make_member()
    group = make_group(member, convenor=convenor)
    event = make_event(visibility=Visibility.GROUP, group=group, organisers=[convenor])
    make_registration(event=event, member=member, status="recording")
    asked, gone = Event(), Event()
    is_held, release = registering.is_held_in_group, services.release_from_group

    def ask_later(**who):  # the event is locked: now they leave
        asked.set()
        until(gone)
        return is_held(**who)

    def release_later(**who):  # the standing is locked
        gone.set()
        return release(**who)

    def leave():
        until(asked)
        return groups.leave_group(member=member, group=group)

    monkeypatch.setattr(registering, "is_held_in_group", ask_later)
    monkeypatch.setattr(services, "release_from_group", release_later)
    if not in_order:
        monkeypatch.setattr(services, "lock_places_in_group", lambda **who: None)
    results = together.at_once(
        lambda: register_member(event=event, member=member).status,
        leave,
        errors=lambda error: type(error).__name__,
    )
    if in_order:
        assert results == ["confirmed", True]
        assert standings(group) == ["convenor"]
        assert not event.registrations.live().filter(member=member).exists()
    else:  # each waits for what the other holds, until the database ends one of them
        assert "OperationalError" in results
