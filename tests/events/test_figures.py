"""Past events in numbers: of organisers their own, of admins all but those of groups."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from events.figures import figures_of
from events.models import Status, Visibility
from tests.factories import make_member
from tests.factories.events import make_event, make_registration
from tests.factories.groups import make_group

pytestmark = pytest.mark.django_db
ADDRESS = reverse("events:statistics")


@pytest.fixture
def organiser(client):
    organiser = make_member(is_organiser=True, time_zone="Europe/London")
    client.force_login(organiser)
    return organiser


def over(*organisers, days_ago=30, **fields):
    return make_event(organisers=organisers, starts_in=-timedelta(days=days_ago), **fields)


def book(event, count, days_before=3, **fields):
    joined_at = event.starts_at - timedelta(days=days_before)
    return [make_registration(event=event, joined_at=joined_at, **fields) for _number in range(count)]


def test_numbers_of_one_event(organiser):
    event = over(organiser)
    book(event, 2, days_before=10, attended_at=event.starts_at)
    book(event, 1, days_before=4)
    book(event, 1, days_before=2, offered_at=event.starts_at)
    book(event, 1, days_before=0.5, status=Status.SOFT)
    for status in (Status.WAITING, Status.EXPIRED, Status.CANCELLED, Status.RECORDING):
        book(event, 1, status=status)
    book(event, 1, status=Status.UNPROVEN)
    found = figures_of([event])
    [row] = found.rows
    assert (row.registered, row.offered, row.held, row.came) == (9, 1, 5, 2)
    assert (row.missed, row.lead_days) == (60, 4)
    assert [(lead.held, lead.came, lead.came_share) for lead in found.leads] == [
        (1, 0, 0),
        (2, 0, 0),
        (2, 2, 100),
        (0, 0, None),
    ]


def test_an_event_at_which_nobody_was_noted_has_no_share_and_is_in_no_mean(organiser):
    counted, uncounted, empty = over(organiser), over(organiser), over(organiser)
    book(counted, 1, attended_at=counted.starts_at)
    book(counted, 3)
    book(uncounted, 4)
    found = figures_of([counted, uncounted, empty])
    assert [row.missed for row in found.rows] == [75, None, None]
    assert (found.missed, found.rows[2].lead_days) == (75, None)
    assert sum(lead.held for lead in found.leads) == 4


def test_mean_counts_each_event_once(organiser):
    small, large = over(organiser), over(organiser)
    book(small, 1, attended_at=small.starts_at)
    book(large, 2, attended_at=large.starts_at)
    book(large, 8)
    assert figures_of([small, large]).missed == 40  # not 8 of 11 people


@pytest.mark.parametrize("count", [1, 20])
def test_page_costs_the_same_at_any_length(client, organiser, count, django_assert_num_queries):
    for number in range(count):
        event = over(organiser, days_ago=30 + number)
        book(event, 2, attended_at=event.starts_at)
    client.get(ADDRESS)
    with django_assert_num_queries(5):
        answer = client.get(ADDRESS)
    assert len(answer.context["figures"].rows) == count


def test_organisers_see_their_own_past_events_and_nothing_else(client, organiser):
    older, newer = over(organiser, days_ago=60), over(organiser, days_ago=30)
    of_group = over(organiser, days_ago=90, visibility=Visibility.GROUP, group=make_group())
    over(make_member())
    over(organiser, cancelled_at=timezone.now())
    over(organiser, published=False)
    over(organiser, rehearsal_of=newer)
    make_event(organisers=[organiser])
    shown = client.get(ADDRESS).context["figures"].rows
    assert [row.event for row in shown] == [newer, older, of_group]


def test_admins_see_the_events_of_all_but_not_of_groups_they_are_not_in(client):
    public = over(make_member())
    over(make_member(), visibility=Visibility.GROUP, group=make_group())
    client.force_login(make_member(is_staff=True, is_superuser=True))
    assert [row.event for row in client.get(ADDRESS).context["figures"].rows] == [public]


def test_page_is_a_404_for_whoever_organises_nothing(client, organiser):
    assert client.get(ADDRESS).status_code == 200
    client.force_login(make_member())
    assert client.get(ADDRESS).status_code == 404


def test_picture_and_table_say_the_same(client, organiser):
    event = over(organiser, title="What a residency leaves behind, told by residents")
    book(event, 2, attended_at=event.starts_at)
    book(event, 3)
    text = " ".join(client.get(ADDRESS).content.decode().split())
    assert "Of 100 people with a place, 60 did not come." in text
    assert ">What a residency leave…</text>" in text
    assert 'width="96"' in text
    assert '<td class="num" data-l="Did not come, in 100">60</td>' in text
