"""Three days before: do you still come? And what becomes of those who say nothing."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from events import services, tasks
from events.models import BACK, Kind, Status
from events.services import places
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import calendar_of, entry_of, fill, kinds_about, post, status_of, steps_of, to

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=20)
ASKED = "asked whether they still come"


def beat() -> None:
    tasks.sweep_promotions()
    tasks.sweep_registrations()


@pytest.fixture
def event(clock):
    """In four days, with two places, both taken long ago, and one who waits."""
    return make_event(capacity=2, starts_in=timedelta(hours=96))


@pytest.fixture
def people(event):
    """(says yes, says nothing, waits)"""
    holders = fill(event, 2, confirmed_at=timezone.now() - LONG_AGO)
    return (*holders, make_registration(event=event, status=Status.WAITING, told_position=1))


def test_asked_at_seventy_two_hours_once(event, people, clock):
    beat()
    assert [kinds_about(row) for row in people] == [[], [], []]
    clock.shift(timedelta(hours=24, minutes=1))
    beat()
    beat()  # a doubled beat
    assert [kinds_about(row) for row in people] == [["reconfirm"], ["reconfirm"], []]
    assert steps_of(people[0]) == [ASKED]


def test_the_silent_become_soft_a_day_before_and_their_places_are_offered_on(event, people, clock):
    yes, silent, waiting = people
    clock.shift(timedelta(hours=24, minutes=1))
    beat()
    services.confirm_coming(registration=yes, actor=yes.member)
    services.confirm_coming(registration=yes, actor=yes.member)  # pressed twice
    clock.shift(timedelta(hours=47))
    beat()
    assert status_of(yes, silent, waiting) == ["confirmed", "confirmed", "waiting"]
    clock.shift(timedelta(hours=1))
    beat()
    beat()
    assert status_of(yes, silent, waiting) == ["confirmed", "soft", "offered"]
    assert steps_of(yes) == [ASKED, "says that they come"]
    assert kinds_about(silent) == ["reconfirm", "soft"]
    assert event.occupancy().held == 2


def make_soft(event, **fields):
    now = timezone.now()
    fields = {"confirmed_at": now - LONG_AGO, "asked_at": now - timedelta(days=2)} | fields
    return make_registration(event=event, status=Status.SOFT, **fields)


def test_a_yes_of_the_silent_takes_a_free_place():
    event = make_event(capacity=1, starts_in=timedelta(hours=20))
    soft = make_soft(event)
    assert services.confirm_coming(registration=soft, actor=soft.member).status == "confirmed"
    assert services.confirm_coming(registration=soft).status == "confirmed"
    assert kinds_about(soft) == ["confirmed"]


def test_a_yes_of_the_silent_without_a_free_place_is_first_in_line():
    event = make_event(capacity=1, starts_in=timedelta(hours=20))
    holder, soft, waiting = fill(event, 1)[0], make_soft(event), fill(event, 1, Status.WAITING)[0]
    back = services.confirm_coming(registration=soft, actor=soft.member)
    again = services.confirm_coming(registration=soft, actor=soft.member)
    assert (back.status, back.priority, again.position(), waiting.position()) == ("waiting", BACK, 1, 2)
    services.cancel_registration(registration=holder)
    assert status_of(soft, waiting) == ["offered", "waiting"]
    assert services.confirm_coming(registration=soft).status == "confirmed"  # the button of the older mail


@pytest.mark.parametrize("how", ["declines", "lets it pass"])
def test_of_who_comes_back_and_does_not_the_calendar_entry_ends(clock, how):
    event = make_event(capacity=1, starts_in=timedelta(hours=20))
    soft = make_soft(event)
    [holder] = fill(event, 1)
    services.confirm_coming(registration=soft, actor=soft.member)
    services.cancel_registration(registration=holder)
    event.refresh_from_db()
    before = event.sequence
    if how == "declines":
        services.decline_offer(registration=soft)
        assert kinds_about(soft) == ["waiting", "offer", "cancelled_by_you"]
    else:
        clock.shift(timedelta(hours=19))
        places.promote_waiting(event=event)
        assert kinds_about(soft) == ["waiting", "offer", "offer_passed"]
    event.refresh_from_db()
    assert event.sequence == before + 1
    *_others, letter = to(post(), soft.member.email)
    method, calendar, _raw = calendar_of(letter)
    assert (method, entry_of(calendar)["SEQUENCE"]) == ("CANCEL", event.sequence)


def test_who_had_no_place_has_no_entry_that_could_end():
    event = make_event(capacity=1)
    offered = make_registration(event=event, status=Status.OFFERED)
    services.decline_offer(registration=offered)
    event.refresh_from_db()
    assert (event.sequence, kinds_about(offered)) == (0, [])


def test_of_two_who_come_back_the_first_to_say_so_is_first():
    event = make_event(capacity=1, starts_in=timedelta(hours=20))
    fill(event, 1)
    one, other = make_soft(event), make_soft(event)
    back = [services.confirm_coming(registration=row) for row in (other, one)]
    assert [row.position() for row in back] == [1, 2]


def test_who_gave_it_up_cannot_say_yes_any_more():
    event = make_event(capacity=1, starts_in=timedelta(hours=60))
    gone = make_registration(event=event, status=Status.CANCELLED)
    with pytest.raises(services.OfferOver):
        services.confirm_coming(registration=gone)
    mine = fill(event, 1)[0]
    with pytest.raises(PermissionDenied):
        services.confirm_coming(registration=mine, actor=make_member())
    past = make_registration(event=make_event(starts_in=timedelta(days=-1)))
    with pytest.raises(services.TooLate):
        services.confirm_coming(registration=past)


def test_cannot_and_recording_only_free_the_place(event, people):
    cannot, records, waiting = people
    other = make_registration(event=event, status=Status.WAITING)
    services.cancel_registration(registration=cannot)
    services.take_recording_only(registration=records, actor=records.member)
    assert status_of(cannot, records, waiting, other) == ["cancelled", "recording", "offered", "offered"]


@pytest.mark.parametrize(
    "fields",
    [
        {"asks_reconfirmation": False},
        {"capacity": None},
        {"published": False},
        {"cancelled_at": timezone.now()},
        {"postponed_at": timezone.now()},
        {"starts_in": timedelta(hours=23)},
        {"starts_in": timedelta(hours=73)},
    ],
    ids=[
        "not wanted",
        "no end of places",
        "draft",
        "cancelled",
        "postponed",
        "too late to answer",
        "too early",
    ],
)
def test_nobody_is_asked(fields):
    event = make_event(**{"capacity": 3, "starts_in": timedelta(hours=60)} | fields)
    row = make_registration(event=event, confirmed_at=timezone.now() - LONG_AGO)
    assert services.ask_reconfirmations(timezone.now()) == 0
    assert kinds_about(row) == []


def test_whoever_got_the_place_within_three_days_has_just_said_yes(clock):
    event = make_event(capacity=3, starts_in=timedelta(hours=60))
    late = make_registration(event=event)
    beat()
    clock.shift(timedelta(hours=40))
    beat()
    assert (status_of(late), kinds_about(late)) == (["confirmed"], [])


def test_of_two_lists_only_the_one_with_an_end_is_asked():
    event = make_event(kind=Kind.HYBRID, capacity=2, starts_in=timedelta(hours=60))
    room, online = (fill(event, 1, way=way, confirmed_at=timezone.now() - LONG_AGO)[0] for way in event.ways)
    assert services.ask_reconfirmations(timezone.now()) == 1
    assert (kinds_about(room), kinds_about(online)) == (["reconfirm"], [])


def test_a_worker_that_was_away_leaves_twelve_hours_to_answer(event, people, clock):
    clock.shift(timedelta(hours=96 - 25))
    beat()  # two days late
    clock.shift(timedelta(hours=2))
    beat()
    assert status_of(*people) == ["confirmed", "confirmed", "waiting"]
    clock.shift(timedelta(hours=10, minutes=1))
    beat()
    assert status_of(*people)[:2] == ["soft", "soft"]


def test_a_moved_start_asks_anew_also_when_it_moves_back(event, people, clock):
    yes, silent, _waiting = people
    organiser = make_member(is_organiser=True)
    event.organisers.add(organiser)
    clock.shift(timedelta(hours=30))
    beat()
    services.confirm_coming(registration=yes)
    start = event.starts_at
    for moved in (start + timedelta(days=30), start + timedelta(hours=2)):
        services.update_event(
            event=event, actor=organiser, starts_at=moved, ends_at=moved + timedelta(hours=1)
        )
        clock.shift(timedelta(seconds=5))
    beat()
    assert [kinds_about(row).count("reconfirm") for row in (yes, silent)] == [2, 2]
    clock.shift(timedelta(hours=44, minutes=1))  # to a day before
    beat()
    assert status_of(yes, silent) == ["soft", "soft"]


# --- at the door --------------------------------------------------------------------------------------------------------
def test_the_silent_come_in_while_a_place_is_free():
    event = make_event(capacity=1, starts_in=timedelta(minutes=10))
    soft = make_soft(event)
    assert services.enter(registration=soft) == event.meeting_url
    soft.refresh_from_db()
    assert (soft.status, soft.attended_at is not None) == ("confirmed", True)


def test_the_silent_come_in_from_the_start_while_fewer_came_than_fit_in(clock):
    event = make_event(capacity=2, starts_in=timedelta(minutes=10))
    came, _missing = fill(event, 2)
    first, second = make_soft(event), make_soft(event)
    services.enter(registration=came)
    with pytest.raises(services.NoRoomYet):
        services.enter(registration=first)
    clock.shift(timedelta(minutes=10))
    assert services.enter(registration=first) == event.meeting_url
    assert services.enter(registration=first) == event.meeting_url  # again, after the line broke
    with pytest.raises(services.NoRoomYet):
        services.enter(registration=second)
    assert status_of(first, second) == ["soft", "soft"]
    assert event.occupancy().attended == 2


def test_who_came_back_and_waits_first_in_line_comes_in_like_the_silent_and_others_who_wait_do_not(clock):
    event = make_event(capacity=1, starts_in=timedelta(hours=2))
    fill(event, 1)
    back = services.confirm_coming(registration=make_soft(event))
    waiting = make_registration(event=event, status=Status.WAITING)
    clock.shift(timedelta(hours=2, minutes=1))
    assert services.enter(registration=back) == event.meeting_url
    with pytest.raises(PermissionDenied):
        services.enter(registration=waiting)


def test_the_silent_come_in_where_an_offer_has_lapsed_that_no_sweep_has_ended_yet():
    event = make_event(capacity=1, starts_in=timedelta(minutes=10))
    soft, over = make_soft(event), timezone.now() - timedelta(minutes=5)
    lapsed = make_registration(event=event, status=Status.OFFERED, offer_expires_at=over)
    assert services.enter(registration=soft) == event.meeting_url
    assert status_of(soft, lapsed) == ["confirmed", "expired"]
