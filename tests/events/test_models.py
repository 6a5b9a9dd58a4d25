"""What the database itself refuses, whoever writes; and what the lists give to others."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from events.models import Event, Registration, Status
from kmnet.core.models import AuditEntry
from kmnet.core.search import SearchText
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

pytestmark = pytest.mark.django_db


def refused(deed) -> str:
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        deed()
    return str(error.value)


def test_database_refuses_a_place_too_many():
    event = make_event(capacity=1, overbooking=1)
    make_registration(event=event)
    make_registration(event=event, status=Status.OFFERED)
    waiting = make_registration(event=event, status=Status.WAITING)
    assert "all held" in refused(lambda: make_registration(event=event))
    assert "all held" in refused(
        lambda: Registration.objects.filter(pk=waiting.pk).update(status="confirmed")
    )


def test_database_refuses_less_capacity_than_is_held():
    event = make_event(capacity=2)
    make_registration(event=event)
    make_registration(event=event)
    assert "2 places are held" in refused(lambda: Event.objects.filter(pk=event.pk).update(capacity=1))
    Event.objects.filter(pk=event.pk).update(capacity=None)
    assert "2 places are held" in refused(lambda: Event.objects.filter(pk=event.pk).update(capacity=1))
    Event.objects.filter(pk=event.pk).update(capacity=2)


def test_database_refuses_a_second_live_registration():
    event, member = make_event(), make_member()
    make_registration(event=event, member=member, status=Status.CANCELLED)
    make_registration(event=event, member=member)
    assert "one_live_registration_per_member" in refused(
        lambda: make_registration(event=event, member=member)
    )
    make_registration(event=event, guest_address="ada@example.com")
    again = refused(lambda: make_registration(event=event, guest_address="ADA@example.com", status="waiting"))
    assert "one_live_registration_per_address" in again


def test_database_ties_an_offer_to_its_end():
    offered = make_registration(status=Status.OFFERED)
    rows = Registration.objects.filter(pk=offered.pk)
    assert "an_offer_has_an_end" in refused(lambda: rows.update(offer_expires_at=None))
    assert "an_offer_has_an_end" in refused(lambda: rows.update(status="confirmed"))


def test_database_wants_exactly_one_person():
    event = make_event()
    for fields in (
        {"member": None, "guest_address": ""},
        {"member": make_member(), "guest_address": "a@example.com"},
    ):
        about = refused(
            lambda fields=fields: Registration.objects.create(event=event, status="waiting", **fields)
        )
        assert "registration_is_one_persons" in about


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"capacity": 0}, "event_has_a_place"),
        ({"capacity": None, "overbooking": 2}, "no_overbooking_without_capacity"),
        ({"ends_at": timezone.now()}, "event_ends_after_it_starts"),
        (
            {
                "registration_opens_at": timezone.now(),
                "registration_closes_at": timezone.now() - timedelta(days=1),
            },
            "registration_closes_after_it_opens",
        ),
    ],
)
def test_database_refuses_impossible_events(fields, constraint):
    assert constraint in refused(lambda: make_event(**fields))


def test_lists_by_time():
    past, running, coming = (make_event(starts_in=timedelta(hours=hours)) for hours in (-3, -1, 2))
    make_event(published=False)
    assert list(Event.objects.upcoming()) == [running, coming]
    assert list(Event.objects.past()) == [past]


def test_card_counts_places_and_tells_my_own_state():
    member = make_member()
    event = make_event(capacity=3)
    make_registration(event=event)
    make_registration(event=event, status=Status.OFFERED)
    make_registration(
        event=event, status=Status.OFFERED, offer_expires_at=timezone.now() - timedelta(seconds=1)
    )
    make_registration(event=event, member=member, status=Status.WAITING)
    card = Event.objects.with_card(member).get()
    assert (card.held_count, card.waiting_count, card.came_count, card.my_status) == (2, 1, 0, "waiting")


def test_digest_brings_new_events_that_the_member_has_not_answered():
    member, now = make_member(), timezone.now()
    since = now - timedelta(days=7)
    new = make_event(published_at=now - timedelta(days=1))
    make_event(published_at=now - timedelta(days=20))  # told before
    make_event(published_at=now - timedelta(days=1), cancelled_at=now)
    make_event(published_at=now - timedelta(days=1), starts_in=timedelta(hours=-2))
    make_event(published=False)
    answered = make_event(published_at=now - timedelta(days=1))
    make_registration(event=answered, member=member)
    assert list(Event.objects.for_digest(member, since, now)) == [new]


def test_digest_brings_members_events_to_members_alone():
    now = timezone.now()
    public = make_event(published_at=now - timedelta(days=1))
    members = make_event(published_at=now - timedelta(days=1), visibility=1)
    found = [
        set(Event.objects.for_digest(make_member(status=status), now - timedelta(days=7), now))
        for status in ("active", "pending")
    ]
    assert found == [{public, members}, {public}]


def test_my_registrations_include_what_i_booked_as_a_guest():
    member = make_member(email="rosalind@example.com")
    mine = make_registration(member=member)
    as_guest = make_registration(guest_address="Rosalind@Example.com")
    make_registration(guest_address="other@example.com")
    make_registration(member=member, status=Status.CANCELLED)
    assert set(Registration.objects.live().for_member(member)) == {mine, as_guest}


def test_search_finds_only_what_the_viewer_may_see():
    from django.contrib.auth.models import AnonymousUser

    from events.search import find_events

    public = make_event(title="Writing for patients", description="About leaflets.")
    make_event(title="Patients and members", visibility=1)
    make_event(title="Patients, a draft", published=False)
    guest = find_events(SearchText("patient"), AnonymousUser(), 10)
    assert ([hit.url for hit in guest.hits], guest.total) == ([public.get_absolute_url()], 1)
    assert find_events(SearchText("patient"), make_member(), 10).total == 2
    assert find_events(SearchText("leaflet"), AnonymousUser(), 10).total == 1
    assert find_events(SearchText(""), AnonymousUser(), 10).total == 0


def test_admin_pages_open_and_leave_places_alone(client):
    from django.urls import reverse

    admin = make_member(is_staff=True, is_superuser=True)
    client.force_login(admin)
    event = make_event(capacity=2)
    registration = make_registration(event=event)
    for address in (
        reverse("admin:events_event_changelist"),
        reverse("admin:events_event_change", args=[event.pk]),
        reverse("admin:events_registration_changelist"),
        reverse("admin:events_registration_change", args=[registration.pk]),
        reverse("admin:events_speaker_changelist"),
    ):
        assert client.get(address).status_code == 200, address
    looks = AuditEntry.objects.filter(actor=admin, verb="events.people_seen").order_by("pk")
    assert list(looks.values_list("target_id", flat=True)) == [event.pk, None, event.pk]
    changed = {"status": "cancelled"}
    assert (
        client.post(reverse("admin:events_registration_change", args=[registration.pk]), changed).status_code
        == 403
    )
    act = {"action": "remove", "_selected_action": [registration.pk]}
    client.post(reverse("admin:events_registration_changelist"), act)
    registration.refresh_from_db()
    assert registration.status == "confirmed"  # no reason, no removal
    client.post(reverse("admin:events_registration_changelist"), {**act, "reason": "Asked by phone"})
    registration.refresh_from_db()
    assert registration.status == "removed"
