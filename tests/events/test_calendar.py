"""What stands in calendars: files, feeds, links; who may fetch them, and that nothing personal is in them."""

import zoneinfo
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags
from icalendar import Calendar

from events import calendar, calendar_links, feeds, services
from events.models import CalendarFeed, Speaker, Status, Visibility
from events.vtimezone import transitions, vtimezone
from kmnet.core.logs import hide_tokens
from members.models import Group, GroupMember, Standing
from members.models import Status as Standing_
from tests.factories import make_member
from tests.factories.events import make_event, make_registration, make_session_item

from .helpers import calendar_of, entry_of, post, text_of

pytestmark = pytest.mark.django_db
MEETING = "https://meet.example.org/room-4471"
PUBLIC = "/feeds/events.ics"


def read(content: bytes) -> Calendar:
    """Parsed, once it has passed what a strict reader asks: line ends, lengths, one of each, time zones that are there."""
    assert content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 75
    found = Calendar.from_ical(content)
    assert [str(found[name]) for name in ("VERSION", "METHOD", "PRODID")] == [
        "2.0",
        "PUBLISH",
        "-//kmnet//events//EN",
    ]
    zones = {str(zone["TZID"]) for zone in found.walk("VTIMEZONE")}
    entries = found.walk("VEVENT")
    assert len({str(entry["UID"]) for entry in entries}) == len(entries)
    for entry in entries:
        assert {"DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE", "ORGANIZER", "STATUS"} <= set(entry)
        assert "ATTENDEE" not in entry
        assert {
            entry[name].params["TZID"] for name in ("DTSTART", "DTEND") if "TZID" in entry[name].params
        } <= zones
    return found


def titles(content: bytes) -> list[str]:
    return [str(entry["SUMMARY"]) for entry in read(content).walk("VEVENT")]


def own_path(member) -> str:
    return urlsplit(feeds.own_url(services.renew_calendar_feed(member=member))).path


@pytest.fixture
def noor():
    return make_member(name="Noor Haddad", time_zone="Asia/Amman")


# --- the public feed ---------------------------------------------------------------------------------------------------
def test_public_feed_has_what_everybody_may_see_and_nothing_else(client):
    group = Group.objects.create(slug="g", name="G")
    make_event(title="Second", starts_in=timedelta(days=5))
    make_event(title="First", starts_in=timedelta(days=2))
    make_event(title="Half a year and more ago", starts_in=timedelta(days=-200))
    make_event(title="Draft", published=False)
    make_event(title="Members", visibility=Visibility.MEMBERS)
    make_event(title="Invited", visibility=Visibility.INVITED)
    make_event(title="Group", visibility=Visibility.GROUP, group=group)
    make_event(title="Rehearsal", rehearsal_of=make_event(title="Third", starts_in=timedelta(days=7)))
    response = client.get(PUBLIC)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert titles(response.content) == ["First", "Second", "Third"]


def test_feed_holds_no_person_and_no_way_in(client, noor):
    event = make_event(organisers=[noor])
    make_registration(event=event)
    make_registration(event=event, guest_address="guest@example.com", guest_name="Ada")
    for path in (PUBLIC, own_path(noor), reverse("events:calendar_file", args=[event.pk, event.slug])):
        content = client.get(path).content
        assert event.title.encode() in content
        unfolded = content.replace(b"\r\n ", b"")
        for secret in (MEETING, "/mail/", "/feeds/", "ATTENDEE", noor.name, noor.email, "guest@", "Ada"):
            assert secret.encode() not in unfolded


def test_feed_says_how_often_to_ask_and_what_it_is(client):
    make_event()
    found = read(client.get(PUBLIC).content)
    assert found["REFRESH-INTERVAL"].to_ical() == b"PT1H"
    assert found["REFRESH-INTERVAL"].params["VALUE"] == "DURATION"
    assert (str(found["X-PUBLISHED-TTL"]), str(found["NAME"]), str(found["X-WR-CALNAME"])) == (
        "PT1H",
        "kmnet: events",
        "kmnet: events",
    )


def test_empty_feed_is_a_calendar_too(client):
    assert len(read(client.get(PUBLIC).content).walk("VTIMEZONE")) == 1


def test_feed_that_has_not_changed_is_a_304(client):
    event = make_event(organisers=[make_member(is_organiser=True)])
    first = client.get(PUBLIC)
    again = client.get(PUBLIC, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert "Last-Modified" not in first  # an entry that is taken away leaves no later date behind
    services.change_capacity(event=event, actor=event.organisers.get(), capacity=7)
    assert client.get(PUBLIC).content == first.content  # nothing of it stands in calendars
    services.cancel_event(event=event, actor=event.organisers.get())
    assert client.get(PUBLIC, headers={"if-none-match": first["ETag"]}).status_code == 200


def test_revision_is_noted_whoever_saves():
    event = make_event()
    event.refresh_from_db()
    before = event.revised_at
    event.capacity = 3
    event.save()
    event.refresh_from_db()
    assert event.revised_at == before
    type(event).objects.filter(pk=event.pk).update(title="Another")
    event.refresh_from_db()
    assert event.revised_at > before
    noted = event.revised_at
    event.revised_at = before  # an older reading, saved with the rest
    event.save()
    event.refresh_from_db()
    assert event.revised_at == noted


def test_moved_cancelled_and_postponed_events_say_so_under_their_old_name(client):
    organiser = make_member(is_organiser=True)
    moved, called_off, put_off = (
        make_event(title=title, organisers=[organiser], starts_in=timedelta(days=number))
        for number, title in enumerate(("Moved", "Off", "Later"), start=3)
    )
    services.update_event(event=moved, actor=organiser, starts_at=moved.starts_at + timedelta(minutes=5))
    services.cancel_event(event=called_off, actor=organiser)
    services.postpone_event(event=put_off, actor=organiser)
    entries = {str(entry["UID"]): entry for entry in read(client.get(PUBLIC).content).walk("VEVENT")}
    shown = [
        (str(entry["SUMMARY"]), int(entry["SEQUENCE"]), str(entry["STATUS"]), str(entry.get("TRANSP", "")))
        for entry in (entries[event.uid] for event in (moved, called_off, put_off))
    ]
    assert shown == [
        ("Moved", 1, "CONFIRMED", ""),
        ("Cancelled: Off", 1, "CANCELLED", "TRANSPARENT"),
        ("Postponed: Later", 1, "CANCELLED", "TRANSPARENT"),
    ]
    moved.refresh_from_db()
    assert entries[moved.uid].decoded("LAST-MODIFIED") == moved.revised_at.replace(microsecond=0)


@pytest.mark.parametrize("count", [1, 50])
def test_feeds_cost_the_same_at_any_length(client, noor, count, django_assert_num_queries):
    for number in range(count):
        make_registration(event=make_event(starts_in=timedelta(days=number + 1)), member=noor)
    path = own_path(noor)
    client.get(PUBLIC)
    with django_assert_num_queries(1):
        assert len(titles(client.get(PUBLIC).content)) == count
    with django_assert_num_queries(2):  # whose address it is, and the events
        assert len(titles(client.get(path).content)) == count


# --- a member's own ----------------------------------------------------------------------------------------------------
def test_own_feed_has_where_they_go_wait_organise_and_speak(client, noor):
    made = []
    for days, (status, title) in enumerate(
        [
            (Status.CONFIRMED, "Place"),
            (Status.OFFERED, "Offer"),
            (Status.WAITING, "Queue"),
            (Status.SOFT, "Silent"),
            (Status.REQUESTED, "Request"),
            (Status.RECORDING, "Recording"),
            (Status.CANCELLED, "Given up"),
        ],
        start=1,
    ):
        event = make_event(title=title, starts_in=timedelta(days=days))
        made.append(make_registration(event=event, member=noor, status=status))
    make_event(title="Hers", starts_in=timedelta(days=20), organisers=[noor])
    make_event(title="Her draft", starts_in=timedelta(days=21), organisers=[noor], published=False)
    talk = make_session_item(event=make_event(title="Talk", starts_in=timedelta(days=22)))
    talk.speakers.add(Speaker.objects.create(name=noor.name, member=noor))
    make_event(title="Of others")
    entries = read(client.get(own_path(noor)).content).walk("VEVENT")
    assert [(str(entry["SUMMARY"]), str(entry["STATUS"])) for entry in entries] == [
        ("Place", "CONFIRMED"),
        ("A place is offered to you: Offer", "TENTATIVE"),
        ("On the waiting list: Queue", "TENTATIVE"),
        ("Are you coming? Silent", "TENTATIVE"),
        ("Asked for a place: Request", "TENTATIVE"),
        ("Hers", "CONFIRMED"),
        ("Talk", "CONFIRMED"),
    ]


def test_a_new_key_ends_the_old_address(client, noor):
    old = own_path(noor)
    assert client.get(old).status_code == 200
    new = own_path(noor)
    assert [client.get(path).status_code for path in (old, new)] == [410, 200]
    services.end_calendar_feed(member=noor)
    assert client.get(new).status_code == 410
    assert CalendarFeed.objects.count() == 0


def test_the_key_in_the_database_opens_nothing(client, noor):
    feed = services.renew_calendar_feed(member=noor)
    token = feeds.token_of(feed)
    for wrong in (feed.key, f"{feed.pk}.{feed.key}", token[:-1], token + "x", f"9{token}", "x", "%00"):
        assert client.get(f"/feeds/own/{wrong}/events.ics").status_code == 404
    assert client.get(f"/feeds/own/{token}/events.ics").status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Standing_.SUSPENDED, "is_active": False},
        {"status": Standing_.LEAVING},
        {"status": Standing_.PENDING},
        {"address_proven_at": None},
    ],
)
def test_feed_stops_with_the_right_to_read(client, noor, fields):
    path = own_path(noor)
    type(noor).objects.filter(pk=noor.pk).update(status=Standing_.SILENCED)
    assert client.get(path).status_code == 200  # a silenced member reads
    type(noor).objects.filter(pk=noor.pk).update(**fields)
    assert client.get(path).status_code == 404
    assert client.get(path, headers={"if-none-match": "*"}).status_code == 404


def test_groups_feed_is_for_those_in_it(client, noor):
    group = Group.objects.create(slug="quiet", name="Quiet group", is_listed=False)
    standing = GroupMember.objects.create(group=group, member=noor, standing=Standing.MEMBER)
    make_event(title="Meeting", visibility=Visibility.GROUP, group=group)
    feed, others = (services.renew_calendar_feed(member=member) for member in (noor, make_member()))
    path = urlsplit(feeds.group_url(feed, group)).path
    content = client.get(path).content
    assert titles(content) == ["Meeting"]
    assert str(read(content)["NAME"]) == "Quiet group"
    assert [str(entry["CLASS"]) for entry in read(content).walk("VEVENT")] == ["PRIVATE"]
    assert client.get(urlsplit(feeds.group_url(others, group)).path).status_code == 404
    assert titles(client.get(urlsplit(feeds.own_url(feed)).path).content) == []
    standing.delete()
    assert client.get(path).status_code == 404


def test_private_answers_are_for_nobody_elses_cache(client, noor):
    response = client.get(own_path(noor))
    assert (response["Cache-Control"], response["X-Robots-Tag"]) == ("private, no-cache", "noindex")
    assert client.get(PUBLIC)["Cache-Control"] == "public, no-cache"


def test_own_feed_speaks_its_owners_language_not_the_visitors(client, noor):
    make_registration(event=make_event(title="T"), member=noor, status=Status.WAITING)
    content = client.get(own_path(noor), headers={"accept-language": "de"}).content
    assert titles(content) == ["On the waiting list: T"]


def test_the_address_is_made_replaced_and_ended_on_its_page(client, noor):
    client.force_login(noor)
    page = reverse("calendar:address")
    assert "Make my address" in client.get(page).content.decode()
    assert CalendarFeed.objects.count() == 0  # looking makes none
    group = Group.objects.create(slug="g", name="Group of mine")
    GroupMember.objects.create(group=group, member=noor, standing=Standing.MEMBER)
    assert client.post(reverse("calendar:renew"))["Location"] == page
    feed = CalendarFeed.objects.get(member=noor)
    words = client.get(page).content.decode()
    assert feeds.own_url(feed) in words
    assert feeds.group_url(feed, group) in words
    assert "webcal://testserver/feeds/own/" in words
    client.post(reverse("calendar:renew"))
    assert CalendarFeed.objects.get(member=noor).key != feed.key
    client.post(reverse("calendar:end"))
    assert CalendarFeed.objects.count() == 0


def test_logs_do_not_hold_the_address():
    line = hide_tokens(None, "info", {"request": "GET /feeds/own/1.abc.def/groups/3.ics"})
    assert line == {"request": "GET /feeds/own/…/groups/3.ics"}


# --- the clock ---------------------------------------------------------------------------------------------------------
def test_an_hour_that_comes_twice_is_written_so_that_it_is_not_mistaken():
    """In London on 31 October 2027 the clock shows 01:30 at 00:30 and at 01:30 UTC."""
    for hour, written in ((0, "TZID"), (1, "UTC")):
        starts = datetime(2027, 10, 31, hour, 30, tzinfo=UTC)
        event = make_event(starts_at=starts, ends_at=starts + timedelta(hours=2))
        (entry,) = read(calendar.public_file(event)).walk("VEVENT")
        assert ("TZID" in entry["DTSTART"].params) == (written == "TZID")
        assert entry.decoded("DTSTART").astimezone(UTC) == starts
        assert entry.decoded("DTEND").astimezone(UTC) == event.ends_at


@pytest.mark.parametrize(("hour", "offset"), [(0, "UTC+1"), (1, "UTC+0")])
def test_page_mail_and_calendar_tell_the_same_of_a_doubled_hour(client, hour, offset):
    starts = datetime(2027, 10, 31, hour, 30, tzinfo=UTC)
    event = make_event(starts_at=starts, ends_at=starts + timedelta(minutes=20))
    member = make_member(time_zone="Europe/London")
    client.force_login(member)
    told = f"31 October 2027, 01:30 to 01:50 your time (London, {offset})"
    assert told in " ".join(strip_tags(client.get(event.get_absolute_url()).content.decode()).split())
    services.register_member(event=event, member=member)
    (message,) = post()
    assert told in " ".join(text_of(message).split())
    assert entry_of(calendar_of(message)[1]).decoded("DTSTART").astimezone(UTC) == starts


@pytest.mark.parametrize(
    "name",
    [
        "Europe/London",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
        "Pacific/Apia",
    ],
)
def test_time_zones_are_those_that_python_counts_with(name):
    zone = zoneinfo.ZoneInfo(name)
    found = Calendar.from_ical(vtimezone(name, 2025, 2028))
    parts = [
        (part.decoded("DTSTART"), part.decoded("TZOFFSETFROM"), part.decoded("TZOFFSETTO"))
        for part in found.subcomponents
    ]
    moment = datetime(2025, 1, 2, tzinfo=UTC)
    while moment < datetime(2028, 12, 30, tzinfo=UTC):
        # RFC 5545, 3.6.5: the last observance whose onset, on the clock before it, is not later.
        offset = max(
            (onset - before, after)
            for onset, before, after in parts
            if onset - before <= moment.replace(tzinfo=None)
        )[1]
        assert moment.astimezone(zone).utcoffset() == offset
        moment += timedelta(hours=5, minutes=30)
    assert len(parts) == 1 + len(
        list(transitions(zone, datetime(2025, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)))
    )


# --- links to others' calendars ----------------------------------------------------------------------------------------
def test_links_carry_the_event_and_nothing_personal():
    event = make_event(
        title="R&D <now>",
        summary="For all.",
        venue="Room 4; Norwich",
        kind="hybrid",
        starts_at=datetime(2026, 12, 3, 13, tzinfo=UTC),
        ends_at=datetime(2026, 12, 3, 14, 15, tzinfo=UTC),
    )
    page = f"http://testserver/events/{event.pk}-{event.slug}/"
    google = urlsplit(calendar_links.google(event))
    asked = {name: value for name, (value,) in parse_qs(google.query).items()}
    assert google.netloc == "calendar.google.com"
    assert asked == {
        "action": "TEMPLATE",
        "text": "R&D <now>",
        "dates": "20261203T130000Z/20261203T141500Z",
        "details": f"For all.\n\nYour way in opens 15 minutes before the start: {page}",
        "location": "Room 4; Norwich, and online",
    }
    outlook = urlsplit(calendar_links.outlook(event, calendar_links.OUTLOOK_AT_HOME))
    asked = {name: value for name, (value,) in parse_qs(outlook.query).items()}
    assert (outlook.netloc, outlook.path) == ("outlook.live.com", "/calendar/0/deeplink/compose")
    at_work = urlsplit(calendar_links.outlook(event))
    assert (at_work.netloc, at_work.path) == ("outlook.office.com", "/calendar/action/compose")
    assert at_work.query == outlook.query
    assert "+" not in outlook.query  # which Outlook would show
    assert (asked["subject"], asked["startdt"], asked["enddt"], asked["location"]) == (
        "R&D <now>",
        "2026-12-03T13:00:00Z",
        "2026-12-03T14:15:00Z",
        "Room 4; Norwich, and online",
    )


@pytest.mark.parametrize(
    "words",
    [
        "Commas, semicolons; back\\slashes \\n and: colons",
        "Quotes \"inside\" and 'out'; BEGIN:VEVENT",
        "Ärzte und Pflegende – 知識の橋渡し – " + "🧑🏽‍⚕️" * 12,
        "כנס שנתי: ידע ויישום",
        "=1+1",
    ],
)
def test_whatever_is_written_comes_back_as_it_was(client, words):
    event = make_event(title=words, summary=words, venue=words)
    (entry,) = read(client.get(PUBLIC).content).walk("VEVENT")
    assert (str(entry["SUMMARY"]), str(entry["LOCATION"])) == (words, words)
    assert str(entry["DESCRIPTION"]).startswith(f"{words}\n\n")
    assert str(entry["URL"]) == f"http://testserver{event.get_absolute_url()}"


def test_add_to_calendar_offers_four_ways():
    event = make_event(title="R&D")
    words = render_to_string("events/_add_to_calendar.html", {"event": event})
    hosts = [urlsplit(part.split('"')[0]).netloc for part in words.split('<a href="')[1:]]
    assert hosts == ["outlook.office.com", "outlook.live.com", "calendar.google.com", ""]
    assert "text=R%26D&amp;" in words
