"""What a guest booked is theirs once they join with the same proven address; never twice live at one event."""

from datetime import timedelta

import pytest
from django.utils import timezone

from events import services
from events.models import Registration, RegistrationLog, Status
from members import services as members
from members.models import Member
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

pytestmark = pytest.mark.django_db
ADDRESS = "Ana@example.org"


def guest(event=None, status=Status.CONFIRMED, **fields):
    return make_registration(event=event, status=status, guest_address=ADDRESS, guest_name="Ana", **fields)


def join(address="ana@example.org") -> Member:
    member = Member(email=address, name="Ana Silva")
    members.save_joining_member(member)
    members.prove_address(member=member, address=address)
    return member


def test_history_and_places_are_found_after_joining():
    past, full = make_event(starts_in=timedelta(days=-30)), make_event(capacity=1)
    make_registration(event=full)
    booked = [
        guest(past, attended_at=past.starts_at),
        guest(make_event()),
        guest(full, Status.WAITING),
        guest(make_event(), Status.CANCELLED),
    ]
    member = join()
    mine = Registration.objects.filter(member=member).order_by("pk")
    assert list(mine) == booked
    assert {one.guest_address for one in mine} == {""}
    assert [one.status for one in mine] == ["confirmed", "confirmed", "waiting", "cancelled"]
    assert mine[0].attended_at == past.starts_at
    log = RegistrationLog.objects.filter(registration=booked[1]).last()
    assert (log.actor, log.why) == (member, "joined with the same proven address")


def test_nothing_is_found_before_the_address_is_proven():
    registration = guest()
    members.save_joining_member(Member(email="ana@example.org", name="Eve"))
    registration.refresh_from_db()
    assert registration.member_id is None


def test_others_and_what_was_never_confirmed_stay_as_they_are():
    unproven, other = guest(status=Status.UNPROVEN), make_registration(guest_address="ben@example.org")
    join()
    assert Registration.objects.filter(pk__in=[unproven.pk, other.pk], member__isnull=True).count() == 2


def test_twice_is_once():
    guest()
    member = join()
    assert services.adopt_guest_registrations(member=member, address=ADDRESS) == 0
    assert RegistrationLog.objects.count() == 1


@pytest.mark.parametrize(
    ("mine", "theirs", "kept"),
    [
        (Status.WAITING, Status.CONFIRMED, "guest"),
        (Status.CONFIRMED, Status.WAITING, "own"),
        (Status.OFFERED, Status.WAITING, "own"),
        (Status.CONFIRMED, Status.CONFIRMED, "own"),
        (Status.WAITING, Status.OFFERED, "guest"),
        (Status.REQUESTED, Status.WAITING, "guest"),
    ],
)
def test_of_two_live_ones_the_better_stays(mine, theirs, kept):
    """A second address that they prove later may have booked at the same event."""
    held = sum(status in (Status.CONFIRMED, Status.OFFERED) for status in (mine, theirs))
    event, member = (
        make_event(capacity=2 + held),
        make_member(),
    )  # full, so that nobody is offered a place meanwhile
    make_registration(event=event)
    make_registration(event=event)
    own = make_registration(
        event=event, member=member, status=mine, joined_at=timezone.now() - timedelta(days=2)
    )
    other = guest(event, theirs, joined_at=timezone.now() - timedelta(days=1))
    members.prove_address(member=member, address="ana@example.org")
    live = Registration.objects.live().filter(event=event, member=member)
    assert [one.pk for one in live] == [own.pk if kept == "own" else other.pk]
    assert Registration.objects.filter(event=event, member=member).count() == 2


def test_the_place_of_the_other_goes_to_the_next_in_line():
    event, member = make_event(capacity=2), make_member()
    make_registration(event=event, member=member)
    guest(event)
    waiting = make_registration(event=event, status=Status.WAITING)
    members.prove_address(member=member, address="ana@example.org")
    waiting.refresh_from_db()
    assert waiting.status == Status.OFFERED
    assert event.occupancy(timezone.now()).free == 0


def test_an_offer_that_has_run_out_is_worth_nothing():
    event, member = make_event(capacity=2), make_member()
    make_registration(event=event)
    own = make_registration(event=event, member=member, status=Status.WAITING)
    guest(event, Status.OFFERED, offer_expires_at=timezone.now() - timedelta(minutes=1))
    members.prove_address(member=member, address="ana@example.org")
    own.refresh_from_db()
    assert own.is_live
    assert Registration.objects.live().filter(event=event, member=member).get() == own


def test_where_both_came_the_one_who_came_is_kept():
    event, member = make_event(starts_in=timedelta(days=-3)), make_member()
    own = make_registration(event=event, member=member)
    came = guest(event, attended_at=event.starts_at)
    members.prove_address(member=member, address="ana@example.org")
    own.refresh_from_db()
    came.refresh_from_db()
    assert (own.status, came.status, came.member) == ("cancelled", "confirmed", member)
