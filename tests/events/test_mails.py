"""Every mail as its receiver gets it, from the raw bytes; and what is held back, with its reason."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from events import services, tasks
from events.models import Status
from kmnet.core import mail
from kmnet.core.models import OutgoingMail
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import calendar_of, entry_of, html_of, link_to, links_of, post, text_of, to

pytestmark = pytest.mark.django_db
MEETING = "meet.example.org"


@pytest.fixture
def event(clock):
    """A webinar for one, on 3 December 2026 at 13:00 in London; now is 24 November, 09:00."""
    clock.move_to(datetime(2026, 11, 24, 9, tzinfo=UTC))
    organiser = make_member(is_organiser=True, email="priya@example.org")
    return make_event(
        title="What a residency leaves behind",
        slug="what-a-residency-leaves-behind",
        starts_at=datetime(2026, 12, 3, 13, tzinfo=UTC),
        ends_at=datetime(2026, 12, 3, 14, 15, tzinfo=UTC),
        capacity=1,
        has_captions=True,
        organisers=[organiser],
    )


@pytest.fixture
def noor():
    return make_member(name="Noor Haddad", email="noor@example.org", time_zone="Asia/Amman")


def reasons(kind: str) -> list[str]:
    return list(OutgoingMail.objects.filter(kind=kind, state="withheld").values_list("reason", flat=True))


def test_confirmation_brings_the_invitation_and_the_way_out(event, noor):
    services.register_member(event=event, member=noor)
    (message,) = post()
    assert message["To"] == "noor@example.org"
    assert message["Subject"] == "You have a place: What a residency leaves behind"
    assert "Thursday 3 December" in text_of(message)
    assert "16:00 to 17:15 your time (Amman, UTC+3)" in text_of(message)
    assert "There: Thursday 3 December, 13:00 to 14:15 (London, UTC+0)" in text_of(message)
    assert [link.split("/")[2] for link in links_of(message)] == ["place", "cancel"]
    method, calendar, raw = calendar_of(message)
    entry = entry_of(calendar)
    assert (method, str(calendar["METHOD"])) == ("REQUEST", "REQUEST")
    assert str(entry["UID"]) == event.uid
    assert int(entry["SEQUENCE"]) == 0
    assert str(entry["ATTENDEE"]) == "mailto:noor@example.org"
    assert str(entry["ORGANIZER"]) == "mailto:hello@kmnet.example"
    assert entry.decoded("DTSTART") == event.starts_at
    assert entry["DTSTART"].params["TZID"] == "Europe/London"
    assert len(calendar.walk("VTIMEZONE")) == 1
    assert len(entry.walk("VALARM")) == 1
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 75


def test_no_mail_and_no_calendar_holds_the_meetings_address(event, noor, clock):
    services.register_member(event=event, member=noor)
    services.register_member(event=event, member=make_member())
    clock.move_to(datetime(2026, 12, 2, 13, 1, tzinfo=UTC))
    tasks.queue_due_reminders()
    messages = post()
    assert len(messages) == 3
    for message in messages:
        assert MEETING not in message.as_string()
        assert MEETING not in text_of(message) + html_of(message)
    _method, _calendar, raw = calendar_of(messages[0])
    assert b"/mail/" not in raw


def test_waiting_mail_tells_the_position(event, noor):
    make_registration(event=event)
    make_registration(event=event, status=Status.WAITING)
    services.register_member(event=event, member=noor)
    (message,) = to(post(), "noor@example.org")
    assert message["Subject"] == "You are number 2 on the waiting list: What a residency leaves behind"
    assert "Noor, you are number 2 on the waiting list." in html_of(message)


def test_offer_says_until_when_in_the_readers_time(event, noor):
    holder = make_registration(event=event)
    services.register_member(event=event, member=noor)
    services.cancel_registration(registration=holder)
    offer = to(post(), "noor@example.org")[-1]
    assert offer["Subject"] == "A place is yours until 12:00 tomorrow: What a residency leaves behind"
    assert "Held for you until Wednesday 25 November, 12:00, Amman time (UTC+3)." in text_of(offer)
    assert "Take the place" in html_of(offer)
    assert "Pass it to the next person" in html_of(offer)
    assert link_to(offer, "offer") in html_of(offer)
    assert link_to(offer, "cancel")


def test_answered_or_lapsed_offer_is_not_mailed_any_more(event, noor, clock):
    holder = make_registration(event=event)
    waiting = services.register_member(event=event, member=noor)
    services.cancel_registration(registration=holder)
    services.accept_offer(registration=waiting)
    post()
    assert reasons("events.offer") == ["the registration is confirmed by now"]
    other = make_event(capacity=1)
    late = make_registration(event=other, status=Status.WAITING)
    services.promote_waiting(event=other)
    clock.shift(timedelta(hours=25))
    post()
    assert OutgoingMail.objects.get(refs__registration=late.pk).reason == "the offer has ended"


def test_lapsed_offer_is_told_kindly(event, noor, clock):
    make_registration(event=event, member=noor, status=Status.OFFERED)
    clock.shift(timedelta(hours=25))
    tasks.sweep_promotions()
    (message,) = post()
    assert message["Subject"] == "The place has gone to the next person: What a residency leaves behind"
    assert "join the waiting list again, at its end" in text_of(message)


def test_leaving_ends_the_calendar_entry_of_that_person_alone(event, noor):
    mine = services.register_member(event=event, member=noor)
    post()
    services.cancel_registration(registration=mine, actor=noor)
    (message,) = post()
    method, calendar, _raw = calendar_of(message)
    entry = entry_of(calendar)
    assert (method, str(calendar["METHOD"])) == ("CANCEL", "CANCEL")
    assert "STATUS" not in entry  # the event itself goes on
    assert (str(entry["UID"]), int(entry["SEQUENCE"])) == (event.uid, 1)
    assert str(entry["ATTENDEE"]) == "mailto:noor@example.org"


def test_leaving_the_waiting_list_has_no_calendar_part(event, noor):
    make_registration(event=event)
    mine = services.register_member(event=event, member=noor)
    services.cancel_registration(registration=mine, actor=noor)
    message = to(post(), "noor@example.org")[-1]
    assert message["Subject"] == "You left the waiting list: What a residency leaves behind"
    assert [part for part in message.walk() if part.get_content_type() == "text/calendar"] == []


def test_confirmation_is_withheld_from_somebody_who_has_left(event, noor):
    mine = services.register_member(event=event, member=noor)
    services.cancel_registration(registration=mine, actor=noor)
    assert [message["Subject"] for message in post()] == [
        "You gave up your place: What a residency leaves behind"
    ]
    assert reasons("events.confirmed") == ["the registration is cancelled by now"]


def test_removal_is_told_with_the_reason(event, noor):
    mine = services.register_member(event=event, member=noor)
    services.remove_registration(
        registration=mine, by=event.organisers.get(), reason="This is for staff only."
    )
    message = to(post(), "noor@example.org")[-1]
    assert "This is for staff only." in text_of(message)
    assert calendar_of(message)[0] == "CANCEL"


def test_cancelled_event_tells_everybody_once(event, noor):
    services.register_member(event=event, member=noor)
    waiting = make_member()
    services.register_member(event=event, member=waiting)
    post()
    for _twice in range(2):
        services.cancel_event(event=event, actor=event.organisers.get(), reason="Two speakers are ill.")
    messages = post()
    assert sorted(message["To"] for message in messages) == sorted(["noor@example.org", waiting.email])
    message = to(messages, "noor@example.org")[0]
    assert message["Subject"] == "Cancelled: What a residency leaves behind"
    assert "Two speakers are ill." in text_of(message)
    method, calendar, _raw = calendar_of(message)
    entry = entry_of(calendar)
    assert (method, str(entry["STATUS"]), int(entry["SEQUENCE"])) == ("CANCEL", "CANCELLED", 1)
    tasks.sweep_promotions()
    tasks.queue_due_reminders()
    assert post() == []


def test_moved_event_updates_the_calendar_with_a_higher_sequence(event, noor):
    services.register_member(event=event, member=noor)
    services.register_member(event=event, member=make_member())
    post()
    services.update_event(
        event=event,
        actor=event.organisers.get(),
        starts_at=event.starts_at + timedelta(days=1),
        ends_at=event.ends_at + timedelta(days=1),
    )
    messages = post()
    assert len(messages) == 2
    message = to(messages, "noor@example.org")[0]
    assert "It was Thursday 3 December, 16:00 to 17:15." in text_of(message)
    assert "Friday 4 December" in text_of(message)
    method, calendar, _raw = calendar_of(message)
    entry = entry_of(calendar)
    assert (method, int(entry["SEQUENCE"]), str(entry["UID"])) == ("REQUEST", 1, event.uid)
    assert entry.decoded("DTSTART") == datetime(2026, 12, 4, 13, tzinfo=UTC)


def test_two_changes_before_sending_are_told_once(event, noor):
    services.register_member(event=event, member=noor)
    post()
    organiser = event.organisers.get()
    services.update_event(event=event, actor=organiser, venue="Room 1")
    services.update_event(event=event, actor=organiser, venue="Room 2")
    (message,) = post()
    assert "Room 2" in text_of(message)
    assert reasons("events.event_changed") == ["a later change tells it all"]


def test_other_changes_raise_no_sequence_and_write_no_mail(event, noor):
    services.register_member(event=event, member=noor)
    post()
    services.update_event(
        event=event, actor=event.organisers.get(), summary="Now in one sentence.", description="*More*"
    )
    event.refresh_from_db()
    assert (event.sequence, event.description_html.strip()) == (0, "<p><em>More</em></p>")
    assert post() == []


# --- reminders -------------------------------------------------------------------------------------------------------
def test_reminders_a_day_and_an_hour_before_each_once(event, noor, clock):
    services.register_member(event=event, member=noor)
    services.register_member(event=event, member=make_member())
    post()
    clock.move_to(datetime(2026, 12, 2, 12, 59, tzinfo=UTC))
    tasks.queue_due_reminders()
    assert post() == []
    clock.move_to(datetime(2026, 12, 2, 13, 1, tzinfo=UTC))
    for _beat in range(3):
        tasks.queue_due_reminders()
    (day,) = post()
    assert (day["To"], day["Subject"]) == (
        "noor@example.org",
        "At 16:00 tomorrow: What a residency leaves behind",
    )
    assert "1 person is waiting for a place." in text_of(day)
    assert "There are live captions." in text_of(day)
    assert day["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link_to(day, "cancel")
    assert link_to(day, "join")
    clock.move_to(datetime(2026, 12, 3, 12, 1, tzinfo=UTC))
    for _beat in range(3):
        tasks.queue_due_reminders()
    (hour,) = post()
    assert hour["Subject"] == "In an hour: What a residency leaves behind"


def test_late_reminder_is_dropped_with_its_reason(event, noor, clock):
    services.register_member(event=event, member=noor)
    post()
    clock.move_to(datetime(2026, 12, 3, 2, tzinfo=UTC))  # 13 hours late
    tasks.queue_due_reminders()
    assert post() == []
    assert reasons("events.reminder_24h") == ["too late: it was due at 2026-12-02T13:00:00+00:00"]
    clock.move_to(datetime(2026, 12, 3, 12, 44, tzinfo=UTC))
    tasks.queue_due_reminders()
    assert len(post()) == 1  # 44 minutes late, 16 before the start: still of use


def test_after_the_start_nobody_is_reminded(event, noor, clock):
    services.register_member(event=event, member=noor)
    post()
    clock.move_to(datetime(2026, 12, 3, 13, 1, tzinfo=UTC))
    tasks.queue_due_reminders()
    assert post() == []
    assert len(reasons("events.reminder_24h") + reasons("events.reminder_1h")) == 2


def test_whoever_left_or_came_late_or_is_there_is_not_reminded(event, noor, clock):
    event.capacity = None
    event.save()
    left = services.register_member(event=event, member=noor)
    services.cancel_registration(registration=left)
    there = services.register_member(event=event, member=make_member())
    clock.move_to(datetime(2026, 12, 2, 15, tzinfo=UTC))
    services.register_member(event=event, member=make_member())  # two hours after the reminder was due
    tasks.queue_due_reminders()
    assert OutgoingMail.objects.filter(kind="events.reminder_24h").count() == 1  # `there` alone
    clock.move_to(datetime(2026, 12, 3, 12, 50, tzinfo=UTC))
    services.enter(registration=there)
    tasks.queue_due_reminders()
    post()
    assert "the person is there already" in reasons("events.reminder_1h")


def test_moved_event_brings_one_new_reminder_and_a_new_title_none(event, noor, clock):
    services.register_member(event=event, member=noor)
    clock.move_to(datetime(2026, 12, 2, 13, 1, tzinfo=UTC))
    tasks.queue_due_reminders()
    assert len(post()) == 2
    organiser = event.organisers.get()
    services.update_event(event=event, actor=organiser, title="What it leaves behind")
    tasks.queue_due_reminders()
    services.update_event(
        event=event,
        actor=organiser,
        starts_at=event.starts_at + timedelta(days=2),
        ends_at=event.ends_at + timedelta(days=2),
    )
    tasks.queue_due_reminders()
    assert {message["Subject"] for message in post()} == {"Changed: What it leaves behind"}
    clock.move_to(datetime(2026, 12, 4, 13, 1, tzinfo=UTC))
    tasks.queue_due_reminders()
    assert [message["Subject"] for message in post()] == ["At 16:00 tomorrow: What it leaves behind"]


def test_reminder_queued_for_the_old_time_is_withheld(event, noor, clock):
    services.register_member(event=event, member=noor)
    post()
    clock.move_to(datetime(2026, 12, 2, 13, 1, tzinfo=UTC))
    tasks.queue_due_reminders()  # in the outbox, and the mail server is away
    services.update_event(
        event=event,
        actor=event.organisers.get(),
        starts_at=event.starts_at + timedelta(days=2),
        ends_at=event.ends_at + timedelta(days=2),
    )
    assert [message["Subject"][:8] for message in post()] == ["Changed:"]
    assert reasons("events.reminder_24h") == ["the event has been moved; another reminder comes"]


def test_reminders_can_be_switched_off_and_offers_cannot(event, noor):
    kinds = {kind.key: kind.category for kind in mail.all_kinds() if kind.key.startswith("events.")}
    assert {key for key, category in kinds.items() if category == "event_reminders"} == {
        "events.position",
        "events.reminder_24h",
        "events.reminder_1h",
    }
    assert len(kinds) == 25


# --- guests, suspended members ---------------------------------------------------------------------------------------
def test_a_guests_mails_speak_their_time_and_need_no_account(event, client):
    services.request_guest_place(
        event=event, name="Ada Guest", address="ada@example.com", time_zone="Africa/Nairobi"
    )
    (proof,) = post()
    assert proof["To"] == "ada@example.com"
    assert "16:00 to 17:15 your time (Nairobi, UTC+3)" in text_of(proof)
    client.post(link_to(proof, "prove"))
    (message,) = post()
    assert message["Subject"] == "You have a place: What a residency leaves behind"
    assert str(entry_of(calendar_of(message)[1])["ATTENDEE"]) == "mailto:ada@example.com"


def test_typing_an_address_again_mails_at_most_once_in_ten_minutes(event, clock):
    clock.move_to(datetime(2026, 11, 24, 9, 0, 5, tzinfo=UTC))
    for _time in range(3):
        services.request_guest_place(event=event, name="Ada", address="ada@example.com")
    assert len(post()) == 1
    clock.shift(timedelta(minutes=10))
    services.request_guest_place(event=event, name="Ada", address="ada@example.com")
    assert len(post()) == 1


def test_somebody_registered_is_told_so_by_mail_not_by_the_page(event, noor):
    services.register_member(event=event, member=noor)
    post()
    services.request_guest_place(event=event, name="Somebody", address="NOOR@example.org")
    (message,) = post()
    assert (message["To"], message["Subject"]) == (
        "noor@example.org",
        "You are registered already: What a residency leaves behind",
    )
    assert event.registrations.count() == 1


def test_suspended_member_gets_no_event_mail(event, noor):
    services.register_member(event=event, member=noor)
    noor.status, noor.is_active = "suspended", False
    noor.save()
    assert post() == []


def test_texts_of_people_stay_text_in_mails(event, clock):
    organiser = event.organisers.get()
    services.update_event(event=event, actor=organiser, title='<b>Bold</b> & "quoted" title')
    services.register_member(event=event, member=make_member(name="Zoë Ng'ang'a"))
    message = post()[0]
    assert message["Subject"] == 'You have a place: <b>Bold</b> & "quoted" title'
    assert "<b>Bold" not in html_of(message)
    assert "&amp;" not in text_of(message)
    assert str(entry_of(calendar_of(message)[1])["SUMMARY"]) == '<b>Bold</b> & "quoted" title'


def test_public_file_is_the_same_entry_without_people(event, client):
    services.register_member(event=event, member=make_member())
    response = client.get(reverse("events:calendar_file", args=[event.pk, event.slug]))
    from icalendar import Calendar

    calendar = Calendar.from_ical(response.content)
    entry = entry_of(calendar)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert (str(calendar["METHOD"]), str(entry["UID"])) == ("PUBLISH", event.uid)
    assert "ATTENDEE" not in entry
    assert MEETING.encode() not in response.content
    services.cancel_event(event=event, actor=event.organisers.get())
    response = client.get(reverse("events:calendar_file", args=[event.pk, event.slug]))
    assert str(entry_of(Calendar.from_ical(response.content))["STATUS"]) == "CANCELLED"


def test_both_clock_changes_leave_reminders_on_time(clock, noor):
    """A reminder is due 24 hours before the start, also on the day of 23 or of 25 hours."""
    clock.move_to(datetime(2027, 3, 20, tzinfo=UTC))
    spring = make_event(starts_at=datetime(2027, 3, 28, 11, tzinfo=UTC), time_zone="Europe/London")
    services.register_member(event=spring, member=noor)
    post()
    clock.move_to(datetime(2027, 3, 27, 11, 0, 30, tzinfo=UTC))
    tasks.queue_due_reminders()
    (message,) = post()
    assert "(London, UTC+1)" in text_of(message)
    assert timezone.now() < spring.starts_at
