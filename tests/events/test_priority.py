"""Who was left out last time comes first this time: set before registration opens, and nobody else overtakes."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from events import services
from events.models import RISEN, Status
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import fill, kinds_about, steps_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser():
    return make_member(is_organiser=True)


@pytest.fixture
def earlier(organiser):
    return make_event(capacity=2, starts_in=timedelta(days=-9), organisers=[organiser])


@pytest.fixture
def event(organiser):
    """Published, and registration opens tomorrow."""
    opens = timezone.now() + timedelta(days=1)
    return make_event(capacity=1, organisers=[organiser], registration_opens_at=opens)


def set_from(event, earlier, by):
    return services.set_priority_from(event=event, earlier=earlier, by=by)


def test_who_waited_in_vain_is_named_and_nobody_else(event, earlier, organiser):
    waited, expired = fill(earlier, 1, Status.WAITING)[0], fill(earlier, 1, Status.EXPIRED)[0]
    guest = make_registration(event=earlier, status=Status.WAITING, guest_address="Ada@example.org")
    fill(earlier, 1)
    for status in (Status.DECLINED, Status.CANCELLED, Status.RECORDING, Status.SOFT, Status.REMOVED):
        fill(earlier, 1, status)
    came_back = fill(earlier, 1, Status.EXPIRED)[0]
    make_registration(event=earlier, member=came_back.member)
    assert set_from(event, earlier, organiser) == 3
    named = event.priorities.order_by("pk").values_list("member", "guest_address")
    assert list(named) == [(waited.member_id, ""), (expired.member_id, ""), (None, "Ada@example.org")]
    assert guest.guest_address == "Ada@example.org"


def test_they_are_served_first_and_are_no_passers_by(event, earlier, organiser, clock):
    left_out = fill(earlier, 1, Status.WAITING)[0].member
    set_from(event, earlier, organiser)
    clock.shift(timedelta(days=2))
    holder, newcomer, other = (
        services.register_member(event=event, member=make_member()) for _number in range(3)
    )
    risen = services.register_member(event=event, member=left_out)
    assert (risen.priority, risen.position(), newcomer.position(), other.position()) == (RISEN, 1, 2, 3)
    assert risen.told_position == 1
    services.cancel_registration(registration=holder)
    risen.refresh_from_db()
    assert (risen.status, kinds_about(newcomer)) == ("offered", ["waiting"])


def test_a_guest_who_waited_rises_by_the_address_and_still_as_a_member(event, earlier, organiser, clock):
    make_registration(event=earlier, status=Status.WAITING, guest_address="ada@example.org")
    make_registration(event=earlier, status=Status.WAITING, guest_address="ros@example.org")
    set_from(event, earlier, organiser)
    clock.shift(timedelta(days=2))
    fill(event, 1)
    services.request_guest_place(event=event, name="Ada", address="ADA@example.org")
    ada = services.prove_guest(registration=event.registrations.get(status=Status.UNPROVEN))
    ros = services.register_member(event=event, member=make_member(email="ros@example.org"))
    assert (ada.priority, ros.priority) == (RISEN, RISEN)


def test_set_again_it_begins_anew_and_none_takes_it_back(event, earlier, organiser):
    fill(earlier, 2, Status.WAITING)
    another = make_event(starts_in=timedelta(days=-20), organisers=[organiser])
    assert (set_from(event, earlier, organiser), set_from(event, another, organiser)) == (2, 0)
    assert set_from(event, earlier, organiser) == 2
    assert (set_from(event, None, organiser), event.priorities.count()) == (0, 0)


def test_those_added_by_hand_before_it_opens_are_put_in_order_too(event, earlier, organiser):
    left_out = fill(earlier, 1, Status.WAITING)[0].member
    fill(event, 1)
    early, late = (
        services.register_member(event=event, member=member, by=organiser)
        for member in (make_member(), left_out)
    )
    set_from(event, earlier, organiser)
    late.refresh_from_db()
    assert (late.position(), early.position()) == (1, 2)
    assert steps_of(late) == ["waiting", "the order of the queue was set"]


def test_once_registration_has_opened_the_order_is_fixed(event, earlier, organiser, clock):
    clock.shift(timedelta(days=1, seconds=1))
    for named in (earlier, None):
        with pytest.raises(services.OrderFixed):
            set_from(event, named, organiser)
    services.register_member(event=event, member=make_member())
    event.registration_opens_at = timezone.now() + timedelta(days=1)  # closed again, for a while
    event.save()
    with pytest.raises(services.OrderFixed):
        set_from(event, earlier, organiser)
    draft = make_event(published=False, organisers=[organiser])
    assert set_from(draft, earlier, organiser) == 0


def test_only_of_ones_own_events_and_of_one_that_is_over(event, earlier, organiser):
    stranger = make_member(is_organiser=True)
    foreign = make_event(starts_in=timedelta(days=-2), organisers=[stranger])
    for by, named in ((stranger, foreign), (organiser, foreign)):
        with pytest.raises(PermissionDenied):
            set_from(event, named, by)
    for named in (event, make_event(organisers=[organiser])):
        with pytest.raises(services.NotOverYet):
            set_from(event, named, organiser)
    assert event.priorities.count() == 0
