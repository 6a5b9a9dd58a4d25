"""The organisers' desk."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from events import services
from events.models import Event, Status
from kmnet.core.models import AuditEntry
from members.models import SeenBy
from tests.factories import make_member
from tests.factories.events import make_event, make_registration, make_session_item

from .helpers import post

pytestmark = pytest.mark.django_db


def url(name, event, *more):
    return reverse(f"events:{name}", args=[event.pk, event.slug, *more])


@pytest.fixture
def organiser(client):
    organiser = make_member(is_organiser=True, time_zone="Europe/London")
    client.force_login(organiser)
    return organiser


@pytest.fixture
def event(organiser):
    return make_event(capacity=2, organisers=[organiser])


@pytest.mark.parametrize("count", [1, 50])
def test_desk_costs_the_same_at_any_length(client, organiser, count, django_assert_num_queries):
    event = make_event(capacity=60, organisers=[organiser])
    for _number in range(count):
        make_registration(event=event)
    client.get(url("organise", event))
    with django_assert_num_queries(12):
        response = client.get(url("organise", event))
    assert len(response.context["page_of"]) == count


def test_desk_lists_people_by_their_state_in_order(client, event):
    holder = make_registration(event=event)
    offered = make_registration(event=event, status=Status.OFFERED)
    waiting = [make_registration(event=event, status=Status.WAITING) for _number in range(3)]
    left = make_registration(event=event, status=Status.CANCELLED, ended_at=datetime.now(UTC))
    shown = client.get(url("organise", event))
    assert list(shown.context["page_of"]) == [holder, offered]
    assert "All 2 places are taken. 3 people wait." in shown.content.decode()
    shown = client.get(url("organise", event), {"show": "waiting"})
    assert [(row, row.place_in_line) for row in shown.context["page_of"]] == list(
        zip(waiting, (1, 2, 3), strict=True)
    )
    assert list(client.get(url("organise", event), {"show": "left"}).context["page_of"]) == [left]


def test_an_admins_look_is_logged_and_an_organisers_is_not(client, event, organiser):
    client.get(url("organise", event))
    assert not AuditEntry.objects.exists()
    admin = make_member(is_staff=True, is_superuser=True)
    client.force_login(admin)
    names = ("organise", "people_csv", "people_xlsx", "needs_csv", "sheet", "letter", "invitations")
    for name in names:
        assert client.get(url(name, event)).status_code == 200
    assert list(AuditEntry.objects.values_list("actor", "verb")) == [(admin.pk, "events.people_seen")] * len(
        names
    )


def test_an_admins_acts_are_logged_and_an_organisers_are_not(event, organiser):
    admin = make_member(is_staff=True, is_superuser=True)

    now = timezone.now()  # the doors are open, and the event has not begun
    starts = {"starts_at": now + timedelta(minutes=10), "ends_at": now + timedelta(hours=2)}
    Event.objects.filter(pk=event.pk).update(**starts)

    def act(by):
        registration = services.register_member(event=event, member=make_member(), by=by)
        services.mark_attendance(registration=registration, came=True, by=by)
        services.remove_registration(registration=registration, by=by, reason="Asked me to.")

    act(organiser)
    assert not AuditEntry.objects.exists()
    act(admin)
    assert list(AuditEntry.objects.order_by("pk").values_list("actor", "verb", "target_id", "reason")) == [
        (admin.pk, "events.person_added", event.pk, ""),
        (admin.pk, "events.attendance", event.pk, ""),
        (admin.pk, "events.person_removed", event.pk, "Asked me to."),
    ]


def test_moderator_does_not_see_registrants(client, event):
    client.force_login(make_member(is_moderator=True))
    assert client.get(url("organise", event)).status_code == 404


def test_capacity_form_names_the_number_to_free(client, event):
    make_registration(event=event)
    make_registration(event=event)
    response = client.post(url("capacity", event), {"capacity": "1"})
    assert response.status_code == 422
    assert "2 places are held. 1 must be freed first." in response.content.decode()
    assert client.post(url("capacity", event), {"capacity": "3", "overbooking": "2"}).status_code == 302
    event.refresh_from_db()
    assert (event.capacity, event.overbooking) == (3, 2)


def test_organiser_ticks_removes_and_adds(client, event, organiser):
    registration = make_registration(event=event)
    now = timezone.now()
    starts = {"starts_at": now + timedelta(minutes=10), "ends_at": now + timedelta(hours=2)}
    Event.objects.filter(pk=event.pk).update(**starts)
    client.post(url("person", event, registration.pk), {"act": "came", "from": "list"})
    registration.refresh_from_db()
    assert registration.attended_at
    client.post(url("person", event, registration.pk), {"act": "did_not_come"})
    registration.refresh_from_db()
    assert registration.attended_at is None
    client.post(url("person", event, registration.pk), {"act": "remove", "reason": "Asked by phone"})
    registration.refresh_from_db()
    assert (registration.status, registration.log.last().why) == ("removed", "Asked by phone")
    friend = make_member(profile={"email_seen_by": SeenBy.MEMBERS})
    client.post(url("person", event, 0), {"person": friend.email.upper()})
    assert event.registrations.get(member=friend).status == "confirmed"
    response = client.post(url("person", event, 0), {"person": "nobody@example.org"})
    assert response.status_code == 422


def test_removing_when_all_is_over_says_so(client, organiser):
    event = make_event(organisers=[organiser], starts_in=timedelta(days=-2))
    left = make_registration(event=event, status=Status.WAITING)
    response = client.post(url("person", event, left.pk), {"act": "remove", "reason": "Late"}, follow=True)
    assert (response.status_code, "It is too late for this." in response.content.decode()) == (200, True)
    left.refresh_from_db()
    assert left.status == Status.WAITING


@pytest.mark.parametrize("number", ["²", "٣", "9" * 30, "-1"])
def test_rehearsal_of_a_number_that_is_none(client, organiser, number):
    assert client.get("/events/new/", {"rehearsal_of": number}).status_code in (200, 404)


def test_export_is_safe_against_formulas_and_whole(client, event, organiser):
    make_registration(event=event, guest_address="a@example.com", guest_name='=HYPERLINK("http://evil")')
    make_registration(
        event=event, guest_address="b@example.com", guest_name="Zoë, “quoted”", status=Status.WAITING
    )
    response = client.get(url("people_csv", event))
    assert "no-store" in response["Cache-Control"]
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [row[:3] for row in rows[1:]] == [
        ['\'=HYPERLINK("http://evil")', "a@example.com", "confirmed"],
        ["Zoë, “quoted”", "b@example.com", "waiting"],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_a_spreadsheet_would_run_become_text(start):
    from events.exports import safe_cell

    assert safe_cell(f"{start}1") == f"'{start}1"
    assert safe_cell("Ada") == "Ada"


def test_desk_tells_how_many_mails_went(client, event):
    services.register_member(event=event, member=make_member())
    post()
    services.register_member(event=event, member=make_member())
    (line,) = client.get(url("organise", event)).context["messages_sent"]
    assert (line["sent"], line["to_go"], line["not_sent"]) == (1, 1, 0)


@pytest.mark.parametrize("page", ["call_off", "postpone"])
def test_where_nobody_is_registered_nobody_is_said_to_be_told(client, event, page):
    shown = client.get(url(page, event)).content.decode()
    assert "Nobody is registered, so nobody is written to." in shown
    assert "0 people" not in shown


def test_calling_off_asks_on_a_page_first(client, event):
    make_registration(event=event)
    assert "1 person is told" in client.get(url("call_off", event)).content.decode()
    event.refresh_from_db()
    assert event.cancelled_at is None
    client.post(url("call_off", event), {"reason": "Ill"})
    event.refresh_from_db()
    assert (event.cancel_reason, event.sequence) == ("Ill", 1)
    assert len(post()) == 1


# --- making and changing an event ----------------------------------------------------------------------------------------
FORM = {
    "title": "A new webinar",
    "kind": "webinar",
    "time_zone": "Europe/London",
    "starts": "2027-02-04T13:00",
    "ends": "2027-02-04T14:15",
    "capacity": "100",
    "visibility": "0",
    "description": "Short talks, **long** questions.",
    "tags": "working alone, launch",
    "submit_key": "5b2c8d1e-1111-4222-8333-444455556666",
    "programme-TOTAL_FORMS": "2",
    "programme-INITIAL_FORMS": "0",
    "programme-0-title": "Welcome",
    "programme-0-kind": "presentation",
    "programme-0-time": "13:00",
    "programme-0-speakers": "Ada Lovelace (Norwich); Ben",
    "programme-1-title": "",
    "programme-1-kind": "talk",
}


def test_event_is_made_published_and_made_once(client, organiser):
    for _press in range(2):
        response = client.post(reverse("events:create"), FORM)
        assert response.status_code == 302
    event = Event.objects.get()
    assert response.url == url("organise", event)
    assert (event.title, event.slug, event.capacity, event.published_at) == (
        "A new webinar",
        "a-new-webinar",
        100,
        None,
    )
    assert event.starts_at == datetime(2027, 2, 4, 13, tzinfo=UTC)
    assert "<strong>long</strong>" in event.description_html
    assert sorted(event.tags.names()) == ["launch", "working alone"]
    session = event.sessions.get()
    assert (session.title, session.starts_at) == ("Welcome", event.starts_at)
    assert sorted(session.speakers.values_list("name", "about")) == [("Ada Lovelace", "Norwich"), ("Ben", "")]
    client.post(url("publish", event))
    event.refresh_from_db()
    assert event.published_at is not None


def test_event_times_that_the_clocks_skip_are_refused(client, organiser):
    skipped = FORM | {"starts": "2027-03-28T01:30", "ends": "2027-03-28T03:30", "programme-0-time": ""}
    response = client.post(reverse("events:create"), skipped)
    assert response.status_code == 422
    assert "01:30 does not exist in Europe/London" in response.content.decode()
    assert 'value="A new webinar"' in response.content.decode()  # nothing typed is lost
    assert not Event.objects.exists()


@pytest.mark.parametrize("days", [28, -2])
def test_programme_moves_with_the_event_each_item_as_long_as_before(event, organiser, days):
    """The page asks when an item begins, not how long it lasts."""
    ends_at = event.starts_at + timedelta(minutes=20)
    item = make_session_item(event=event, starts_at=event.starts_at, ends_at=ends_at)
    by = timedelta(days=days)
    line = {"pk": item.pk, "title": item.title, "kind": item.kind, "starts_at": item.starts_at + by}
    times = {"starts_at": event.starts_at + by, "ends_at": event.ends_at + by}
    services.update_event(event=event, actor=organiser, sessions=[line], **times)
    item.refresh_from_db()
    assert (item.starts_at, item.ends_at) == (times["starts_at"], ends_at + by)


@pytest.mark.parametrize(("which", "hour"), [("earlier", 0), ("later", 1)])
def test_event_times_that_come_twice_are_asked_about(client, organiser, which, hour):
    twice = FORM | {"starts": "2027-10-31T01:30", "ends": "2027-10-31T04:00", "programme-0-time": ""}
    response = client.post(reverse("events:create"), twice)
    assert response.status_code == 422
    assert "01:30 comes twice in Europe/London" in response.content.decode()
    assert '<select name="starts_which"' in response.content.decode()
    asked = response.content.decode().partition("Starts: the clocks go back, which of the two?")[2]
    assert asked.lstrip().startswith("</label>")  # not “(optional)”
    assert client.post(reverse("events:create"), twice | {"starts_which": which}).status_code == 302
    assert Event.objects.get().starts_at == datetime(2027, 10, 31, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ends": "2027-02-04T12:00"}, "The end must come after the start."),
        ({"kind": "in_person"}, "Say where people meet."),
        ({"meeting_url": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"capacity": "0"}, "greater than or equal to 1"),
        ({"closes": "2027-03-01T10:00"}, "Registration closes when the event starts"),
        ({"title": ""}, "Title: this is needed"),
        ({"starts": "0001-01-01T00:00", "time_zone": "Asia/Tokyo"}, "Choose a year from"),
        ({"ends": "9999-12-31T23:59", "time_zone": "America/New_York"}, "Choose a year from"),
        ({"opens": "0001-01-01T00:00", "time_zone": "Asia/Tokyo"}, "Choose a year from"),
    ],
)
def test_event_form_refuses_and_keeps_what_was_typed(client, organiser, change, words):
    response = client.post(reverse("events:create"), FORM | change)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert "Short talks, **long** questions." in response.content.decode()


def test_programme_typed_into_an_expired_login_is_offered_again_and_forgotten_once_sent(client, organiser):
    client.logout()
    assert client.post(reverse("events:create"), FORM).url.startswith("/accounts/login/")
    client.force_login(organiser)
    page = client.get(reverse("events:create"))
    assert page.context["form"]["description"].value() == FORM["description"]
    line = page.context["programme"].forms[0]
    assert [line[name].value() for name in ("title", "kind", "time", "speakers")] == [
        "Welcome",
        "presentation",
        "13:00",
        "Ada Lovelace (Norwich); Ben",
    ]
    client.post(reverse("events:create"), FORM | {"programme-INITIAL_FORMS": "1"})
    assert Event.objects.get().sessions.get().title == "Welcome"
    assert "Welcome" not in client.get(reverse("events:create")).content.decode()


@pytest.mark.parametrize("odd", ["²", "9" * 30, "-1", ["a", "b"]])
def test_odd_things_that_were_kept_break_no_form(client, organiser, odd):
    client.logout()
    client.post(reverse("events:create"), dict.fromkeys(FORM, odd))
    client.force_login(organiser)
    assert client.get(reverse("events:create")).status_code == 200


def test_why_an_event_is_called_off_is_not_lost_with_the_login(client, organiser):
    event = make_event(organisers=[organiser])
    client.logout()
    client.post(url("call_off", event), {"reason": "The speaker is ill."})
    client.force_login(organiser)
    assert "The speaker is ill." in client.get(url("call_off", event)).content.decode()


def test_saving_untouched_changes_nothing(client, organiser):
    event = make_event(organisers=[organiser], capacity=3)
    make_session_item(event=event)
    make_registration(event=event)
    form = client.get(url("edit", event)).context["form"]
    programme = client.get(url("edit", event)).context["programme"]
    data = {}
    for field in form:
        value = field.value()
        if value is not None and value is not False:
            data[field.html_name] = (
                field.field.widget.format_value(value) if "date" in field.widget_type else value
            )
    for bound in [programme.management_form, *programme.forms]:
        for field in bound:
            if field.value() is not None:
                data[field.html_name] = field.value()
    for name in ("starts", "ends"):
        data[name] = form.initial[name].strftime("%Y-%m-%dT%H:%M")
    response = client.post(url("edit", event), data)
    assert response.status_code == 302, response.context["form"].errors
    after = Event.objects.get(pk=event.pk)
    for name in ("title", "slug", "starts_at", "ends_at", "sequence", "capacity", "meeting_url"):
        assert getattr(after, name) == getattr(event, name), name
    assert after.sessions.count() == 1
    assert post() == []


def test_moving_an_event_by_the_form_tells_people(client, organiser):
    client.post(reverse("events:create"), FORM)
    event = Event.objects.get()
    services.publish_event(event=event, actor=organiser)
    services.register_member(event=event, member=make_member())
    post()
    moved = FORM | {"starts": "2027-02-05T13:00", "ends": "2027-02-05T14:15"}
    assert client.post(url("edit", event), moved).status_code == 302
    event.refresh_from_db()
    assert (event.sequence, event.starts_at) == (1, datetime(2027, 2, 5, 13, tzinfo=UTC))
    assert [message["Subject"] for message in post()] == ["Changed: A new webinar"]


def test_past_events_time_stays(client, organiser):
    event = make_event(organisers=[organiser], starts_in=timedelta(days=-3))
    with pytest.raises(services.EventOver):
        services.update_event(
            event=event,
            actor=organiser,
            starts_at=event.starts_at + timedelta(days=9),
            ends_at=event.ends_at + timedelta(days=9),
        )
    changed = services.update_event(
        event=event, actor=organiser, title="Better title", recording_url="https://example.org/r"
    )
    assert (changed.title, changed.sequence) == ("Better title", 0)


def test_rehearsal_is_planned_from_the_event(client, organiser, event):
    response = client.post(reverse("events:create") + f"?rehearsal_of={event.pk}", FORM)
    rehearsal = Event.objects.exclude(pk=event.pk).get()
    assert (response.status_code, rehearsal.rehearsal_of) == (302, event)


def test_why_it_is_postponed_is_told_until_there_is_a_new_day(client, event, organiser):
    mine = make_registration(event=event)
    page = url("postpone", event)
    assert client.post(page, {"reason": "x" * 201}).status_code == 422
    assert client.post(page, {"reason": "The speaker is ill."}).status_code == 302
    (message,) = post()
    assert "“The speaker is ill.”" in message.get_body(("plain",)).get_content()
    client.force_login(mine.member)
    assert "“The speaker is ill.”" in client.get(event.get_absolute_url()).content.decode()
    event.refresh_from_db()
    times = {"starts_at": event.starts_at + timedelta(days=7), "ends_at": event.ends_at + timedelta(days=7)}
    services.update_event(event=event, actor=organiser, **times)
    event.refresh_from_db()
    assert (event.is_postponed, event.cancel_reason) == (False, "")
    assert "speaker is ill" not in client.get(event.get_absolute_url()).content.decode()
