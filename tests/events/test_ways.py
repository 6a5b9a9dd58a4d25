"""Hybrid events, each way with its places and its queue; and those who want the recording only."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from events import services
from events.models import Kind, Status, Visibility
from tests.factories import make_member
from tests.factories.events import make_event, make_registration
from tests.factories.groups import make_group

from .helpers import fill, kinds_about, status_of, steps_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def hybrid():
    return make_event(kind=Kind.HYBRID, capacity=1, online_capacity=2)


def register(event, way, **fields):
    return services.register_member(event=event, member=make_member(), way=way, **fields)


def test_each_list_has_its_places_and_its_queue(hybrid):
    got = [register(hybrid, way).status for way in ("room", "room", "online", "online", "online")]
    assert got == ["confirmed", "waiting", "confirmed", "confirmed", "waiting"]
    in_room = hybrid.registrations.get(way="room", status=Status.CONFIRMED)
    services.cancel_registration(registration=in_room)
    offered = hybrid.registrations.get(status=Status.OFFERED)
    assert (offered.way, hybrid.occupancy(way="online").waiting) == ("room", 1)


def test_the_way_must_be_one_of_the_events_own(hybrid):
    for event, way in ((hybrid, ""), (hybrid, "boat"), (make_event(), "room")):
        with pytest.raises(services.WayUnknown):
            register(event, way)
    with pytest.raises(services.WayUnknown):
        services.request_guest_place(event=hybrid, name="A", address="a@example.org")
    assert not hybrid.registrations.exists()


def test_capacity_of_each_list_is_its_own():
    organiser = make_member(is_organiser=True)
    event = make_event(kind=Kind.HYBRID, capacity=3, online_capacity=3, organisers=[organiser])
    fill(event, 2, way="online")
    fill(event, 1, Status.WAITING, way="room")
    with pytest.raises(services.CapacityTooLow) as refusal:
        services.change_capacity(event=event, actor=organiser, capacity=1, way="online")
    assert refusal.value.to_free == 1
    changed = services.change_capacity(event=event, actor=organiser, capacity=1, way="room")
    assert (changed.capacity, changed.online_capacity) == (1, 3)
    with pytest.raises(services.WayUnknown):
        services.change_capacity(event=event, actor=organiser, capacity=9)


def test_from_the_room_to_a_free_place_online_and_the_chair_is_offered_on(hybrid):
    in_room, waiting = register(hybrid, "room"), register(hybrid, "room")
    moved = services.change_way(registration=in_room, way="online", actor=in_room.member)
    assert (moved.way, moved.status) == ("online", "confirmed")
    assert services.change_way(registration=in_room, way="online").status == "confirmed"
    assert status_of(waiting) == ["offered"]
    assert steps_of(in_room) == ["confirmed", "from room to online"]


def test_whoever_has_a_place_keeps_it_where_the_other_list_is_full(hybrid):
    in_room = register(hybrid, "room")
    for _number in range(3):
        register(hybrid, "online")
    with pytest.raises(services.NotYourTurn):
        services.change_way(registration=in_room, way="online")
    in_room.refresh_from_db()
    assert (in_room.way, in_room.status) == ("room", "confirmed")


def test_whoever_waits_goes_to_the_end_of_the_other_line(hybrid):
    _room, waits = register(hybrid, "room"), register(hybrid, "room")
    for _number in range(3):
        last = register(hybrid, "online")
    moved = services.change_way(registration=waits, way="online")
    assert (moved.status, last.position(), moved.position(), moved.told_position) == ("waiting", 1, 2, 2)


def test_whoever_asks_or_wants_the_recording_just_says_how():
    event = make_event(kind=Kind.HYBRID, capacity=1, online_capacity=1, needs_approval=True)
    asked = register(event, "room")
    assert services.change_way(registration=asked, way="online").status == "requested"
    records = register(event, "", recording_only=True)
    assert (records.status, records.way) == ("recording", "online")


def test_the_way_is_not_changed_by_others_or_after_the_start(hybrid):
    mine = register(hybrid, "room")
    with pytest.raises(PermissionDenied):
        services.change_way(registration=mine, way="online", actor=make_member())
    gone = make_registration(event=hybrid, status=Status.CANCELLED, way="room")
    with pytest.raises(services.TooLate):
        services.change_way(registration=gone, way="online")
    hybrid.postponed_at = timezone.now()
    hybrid.save()
    with pytest.raises(services.RegistrationClosed):
        services.change_way(registration=mine, way="online")


# --- the recording only ------------------------------------------------------------------------------------------------
def test_recording_only_holds_nothing_and_is_never_offered_a_place():
    event = make_event(capacity=1)
    records = services.register_member(event=event, member=make_member(), recording_only=True)
    again = services.register_member(event=event, member=records.member, recording_only=True)
    assert (again, records.status, event.occupancy().held) == (records, "recording", 0)
    services.promote_waiting(event=event)
    assert (status_of(records), kinds_about(records)) == (["recording"], ["recording"])


def test_a_place_given_up_for_the_recording_is_offered_on_and_ends_in_the_calendar():
    event = make_event(capacity=1)
    holder = services.register_member(event=event, member=make_member())
    waiting = services.register_member(event=event, member=make_member())
    event.refresh_from_db()
    before = event.sequence
    services.take_recording_only(registration=holder, actor=holder.member)
    services.take_recording_only(registration=holder, actor=holder.member)
    event.refresh_from_db()
    assert (status_of(holder, waiting), event.sequence) == (["recording", "offered"], before + 1)
    assert kinds_about(holder) == ["confirmed", "recording"]


def test_registering_again_takes_a_place_or_the_queue_anew_and_the_calendar_hears_of_it():
    event = make_event(capacity=1)
    member = make_member()
    mine = services.register_member(event=event, member=member)
    services.take_recording_only(registration=mine)
    event.refresh_from_db()
    before = event.sequence
    again = services.register_member(event=event, member=member)
    event.refresh_from_db()
    assert (again.pk, again.status, event.sequence) == (mine.pk, "confirmed", before + 1)
    services.take_recording_only(registration=mine)
    fill(event, 1)
    assert services.come_after_all(registration=mine).status == "waiting"
    assert services.come_after_all(registration=mine).status == "waiting"


def test_a_guest_may_want_the_recording_only_and_come_after_all():
    event = make_event(capacity=1)
    services.request_guest_place(event=event, name="Ada", address="ada@example.org", recording_only=True)
    mine = services.prove_guest(registration=event.registrations.get())
    assert (mine.status, kinds_about(mine)) == ("recording", ["prove", "recording"])
    assert services.come_after_all(registration=mine).status == "confirmed"


def test_where_there_is_no_recording_nobody_wants_it():
    event = make_event(offers_recording=False)
    with pytest.raises(services.RegistrationClosed):
        services.register_member(event=event, member=make_member(), recording_only=True)
    with pytest.raises(services.RegistrationClosed):
        services.request_guest_place(event=event, name="A", address="a@example.org", recording_only=True)
    mine = services.register_member(event=event, member=make_member())
    with pytest.raises(services.RegistrationClosed):
        services.take_recording_only(registration=mine)
    past = make_registration(event=make_event(starts_in=timedelta(days=-1)))
    with pytest.raises(services.TooLate):
        services.take_recording_only(registration=past)


def test_coming_after_all_asks_as_registering_does():
    convenor = make_member(is_organiser=True)
    group = make_group(convenor=convenor)
    of_group = make_event(visibility=Visibility.GROUP, group=group, organisers=[convenor])
    outside = make_registration(event=of_group, status=Status.RECORDING)
    with pytest.raises(PermissionDenied):
        services.come_after_all(registration=outside)
    closed = make_event(registration_closes_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(services.RegistrationClosed):
        services.come_after_all(registration=make_registration(event=closed, status=Status.RECORDING))
    silenced = make_registration(status=Status.RECORDING, member=make_member(status="silenced"))
    with pytest.raises(PermissionDenied):
        services.come_after_all(registration=silenced)
