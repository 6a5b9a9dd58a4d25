"""Places, the waiting list, offers, at the level of the services: never too many, and nobody passed over."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from events import services, tasks
from events.models import Event, Registration, RegistrationLog, Status
from events.services import places
from kmnet.core.models import OutgoingMail
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

pytestmark = pytest.mark.django_db


def fill(event, count, status=Status.CONFIRMED) -> list[Registration]:
    return [make_registration(event=event, status=status) for _number in range(count)]


def statuses(event) -> dict:
    found = {}
    for status in event.registrations.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def test_hundred_places_and_a_hundred_and_thirty_people():
    event = make_event(capacity=100)
    members = [make_member(password=None) for _number in range(130)]
    registrations = [services.register_member(event=event, member=member) for member in members]
    assert [registration.status for registration in registrations] == ["confirmed"] * 100 + ["waiting"] * 30
    assert [registration.position() for registration in registrations[100:]] == list(range(1, 31))
    assert event.occupancy().held == 100


def test_registering_twice_is_once():
    event, member = make_event(capacity=1), make_member()
    first = services.register_member(event=event, member=member)
    assert services.register_member(event=event, member=member) == first
    assert RegistrationLog.objects.filter(registration=first).count() == 1


def test_without_capacity_everybody_has_a_place():
    event = make_event(capacity=None)
    assert services.register_member(event=event, member=make_member()).status == "confirmed"
    assert event.occupancy().free is None


@pytest.mark.parametrize(
    "fields",
    [
        {"published": False},
        {"cancelled_at": timezone.now()},
        {"starts_in": timedelta(hours=-1)},
        {"registration_opens_at": timezone.now() + timedelta(days=1)},
        {"registration_closes_at": timezone.now() - timedelta(days=1)},
    ],
    ids=["draft", "cancelled", "begun", "not open yet", "closed"],
)
def test_registration_is_refused_when_closed(fields):
    event = make_event(**fields)
    with pytest.raises(services.RegistrationClosed):
        services.register_member(event=event, member=make_member())
    assert not event.registrations.exists()


def test_silenced_member_may_leave_but_not_register():
    member, event = make_member(), make_event()
    registration = services.register_member(event=event, member=member)
    member.status = "silenced"
    member.save()
    with pytest.raises(PermissionDenied):
        services.register_member(event=make_event(), member=member)
    assert services.cancel_registration(registration=registration, actor=member).status == "cancelled"


def test_nobody_passes_those_who_wait():
    """A place is free (an offer was passed on in the last hours), yet the newcomer queues behind those waiting."""
    event = make_event(capacity=2, starts_in=timedelta(hours=2))
    fill(event, 1)
    waiting = make_registration(event=event, status=Status.WAITING)
    newcomer = services.register_member(event=event, member=make_member())
    assert newcomer.status == "waiting"
    assert (waiting.position(), newcomer.position()) == (1, 2)


def test_priority_set_beforehand_comes_before_joining_time():
    event = make_event(capacity=1)
    holder = fill(event, 1)[0]
    early = make_registration(event=event, status=Status.WAITING)
    first = make_registration(event=event, status=Status.WAITING, priority=5)
    assert (first.position(), early.position()) == (1, 2)
    services.cancel_registration(registration=holder)
    first.refresh_from_db()
    assert first.status == "offered"


# --- every path that frees a place leads to the next offer ---------------------------------------------------------------
def free_by_cancelling(event, holder):
    services.cancel_registration(registration=holder, actor=holder.member)


def free_by_removing(event, holder):
    services.remove_registration(registration=holder, by=event.organisers.get(), reason="double booking")


def free_by_suspending(event, holder):
    from members.services import suspend_member

    suspend_member(member=holder.member, actor=make_member(is_moderator=True), reason="spam")


def free_by_erasing(event, holder):
    services.release_member(member=holder.member, why="the account was deleted", forget=True)


def free_by_raising_capacity(event, holder):
    services.change_capacity(event=event, actor=event.organisers.get(), capacity=2)


def free_by_overbooking(event, holder):
    services.change_capacity(event=event, actor=event.organisers.get(), capacity=1, overbooking=1)


def free_by_hand_in_the_database(event, holder):
    """No path at all, as after a lost transaction: the sweep finds it."""
    Registration.objects.filter(pk=holder.pk).delete()
    tasks.sweep_promotions()


@pytest.mark.parametrize(
    "free",
    [
        free_by_cancelling,
        free_by_removing,
        free_by_suspending,
        free_by_erasing,
        free_by_raising_capacity,
        free_by_overbooking,
        free_by_hand_in_the_database,
    ],
)
def test_every_path_that_frees_a_place_offers_it_to_the_next(free):
    event = make_event(capacity=1, organisers=[make_member(is_organiser=True)])
    holder = fill(event, 1)[0]
    first, second = fill(event, 2, Status.WAITING)
    free(event, holder)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("offered", "waiting")
    assert first.log.last().why == "a place became free"


def test_declined_offer_goes_to_the_next_person():
    event = make_event(capacity=1)
    offered = make_registration(event=event, status=Status.OFFERED)
    next_one = make_registration(event=event, status=Status.WAITING)
    assert services.decline_offer(registration=offered, actor=offered.member).status == "declined"
    next_one.refresh_from_db()
    assert next_one.status == "offered"
    assert services.decline_offer(registration=offered).status == "declined"  # twice is once


def test_accepted_offer_is_a_place_and_twice_is_once():
    event = make_event(capacity=1)
    offered = make_registration(event=event, status=Status.OFFERED)
    services.accept_offer(registration=offered)
    assert services.accept_offer(registration=offered).status == "confirmed"
    assert offered.log.count() == 1


def test_somebody_elses_offer_cannot_be_answered():
    offered = make_registration(status=Status.OFFERED)
    for deed in (services.accept_offer, services.decline_offer, services.cancel_registration):
        with pytest.raises(PermissionDenied):
            deed(registration=offered, actor=make_member())
    offered.refresh_from_db()
    assert offered.status == "offered"


def test_expired_offer_stops_counting_at_once_and_passes_on(clock):
    event = make_event(capacity=1)
    offered = make_registration(event=event, status=Status.OFFERED)
    next_one = make_registration(event=event, status=Status.WAITING)
    clock.shift(timedelta(hours=24, seconds=1))
    assert event.occupancy().held == 0  # no sweep has run
    with pytest.raises(services.OfferOver):
        services.accept_offer(registration=offered)
    with pytest.raises(services.OfferOver):
        services.decline_offer(registration=offered)
    tasks.sweep_promotions()
    tasks.sweep_promotions()  # a second beat does no harm
    offered.refresh_from_db()
    next_one.refresh_from_db()
    assert (offered.status, next_one.status) == ("expired", "offered")
    assert next_one.log.count() == 1


def test_offers_of_a_cancelled_event_lapse_in_silence(clock):
    event = make_event(capacity=1, cancelled_at=timezone.now())
    offered = make_registration(event=event, status=Status.OFFERED)
    waiting = make_registration(event=event, status=Status.WAITING)
    clock.shift(timedelta(hours=24, seconds=1))
    services.promote_waiting(event=event)
    offered.refresh_from_db()
    waiting.refresh_from_db()
    assert (offered.status, waiting.status) == ("offered", "waiting")
    assert not OutgoingMail.objects.exists()


def test_offers_last_a_day_but_not_into_the_last_three_hours():
    now = timezone.now()

    def lasts(starts_in):
        return places.offer_end(Event(starts_at=now + starts_in), now) - now

    assert lasts(timedelta(days=9)) == timedelta(hours=24)
    assert lasts(timedelta(hours=27)) == timedelta(hours=24)
    assert lasts(timedelta(hours=10)) == timedelta(hours=7)
    assert lasts(timedelta(hours=3, minutes=10)) == timedelta(hours=1)


def test_worker_away_across_an_offers_end_loses_nobody(clock):
    event = make_event(capacity=1, starts_in=timedelta(hours=40))
    make_registration(event=event, status=Status.OFFERED)
    second, third = fill(event, 2, Status.WAITING)
    clock.shift(timedelta(hours=27))  # three hours late
    tasks.sweep_promotions()
    second.refresh_from_db()
    assert second.status == "offered"
    assert second.offer_expires_at == event.last_offer_at
    third.refresh_from_db()
    assert third.status == "waiting"


def test_in_the_last_hours_the_first_of_those_waiting_takes_a_free_place():
    event = make_event(capacity=1, starts_in=timedelta(hours=2))
    holder = fill(event, 1)[0]
    slow, quick = fill(event, 2, Status.WAITING)
    with pytest.raises(services.NotYourTurn):
        services.claim_place(registration=quick)
    services.cancel_registration(registration=holder)
    slow.refresh_from_db()
    assert slow.status == "waiting"  # nothing is held for one person any more
    assert services.claim_place(registration=quick).status == "confirmed"
    with pytest.raises(services.NotYourTurn):
        services.claim_place(registration=slow)


def test_before_the_last_hours_nobody_may_claim():
    event = make_event(capacity=2)
    fill(event, 1)
    offered, waiting = (
        fill(event, 1, Status.OFFERED)[0],
        make_registration(event=event, status=Status.WAITING),
    )
    with pytest.raises(services.NotYourTurn):
        services.claim_place(registration=waiting)
    assert services.claim_place.__doc__
    offered.refresh_from_db()
    assert offered.status == "offered"


def test_closing_registration_stops_newcomers_not_offers():
    event = make_event(capacity=1, registration_closes_at=timezone.now() - timedelta(hours=1))
    holder, waiting = fill(event, 1)[0], make_registration(event=event, status=Status.WAITING)
    services.cancel_registration(registration=holder)
    waiting.refresh_from_db()
    assert services.accept_offer(registration=waiting).status == "confirmed"


def test_leaving_twice_is_once_and_coming_back_is_the_end_of_the_list():
    event, member = make_event(capacity=1), make_member()
    mine = services.register_member(event=event, member=member)
    waiting = make_registration(event=event, status=Status.WAITING)
    services.cancel_registration(registration=mine, actor=member)
    assert services.cancel_registration(registration=mine, actor=member).log.count() == 2
    again = services.register_member(event=event, member=member)
    assert (again.pk != mine.pk, again.status) == (True, "waiting")
    waiting.refresh_from_db()
    assert waiting.status == "offered"


def test_nothing_is_given_up_after_the_end():
    registration = make_registration(event=make_event(starts_in=timedelta(days=-1)))
    with pytest.raises(services.TooLate):
        services.cancel_registration(registration=registration)


# --- capacity ------------------------------------------------------------------------------------------------------------
def test_capacity_below_the_places_held_is_refused_with_the_number_to_free():
    organiser = make_member(is_organiser=True)
    event = make_event(capacity=10, organisers=[organiser])
    fill(event, 6)
    fill(event, 2, Status.OFFERED)
    with pytest.raises(services.CapacityTooLow) as refusal:
        services.change_capacity(event=event, actor=organiser, capacity=5)
    assert (refusal.value.to_free, refusal.value.held) == (3, 8)
    assert services.change_capacity(event=event, actor=organiser, capacity=8).capacity == 8


def test_lapsed_offers_do_not_stand_in_the_way_of_less_capacity(clock):
    organiser = make_member(is_organiser=True)
    event = make_event(capacity=2, organisers=[organiser])
    fill(event, 1)
    lapsed = fill(event, 1, Status.OFFERED)[0]
    clock.shift(timedelta(days=2))
    services.change_capacity(event=event, actor=organiser, capacity=1)
    lapsed.refresh_from_db()
    assert lapsed.status == "expired"


def test_raising_capacity_offers_that_many_in_order():
    organiser = make_member(is_organiser=True)
    event = make_event(capacity=1, organisers=[organiser])
    fill(event, 1)
    waiting = fill(event, 4, Status.WAITING)
    services.change_capacity(event=event, actor=organiser, capacity=3)
    assert [Registration.objects.get(pk=row.pk).status for row in waiting] == [
        "offered",
        "offered",
        "waiting",
        "waiting",
    ]


def test_no_limit_any_more_offers_everybody_a_place():
    organiser = make_member(is_organiser=True)
    event = make_event(capacity=1, organisers=[organiser])
    fill(event, 1)
    fill(event, 3, Status.WAITING)
    services.change_capacity(event=event, actor=organiser, capacity=None)
    assert statuses(event) == {"confirmed": 1, "offered": 3}


def test_only_organisers_change_their_event():
    event, stranger = make_event(capacity=3), make_member(is_organiser=True)
    with pytest.raises(PermissionDenied):
        services.change_capacity(event=event, actor=stranger, capacity=5)
    with pytest.raises(PermissionDenied):
        services.cancel_event(event=event, actor=stranger)
    with pytest.raises(PermissionDenied):
        services.update_event(event=event, actor=stranger, title="Mine now")
    with pytest.raises(PermissionDenied):
        services.remove_registration(registration=fill(event, 1)[0], by=stranger, reason="")
    with pytest.raises(PermissionDenied):
        services.register_member(event=event, member=make_member(), by=stranger)


def test_an_organiser_adds_somebody_by_hand_never_past_the_queue():
    organiser = make_member(is_organiser=True)
    rehearsal_of = make_event(organisers=[organiser])
    rehearsal = make_event(organisers=[organiser], rehearsal_of=rehearsal_of, capacity=1)
    friend, second = make_member(), make_member()
    with pytest.raises(PermissionDenied):
        services.register_member(event=rehearsal, member=friend)
    assert services.register_member(event=rehearsal, member=friend, by=organiser).status == "confirmed"
    assert services.register_member(event=rehearsal, member=second, by=organiser).status == "waiting"
    assert list(Event.objects.visible_to(friend).filter(pk=rehearsal.pk)) == [rehearsal]
    assert not Event.objects.visible_to(make_member()).filter(pk=rehearsal.pk).exists()


# --- guests --------------------------------------------------------------------------------------------------------------
def ask_as_guest(event, address="ada@example.com", name="Ada Guest"):
    services.request_guest_place(event=event, name=name, address=address, time_zone="Africa/Nairobi")
    return event.registrations.filter(status=Status.UNPROVEN).last()


def test_a_guests_place_counts_from_the_press_of_the_button():
    event = make_event(capacity=1)
    unproven = ask_as_guest(event)
    assert event.occupancy().held == 0
    passer_by = services.register_member(event=event, member=make_member())
    assert passer_by.status == "confirmed"
    assert services.prove_guest(registration=unproven).status == "waiting"
    assert services.prove_guest(registration=unproven).status == "waiting"  # pressed twice


def test_one_address_in_any_spelling_is_one_guest():
    event = make_event()
    first = ask_as_guest(event)
    assert ask_as_guest(event, "ADA@example.com") == first
    services.prove_guest(registration=first)
    services.request_guest_place(event=event, name="Ada", address="Ada@Example.com")
    assert event.registrations.count() == 1


def test_a_guest_with_a_members_address_is_that_member():
    event, member = make_event(), make_member(email="rosalind@example.com")
    registration = services.prove_guest(registration=ask_as_guest(event, "Rosalind@example.com"))
    assert (registration.member, registration.guest_address) == (member, "")
    assert services.register_member(event=event, member=member) == registration


def test_a_member_who_registered_and_types_their_address_has_one_place():
    event, member = make_event(), make_member(email="rosalind@example.com")
    unproven = ask_as_guest(event, "rosalind@example.com")
    mine = services.register_member(event=event, member=member)
    assert services.prove_guest(registration=unproven) == mine
    assert event.registrations.live().count() == 1


def test_a_guest_who_joins_keeps_the_place():
    event = make_event(capacity=1)
    place = services.prove_guest(registration=ask_as_guest(event, "new@example.com"))
    member = make_member(email="new@example.com")
    assert services.register_member(event=event, member=member) == place
    place.refresh_from_db()
    assert (place.member, place.guest_address) == (member, "")


def test_guests_are_refused_at_members_events_and_when_closed():
    event = make_event(visibility=1)
    with pytest.raises(PermissionDenied):
        services.request_guest_place(event=event, name="Ada", address="ada@example.com")
    closed = make_event(registration_closes_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(services.RegistrationClosed):
        services.request_guest_place(event=closed, name="Ada", address="ada@example.com")


def test_a_suspended_member_does_not_come_in_as_a_guest():
    event = make_event()
    make_member(email="gone@example.com", status="suspended", is_active=False)
    unproven = ask_as_guest(event, "gone@example.com")
    with pytest.raises(PermissionDenied):
        services.prove_guest(registration=unproven)


def test_what_was_never_proven_is_forgotten_after_the_link_has_ended(clock):
    event = make_event()
    ask_as_guest(event)
    proven = services.prove_guest(registration=ask_as_guest(event, "ben@example.com"))
    clock.shift(timedelta(days=3, hours=23))
    tasks.sweep_promotions()
    assert event.registrations.count() == 2
    clock.shift(timedelta(hours=2))
    tasks.sweep_promotions()
    assert event.registrations.get() == proven


# --- the people themselves -----------------------------------------------------------------------------------------------
def test_a_deleted_account_leaves_the_count_and_no_person():
    member = make_member()
    came = make_registration(
        event=make_event(starts_in=timedelta(days=-9)), member=member, attended_at=timezone.now()
    )
    waited = make_registration(
        event=make_event(starts_in=timedelta(days=-9)), member=member, status=Status.WAITING
    )
    coming = services.register_member(event=make_event(), member=member)
    assert services.release_member(member=member, why="the account was deleted", forget=True) == 1
    for registration in (came, waited, coming):
        registration.refresh_from_db()
        assert (registration.member_id, registration.guest_address) == (None, "")
    assert came.event.occupancy().attended == 1
    assert (waited.status, coming.status) == ("expired", "cancelled")
    assert not RegistrationLog.objects.filter(actor=member).exists()


def test_somebody_suspended_in_the_moment_of_registering_is_swept_out():
    event = make_event(capacity=1)
    registration, waiting = (
        make_registration(event=event),
        make_registration(event=event, status=Status.WAITING),
    )
    registration.member.is_active = False
    registration.member.status = "suspended"
    registration.member.save()
    tasks.sweep_promotions()
    registration.refresh_from_db()
    waiting.refresh_from_db()
    assert (registration.status, waiting.status) == ("cancelled", "offered")


def test_every_change_is_in_the_log_and_the_log_ends_in_the_state():
    event, member = make_event(capacity=1), make_member()
    holder = services.register_member(event=event, member=make_member())
    mine = services.register_member(event=event, member=member)
    services.cancel_registration(registration=holder)
    services.accept_offer(registration=mine, actor=member)
    services.cancel_registration(registration=mine, actor=member)
    changes = list(mine.log.values_list("from_status", "to_status", "actor"))
    assert changes == [
        ("", "waiting", member.pk),
        ("waiting", "offered", None),
        ("offered", "confirmed", member.pk),
        ("confirmed", "cancelled", member.pk),
    ]


# --- attendance ----------------------------------------------------------------------------------------------------------
def test_coming_in_is_noted_once_and_only_with_a_place():
    event = make_event(starts_in=timedelta(minutes=10))
    registration = make_registration(event=event)
    assert services.enter(registration=registration) == event.meeting_url
    registration.refresh_from_db()
    first = registration.attended_at
    services.enter(registration=registration)
    registration.refresh_from_db()
    assert registration.attended_at == first
    with pytest.raises(PermissionDenied):
        services.enter(registration=make_registration(event=event, status=Status.WAITING))


@pytest.mark.parametrize("starts_in", [timedelta(minutes=16), timedelta(hours=-2)], ids=["early", "over"])
def test_doors_are_closed_before_and_after(starts_in):
    registration = make_registration(event=make_event(starts_in=starts_in))
    with pytest.raises(services.DoorsClosed):
        services.enter(registration=registration)
    registration.refresh_from_db()
    assert registration.attended_at is None


def test_organisers_tick_and_untick_and_others_may_not():
    organiser = make_member(is_organiser=True)
    event = make_event(organisers=[organiser], starts_in=timedelta(minutes=14))
    registration = make_registration(event=event)
    assert services.mark_attendance(registration=registration, came=True, by=organiser).attended_at
    assert services.mark_attendance(registration=registration, came=False, by=organiser).attended_at is None
    with pytest.raises(PermissionDenied):
        services.mark_attendance(registration=registration, came=True, by=make_member())


@pytest.mark.parametrize(
    "fields",
    [
        {"starts_in": timedelta(minutes=16)},
        {"starts_in": timedelta(minutes=5), "cancelled_at": timezone.now()},
        {"starts_in": timedelta(minutes=5), "postponed_at": timezone.now()},
    ],
    ids=["early", "called off", "postponed"],
)
def test_nobody_is_ticked_before_the_doors_open(client, fields):
    organiser = make_member(is_organiser=True)
    registration = make_registration(event=make_event(organisers=[organiser], **fields))
    with pytest.raises(services.DoorsClosed):
        services.mark_attendance(registration=registration, came=True, by=organiser)
    client.force_login(organiser)
    event = registration.event
    page = reverse("events:person", args=[event.pk, event.slug, registration.pk])
    said = client.post(page, {"act": "came"}, follow=True).content.decode()
    assert "The doors have not opened: nobody can have come." in said
    registration.refresh_from_db()
    assert registration.attended_at is None


def test_silenced_member_keeps_the_turn_they_had_and_takes_no_new_one():
    """Decision 63."""
    member, event = make_member(), make_event(capacity=2)
    offered = make_registration(event=event, member=member, status=Status.OFFERED)
    near = make_event(capacity=2, starts_in=timedelta(hours=2))
    waiting = make_registration(event=near, member=member, status=Status.WAITING)
    passed = make_registration(
        event=make_event(capacity=2, starts_in=timedelta(hours=2)), member=member, status=Status.EXPIRED
    )
    member.status = "silenced"
    member.save()
    assert services.accept_offer(registration=offered, actor=member).status == "confirmed"
    assert services.confirm_coming(registration=offered, actor=member).said_yes_at
    assert services.claim_place(registration=waiting, actor=member).status == "confirmed"
    with pytest.raises(PermissionDenied):
        services.claim_place(registration=passed, actor=member)
