"""Pages behind links in mails: opening them changes nothing, whoever or whatever opens them; the button acts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from events import mails, services
from events.models import Kind, Status, Way
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import dump

pytestmark = pytest.mark.django_db


def path(link: str) -> str:
    return link.removeprefix("http://testserver")


@pytest.fixture
def event():
    return make_event(capacity=1)


@pytest.fixture
def offered(event):
    return make_registration(event=event, status=Status.OFFERED)


@pytest.fixture
def confirmed(event):
    return make_registration(event=event)


def make_unproven(event):
    services.request_guest_place(event=event, name="Ada", address="ada@example.com")
    return event.registrations.get(status=Status.UNPROVEN)


LINKS = {
    "offer": lambda event: mails.offer_url(make_registration(event=event, status=Status.OFFERED)),
    "cancel": lambda event: mails.cancel_url(make_registration(event=event)),
    "prove": lambda event: mails.prove_url(make_unproven(event)),
    "join": lambda event: mails.join_url(make_registration(event=event)),
}


@pytest.mark.parametrize("name", LINKS)
def test_opening_a_link_changes_nothing_and_tells_nobody(client, event, name):
    link = path(LINKS[name](event))
    before = dump()
    for method in (client.get, client.head, client.get):
        response = method(link)
        assert response.status_code == 200
        assert response["Referrer-Policy"] == "no-referrer"
        assert "no-store" in response["Cache-Control"]
    assert dump() == before


@pytest.mark.parametrize("name", LINKS)
def test_token_of_another_purpose_or_changed_is_worth_nothing(client, event, name):
    link = path(LINKS[name](event))
    token = link.split("/")[3]
    for other in LINKS.keys() - {name}:
        assert client.post(f"/mail/{other}/{token}/").status_code == 404
    assert client.get(link.replace(token, f"{token[:-2]}xx")).status_code == 404
    assert client.get(f"/mail/{name}/nonsense/").status_code == 404


def test_the_token_alone_is_the_right_to_act(offered):
    """No cookie is needed; browsers post "Origin: null" from pages that send no referrer."""
    strict = Client(enforce_csrf_checks=True)
    link = path(mails.offer_url(offered))
    assert strict.post(link, {"answer": "accept"}, headers={"Origin": "null"}).status_code == 200
    offered.refresh_from_db()
    assert offered.status == "confirmed"


def test_offer_is_taken_by_the_button_and_twice_is_once(client, offered):
    link = path(mails.offer_url(offered))
    assert "A place is yours until" in client.get(link).content.decode()
    for _press in range(2):
        assert "You have the place" in client.post(link, {"answer": "accept"}).content.decode()
    offered.refresh_from_db()
    assert offered.status == "confirmed"
    assert "You have the place" in client.get(link).content.decode()


def test_pages_tell_the_hour_by_the_clock_of_whoever_the_mail_was_for(client, event, clock):
    clock.move_to(datetime(2026, 11, 20, 12, tzinfo=UTC))
    event = make_event(starts_at=datetime(2026, 12, 1, 14, tzinfo=UTC))
    member = make_member(time_zone="Australia/Sydney")
    offered = make_registration(event=event, member=member, status=Status.OFFERED)
    for link in (mails.offer_url(offered), mails.cancel_url(offered)):
        shown = client.get(path(link)).content.decode()
        assert "Wednesday 2 December, 01:00" in shown
        assert "(Sydney, UTC+11)" in shown
    guest = make_registration(event=event, guest_address="ada@example.org", guest_time_zone="Asia/Amman")
    client.force_login(member)
    assert "Tuesday 1 December, 17:00" in client.get(path(mails.cancel_url(guest))).content.decode()


def test_offer_is_passed_on_by_the_button(client, event, offered):
    waiting = make_registration(event=event, status=Status.WAITING)
    page = client.post(path(mails.offer_url(offered)), {"answer": "decline"}).content.decode()
    assert "It goes to the next person" in page
    waiting.refresh_from_db()
    assert waiting.status == "offered"


def test_offer_link_after_its_end_says_so_and_passes_the_place_on(client, event, offered, clock):
    waiting = make_registration(event=event, status=Status.WAITING)
    link = path(mails.offer_url(offered))
    clock.shift(timedelta(hours=25))
    assert "This offer has ended" in client.get(link).content.decode()
    page = client.post(link, {"answer": "accept"}).content.decode()
    assert "This offer has ended" in page
    offered.refresh_from_db()
    assert offered.status != "confirmed"
    waiting.refresh_from_db()
    assert waiting.status in ("waiting", "offered")


def test_offer_of_a_cancelled_event_cannot_be_taken(client, event, offered):
    organiser = make_member(is_organiser=True)
    event.organisers.add(organiser)
    services.cancel_event(event=event, actor=organiser)
    page = client.post(path(mails.offer_url(offered)), {"answer": "accept"}).content.decode()
    assert "This event will not take place" in page
    offered.refresh_from_db()
    assert offered.status == "offered"


def test_place_is_given_up_by_the_button_and_twice_is_once(client, event, confirmed):
    waiting = make_registration(event=event, status=Status.WAITING)
    link = path(mails.cancel_url(confirmed))
    assert "1 person is waiting." in client.get(link).content.decode()
    for _press in range(2):
        assert "You gave up your place" in client.post(link).content.decode()
    confirmed.refresh_from_db()
    waiting.refresh_from_db()
    assert (confirmed.status, waiting.status) == ("cancelled", "offered")


def test_cancel_link_ends_with_the_event(client, confirmed, clock):
    link = path(mails.cancel_url(confirmed))
    clock.shift(timedelta(days=10))
    assert "This event is over" in client.get(link).content.decode()
    client.post(link)
    confirmed.refresh_from_db()
    assert confirmed.status == "confirmed"


@pytest.mark.parametrize(
    ("fields", "wishes", "says"),
    [
        ({"needs_approval": True}, {}, "The organisers have your request"),
        ({"offers_recording": True}, {"recording_only": True}, "You get the recording"),
    ],
)
def test_guest_reads_what_became_of_the_press(client, fields, wishes, says):
    event = make_event(**fields)
    services.request_guest_place(event=event, name="Ada", address="ada@example.com", **wishes)
    link = path(mails.prove_url(event.registrations.get()))
    for _press in range(2):
        assert f"<h1>{says}</h1>" in client.post(link).content.decode()


@pytest.mark.parametrize(
    ("status", "asks", "counts"),
    [
        (Status.REQUESTED, "Take your request back?", False),
        (Status.RECORDING, "No recording for you?", False),
        (Status.WAITING, "Leave the list?", False),
        (Status.CONFIRMED, "Give your place up?", True),
    ],
)
def test_leaving_names_what_one_leaves_and_who_else_waits_for_it(client, status, asks, counts):
    event = make_event(kind=Kind.HYBRID, capacity=1, online_capacity=1)
    member = make_member()
    mine = make_registration(event=event, member=member, status=status, way=Way.ROOM)
    make_registration(event=event, status=Status.WAITING, way=Way.ROOM)
    make_registration(event=event, status=Status.WAITING, way=Way.ONLINE)
    shown = client.get(path(mails.cancel_url(mine))).content.decode()
    assert f"<h1>{asks}</h1>" in shown
    assert ("1 person is waiting." in shown) is counts
    client.force_login(member)
    assert (
        f"<h1>{asks}</h1>"
        in client.get(reverse("events:cancel", args=[event.pk, event.slug])).content.decode()
    )


def test_guest_is_registered_by_the_button(client, event):
    unproven = make_unproven(event)
    link = path(mails.prove_url(unproven))
    assert "One press, and it counts" in client.get(link).content.decode()
    for _press in range(2):
        assert "You have a place" in client.post(link).content.decode()
    unproven.refresh_from_db()
    assert unproven.status == "confirmed"


def test_guest_proof_lasts_three_days(client, event, clock):
    unproven = make_unproven(event)
    link = path(mails.prove_url(unproven))
    clock.shift(timedelta(days=3, seconds=1))
    assert "This link has ended" in client.get(link).content.decode()
    client.post(link)
    unproven.refresh_from_db()
    assert unproven.status == "unproven"


def test_guest_who_comes_too_late_reads_why(client, event):
    unproven = make_unproven(event)
    event.registration_closes_at = event.starts_at - timedelta(days=20)
    event.save()
    page = client.post(path(mails.prove_url(unproven))).content.decode()
    assert "Registration is closed" in page


def test_personal_way_in_needs_no_account(client, clock):
    event = make_event(starts_in=timedelta(minutes=10))
    guest = make_registration(event=event, guest_address="ada@example.com", guest_name="Ada")
    link = path(mails.join_url(guest))
    assert b"meet.example.org" not in client.get(link).content
    assert b"meet.example.org" in client.post(link).content
    guest.refresh_from_db()
    assert guest.attended_at is not None
    left = make_registration(event=event, guest_address="b@example.com", status=Status.CANCELLED)
    assert b"meet.example.org" not in client.post(path(mails.join_url(left))).content


def test_nobody_needs_a_session(client, confirmed):
    client.get(path(mails.cancel_url(confirmed)))
    assert "session" not in client.cookies
    assert reverse("events_mail:cancel", args=["x"]) == "/mail/cancel/x/"
