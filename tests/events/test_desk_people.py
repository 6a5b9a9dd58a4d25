"""The organisers' desk: its lists and filters, what it does with one person, its tables."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from events.models import Answer, Event, Kind, QuestionKind, Status, Way
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import post

pytestmark = pytest.mark.django_db


def url(name, event, *more):
    return reverse(f"events:{name}", args=[event.pk, event.slug, *more])


@pytest.fixture
def organiser(client):
    organiser = make_member(is_organiser=True)
    client.force_login(organiser)
    return organiser


@pytest.fixture
def event(organiser):
    return make_event(capacity=2, organisers=[organiser])


def shown(client, event, **params):
    return list(client.get(url("organise", event), params).context["page_of"])


def test_who_said_yes_and_then_left_is_not_coming(client, event):
    now = timezone.now()
    make_registration(event=event, status=Status.CANCELLED, asked_at=now, said_yes_at=now, ended_at=now)
    listed = client.get(url("organise", event), {"show": "left"}).content.decode()
    told = listed.partition('data-l="Still coming?"')[2].partition("</td>")[0].partition(">")[2]
    assert told == "No"


def test_each_list_has_its_people_and_its_count(client, event):
    now = timezone.now()
    yes = make_registration(event=event, asked_at=now, said_yes_at=now)
    silent = make_registration(event=event, asked_at=now)
    rows = {
        status: make_registration(event=event, status=status)
        for status in (Status.WAITING, Status.REQUESTED, Status.SOFT, Status.RECORDING)
    }
    left = make_registration(event=event, status=Status.CANCELLED, confirmed_at=now, ended_at=now)
    make_registration(event=event, status=Status.UNPROVEN, guest_address="typed@example.org")
    lists = {
        "places": [yes, silent],
        "silent": [silent],
        "waiting": [rows["waiting"]],
        "requested": [rows["requested"]],
        "soft": [rows["soft"]],
        "recording": [rows["recording"]],
        "left": [left],
        "all": [yes, silent, *rows.values(), left],
    }
    page = client.get(url("organise", event))
    assert {tab["label"]: tab["count"] for tab in page.context["tabs"]} == {
        "With a place": 2,
        "No answer yet": 1,
        "Waiting": 1,
        "To approve": 1,
        "Silent, place offered on": 1,
        "Recording only": 1,
        "Left": 1,
        "All": 7,
    }
    assert {key: shown(client, event, show=key) for key in lists} == lists
    counts = page.context["counts"]
    assert (counts["said_yes"], counts["gave_up"]) == (1, 1)
    assert page.context["headline"] == "1 person asks to come."


def test_people_are_found_by_name_and_address_on_all_lists(client, event):
    ada = make_registration(event=event, member=make_member(name="Ada Ōkubo"), status=Status.WAITING)
    guest = make_registration(event=event, guest_name="Bea", guest_address="bea@example.org")
    assert shown(client, event, q="ōKUBO") == [ada]
    assert shown(client, event, q="bea@EXAMPLE") == [guest]
    assert shown(client, event, q="bea", show="waiting") == []
    assert "Nobody fits." in client.get(url("organise", event), {"q": "%"}).content.decode()
    other = make_event(organisers=[make_member()])
    assert client.get(url("organise", other), {"q": "a"}).status_code == 404


def test_filters_for_access_needs_and_for_the_way_of_coming(client, event):
    Event.objects.filter(pk=event.pk).update(kind=Kind.HYBRID, venue="Leeds", online_capacity=9)
    room = make_registration(event=event, way=Way.ROOM, access_needs="A ramp")
    online = make_registration(event=event, way=Way.ONLINE)
    assert shown(client, event, needs="1") == [room]
    assert shown(client, event, way="online") == [online]
    assert shown(client, event, way="nowhere") == [room, online]
    page = client.get(url("organise", event)).content.decode()
    assert ("A ramp" in page, page.count('name="way" value="online"')) == (True, 2)


def test_waiting_people_have_their_place_in_line_also_when_filtered(client, event):
    first, second, _third = (make_registration(event=event, status=Status.WAITING) for _n in range(3))
    second.access_needs = "Captions"
    second.save(update_fields=["access_needs"])
    (row,) = shown(client, event, show="waiting", needs="1")
    assert (row, row.place_in_line) == (second, 2)
    assert shown(client, event, show="waiting")[0] == first


@pytest.mark.parametrize("count", [1, 50])
def test_desk_with_people_who_wait_costs_the_same_at_any_length(
    client, event, count, django_assert_num_queries
):
    for _number in range(count):
        make_registration(event=event, status=Status.WAITING, access_needs="Captions")
    address = url("organise", event) + "?show=waiting&needs=1"
    client.get(address)
    with django_assert_num_queries(12):
        assert len(client.get(address).context["page_of"]) == count


# --- one person ----------------------------------------------------------------------------------------------------------
def test_answers_and_access_needs_stand_on_the_persons_page(client, event):
    row = make_registration(event=event, access_needs="Large print\nand a chair")
    question = event.questions.create(kind=QuestionKind.SEVERAL, label="Which days?", choices=["Mon", "Tue"])
    Answer.objects.create(registration=row, question=question, value=["Mon", "Tue"])
    page = client.get(url("person", event, row.pk)).content.decode()
    assert all(words in page for words in ("Large print<br>and a chair", "Which days?", "Mon; Tue"))


def test_approve_and_refuse(client, event):
    Event.objects.filter(pk=event.pk).update(needs_approval=True)
    welcome, other = (make_registration(event=event, status=Status.REQUESTED) for _n in range(2))
    client.post(url("person", event, welcome.pk), {"act": "approve"})
    client.post(url("person", event, other.pk), {"act": "refuse", "reason": "It is for librarians."})
    assert [row.status for row in event.registrations.order_by("pk")] == [Status.CONFIRMED, Status.REMOVED]
    mails = {mail["To"]: mail.get_body(("plain",)).get_content() for mail in post()}
    assert set(mails) == {welcome.member.email, other.member.email}
    assert "It is for librarians." in mails[other.member.email]


def test_offer_up_to_somebody_overtakes_nobody(client, event):
    for _place in range(2):
        make_registration(event=event)
    line = [make_registration(event=event, status=Status.WAITING) for _n in range(3)]
    page = client.get(url("person", event, line[1].pk)).content.decode()
    assert "2 people are offered a place" in page
    assert "Offer 2 places" in page
    client.post(url("person", event, line[1].pk), {"act": "promote"})
    assert [row.status for row in event.registrations.order_by("pk")][2:] == ["offered", "offered", "waiting"]
    event.refresh_from_db()
    assert event.overbooking == 2


def test_acts_that_came_too_late_say_so(client, organiser):
    event = make_event(capacity=1, organisers=[organiser], starts_in=timedelta(hours=2))
    make_registration(event=event)
    row = make_registration(event=event, status=Status.WAITING)
    assert 'id="offer"' not in client.get(url("person", event, row.pk)).content.decode()
    answer = client.post(url("person", event, row.pk), {"act": "promote"}, follow=True)
    assert "It is too late for this." in answer.content.decode()
    assert client.post(url("person", event, row.pk), {"act": "unknown"}).status_code == 404


def test_adding_by_hand_to_a_hybrid_event_asks_how(client, event):
    Event.objects.filter(pk=event.pk).update(kind=Kind.HYBRID, venue="Leeds", online_capacity=9)
    friend = make_member()
    assert client.post(url("person", event, 0), {"person": friend.handle}).status_code == 422
    client.post(url("person", event, 0), {"person": friend.handle, "way": "online"})
    assert event.registrations.get(member=friend).way == Way.ONLINE


# --- tables --------------------------------------------------------------------------------------------------------------
EVIL = '=HYPERLINK("http://evil")'


@pytest.fixture
def told(event):
    text = event.questions.create(kind=QuestionKind.TEXT, label="=Hopes?")
    agree = event.questions.create(kind=QuestionKind.CONSENT, label="Recorded?", order=1)
    row = make_registration(
        event=event, guest_address="a@example.org", guest_name=EVIL, access_needs="+1 chair"
    )
    Answer.objects.create(registration=row, question=text, value="@SUM(A1)\x0b\nnext")
    Answer.objects.create(registration=row, question=agree, value=True)
    make_registration(event=event, guest_address="b@example.org", guest_name="Zoë", status=Status.WAITING)
    make_registration(event=event, guest_address="c@example.org", status=Status.UNPROVEN)
    return row


def test_csv_has_answers_and_needs_and_no_formulas(client, event, told):
    rows = list(csv.reader(io.StringIO(client.get(url("people_csv", event)).content.decode("utf-8-sig"))))
    assert rows[0][-3:] == ["access needs", "'=Hopes?", "Recorded?"]
    assert [(row[0], row[1], *row[-3:]) for row in rows[1:]] == [
        (f"'{EVIL}", "a@example.org", "'+1 chair", "'@SUM(A1)\x0b\nnext", "yes"),
        ("Zoë", "b@example.org", "", "", ""),
    ]


def test_xlsx_holds_words_only(client, event, told):
    response = client.get(url("people_xlsx", event))
    assert "no-store" in response["Cache-Control"]
    sheet = load_workbook(io.BytesIO(response.content)).active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    values = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [(row[0], row[1], *row[-3:]) for row in values] == [
        (EVIL, "a@example.org", "+1 chair", "@SUM(A1)\nnext", "yes"),
        ("Zoë", "b@example.org", None, None, None),
    ]


def test_access_needs_name_nobody(client, event, told):
    text = client.get(url("needs_csv", event)).content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [["access needs"], ["'+1 chair"]]


@pytest.mark.parametrize("name", ["people_csv", "people_xlsx", "needs_csv"])
def test_tables_of_others_events_are_not_there(client, organiser, name):
    assert client.get(url(name, make_event(organisers=[make_member()]))).status_code == 404


@pytest.mark.parametrize("count", [1, 50])
def test_tables_cost_the_same_at_any_length(client, event, count, django_assert_num_queries):
    for _number in range(count):
        make_registration(event=event, status=Status.WAITING)
    client.get(url("people_xlsx", event))
    with django_assert_num_queries(6):
        client.get(url("people_xlsx", event))


def test_headline_of_a_hybrid_event_tells_both_lists_when_somebody_waits(client, event):
    Event.objects.filter(pk=event.pk).update(kind=Kind.HYBRID, venue="Leeds", capacity=1, online_capacity=3)
    make_registration(event=event, way=Way.ROOM)
    assert client.get(url("organise", event)).context["headline"] == "3 places are free."
    make_registration(event=event, way=Way.ROOM, status=Status.WAITING)
    told = "In the room: The one place is taken. 1 person waits. Online: 3 places are free."
    assert client.get(url("organise", event)).context["headline"] == told


def test_check_in_sheet_names_those_with_a_place_in_the_order_of_names(client, event):
    for name in ("Örjan", "anna", "Bo"):
        make_registration(event=event, member=make_member(name=name), status=Status.SOFT)
    make_registration(event=event, member=make_member(name="Waits"), status=Status.WAITING)
    response = client.get(url("sheet", event))
    assert [one.name for one in response.context["people"]] == ["anna", "Bo", "Örjan"]
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("count", [1, 50])
def test_answers_on_the_desk_cost_no_more_for_many(client, event, count, django_assert_num_queries):
    Event.objects.filter(pk=event.pk).update(capacity=60)
    question = event.questions.create(kind=QuestionKind.TEXT, label="Hopes?")
    for _number in range(count):
        row = make_registration(event=event)
        Answer.objects.create(registration=row, question=question, value="To meet you")
    client.get(url("organise", event))
    with django_assert_num_queries(12):
        page = client.get(url("organise", event)).content.decode()
    assert page.count("To meet you") == count
