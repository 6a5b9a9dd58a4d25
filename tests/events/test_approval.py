"""Events where the organisers approve each registration; and what else they decide about single people."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from events import services
from events.models import Kind, Status
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import fill, kinds_about, status_of, steps_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser():
    return make_member(is_organiser=True)


@pytest.fixture
def event(organiser):
    return make_event(capacity=2, needs_approval=True, organisers=[organiser])


def ask(event):
    return services.register_member(event=event, member=make_member())


def test_who_asks_holds_nothing_until_the_organisers_say_yes(event, organiser):
    asked = ask(event)
    assert (asked.status, event.occupancy().held, kinds_about(asked)) == ("requested", 0, ["requested"])
    approved = services.approve_registration(registration=asked, by=organiser)
    assert (approved.status, kinds_about(asked)) == ("confirmed", ["requested", "confirmed"])
    assert services.approve_registration(registration=asked, by=organiser).status == "confirmed"
    assert steps_of(asked) == ["requested", "confirmed"]
    assert [step.actor for step in asked.log.all()] == [asked.member, organiser]


def test_approval_is_the_moment_in_the_queue_so_nobody_is_overtaken(event, organiser):
    early, late = ask(event), ask(event)
    fill(event, 2)
    services.approve_registration(registration=late, by=organiser)
    services.approve_registration(registration=early, by=organiser)
    for row in (early, late):
        row.refresh_from_db()
    assert (late.status, late.position(), early.position()) == ("waiting", 1, 2)


def test_refused_with_a_reason_once_and_a_yes_after_it_changes_nothing(event, organiser):
    asked = ask(event)
    services.refuse_registration(registration=asked, by=organiser, reason="For librarians only.")
    services.refuse_registration(registration=asked, by=organiser, reason="Another.")
    assert services.approve_registration(registration=asked, by=organiser).status == "removed"
    assert (kinds_about(asked), asked.log.last().why) == (["requested", "refused"], "For librarians only.")


def test_a_guest_is_asked_about_too_once_the_address_is_proven(event, organiser):
    services.request_guest_place(event=event, name="Ada", address="ada@example.org")
    unproven = event.registrations.get()
    asked = services.prove_guest(registration=unproven)
    assert (asked.status, kinds_about(asked)) == ("requested", ["prove", "requested"])
    assert services.approve_registration(registration=asked, by=organiser).status == "confirmed"


def test_added_by_hand_is_approved(event, organiser):
    assert services.register_member(event=event, member=make_member(), by=organiser).status == "confirmed"


def test_only_organisers_decide_and_not_once_it_has_begun_or_has_no_day(event, organiser):
    asked, stranger = ask(event), make_member(is_organiser=True)
    for deed, more in (
        (services.approve_registration, {}),
        (services.refuse_registration, {"reason": ""}),
        (services.promote_up_to, {}),
    ):
        with pytest.raises(PermissionDenied):
            deed(registration=asked, by=stranger, **more)
    with pytest.raises(PermissionDenied):
        services.offer_more_places(event=event, count=1, by=stranger)
    event.postponed_at = timezone.now()
    event.save()
    with pytest.raises(services.RegistrationClosed):
        services.approve_registration(registration=asked, by=organiser)
    event.postponed_at = None
    event.starts_at = timezone.now() - timedelta(minutes=1)
    event.save()
    with pytest.raises(services.RegistrationClosed):
        services.approve_registration(registration=asked, by=organiser)
    assert status_of(asked) == ["requested"]


# --- promoting, and accepting more --------------------------------------------------------------------------------------
def test_offering_up_to_a_person_passes_nobody_over_and_accepts_as_many_more_as_that_needs(organiser):
    event = make_event(capacity=2, organisers=[organiser])
    fill(event, 2)
    first, second, third, fourth = fill(event, 4, Status.WAITING)
    assert services.promote_up_to(registration=third, by=organiser).status == "offered"
    assert status_of(first, second, third, fourth) == ["offered", "offered", "offered", "waiting"]
    event.refresh_from_db()
    assert (event.capacity, event.overbooking) == (2, 3)
    assert (first.log.last().actor, first.log.last().why) == (organiser, "offered up to number 3")
    services.promote_up_to(registration=third, by=organiser)  # pressed twice
    event.refresh_from_db()
    assert event.overbooking == 3


def test_nobody_is_promoted_in_the_last_three_hours(organiser):
    event = make_event(capacity=1, organisers=[organiser], starts_in=timedelta(hours=2))
    fill(event, 1)
    waiting = make_registration(event=event, status=Status.WAITING)
    with pytest.raises(services.TooLate):
        services.promote_up_to(registration=waiting, by=organiser)
    with pytest.raises(services.TooLate):
        services.offer_more_places(event=event, count=1, by=organiser)
    event.refresh_from_db()
    assert (event.overbooking, status_of(waiting)) == (0, ["waiting"])


def test_accepting_more_offers_that_many_once_per_page(organiser):
    event = make_event(capacity=1, organisers=[organiser])
    fill(event, 1)
    waiting = fill(event, 3, Status.WAITING)
    more = {"event": event, "count": 2, "by": organiser, "seen_places": 1}
    assert services.offer_more_places(**more) == 2
    assert services.offer_more_places(**more) == 0  # the same page, pressed twice
    assert status_of(*waiting) == ["offered", "offered", "waiting"]
    event.refresh_from_db()
    assert event.overbooking == 2
    with pytest.raises(ValueError, match="at least one"):
        services.offer_more_places(event=event, count=0, by=organiser)


def test_accepting_more_on_one_of_two_lists(organiser):
    event = make_event(kind=Kind.HYBRID, capacity=1, online_capacity=1, organisers=[organiser])
    for way in event.ways:
        fill(event, 1, way=way)
    room, online = (fill(event, 1, Status.WAITING, way=way)[0] for way in event.ways)
    assert services.offer_more_places(event=event, count=1, by=organiser, way="online") == 1
    assert status_of(room, online) == ["waiting", "offered"]
    event.refresh_from_db()
    assert (event.overbooking, event.online_overbooking) == (0, 1)
    with pytest.raises(services.WayUnknown):
        services.offer_more_places(event=event, count=1, by=organiser)


def test_an_event_without_end_needs_no_more_places(organiser):
    event = make_event(organisers=[organiser])
    assert services.offer_more_places(event=event, count=5, by=organiser) == 0
    event.refresh_from_db()
    assert event.overbooking == 0
