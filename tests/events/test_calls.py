"""What those who wait hear: where they stand, and near the start the call in which the first who comes wins."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from events import services, tasks
from events.models import Kind, Status
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import fill, kinds_about, status_of, steps_of

pytestmark = pytest.mark.django_db


def call() -> int:
    return services.call_everyone(timezone.now())


# --- the last three hours ----------------------------------------------------------------------------------------------
@pytest.fixture
def near():
    """In two hours, with one place."""
    return make_event(capacity=1, starts_in=timedelta(hours=2))


def test_everyone_who_wants_a_place_is_called_once_when_one_is_free(near):
    holder = fill(near, 1)[0]
    waiting, expired = fill(near, 1, Status.WAITING)[0], fill(near, 1, Status.EXPIRED)[0]
    others = [
        fill(near, 1, status)[0]
        for status in (Status.DECLINED, Status.RECORDING, Status.CANCELLED, Status.REMOVED, Status.SOFT)
    ]
    assert call() == 0  # no place is free
    services.cancel_registration(registration=holder)
    assert (call(), call()) == (2, 0)
    assert [kinds_about(row) for row in (waiting, expired)] == [["all_hands"], ["all_hands"]]
    assert [kinds_about(row) for row in others] == [[]] * 5
    assert steps_of(expired) == ["called: a place is free near the start"]


def test_the_first_who_comes_wins_also_after_an_offer_that_passed(near):
    waiting, expired = fill(near, 1, Status.WAITING)[0], fill(near, 1, Status.EXPIRED)[0]
    call()
    assert services.claim_place(registration=expired, actor=expired.member).status == "confirmed"
    assert services.claim_place(registration=expired).status == "confirmed"  # pressed twice
    with pytest.raises(services.NotYourTurn):
        services.claim_place(registration=waiting)
    assert kinds_about(expired) == ["all_hands", "confirmed"]


def test_the_silent_may_take_one_too_and_those_who_passed_it_on_may_not(near):
    soft, declined = fill(near, 1, Status.SOFT)[0], fill(near, 1, Status.DECLINED)[0]
    with pytest.raises(services.NotYourTurn):
        services.claim_place(registration=declined)
    assert services.claim_place(registration=soft).status == "confirmed"


def test_whoever_registered_again_after_an_offer_passed_has_one_turn(near):
    expired = fill(near, 1, Status.EXPIRED)[0]
    again = make_registration(event=near, member=expired.member, status=Status.WAITING)
    assert call() == 1
    with pytest.raises(services.NotYourTurn):
        services.claim_place(registration=expired)
    assert services.claim_place(registration=again).status == "confirmed"


def test_who_may_not_come_any_more_is_not_let_in_by_an_offer_that_passed(near):
    expired = fill(near, 1, Status.EXPIRED)[0]
    expired.member.status = "silenced"
    expired.member.save()
    with pytest.raises(PermissionDenied):
        services.claim_place(registration=expired)
    with pytest.raises(PermissionDenied):
        services.claim_place(registration=expired, actor=make_member())


def test_a_place_that_was_given_and_not_taken_is_no_wait(near):
    giver = fill(near, 1, Status.CANCELLED)[0]
    make_registration(event=near, status=Status.EXPIRED, given_by=giver)
    assert call() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"starts_in": timedelta(hours=4)},
        {"starts_in": timedelta(minutes=-1)},
        {"cancelled_at": timezone.now()},
        {"postponed_at": timezone.now()},
    ],
    ids=["early", "begun", "cancelled", "postponed"],
)
def test_nobody_is_called(fields):
    event = make_event(**{"capacity": 1, "starts_in": timedelta(hours=2)} | fields)
    fill(event, 1, Status.EXPIRED)
    assert call() == 0


def test_of_two_lists_those_are_called_for_whom_a_place_is_free():
    event = make_event(kind=Kind.HYBRID, capacity=1, online_capacity=1, starts_in=timedelta(hours=2))
    fill(event, 1, way="room")
    room, online = (fill(event, 1, Status.WAITING, way=way)[0] for way in event.ways)
    assert call() == 1
    assert (kinds_about(room), kinds_about(online)) == ([], ["all_hands"])


def test_a_moved_event_calls_anew(near):
    waiting = fill(near, 1, Status.WAITING, called_at=timezone.now() - timedelta(hours=1))[0]
    assert call() == 0
    near.moved_at = timezone.now() - timedelta(minutes=1)
    near.save()
    assert (call(), kinds_about(waiting)) == (1, ["all_hands"])


# --- where they stand --------------------------------------------------------------------------------------------------
def tell() -> int:
    return services.tell_positions(timezone.now())


def test_the_position_is_told_when_it_halves_or_enters_the_first_ten():
    event = make_event(capacity=1)
    fill(event, 1)
    queue = [
        services.register_member(event=event, member=make_member(password=None)) for _number in range(26)
    ]
    assert [row.told_position for row in queue] == list(range(1, 27))
    assert tell() == 0

    def leave(*places):
        for place in places:
            services.cancel_registration(registration=queue[place - 1])

    leave(1, 2, 3, 4)
    # 5 and 6 halved (to 1 and 2), 7 and 8 too (3, 4); 11 to 14 are among the first ten
    assert (tell(), tell()) == (8, 0)
    told = [row for row in queue if "position" in kinds_about(row)]
    assert [queue.index(row) + 1 for row in told] == [5, 6, 7, 8, 11, 12, 13, 14]
    leave(5, 6)
    assert tell() == 6  # 7 and 8 halved again, 9 and 10 (to 3 and 4) too, 15 and 16 entered
    for row in queue:
        row.refresh_from_db()
    assert queue[14].told_position == queue[14].position() == 9


def test_who_comes_back_into_the_line_is_counted_from_there_without_a_mail():
    event = make_event(capacity=1)
    fill(event, 1)
    waiting = make_registration(event=event, status=Status.WAITING, told_position=None)
    assert (tell(), kinds_about(waiting)) == (0, [])
    waiting.refresh_from_db()
    assert waiting.told_position == 1


@pytest.mark.parametrize(
    "fields", [{"starts_in": timedelta(hours=2)}, {"cancelled_at": timezone.now()}], ids=["near", "cancelled"]
)
def test_no_position_is_told(fields):
    event = make_event(capacity=1, **fields)
    make_registration(event=event, status=Status.WAITING, told_position=40)
    assert tell() == 0


# --- the schedule ------------------------------------------------------------------------------------------------------
def test_the_hourly_nudge_finds_what_every_other_path_missed(near):
    far = make_event(capacity=1)
    waiting = fill(far, 1, Status.WAITING)[0]
    called = fill(near, 1, Status.WAITING)[0]
    tasks.nudge_all()
    tasks.nudge_all()
    assert (status_of(waiting), kinds_about(waiting), kinds_about(called)) == (
        ["offered"],
        ["offer"],
        ["all_hands"],
    )


def test_an_event_that_fails_keeps_no_other_waiting(monkeypatch, caplog):
    from events.services import places

    events = [make_event(capacity=1, starts_in=timedelta(hours=2)) for _number in range(3)]
    rows = [fill(event, 1, Status.WAITING)[0] for event in events]
    settle = places.settle

    def fails_for_one(event, now):
        if event.pk == events[1].pk:
            raise RuntimeError("broken")
        return settle(event, now)

    monkeypatch.setattr(places, "settle", fails_for_one)
    tasks.sweep_promotions()
    tasks.sweep_registrations()
    assert [kinds_about(row) for row in rows] == [["all_hands"], [], ["all_hands"]]
    assert {record.levelname for record in caplog.records} == {"ERROR"}
