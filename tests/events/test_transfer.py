"""Giving one's place to a named person: only while nobody waits, and nothing is learnt about addresses."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from events import services, tasks
from events.models import Registration, Status, Visibility
from kmnet.core.models import OutgoingMail
from members.models import Boundary, Distance
from tests.factories import make_member
from tests.factories.events import make_event, make_registration
from tests.factories.groups import make_group, put_in

from .helpers import fill, kinds_about, status_of, steps_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    return make_event(capacity=2, allows_transfer=True)


@pytest.fixture
def giver(event):
    return make_registration(event=event)


def give(giver, **to):
    return services.transfer_place(registration=giver, actor=giver.member, **to)


def other_than(giver) -> Registration:
    return giver.event.registrations.exclude(pk=giver.pk).get()


def test_the_place_is_held_for_the_named_member_until_they_answer(event, giver):
    friend = make_member()
    sequence = event.sequence
    assert give(giver, to_member=friend).status == "cancelled"
    given = other_than(giver)
    assert (given.member, given.status, given.given_by) == (friend, "offered", giver)
    assert given.offer_expires_at - given.offered_at == timedelta(hours=24)
    assert (kinds_about(giver), kinds_about(given)) == (["place_passed_on"], ["place_given"])
    event.refresh_from_db()
    assert (event.occupancy().held, event.sequence) == (1, sequence + 1)
    assert services.accept_offer(registration=given, actor=friend).status == "confirmed"


def test_twice_is_once(event, giver):
    friend = make_member()
    give(giver, to_member=friend)
    assert give(giver, to_member=make_member()).status == "cancelled"
    assert event.registrations.count() == 2
    assert steps_of(giver) == ["cancelled"]


def test_a_place_by_name_and_address_and_a_members_address_is_that_member(event, giver):
    give(giver, to_name="Ada Guest", to_address="ada@example.org")
    given = other_than(giver)
    assert (given.guest_name, given.guest_address) == ("Ada Guest", "ada@example.org")
    assert services.accept_offer(registration=given).status == "confirmed"
    member = make_member(email="rosalind@example.com")
    give(given, to_name="Ros", to_address="Rosalind@example.com")
    taken = event.registrations.get(status=Status.OFFERED)
    assert (taken.member, taken.guest_address) == (member, "")


def test_declined_or_not_answered_it_goes_to_whoever_comes(event, giver, clock):
    fill(event, 1)
    give(giver, to_member=make_member())
    given = event.registrations.get(status=Status.OFFERED)
    waiting = services.register_member(event=event, member=make_member())
    clock.shift(timedelta(hours=25))
    tasks.sweep_promotions()
    assert status_of(given, waiting) == ["expired", "offered"]
    assert kinds_about(given) == ["place_given"]  # who did not ask hears nothing more


def test_who_is_registered_keeps_what_they_have_and_the_giver_learns_nothing(event, giver):
    there = make_registration(event=event)
    assert give(giver, to_name="Ros", to_address=there.member.email).status == "cancelled"
    assert (status_of(there), kinds_about(there)) == (["confirmed"], ["known"])
    assert event.occupancy().held == 1


def test_who_wanted_the_recording_only_and_who_had_not_proven_the_address_get_the_offer(event, giver):
    records = make_registration(event=event, status=Status.RECORDING)
    give(giver, to_member=records.member)
    assert status_of(records) == ["offered"]
    services.request_guest_place(event=event, name="Ada", address="ada@example.org")
    unproven = event.registrations.get(status=Status.UNPROVEN)
    second = make_registration(event=event)
    give(second, to_name="A. Guest", to_address="ADA@example.org")
    unproven.refresh_from_db()
    assert (unproven.status, unproven.guest_name) == ("offered", "Ada")


def test_between_people_who_keep_apart_nothing_is_offered_and_nothing_is_said(event, giver):
    friend = make_member()
    Boundary.objects.create(owner=friend, other=giver.member, distance=Distance.BLOCK)
    assert give(giver, to_member=friend).status == "cancelled"
    assert event.registrations.count() == 1


def refuse(giver, why, **to):
    with pytest.raises(services.TransferRefused) as refusal:
        give(giver, **to)
    assert (refusal.value.why, status_of(giver)) == (why, [giver.status])


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"allows_transfer": False}, "off"),
        ({"needs_approval": True}, "off"),
        ({"cancelled_at": timezone.now()}, "off"),
        ({"postponed_at": timezone.now()}, "off"),
        ({"starts_in": timedelta(hours=2)}, "late"),
    ],
    ids=["not allowed", "each is approved", "cancelled", "postponed", "late"],
)
def test_no_place_is_given_on(fields, why):
    event = make_event(**{"capacity": 2, "allows_transfer": True} | fields)
    refuse(make_registration(event=event), why, to_member=make_member())


def test_not_past_those_who_wait_and_only_a_place_that_one_has(event, giver):
    holder = fill(event, 1)[0]
    waiting = fill(event, 1, Status.WAITING)[0]
    refuse(giver, "waiting", to_member=make_member())
    refuse(waiting, "place", to_member=make_member())
    services.cancel_registration(registration=waiting)
    assert give(holder, to_member=make_member()).status == "cancelled"


def test_to_somebody_else_who_may_come(event, giver):
    refuse(giver, "self", to_member=giver.member)
    refuse(giver, "self", to_name="Me", to_address=giver.member.email.upper())
    refuse(giver, "person")
    refuse(giver, "person", to_member=make_member(status="silenced"))
    with pytest.raises(PermissionDenied):
        services.transfer_place(registration=giver, actor=make_member(), to_member=make_member())


def test_within_a_group_and_among_members_no_address_is_tried():
    organiser, inside, outside = make_member(is_organiser=True), make_member(), make_member()
    group = make_group(convenor=organiser)
    put_in(group, inside)
    giver_member = make_member()
    put_in(group, giver_member)
    fields = {"allows_transfer": True, "capacity": 3}
    of_group = make_event(visibility=Visibility.GROUP, group=group, organisers=[organiser], **fields)
    mine = make_registration(event=of_group, member=giver_member)
    refuse(mine, "person", to_member=outside)
    refuse(mine, "person", to_name="X", to_address=inside.email)
    assert give(mine, to_member=inside).status == "cancelled"
    of_members = make_registration(event=make_event(visibility=Visibility.MEMBERS, **fields))
    refuse(of_members, "person", to_name="X", to_address="x@example.org")


# --- so that nobody is flooded -----------------------------------------------------------------------------------------
def give_again(event, giver, **to):
    """They come in anew, and give that place away too."""
    again = make_registration(event=event, member=giver.member)
    return services.transfer_place(registration=again, actor=giver.member, **to)


def test_one_person_gives_three_places_away_in_a_day_and_the_next_on_the_next_day(client, clock):
    event = make_event(allows_transfer=True, starts_in=timedelta(days=20))
    giver = make_registration(event=event)
    give(giver, to_name="A", to_address="a1@example.org")
    for number in (2, 3):
        give_again(event, giver, to_name="A", to_address=f"a{number}@example.org")
    with pytest.raises(services.TransferRefused, match="often"):
        give_again(event, giver, to_name="A", to_address="a4@example.org")
    mine = event.registrations.get(member=giver.member, status=Status.CONFIRMED)
    client.force_login(giver.member)
    typed = {"deed": "give", "to_name": "A", "to": "a4@example.org"}
    answer = client.post(reverse("events:place", args=[event.pk, event.slug]), typed)
    assert answer.status_code == 422
    assert "You have given several places away today." in answer.content.decode()
    assert other_givers_may(event)
    clock.shift(timedelta(days=1, minutes=1))
    client.force_login(giver.member)
    assert give(mine, to_name="A", to_address="a4@example.org").status == "cancelled"


def other_givers_may(event) -> bool:
    return give(make_registration(event=event), to_name="B", to_address="b@example.org").status == "cancelled"


@pytest.mark.parametrize("is_member", [True, False])
def test_one_person_is_offered_three_gifts_in_a_day_and_the_giver_does_not_learn_it(is_member):
    address = make_member().email if is_member else "flooded@example.org"
    for number in range(4):
        event = make_event(allows_transfer=True)
        giver = make_registration(event=event)
        assert (
            give(giver, to_name="Ada", to_address=address.upper() if number else address).status
            == "cancelled"
        )
        assert kinds_about(giver) == ["place_passed_on"]
    given = Registration.objects.filter(status=Status.OFFERED)
    assert given.count() == OutgoingMail.objects.filter(kind="events.place_given").count() == 3
    assert not event.registrations.exclude(pk=giver.pk).exists()  # the place is free
