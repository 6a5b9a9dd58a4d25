"""The pages: who sees what, what a press does, and what a GET must not do."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from events.models import Event, Kind, QuestionKind, Status, Way
from tests.factories import make_member
from tests.factories.events import make_event, make_registration, make_session_item

from .helpers import dump

pytestmark = pytest.mark.django_db


def url(name, event, *more):
    return reverse(f"events:{name}", args=[event.pk, event.slug, *more])


@pytest.fixture
def member(client):
    member = make_member(time_zone="Asia/Amman")
    client.force_login(member)
    return member


def page(client, event) -> str:
    return client.get(event.get_absolute_url()).content.decode()


# --- who sees what -----------------------------------------------------------------------------------------------------
def test_guest_sees_public_events_and_is_sent_to_sign_in_for_all_others(client):
    public, members = make_event(title="For all"), make_event(title="For members", visibility=1)
    draft = make_event(published=False)
    listed = client.get(reverse("events:index")).content.decode()
    assert ("For all" in listed, "For members" in listed) == (True, False)
    assert client.get(public.get_absolute_url()).status_code == 200
    for address in (
        members.get_absolute_url(),
        draft.get_absolute_url(),
        reverse("events:detail", args=[999_999, "x"]),
    ):
        response = client.get(address)
        assert (response.status_code, response.url.partition("?")[0]) == (302, reverse("account_login"))


def test_member_gets_404_for_what_is_not_theirs_to_see(client, member):
    assert client.get(make_event(visibility=1).get_absolute_url()).status_code == 200
    assert client.get(make_event(published=False).get_absolute_url()).status_code == 404
    event = make_event()
    assert client.get(url("organise", event)).status_code == 404
    assert client.get(url("people_csv", event)).status_code == 404
    assert client.post(url("capacity", event), {"capacity": 3}).status_code == 404
    assert client.get(reverse("events:create")).status_code == 403


def test_organiser_sees_their_draft_and_nobody_elses(client, member):
    member.is_organiser = True
    member.save()
    mine = make_event(published=False, organisers=[member])
    assert client.get(mine.get_absolute_url()).status_code == 200
    assert client.get(make_event(published=False).get_absolute_url()).status_code == 404
    assert mine.title in client.get(reverse("events:index")).content.decode()


def test_an_old_slug_leads_on(client):
    event = make_event()
    response = client.get(reverse("events:detail", args=[event.pk, "old-name"]))
    assert (response.status_code, response.url) == (301, event.get_absolute_url())


# --- the list ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 50])
def test_list_costs_the_same_at_any_length(client, member, count, django_assert_num_queries):
    for _number in range(count):
        make_registration(event=make_event(capacity=3), member=member)
    client.get(reverse("events:index"))  # what the first page of a session fills is not counted
    with django_assert_num_queries(
        6
    ):  # the member, what the filters count, its tags, the events, the drafts, the bell
        response = client.get(reverse("events:index"))
    assert len(response.context["page_of"]) == min(count, 20)


def test_list_goes_on_without_gaps(client):
    events = [make_event(starts_in=timedelta(days=1, minutes=number)) for number in range(25)]
    first = client.get(reverse("events:index"))
    second = client.get(reverse("events:index") + first.context["page_of"].next_query)
    assert [*first.context["page_of"].items, *second.context["page_of"].items] == events


def test_list_tells_a_guest_whose_clock_it_goes_by(client):
    make_event()
    assert "London time" in client.get(reverse("events:index")).content.decode()
    client.force_login(make_member())
    shown = client.get(reverse("events:index")).content.decode()
    assert "your time" in shown
    assert "London time" not in shown


def test_list_tells_the_places_and_my_own(client, member):
    event = make_event(capacity=2)
    make_registration(event=event, member=member)
    assert "1 place left" in client.get(reverse("events:index")).content.decode()
    make_registration(event=event)
    make_registration(event=event, status=Status.WAITING)
    listed = client.get(reverse("events:index")).content.decode()
    assert "all places are taken, 1 person waits" in listed
    assert "You have a place" in listed


def test_list_tells_of_a_hybrid_event_each_way_by_itself(client):
    event = make_event(kind=Kind.HYBRID, capacity=1, online_capacity=3)
    make_registration(event=event, way=Way.ROOM)
    make_registration(event=event, way=Way.ROOM, status=Status.WAITING)
    make_registration(event=event, way=Way.ONLINE)
    listed = client.get(reverse("events:index")).content.decode()
    assert "in the room: all places are taken, 1 person waits; online: 2 places left" in listed
    form = client.get(reverse("events:register", args=[event.pk, event.slug])).content.decode()
    assert "Save me a place</h1>" in form


def test_past_events_stand_apart_with_how_many_came(client):
    event = make_event(starts_in=timedelta(days=-9), title="Long ago", recording_url="https://example.org/r")
    make_registration(event=event, attended_at=timezone.now())
    make_registration(event=event)
    assert "Long ago" not in client.get(reverse("events:index")).content.decode()
    assert "1 person came" in client.get(reverse("events:past")).content.decode()
    shown = page(client, event)
    assert "https://example.org/r" in shown
    assert "1 person came." in shown
    assert "Save me a place" not in shown


def test_past_events_of_members_are_listed_for_members_alone(client):
    long_ago = timedelta(days=-9)
    public = make_event(starts_in=long_ago)
    members = make_event(starts_in=long_ago, visibility=1)
    make_event(starts_in=long_ago, published=False)
    assert client.get(reverse("events:past")).context["page_of"].items == [public]
    client.force_login(make_member())
    assert set(client.get(reverse("events:past")).context["page_of"].items) == {public, members}


# --- the event ---------------------------------------------------------------------------------------------------------
def test_page_shows_both_times_with_the_offset_of_the_events_date(client, member, clock):
    clock.move_to(datetime(2026, 10, 1, tzinfo=UTC))  # summer time now, winter time then
    event = make_event(
        starts_at=datetime(2026, 12, 3, 13, tzinfo=UTC), ends_at=datetime(2026, 12, 3, 14, tzinfo=UTC)
    )
    client.force_login(member)
    shown = page(client, event)
    assert "Thursday 3 December, 16:00 to 17:00</time> your time (Amman, UTC+3)" in shown
    assert "Thursday 3 December, 13:00 to 14:00 in London (UTC+0)" in shown


def test_a_guest_is_not_told_that_another_zone_is_theirs(client):
    event = make_event(time_zone="Europe/Amsterdam")
    shown = page(client, event)
    assert "your time" not in shown
    assert "(London, UTC" in shown
    assert "in Amsterdam (UTC" in shown


@pytest.mark.parametrize("count", [1, 50])
def test_event_page_costs_the_same_with_any_programme(client, member, count, django_assert_num_queries):
    event = make_event(capacity=10)
    for _number in range(count):
        session = make_session_item(event=event)
        session.speakers.create(name="Ada", member=make_member())
    client.get(event.get_absolute_url())
    with django_assert_num_queries(11):
        client.get(event.get_absolute_url())


def test_meeting_address_is_on_no_page_before_the_press(client, member):
    event = make_event(starts_in=timedelta(minutes=5))
    make_registration(event=event, member=member)
    assert b"meet.example.org" not in client.get(event.get_absolute_url()).content
    assert b"meet.example.org" not in client.get(url("join", event)).content


# --- registering -------------------------------------------------------------------------------------------------------
def test_one_press_registers_and_two_are_one(client, member):
    event = make_event(capacity=1)
    for _press in range(2):
        response = client.post(url("register", event))
        assert (response.status_code, response.url) == (302, event.get_absolute_url())
    assert event.registrations.get().status == "confirmed"
    assert "You have a place" in page(client, event)


def test_what_was_done_is_said_once(client, member):
    event = make_event()
    make_registration(event=event, member=member)
    page = client.post(reverse("events:cancel", args=[event.pk, event.slug]), follow=True).content.decode()
    assert page.count("Done. Thank you for saying so.") == 1


def test_a_box_to_agree_to_says_whether_it_must_be_ticked(client):
    event = make_event()
    event.questions.create(kind=QuestionKind.CONSENT, label="House rules", order=1, is_required=True)
    event.questions.create(kind=QuestionKind.CONSENT, label="Photographs", order=2)
    page = client.get(reverse("events:register", args=[event.pk, event.slug])).content.decode()
    assert [page.count(words) for words in ("Needed if you want to come.", "You may leave this open.")] == [
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("fields", "press", "state"),
    [
        ({"capacity": 3}, {}, "confirmed"),
        ({"capacity": 2}, {}, "waiting"),
        ({"capacity": 2, "needs_approval": True}, {}, "requested"),
        ({"capacity": 2}, {"recording_only": "1"}, "recording"),
        ({"capacity": 2, "kind": "hybrid", "online_capacity": 1}, {"way": "online"}, "waiting"),
    ],
)
def test_panel_after_the_press_says_what_the_page_says_then(client, member, fields, press, state):
    """It is told by who decided, and not counted again: a thousand may press at once."""
    event = make_event(**fields)
    way = press.get("way", "")
    for _number in range(2 - len(way) // 6):
        make_registration(event=event, way=way)
    make_registration(event=event, way=way, status=Status.WAITING if state == "waiting" else Status.CANCELLED)
    panel = client.post(url("register", event), press, headers={"HX-Request": "true"}).context
    page = client.get(event.get_absolute_url()).context
    assert page["state"] == state
    assert [panel.get(name) for name in ("state", "lists", "occupancy", "position")] == [
        page.get(name) for name in ("state", "lists", "occupancy", "position")
    ]


@pytest.mark.parametrize("capacity", [1, 2])
def test_press_of_a_newcomer_asks_little(client, member, capacity, django_assert_num_queries):
    event = make_event(capacity=capacity)
    make_registration(event=event)
    client.get(event.get_absolute_url())
    # Session and member; event; lock; counts, and all that is to be known of a newcomer; registration, log and mail.
    with django_assert_num_queries(5 + 2):  # and the test's savepoint
        client.post(url("register", event), headers={"HX-Request": "true"})


def test_htmx_gets_the_panel_alone(client, member):
    event = make_event(capacity=1)
    response = client.post(url("register", event), headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert response.content.lstrip().startswith(b'<div class="ticket" id="place"')
    assert "You have a place" in response.content.decode()


def test_waiting_page_shows_the_position(client, member):
    event = make_event(capacity=1)
    make_registration(event=event)
    for _number in range(6):
        make_registration(event=event, status=Status.WAITING)
    client.post(url("register", event))
    shown = page(client, event)
    assert '<span class="big num">7th</span>' in shown
    assert "1 of 1 taken, 7 people waiting" in shown


def test_offered_place_is_taken_or_passed_on(client, member):
    event = make_event(capacity=1)
    offered = make_registration(event=event, member=member, status=Status.OFFERED)
    shown = page(client, event)
    assert "A place is yours until" in shown
    assert client.get(url("offer", event)).status_code == 302  # nothing happens
    client.post(url("offer", event), {"answer": "accept"})
    offered.refresh_from_db()
    assert offered.status == "confirmed"
    other = make_event(capacity=1)
    passed = make_registration(event=other, member=member, status=Status.OFFERED)
    client.post(url("offer", other), {"answer": "decline"})
    passed.refresh_from_db()
    assert passed.status == "declined"
    assert client.post(url("offer", other), {"answer": "nonsense"}).status_code == 404


def test_too_late_for_an_offer_says_so(client, member, clock):
    event = make_event(capacity=1)
    offered = make_registration(event=event, member=member, status=Status.OFFERED)
    clock.shift(timedelta(hours=25))
    client.force_login(member)
    assert "Your offer has passed" in page(client, event)
    response = client.post(url("offer", event), {"answer": "accept"}, follow=True)
    assert "This offer has ended" in response.content.decode()
    offered.refresh_from_db()
    assert offered.status == "expired"


def test_giving_up_asks_on_a_page_first(client, member):
    event = make_event()
    mine = make_registration(event=event, member=member)
    assert "Give your place up?" in client.get(url("cancel", event)).content.decode()
    mine.refresh_from_db()
    assert mine.status == "confirmed"
    client.post(url("cancel", event))
    mine.refresh_from_db()
    assert mine.status == "cancelled"
    assert client.get(url("cancel", event)).status_code == 302
    assert client.get(url("cancel", make_event())).status_code == 404


def test_closed_registration_says_so_and_changes_nothing(client, member):
    event = make_event(registration_closes_at=timezone.now() - timedelta(hours=1))
    response = client.post(url("register", event), follow=True)
    assert "Registration for this event is closed." in response.content.decode()
    assert not event.registrations.exists()


def test_silenced_member_has_no_button_and_no_way(client, member):
    member.status = "silenced"
    member.save()
    event = make_event()
    assert "Save me a place" not in page(client, event)
    assert client.post(url("register", event)).status_code == 403
    assert not event.registrations.exists()


# --- guests ------------------------------------------------------------------------------------------------------------
def test_guest_page_is_the_same_whether_the_address_is_known(client):
    event = make_event()
    make_registration(event=event, member=make_member(email="known@example.com"))
    form = {"name": "Ada", "time_zone": "Europe/London"}
    pages = [
        client.post(url("register", event), form | {"address": address})
        for address in ("known@example.com", "unknown@example.com")
    ]
    assert [answer.status_code for answer in pages] == [200, 200]
    assert pages[0].content == pages[1].content


def test_guest_form_keeps_what_was_typed(client):
    event = make_event()
    response = client.post(
        url("register", event), {"name": "Ada Guest", "address": "ada", "time_zone": "UTC"}
    )
    assert response.status_code == 422
    shown = response.content.decode()
    assert 'value="Ada Guest"' in shown
    assert "Error:" in shown
    assert not event.registrations.exists()


# --- the way in --------------------------------------------------------------------------------------------------------
def test_join_gate_opens_fifteen_minutes_before_and_notes_who_came(client, member, clock):
    event = make_event(starts_in=timedelta(minutes=20))
    mine = make_registration(event=event, member=member)
    client.force_login(member)
    assert "The doors are not open yet" in client.get(url("join", event)).content.decode()
    client.post(url("join", event))
    mine.refresh_from_db()
    assert mine.attended_at is None
    clock.shift(timedelta(minutes=6))
    assert "Go in" in client.get(url("join", event)).content.decode()
    mine.refresh_from_db()
    assert mine.attended_at is None  # looking is not coming
    response = client.post(url("join", event))
    assert 'content="0; url=https://meet.example.org/room-4471"' in response.content.decode()
    assert response["Referrer-Policy"] == "same-origin"  # nothing goes to the meeting’s site
    mine.refresh_from_db()
    assert mine.attended_at is not None


@pytest.mark.parametrize("status", [None, Status.WAITING, Status.OFFERED, Status.CANCELLED])
def test_join_gate_is_for_people_with_a_place(client, member, status):
    event = make_event(starts_in=timedelta(minutes=5))
    if status:
        make_registration(event=event, member=member, status=status)
    response = client.post(url("join", event))
    assert response.status_code == 403
    assert b"meet.example.org" not in response.content


def test_looking_changes_nothing(client, member):
    member.is_organiser = True
    member.save()
    event = make_event(capacity=1, organisers=[member])
    make_registration(event=event, member=member, status=Status.OFFERED)
    make_registration(event=event, status=Status.WAITING)
    client.get(reverse("events:index"))
    before = dump()
    for name in ("detail", "register", "cancel", "offer", "join", "calendar_file", "organise", "edit"):
        client.get(url(name, event))
    for name in ("call_off", "people_csv"):
        client.get(url(name, event))
    client.get(url("person", event, event.registrations.first().pk))
    client.get(reverse("events:past"))
    client.get(reverse("events:create"))
    assert dump() == before


def test_visible_to_and_can_view_event_agree():
    from django.contrib.auth.models import AnonymousUser

    from events.permissions import can_view_event

    organiser = make_member(is_organiser=True)
    friend = make_member()
    users = [
        AnonymousUser(),
        make_member(),
        organiser,
        friend,
        make_member(is_moderator=True),
        make_member(is_staff=True, is_superuser=True),
        make_member(status="silenced"),
        make_member(status="suspended", is_active=False),
        make_member(status="pending"),
    ]
    original = make_event()
    events = [original]
    for visibility in (0, 1):
        for published in (True, False):
            for rehearsal_of in (None, original):
                event = make_event(
                    visibility=visibility,
                    published=published,
                    rehearsal_of=rehearsal_of,
                    organisers=[organiser],
                )
                make_registration(event=event, member=friend)
                events.append(event)
    for user in users:
        seen = set(Event.objects.visible_to(user))
        assert {event for event in events if can_view_event(user, event)} == seen, user
