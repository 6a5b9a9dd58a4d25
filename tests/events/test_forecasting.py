"""What the forecast learns from, what it says on the page, and the button that offers more places."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from events.forecast import Past
from events.forecasting import Expected, forecast_context
from events.models import Event, Kind, Status, Visibility
from tests.factories import make_member
from tests.factories.events import make_event, make_registration
from tests.factories.groups import make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser(client):
    organiser = make_member(is_organiser=True, time_zone="Europe/London")
    client.force_login(organiser)
    return organiser


def fill(event, count, **fields):
    return [make_registration(event=event, **fields) for _number in range(count)]


def over(organiser, came, places, **fields):
    """An event that is over; a month ago unless told."""
    event = make_event(
        organisers=[organiser], starts_in=fields.pop("starts_in", -timedelta(days=30)), **fields
    )
    fill(event, came, attended_at=event.starts_at)
    fill(event, places - came)
    return event


def only(event):
    [expected] = forecast_context(event)["forecasts"]
    return expected


def past_of(event):
    return only(event).past


def test_forecast_learns_from_the_same_organisers_past_events_one_by_one(organiser):
    over(organiser, 4, 10)
    over(organiser, 2, 8, starts_in=-timedelta(days=60))
    over(make_member(), 9, 9)  # somebody else's
    over(organiser, 0, 7)  # nobody was counted there
    over(organiser, 3, 5, cancelled_at=timezone.now())
    over(organiser, 3, 5, published_at=None)
    over(organiser, 3, 5, starts_in=timedelta(days=3))  # not over
    over(organiser, 3, 5, postponed_at=timezone.now())  # nor is this
    parent = make_event()
    over(organiser, 3, 5, rehearsal_of=parent)
    event = make_event(capacity=20, organisers=[organiser])
    fill(event, 3)
    assert past_of(event) == (Past(2, 8), Past(4, 10))
    assert (only(event).events, only(event).came_share) == (2, 32)  # the mean of 25 and 40, not 6 of 18


def test_who_left_or_never_had_a_place_is_not_in_the_past(organiser):
    event = over(organiser, 2, 3)
    fill(event, 2, status=Status.SOFT, attended_at=timezone.now())
    fill(event, 1, status=Status.SOFT)
    for status in (Status.WAITING, Status.CANCELLED, Status.EXPIRED, Status.RECORDING, Status.REMOVED):
        fill(event, 1, status=status)
    coming = make_event(organisers=[organiser])
    fill(coming, 1)
    assert past_of(coming) == (Past(4, 6),)


def test_rooms_learn_from_rooms_and_links_from_links(organiser):
    over(organiser, 1, 2, kind=Kind.IN_PERSON)
    over(organiser, 1, 3, kind=Kind.WORKSHOP)
    both = make_event(organisers=[organiser], starts_in=-timedelta(days=9), kind=Kind.HYBRID)
    for way, size in (("room", 4), ("online", 5)):
        fill(both, size, way=way)
        fill(both, 1, way=way, attended_at=both.starts_at)
    event = make_event(organisers=[organiser], kind=Kind.HYBRID, capacity=9, online_capacity=30)
    fill(event, 1, way="room")
    fill(event, 1, way="online")
    found = {expected.way: expected.past for expected in forecast_context(event)["forecasts"]}
    assert found == {"room": (Past(1, 2), Past(1, 5)), "online": (Past(1, 3), Past(1, 6))}


def test_what_a_group_or_the_invited_did_teaches_nobody_else(organiser):
    group, other = make_group(), make_group()
    over(organiser, 1, 2)
    over(organiser, 1, 3, visibility=Visibility.GROUP, group=group)
    over(organiser, 1, 4, visibility=Visibility.GROUP, group=other)
    over(organiser, 1, 5, visibility=Visibility.INVITED)
    public = make_event(organisers=[organiser])
    of_group = make_event(organisers=[organiser], visibility=Visibility.GROUP, group=group)
    for event in (public, of_group):
        fill(event, 1)
    assert past_of(public) == (Past(1, 2),)
    assert past_of(of_group) == (Past(1, 2), Past(1, 3))


def test_advice_before_anybody_was_asked(organiser):
    """The founding event: 100 places, 30 waiting, and one past event of 40 in 100."""
    over(organiser, 40, 100)
    event = make_event(capacity=100, organisers=[organiser])
    fill(event, 100)
    fill(event, 45, status=Status.WAITING)
    expected = only(event)
    assert tuple(expected.now) == (15, 42, 73)
    assert (expected.more, expected.may_offer, expected.is_for_all) == (37, True, False)
    assert expected.groups == (("everybody", 100, 42),)
    event.registrations.filter(pk__in=event.registrations.filter(status=Status.WAITING)[30:]).delete()
    assert (only(event).more, only(event).is_for_all) == (30, True)


def test_free_places_and_offers_count_as_given_out(organiser):
    over(organiser, 40, 100)
    event = make_event(capacity=100, organisers=[organiser])
    fill(event, 60)
    fill(event, 10, status=Status.OFFERED)
    fill(event, 5, status=Status.OFFERED, offer_expires_at=timezone.now() - timedelta(minutes=1))
    fill(event, 45, status=Status.WAITING)
    expected = only(event)
    assert (expected.held, expected.more) == (70, 37)  # the 30 that are free go to the first of them anyway


@pytest.mark.parametrize(
    ("starts_in", "silent_share"), [(timedelta(hours=40), 45), (timedelta(hours=20), 25)]
)
def test_after_the_question_those_who_said_yes_or_nothing_or_came_later_are_looked_at_apart(
    organiser, starts_in, silent_share
):
    """Silence says little while there is time to answer."""
    event = make_event(capacity=30, organisers=[organiser], starts_in=starts_in)
    asked_at = event.starts_at - timedelta(hours=72)
    fill(event, 12, asked_at=asked_at, said_yes_at=asked_at)
    fill(event, 8, asked_at=asked_at)
    fill(event, 2, asked_at=asked_at, status=Status.SOFT)
    fill(event, 3, asked_at=asked_at, status=Status.CANCELLED)
    fill(event, 4)
    fill(event, 1, status=Status.OFFERED)
    fill(event, 20, status=Status.WAITING)
    expected = only(event)
    assert expected.groups == (("yes", 12, 80), ("silent", 10, silent_share), ("new", 5, 65))
    answers = expected.answers
    assert (answers.asked_at, answers.coming, answers.left, answers.silent) == (asked_at, 12, 3, 10)


def test_groups_learn_each_from_its_own(organiser):
    past = over(organiser, 6, 9)
    past.registrations.filter(attended_at=None).update(asked_at=past.starts_at)
    past.registrations.exclude(attended_at=None).update(asked_at=past.starts_at, said_yes_at=past.starts_at)
    over(organiser, 5, 10)  # nobody was asked there: says nothing about the groups
    event = make_event(capacity=30, organisers=[organiser], starts_in=timedelta(hours=20))
    fill(event, 5, asked_at=timezone.now(), said_yes_at=timezone.now())
    fill(event, 5, asked_at=timezone.now())
    groups = {kind: share for kind, _size, share in only(event).groups}
    assert groups["yes"] > 80
    assert groups["silent"] < 25


@pytest.mark.parametrize(
    ("risk", "one_in"),
    [(0.0009, 0), (0.001, 1000), (1 / 138, 130), (1 / 51.4, 50), (1 / 28, 25), (1 / 20.5, 20), (0.3, 3)],
)
def test_small_chances_are_told_in_round_numbers_never_smaller_than_they_are(risk, one_in):
    told = Expected(None, "", 12, 3, 12, None, 0.0, risk_then=risk)
    assert told.one_in == one_in


def test_nothing_is_expected_of_a_draft_or_of_what_is_not_to_come(organiser):
    now = timezone.now()
    for fields in (
        {"published": False},
        {"cancelled_at": now},
        {"postponed_at": now},
        {"starts_in": -timedelta(minutes=1)},
        {"rehearsal_of": make_event()},
    ):
        event = make_event(organisers=[organiser], **fields)
        fill(event, 2)
        assert forecast_context(event) == {"forecasts": []}
    assert forecast_context(make_event(organisers=[organiser])) == {"forecasts": []}  # nobody has a place


def test_no_advice_without_a_limit_without_a_queue_or_in_the_last_three_hours(organiser):
    for fields, waiting in (
        ({}, 2),
        ({"capacity": 3}, 0),
        ({"capacity": 3, "starts_in": timedelta(hours=2)}, 2),
    ):
        event = make_event(organisers=[organiser], **fields)
        fill(event, 3)
        fill(event, waiting, status=Status.WAITING)
        assert (only(event).may_offer, only(event).more) == (False, 0)


@pytest.mark.parametrize("count", [1, 50])
def test_forecast_costs_two_queries_at_any_length(organiser, count, django_assert_num_queries):
    for number in range(count // 5 + 1):
        over(organiser, 1, 2, starts_in=-timedelta(days=2 + number))
    event = make_event(capacity=count, organisers=[organiser])
    fill(event, count)
    fill(event, count, status=Status.WAITING)
    assert event.organiser_ids == {organiser.pk}
    with django_assert_num_queries(2):
        forecast_context(event)


# --- the page --------------------------------------------------------------------------------------------------------
def address(event):
    return reverse("events:forecast", args=[event.pk, event.slug])


@pytest.fixture
def event(organiser):
    over(organiser, 4, 10)
    event = make_event(capacity=10, organisers=[organiser])
    fill(event, 10)
    fill(event, 8, status=Status.WAITING)
    return event


def test_page_says_it_in_words_and_numbers(client, event):
    text = " ".join(client.get(address(event)).content.decode().split())
    assert "1 to 8 people" in text
    assert "Based on one past event, where 40 in 100 came." in text
    assert "Our advice: 2 more places can be offered, to the first of the 8 who wait." in text
    assert "4 of 10" in text


def test_button_offers_as_many_as_it_says_and_a_second_press_does_nothing(client, event):
    press = {"way": "", "count": "2", "places": "10"}
    first = client.post(address(event), press, follow=True)
    assert "2 places were offered." in first.content.decode()
    event = Event.objects.get(pk=event.pk)
    assert (event.overbooking, event.occupancy().offered, event.occupancy().waiting) == (2, 2, 6)
    second = client.post(address(event), press, follow=True)
    assert "Nothing was offered; look again." in second.content.decode()
    assert Event.objects.get(pk=event.pk).overbooking == 2


@pytest.mark.parametrize("count", ["9", "0", "-1", "many", ""])
def test_another_number_is_at_most_those_who_wait(client, event, count):
    answer = client.post(address(event), {"way": "", "count": count, "places": "10"})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["count"]
    assert Event.objects.get(pk=event.pk).overbooking == 0
    client.post(address(event), {"way": "", "count": "8", "places": "10"})
    assert Event.objects.get(pk=event.pk).overbooking == 8


def test_nothing_is_offered_once_nobody_waits_or_offers_are_over(client, event):
    event.registrations.filter(status=Status.WAITING).delete()
    answer = client.post(address(event), {"way": "", "count": "2", "places": "10"}, follow=True)
    assert "Nothing was offered; look again." in answer.content.decode()
    assert Event.objects.get(pk=event.pk).overbooking == 0


def test_forecast_is_the_organisers_and_a_404_for_everybody_else(client, event):
    assert client.get(address(event)).status_code == 200
    client.force_login(make_member(is_organiser=True))
    assert client.get(address(event)).status_code == 404
    assert client.post(address(event), {"way": "", "count": "2", "places": "10"}).status_code == 404
    assert Event.objects.get(pk=event.pk).overbooking == 0
