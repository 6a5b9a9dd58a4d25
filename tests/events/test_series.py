"""Events that come back: their dates, changing one or all that follow, calling them off; each tells its people once."""

import zoneinfo
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from events import services
from events.forms.series import ways_to_repeat
from events.models import MOST_DATES, Event, Series
from events.recurrence import BadRule, shifted, slots
from events.services import series as series_services
from kmnet.core.models import Activity
from tests.factories import make_member
from tests.factories.events import make_event, make_registration, make_session_item

from .helpers import calendar_of, dump, entry_of, post, to

LONDON = zoneinfo.ZoneInfo("Europe/London")


# --- dates -------------------------------------------------------------------------------------------------------------
def local(rule: str, first: datetime, zone: str) -> list[str]:
    return [
        f"{slot.at.astimezone(zoneinfo.ZoneInfo(zone)):%Y-%m-%d %H:%M %z}"
        for slot in slots(rule, first, zone)
    ]


def test_hour_stays_the_hour_when_the_clocks_change():
    first = datetime(2027, 3, 16, 13, tzinfo=UTC)
    assert local("FREQ=WEEKLY;COUNT=4", first, "Europe/London") == [
        "2027-03-16 13:00 +0000",
        "2027-03-23 13:00 +0000",
        "2027-03-30 13:00 +0100",
        "2027-04-06 13:00 +0100",
    ]


def test_skipped_time_moves_forward_and_a_doubled_one_is_the_first():
    first = datetime(2027, 3, 21, 1, 30, tzinfo=UTC)
    spring = slots("FREQ=WEEKLY;COUNT=3", first, "Europe/London")
    assert [(slot.at, slot.moved, slot.twice) for slot in spring] == [
        (first, False, False),
        (datetime(2027, 3, 28, 1, 30, tzinfo=UTC), True, False),  # the clock shows 02:30
        (datetime(2027, 4, 4, 0, 30, tzinfo=UTC), False, False),
    ]
    autumn = slots("FREQ=WEEKLY;COUNT=2", datetime(2027, 10, 24, 0, 30, tzinfo=UTC), "Europe/London")
    assert [(slot.at, slot.moved, slot.twice) for slot in autumn][1] == (
        datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
        False,
        True,
    )


def test_leap_day_and_the_end_of_months():
    assert local("FREQ=MONTHLY;BYMONTHDAY=29;COUNT=3", datetime(2028, 1, 29, 9, tzinfo=UTC), "UTC") == [
        "2028-01-29 09:00 +0000",
        "2028-02-29 09:00 +0000",
        "2028-03-29 09:00 +0000",
    ]
    assert local("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", datetime(2027, 1, 31, 9, tzinfo=UTC), "UTC")[1:] == [
        "2027-03-31 09:00 +0000",
        "2027-05-31 09:00 +0000",
    ]
    assert local("FREQ=MONTHLY;BYDAY=-1TU;COUNT=3", datetime(2027, 1, 26, 9, tzinfo=UTC), "UTC")[1:] == [
        "2027-02-23 09:00 +0000",
        "2027-03-30 09:00 +0000",
    ]


def test_the_last_day_is_a_day_of_the_events_zone():
    """Half past eleven at night in New York is the next day in UTC."""
    first = datetime(2027, 6, 2, 3, 30, tzinfo=UTC)
    rule = "FREQ=DAILY;UNTIL=20270604T035959Z"  # the third of June, 23:59:59 there
    assert local(rule, first, "America/New_York") == [f"2027-06-0{day} 23:30 -0400" for day in (1, 2, 3)]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("FREQ=WEEKLY", "endless"),
        ("FREQ=SECONDLY;COUNT=3", "malformed"),
        ("FREQ=WEEKLY;INTERVAL=0;COUNT=3", "malformed"),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20270101T000000Z", "malformed"),
        ("FREQ=WEEKLY;COUNT=3;BYHOUR=1,2", "malformed"),
        ("FREQ=WEEKLY;COUNT=3;COUNT=4", "malformed"),
        ("FREQ=WEEKLY;BYDAY=2TU;COUNT=3", "malformed"),
        ("FREQ=WEEKLY;BYDAY=WE;COUNT=3", "malformed"),  # the start is a Tuesday
        ("FREQ=DAILY;UNTIL=20271399T000000Z", "malformed"),
        ("", "malformed"),
        ("FREQ=WEEKLY;COUNT=1", "too_few"),
        ("FREQ=WEEKLY;UNTIL=20260101T000000Z", "too_few"),
        ("FREQ=WEEKLY;COUNT=61", "too_many"),
        ("FREQ=DAILY;UNTIL=20990101T000000Z", "too_many"),
        ("FREQ=YEARLY;COUNT=6", "too_far"),
    ],
)
def test_rules_that_are_refused(rule, code):
    with pytest.raises(BadRule) as refused:
        slots(rule, datetime(2027, 3, 16, 13, tzinfo=UTC), "Europe/London")
    assert refused.value.code == code


def test_each_offered_way_begins_with_the_event_itself():
    for day in range(1, 29):
        first = datetime(2027, 1, day, 9, tzinfo=UTC)
        for rule, words in ways_to_repeat(first):
            dates = slots(f"{rule};COUNT=4", first, "UTC")
            assert (dates[0].at, len(dates)) == (first, 4), words
            assert all(one.at < other.at for one, other in pairwise(dates))


@settings(max_examples=30, deadline=None)
@given(
    zone=st.sampled_from(["Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    which=st.integers(0, 10),
)
def test_every_date_shows_the_hour_of_the_first_or_says_why_not(zone, start, which):
    there = zoneinfo.ZoneInfo(zone)
    first = start.replace(microsecond=0, tzinfo=there).astimezone(UTC)
    shown = first.astimezone(there)
    ways = ways_to_repeat(shown)
    found = slots(f"{ways[which % len(ways)][0]};COUNT=12", first, zone)
    assert all(one.at < other.at for one, other in pairwise(found))
    for slot in found[1:]:
        same = slot.at.astimezone(there).time() == shown.time()
        assert same != slot.moved
        assert not slot.twice or slot.at.astimezone(there).fold == 0


# --- making ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def organiser():
    return make_member(is_organiser=True, time_zone="Europe/London")


@pytest.fixture
def first(organiser, clock):
    clock.move_to(datetime(2027, 3, 1, 12, tzinfo=UTC))
    return make_event(
        title="Journal club",
        slug="journal-club",
        organisers=[organiser, make_member(is_organiser=True)],
        starts_at=datetime(2027, 3, 16, 13, tzinfo=UTC),
        ends_at=datetime(2027, 3, 16, 14, tzinfo=UTC),
        registration_closes_at=datetime(2027, 3, 15, 13, tzinfo=UTC),
        capacity=20,
        meeting_url="https://meet.example.org/club",
    )


@pytest.fixture
def dates(first, organiser) -> list[Event]:
    """Four Tuesdays; between the second and the third the clocks go forward."""
    services.make_series(event=first, actor=organiser, rule="FREQ=WEEKLY;COUNT=4")
    return list(Event.objects.order_by("slot"))


pytestmark = pytest.mark.django_db


def clocks(events) -> list[str]:
    return [
        f"{one.starts_at.astimezone(LONDON):%d %H:%M}-{one.ends_at.astimezone(LONDON):%H:%M}"
        for one in events
    ]


def again(events) -> list[Event]:
    return list(Event.objects.filter(pk__in=[one.pk for one in events]).order_by("slot"))


def test_each_date_is_an_event_of_its_own(first, organiser):
    make_session_item(event=first, starts_at=first.starts_at + timedelta(minutes=10))
    services.make_series(event=first, actor=organiser, rule="FREQ=WEEKLY;COUNT=4")
    found = list(Event.objects.order_by("slot"))
    assert clocks(found) == ["16 13:00-14:00", "23 13:00-14:00", "30 13:00-14:00", "06 13:00-14:00"]
    assert [one.slot for one in found] == [one.starts_at for one in found]
    assert len({one.uid for one in found}) == 4
    assert {(one.title, one.capacity, one.meeting_url, one.published_at is None) for one in found} == {
        ("Journal club", 20, "https://meet.example.org/club", False)
    }
    assert [f"{one.registration_closes_at.astimezone(LONDON):%a %H:%M}" for one in found] == ["Mon 13:00"] * 4
    assert [one.sessions.get().starts_at - one.starts_at for one in found] == [timedelta(minutes=10)] * 4
    assert [set(one.organisers.all()) == set(first.organisers.all()) for one in found] == [True] * 4
    assert post() == []


def test_made_twice_is_made_once(first, organiser):
    for _twice in range(2):
        services.make_series(event=first, actor=organiser, rule="FREQ=WEEKLY;COUNT=4")
    assert (Series.objects.count(), Event.objects.count()) == (1, 4)


def test_nobody_else_makes_a_series_and_an_admin_does_not_come_to_run_it(first):
    with pytest.raises(PermissionDenied):
        services.make_series(event=first, actor=make_member(is_organiser=True), rule="FREQ=WEEKLY;COUNT=4")
    admin = make_member(is_superuser=True, is_staff=True)
    services.make_series(event=first, actor=admin, rule="FREQ=WEEKLY;COUNT=4")
    assert Event.objects.filter(organisers=admin).count() == 0


@pytest.mark.parametrize("state", ["begun", "called off"])
def test_what_does_not_take_place_does_not_come_back(first, organiser, clock, state):
    if state == "begun":
        clock.move_to(first.starts_at)
    else:
        services.cancel_event(event=first, actor=organiser)
    with pytest.raises(services.EventOver):
        services.make_series(event=first, actor=organiser, rule="FREQ=WEEKLY;COUNT=4")
    assert Event.objects.count() == 1


def test_drafts_are_published_together_and_announced_once(first, organiser):
    Event.objects.update(published_at=None)
    first.refresh_from_db()
    services.make_series(event=first, actor=organiser, rule="FREQ=WEEKLY;COUNT=4")
    found = list(Event.objects.order_by("slot"))
    assert [one.published_at for one in found] == [None] * 4
    services.publish_event(event=found[3], actor=organiser)
    assert services.publish_following(event=found[1], actor=organiser) == 2
    assert [one.published_at is None for one in again(found)] == [True, False, False, False]
    assert Activity.objects.filter(verb="events.published").count() == 2


def test_digest_tells_of_the_next_date_alone(first, organiser, clock):
    other = make_event(title="Once", published_at=first.published_at)
    services.make_series(event=first, actor=organiser, rule="FREQ=WEEKLY;COUNT=4")
    found = list(Event.objects.order_by("slot"))
    Event.objects.update(published_at=datetime(2027, 3, 2, tzinfo=UTC))
    reader = make_member()

    def told(until):
        return list(Event.objects.for_digest(reader, datetime(2027, 3, 1, tzinfo=UTC), until))

    assert told(datetime(2027, 3, 8, tzinfo=UTC)) == [other, first]
    services.cancel_event(event=first, actor=organiser)
    assert told(datetime(2027, 3, 8, tzinfo=UTC)) == [other, found[1]]


# --- changing ----------------------------------------------------------------------------------------------------------
def test_changing_one_leaves_the_others_and_the_series_leaves_it(dates, organiser):
    services.update_event(
        event=dates[2],
        actor=organiser,
        title="With a guest",
        starts_at=dates[2].starts_at - timedelta(hours=1),
    )
    assert [one.is_detached for one in again(dates)] == [False, False, True, False]
    services.update_following(event=dates[1], actor=organiser, title="Reading club")
    found = again(dates)
    assert [one.title for one in found] == ["Journal club", "Reading club", "With a guest", "Reading club"]
    assert [one.is_detached for one in found] == [False, False, True, False]
    assert clocks(found)[2] == "30 12:00-14:00"


def test_new_time_moves_this_and_the_following_on_the_clock(dates, organiser):
    services.update_following(
        event=dates[1],
        actor=organiser,
        starts_at=shifted(dates[1].starts_at, timedelta(days=1, hours=3), LONDON),
        ends_at=shifted(dates[1].ends_at, timedelta(days=1, hours=3, minutes=30), LONDON),
    )
    found = again(dates)
    assert clocks(found) == ["16 13:00-14:00", "24 16:00-17:30", "31 16:00-17:30", "07 16:00-17:30"]
    assert [one.slot for one in found] == [one.slot for one in dates]  # its name within the series
    assert [f"{one.registration_closes_at.astimezone(LONDON):%a %H:%M}" for one in found] == [
        "Mon 13:00",
        *["Tue 16:00"] * 3,
    ]


def test_each_date_tells_its_own_people_once(dates, organiser):
    often, seldom = make_member(email="often@example.org"), make_member(email="seldom@example.org")
    for one in dates:
        make_registration(event=one, member=often)
    make_registration(event=dates[0], member=seldom)
    services.update_following(event=dates[1], actor=organiser, venue="Room 4")
    messages = post()
    assert [len(to(messages, member.email)) for member in (often, seldom)] == [3, 0]
    entries = [entry_of(calendar_of(message)[1]) for message in messages]
    assert {str(entry["UID"]) for entry in entries} == {one.uid for one in dates[1:]}
    assert {int(entry["SEQUENCE"]) for entry in entries} == {1}
    assert services.update_following(event=dates[1], actor=organiser, venue="Room 4") != []
    assert post() == []  # nothing is different


def test_nothing_moves_where_one_cannot(dates, organiser):
    before = clocks(again(dates))
    with pytest.raises(services.EventOver):
        services.update_following(
            event=dates[1],
            actor=organiser,
            starts_at=dates[1].starts_at - timedelta(days=60),
            ends_at=dates[1].ends_at - timedelta(days=60),
        )
    assert clocks(again(dates)) == before


def test_places_change_together_or_not_at_all(client, dates, organiser):
    for _each in range(2):
        make_registration(event=dates[2])
    Event.objects.filter(pk=dates[2].pk).update(capacity=2)
    waiting = make_registration(event=dates[2], status="waiting")
    services.update_following(event=dates[1], actor=organiser, capacity=3)
    assert [one.capacity for one in again(dates)] == [20, 3, 3, 3]
    waiting.refresh_from_db()
    assert waiting.status == "offered"
    with pytest.raises(services.DateTooFull) as refused:
        services.update_following(event=dates[1], actor=organiser, capacity=1, title="Small")
    assert (refused.value.event, refused.value.to_free) == (dates[2], 2)
    assert [(one.capacity, one.title) for one in again(dates)[1:]] == [(3, "Journal club")] * 3
    client.force_login(organiser)
    shown = {
        "title": "Journal club",
        "starts": "2027-03-23T13:00",
        "ends": "2027-03-23T14:00",
        "capacity": "1",
    }
    response = client.post(at(dates[1], "series_edit"), shown)
    assert response.status_code == 422
    assert "Tuesday 30 March: 3 places are held. 2 must be freed first." in response.content.decode()
    services.update_following(event=dates[1], actor=organiser, capacity=None)
    assert [one.capacity for one in again(dates)] == [20, None, None, None]


def test_a_postponed_date_waits_for_its_own_new_day(dates, organiser):
    services.postpone_event(event=dates[2], actor=organiser)
    services.update_following(
        event=dates[1],
        actor=organiser,
        starts_at=dates[1].starts_at + timedelta(hours=1),
        ends_at=dates[1].ends_at + timedelta(hours=1),
    )
    found = again(dates)
    assert clocks(found)[1:] == ["23 14:00-15:00", "30 13:00-14:00", "06 14:00-15:00"]
    assert [one.is_postponed for one in found] == [False, False, True, False]


def test_only_dates_of_ones_own_are_changed(dates):
    second, stranger = dates[0].organisers.order_by("pk").last(), make_member(is_organiser=True)
    dates[2].organisers.remove(second)
    services.update_following(event=dates[1], actor=second, title="Mine")
    assert [one.title for one in again(dates)] == ["Journal club", "Mine", "Journal club", "Mine"]
    for deed in (services.update_following, services.cancel_following, services.publish_following):
        with pytest.raises(PermissionDenied):
            deed(event=dates[1], actor=stranger)


# --- calling off -------------------------------------------------------------------------------------------------------
def test_calling_off_one_leaves_the_others(dates, organiser):
    services.cancel_event(event=dates[1], actor=organiser)
    assert [one.cancelled_at is None for one in again(dates)] == [True, False, True, True]


def test_calling_off_this_and_the_following_tells_each_once(dates, organiser):
    noor = make_member(email="noor@example.org")
    for one in dates:
        make_registration(event=one, member=noor)
    services.update_event(event=dates[2], actor=organiser, title="By itself")
    post()
    assert services.cancel_following(event=dates[1], actor=organiser, reason="No room.") == 3
    assert [one.cancelled_at is None for one in again(dates)] == [True, False, False, False]
    messages = to(post(), "noor@example.org")
    assert len(messages) == 3
    assert {str(entry_of(calendar_of(message)[1])["STATUS"]) for message in messages} == {"CANCELLED"}
    with pytest.raises(services.EventOver):
        services.cancel_following(event=dates[1], actor=organiser)
    assert post() == []


# --- pages -------------------------------------------------------------------------------------------------------------
def at(event: Event, name: str = "series") -> str:
    return reverse(f"events:{name}", args=[event.pk, event.slug])


def test_dates_are_shown_before_they_are_made(client, first, organiser):
    client.force_login(organiser)
    assert "Every week on Tuesday" in client.get(at(first)).content.decode()
    asked = {"often": "FREQ=WEEKLY", "times": "4", "act": "preview"}
    before = dump()
    response = client.post(at(first), asked)
    words = response.content.decode()
    assert response.status_code == 200
    assert "Tuesday 30 March</strong>, 13:00 to 14:00 (London, UTC+1)" in words
    assert "Make these 4 dates" in words
    assert dump() == before
    assert client.post(at(first), asked | {"act": "make"})["Location"] == at(first)
    assert Event.objects.count() == 4
    assert client.post(at(first), asked | {"act": "make"}).status_code == 302  # pressed twice
    assert Event.objects.count() == 4
    words = client.get(at(first)).content.decode()
    assert words.count("<tr>") == 5
    assert "This date and the following, 4 in all" in words


def test_page_of_a_date_leads_to_the_others_that_its_reader_may_see(client, dates, clock):
    Event.objects.filter(pk=dates[3].pk).update(published_at=None)
    clock.move_to(dates[1].starts_at)
    assert client.get(dates[1].get_absolute_url()).context["series_dates"] == [dates[2]]
    assert client.get(dates[0].get_absolute_url()).context["series_dates"] == [dates[1], dates[2]]
    once = make_event()
    assert client.get(once.get_absolute_url()).context["series_dates"] == []


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "Say how many times, or until when: one of the two."),
        ({"times": "4", "until": "2027-06-01"}, "Say how many times, or until when: one of the two."),
        ({"until": "2027-03-17"}, "That is one date only."),
        ({"until": "9999-12-31"}, "At most three years ahead."),
        ({"often": "FREQ=SECONDLY", "times": "4"}, "Select a valid choice."),
        ({"times": str(MOST_DATES + 1)}, "less than or equal to 60"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(client, first, organiser, asked, words):
    client.force_login(organiser)
    response = client.post(at(first), {"often": "FREQ=WEEKLY", "act": "make"} | asked)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert response.content.decode().count('class="error-summary"') == 1
    assert Event.objects.count() == 1


def test_following_dates_are_changed_and_called_off_on_their_pages(client, dates, organiser):
    client.force_login(organiser)
    page = client.get(at(dates[1], "series_edit"))
    shown = {
        name: value for name, value in page.context["form"].initial.items() if value not in (None, False)
    }
    shown |= {"starts": "2027-03-23T15:00", "ends": "2027-03-23T16:00", "title": "Reading club"}
    assert client.post(at(dates[1], "series_edit"), shown | {"title": ""}).status_code == 422
    response = client.post(at(dates[1], "series_edit"), shown)
    found = again(dates)
    assert response["Location"] == at(found[1])
    assert clocks(found) == ["16 13:00-14:00", "23 15:00-16:00", "30 15:00-16:00", "06 15:00-16:00"]
    assert [one.meeting_url for one in found] == ["https://meet.example.org/club"] * 4
    assert "3 dates" in client.get(at(found[1], "series_call_off")).content.decode()
    client.post(at(found[1], "series_call_off"), {"reason": "No room."})
    assert [one.cancel_reason for one in again(dates)] == ["", *["No room."] * 3]


def test_hour_that_is_skipped_is_refused_and_one_that_comes_twice_is_asked(client, dates, organiser):
    client.force_login(organiser)
    shown = {
        "title": "Journal club",
        "capacity": "20",
        "starts": "2027-03-28T01:30",
        "ends": "2027-03-28T03:30",
    }
    response = client.post(at(dates[1], "series_edit"), shown)
    assert response.status_code == 422
    assert "01:30 does not exist in Europe/London" in response.content.decode()
    shown = {"title": "Journal club", "starts": "2027-10-31T01:30", "ends": "2027-10-31T03:30"}
    response = client.post(at(dates[1], "series_edit"), shown)
    assert response.status_code == 422
    assert "01:30 comes twice in Europe/London" in response.content.decode()
    client.post(at(dates[1], "series_edit"), shown | {"starts_which": "later"})
    found = again(dates)
    assert found[1].starts_at == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    assert clocks(found)[2] == "07 01:30-03:30"


def test_pages_of_a_series_are_for_its_organisers(client, dates):
    client.force_login(make_member(is_organiser=True))
    for name in ("series", "series_edit", "series_call_off"):
        assert client.get(at(dates[0], name)).status_code == 404
    assert client.post(at(dates[0], "series_publish")).status_code == 404


@pytest.mark.parametrize("count", [2, 50])
def test_list_of_dates_costs_the_same_at_any_length(
    client, first, organiser, count, django_assert_num_queries
):
    services.make_series(event=first, actor=organiser, rule=f"FREQ=WEEKLY;COUNT={count}")
    client.force_login(organiser)
    client.get(at(first))
    with django_assert_num_queries(5):  # session and member, event, organisers, dates, unread
        assert client.get(at(first)).content.decode().count("<tr>") == count + 1


# --- in the lists ------------------------------------------------------------------------------------------------------
def listed(client, query="") -> list[str]:
    found = client.get(reverse("events:index") + query).context["page_of"].items
    return [f"{one.title} {one.starts_at:%d} +{one.more_dates}" for one in found]


def test_the_list_shows_a_series_once_with_its_next_date(client, dates, clock, django_assert_max_num_queries):
    make_event(title="Launch", starts_at=datetime(2027, 3, 20, 13, tzinfo=UTC))
    assert listed(client) == ["Journal club 16 +3", "Launch 20 +0"]
    page = client.get(reverse("events:index")).content.decode()
    assert f'<a href="{dates[0].get_absolute_url()}#dates-h">and 3 more dates</a>' in page
    assert page.count(dates[1].get_absolute_url()) == 0
    assert 'id="dates-h"' in client.get(dates[0].get_absolute_url()).content.decode()
    mine = make_registration(event=dates[2])
    client.force_login(mine.member)
    client.get(reverse("events:index"))  # what the first page of a session fills is not counted
    with django_assert_max_num_queries(9):
        client.get(reverse("events:index"))
    assert listed(client) == ["Journal club 16 +2", "Launch 20 +0", "Journal club 30 +0"]
    client.logout()
    clock.move_to(datetime(2027, 3, 17, 12, tzinfo=UTC))
    assert listed(client) == ["Launch 20 +0", "Journal club 23 +2"]


def test_filters_count_a_series_as_one_and_what_took_place_is_shown_by_date(client, dates, clock):
    for number in range(5):
        make_event(kind="workshop", starts_at=datetime(2027, 5, 1 + number, 13, tzinfo=UTC))
    finder = client.get(reverse("events:index")).context["finder"]
    kinds = next(one for one in finder.facets if one.key == "kind")
    assert {option.value: option.count for option in kinds.options} == {"webinar": 1, "workshop": 5}
    assert listed(client, "?kind=webinar") == ["Journal club 16 +3"]
    assert "Journal club 06 +0" in listed(client, "?when=later")  # the first of those that fit
    clock.move_to(datetime(2027, 4, 20, 12, tzinfo=UTC))
    past = client.get(reverse("events:past")).context["page_of"].items
    assert len(past) == 4


# --- one more, and some fewer ----------------------------------------------------------------------------------------
def test_a_date_is_added_like_the_others_and_goes_with_those_that_follow(client, dates, organiser):
    client.force_login(organiser)
    page = at(dates[1])
    shown = client.get(page)
    typed = {
        "act": "add",
        "starts": "2027-04-14T18:30",
        "submit_key": shown.context["form"]["submit_key"].value(),
    }
    for _press in range(2):
        assert client.post(page, typed)["Location"] == page
    *_others, made = again_all(dates)
    assert len(again_all(dates)) == 5
    assert clocks([made]) == ["14 18:30-19:30"]  # in summer time
    assert (made.title, made.capacity, made.is_detached) == ("Journal club", 20, False)
    assert made.published_at is not None
    assert f"{made.registration_closes_at.astimezone(LONDON):%d %H:%M}" == "13 18:30"
    assert set(made.organisers.all()) == set(dates[1].organisers.all())
    services.update_following(event=dates[2], actor=organiser, title="Reading club")
    assert [one.title for one in again_all(dates)][1:] == ["Journal club", *["Reading club"] * 3]


@pytest.mark.parametrize(
    ("starts", "words"),
    [
        ("2027-03-30T13:00", "There is a date at that time already."),
        ("2026-03-30T13:00", "Choose a time that is still to come."),
        ("", "error-summary"),
    ],
)
def test_what_is_no_new_date_is_said_at_the_field(client, dates, organiser, starts, words):
    client.force_login(organiser)
    key = "5b2c8d1e-1111-4222-8333-444455556666"
    answer = client.post(at(dates[0]), {"act": "add", "starts": starts, "submit_key": key})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert len(again_all(dates)) == 4


def test_who_may_not_plan_adds_no_date_and_there_is_an_end_to_them(dates, organiser, monkeypatch):
    wanted = {"event": dates[0], "starts_at": dates[3].starts_at + timedelta(days=7), "submit_key": uuid4()}
    with pytest.raises(PermissionDenied):
        services.add_date(actor=make_member(is_organiser=True), **wanted)
    with pytest.raises(PermissionDenied):
        services.add_date(actor=organiser, **wanted | {"event": make_event(organisers=[organiser])})
    monkeypatch.setattr(series_services, "MOST_DATES", 4)
    with pytest.raises(services.TooManyDates):
        services.add_date(actor=organiser, **wanted)
    services.cancel_event(event=dates[1], actor=organiser)
    with pytest.raises(services.EventOver):
        services.add_date(actor=organiser, **wanted | {"event": dates[1]})
    assert services.add_date(actor=organiser, **wanted).series_id == dates[0].series_id


@pytest.mark.parametrize("spare", [True, False])
def test_calling_off_names_what_was_changed_by_itself_and_leaves_it_if_told_so(
    client, dates, organiser, spare
):
    client.force_login(organiser)
    assert 'name="spare"' not in client.get(at(dates[0], "series_call_off")).content.decode()
    services.update_event(event=dates[2], actor=organiser, summary="With a guest.")
    page = client.get(at(dates[0], "series_call_off")).content.decode()
    assert "1 date was changed by itself" in page
    assert at(dates[2], "organise") in page
    client.post(at(dates[0], "series_call_off"), {"reason": "No room.", **({"spare": "on"} if spare else {})})
    assert [one.cancelled_at is not None for one in again(dates)] == [True, True, not spare, True]


def again_all(dates) -> list[Event]:
    return list(Event.objects.filter(series=dates[0].series_id).order_by("slot"))
