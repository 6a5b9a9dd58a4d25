"""The mails about approval, reconfirmation, gifts, the last call, invitations and letters, as their receivers get them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from events import mails, services
from events.models import EventInvitation, EventMessage, Status, Way
from kmnet.core.models import OutgoingMail
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import calendar_of, entry_of, html_of, link_to, links_of, post, text_of, to

pytestmark = pytest.mark.django_db
TITLE = "What a residency leaves behind"


@pytest.fixture
def event(clock):
    """For one, on 3 December 2026 at 13:00 in London; now is 30 November, 14:00 there: the question has gone out."""
    clock.move_to(datetime(2026, 11, 30, 14, tzinfo=UTC))
    return make_event(
        title=TITLE,
        starts_at=datetime(2026, 12, 3, 13, tzinfo=UTC),
        ends_at=datetime(2026, 12, 3, 14, 15, tzinfo=UTC),
        capacity=1,
        organisers=[make_member(name="Priya Raghunathan", is_organiser=True)],
    )


@pytest.fixture
def noor():
    return make_member(name="Noor Haddad", email="noor@example.org", time_zone="Asia/Amman")


@pytest.fixture
def mine(event, noor):
    """Noor's registration in a state: `mine(Status.SOFT)`; 31 people wait."""

    def make(status, **fields):
        for _person in range(31):
            make_registration(event=event, status=Status.WAITING, priority=-1)
        fields.setdefault("confirmed_at", timezone.now() - timedelta(days=5))
        return make_registration(event=event, member=noor, status=status, **fields)

    return make


def reason() -> str:
    return OutgoingMail.objects.get(state="withheld").reason


def one(queue, *args):
    """The one mail that this queues, however often it is called."""
    for _time in range(2):
        queue(*args)
    (message,) = post()
    return message


def has_calendar(message) -> bool:
    return any(part.get_content_type() == "text/calendar" for part in message.walk())


# --- reconfirmation --------------------------------------------------------------------------------------------------
def test_reconfirmation_names_what_an_empty_place_costs_and_until_when(mine, clock):
    asked = mine(Status.CONFIRMED, asked_at=timezone.now())
    message = one(mails.queue_reconfirm, asked)
    assert message["Subject"] == f"Are you still coming on Thursday 3 December? {TITLE}"
    assert "Noor, are you still coming on Thursday 3 December?" in html_of(message)
    for words in (text_of(message), html_of(message)):
        assert "31 people are waiting for a place." in words
        assert "If your day has changed, no need to explain." in words
        assert "Please answer by Wednesday 2 December, 16:00, Amman time (UTC+3)." in words
    assert [link.split("/")[2] for link in links_of(message)] == ["reconfirm"]
    assert not has_calendar(message)


def test_who_was_asked_late_has_twelve_hours_to_answer(mine, event, clock):
    clock.move_to(datetime(2026, 12, 2, 10, tzinfo=UTC))
    message = one(mails.queue_reconfirm, mine(Status.CONFIRMED, asked_at=timezone.now()))
    assert "Please answer by Thursday 3 December, 01:00, Amman time (UTC+3)." in text_of(message)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"said_yes_at": datetime(2026, 11, 30, 15, tzinfo=UTC)}, "the person has answered"),
        ({"status": Status.CANCELLED}, "the registration is cancelled by now"),
    ],
)
def test_who_has_answered_is_not_asked(mine, change, why):
    asked = mine(Status.CONFIRMED, asked_at=timezone.now())
    mails.queue_reconfirm(asked)
    for name, value in change.items():
        setattr(asked, name, value)
    asked.save()
    assert post() == []
    assert reason() == why


def test_question_about_the_old_time_is_not_asked(mine, event):
    mails.queue_reconfirm(mine(Status.CONFIRMED))
    event.starts_at += timedelta(days=1)
    event.ends_at += timedelta(days=1)
    event.save()
    assert post() == []
    assert reason() == "the event has been moved"


def test_who_was_silent_hears_how_to_come_all_the_same(mine):
    message = one(mails.queue_soft, mine(Status.SOFT))
    assert message["Subject"] == f"Are you coming after all? {TITLE}"
    assert "Noor, you can still come." in html_of(message)
    assert "31 people are waiting for a place." in text_of(message)
    assert "if not you are first in line" in text_of(message)
    assert link_to(message, "reconfirm")
    assert not has_calendar(message)  # the entry stays: they may come to the door


def test_all_hands_call_is_for_whoever_is_first(mine, event, clock):
    waits = mine(Status.EXPIRED, confirmed_at=None)
    clock.move_to(datetime(2026, 12, 3, 10, 30, tzinfo=UTC))
    message = one(mails.queue_all_hands, waits)
    assert message["Subject"] == f"A place is free now: {TITLE}"
    assert "It starts at 16:00 today." in text_of(message)
    assert [link.split("/")[2] for link in links_of(message)] == ["claim"]


def test_all_hands_call_is_withheld_when_the_place_is_gone(mine, event, clock):
    waits = mine(Status.WAITING, confirmed_at=None)
    clock.move_to(datetime(2026, 12, 3, 10, 30, tzinfo=UTC))
    mails.queue_all_hands(waits)
    make_registration(event=event)
    assert post() == []
    assert reason() == "no place is free any more"


# --- approval, queue, recording --------------------------------------------------------------------------------------
def test_request_and_refusal_are_told(mine, event):
    asked = mine(Status.REQUESTED, confirmed_at=None)
    message = one(mails.queue_requested, asked)
    assert message["Subject"] == f"The organisers have your request: {TITLE}"
    assert [link.split("/")[2] for link in links_of(message)] == ["place"]
    services.refuse_registration(
        registration=asked, by=event.organisers.get(), reason="This one is for beginners."
    )
    (message,) = to(post(), "noor@example.org")
    assert message["Subject"] == f"No place for you this time: {TITLE}"
    assert "They wrote: This one is for beginners." in text_of(message)
    assert "You are welcome at the others." in text_of(message)
    assert not has_calendar(message)


def test_position_is_that_of_the_moment_of_sending_and_can_be_switched_off(mine):
    waits = mine(Status.WAITING, confirmed_at=None)
    message = one(mails.queue_position, waits, 10, 12)
    assert "You moved up from number 12." in text_of(message)
    assert message["Subject"] == f"You are number 1 on the waiting list now: {TITLE}"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_recording_only_ends_the_calendar_entry_of_who_had_a_place(mine, event, noor):
    message = one(mails.queue_recording, mine(Status.RECORDING))
    assert message["Subject"] == f"The recording only: {TITLE}"
    assert calendar_of(message)[0] == "CANCEL"
    other = make_registration(event=make_event(), member=noor, status=Status.RECORDING)
    assert not has_calendar(one(mails.queue_recording, other))


def test_whoever_rose_in_the_queue_reads_why(mine, event):
    event.priority_from = make_event(title="The launch")
    event.save()
    message = one(mails.queue_waiting, mine(Status.WAITING, priority=1))
    assert "You come first because you waited in vain for “The launch”." in text_of(message)


# --- giving a place ---------------------------------------------------------------------------------------------------
def test_a_given_place_is_offered_by_name_and_the_giver_learns_no_address(mine, event):
    giver = mine(Status.CANCELLED)
    given = make_registration(
        event=event, status=Status.OFFERED, guest_name="Ada", guest_address="ada@example.com", given_by=giver
    )
    mails.queue_place_passed_on(giver)
    mails.queue_place_given(given)
    receipt, gift = post()
    assert receipt["Subject"] == f"You gave your place to somebody: {TITLE}"
    assert "ada@example.com" not in text_of(receipt) + html_of(receipt)
    assert calendar_of(receipt)[0] == "CANCEL"
    assert gift["To"] == "ada@example.com"
    assert gift["Subject"] == f"Noor Haddad gives you a place, until 14:00 tomorrow: {TITLE}"
    assert "You get this because Noor Haddad named you." in text_of(gift)
    assert [link.split("/")[2] for link in links_of(gift)] == ["offer"]


# --- invitations ------------------------------------------------------------------------------------------------------
def test_invitation_leads_a_member_to_the_event_and_a_guest_to_their_own_page(event, noor):
    event.visibility = 3
    event.save()
    priya = event.organisers.get()
    for who in ({"member": noor}, {"guest_address": "ada@example.com"}):
        mails.queue_invited(EventInvitation.objects.create(event=event, invited_by=priya, **who))
    to_noor, to_ada = post()
    assert "Noor, Priya Raghunathan invites you." in html_of(to_noor)
    assert links_of(to_noor) == []
    assert event.get_absolute_url() in text_of(to_noor)
    assert "Priya Raghunathan invites you." in html_of(to_ada)
    assert link_to(to_ada, "invited")


def test_withdrawn_invitation_is_not_mailed(event):
    invitation = EventInvitation.objects.create(event=event, guest_address="ada@example.com")
    mails.queue_invited(invitation)
    invitation.delete()
    assert post() == []
    assert reason() == "the invitation was withdrawn"


# --- the event --------------------------------------------------------------------------------------------------------
def test_postponed_event_takes_the_old_day_out_of_the_calendar(mine, event):
    place = mine(Status.CONFIRMED)
    event.postponed_at, event.sequence = timezone.now(), 1
    event.cancel_reason = "The hall is flooded."
    event.save()
    place.refresh_from_db()
    message = one(mails.queue_postponed, place)
    assert message["Subject"] == f"Postponed: {TITLE}"
    assert "It was planned for Thursday 3 December, 16:00 to 17:15 (Amman, UTC+3)." in text_of(message)
    assert "You keep your place." in text_of(message)
    assert "“The hall is flooded.”" in text_of(message)
    method, calendar, _raw = calendar_of(message)
    assert (method, int(entry_of(calendar)["SEQUENCE"])) == ("CANCEL", 1)
    mails.queue_reconfirm(place)
    assert post() == []
    assert reason() == "the event waits for its new day"


def test_links_of_a_postponed_event_outlast_its_old_day(mine, event, clock, client):
    place = mine(Status.CONFIRMED)
    event.postponed_at = timezone.now()
    event.save()
    place.refresh_from_db()
    link = link_to(one(mails.queue_postponed, place), "cancel")
    clock.shift(timedelta(days=100))
    assert "Give your place up?" in client.get(link).content.decode()


def test_new_day_is_told_to_each_by_how_they_stand(event, noor):
    queue = {
        Status.CONFIRMED: "You keep your place.",
        Status.WAITING: "You keep your turn on the waiting list.",
        Status.REQUESTED: "The organisers still have your request.",
        Status.RECORDING: "You still get the recording.",
    }
    before = {"starts_at": "2026-12-01T13:00:00+00:00", "postponed_at": "2026-11-29T13:00:00+00:00"}
    for status in queue:
        mails.queue_changed(make_registration(event=event, status=status), event, before)
    found = post()
    assert [words in text_of(message) for words, message in zip(queue.values(), found, strict=True)] == [
        True
    ] * 4
    assert "has its new day" in html_of(found[0])
    assert "The attachment puts the new day into your calendar." in text_of(found[0])
    assert [has_calendar(message) for message in found] == [True, False, False, False]


def test_letter_is_in_the_name_of_who_wrote_it_and_keeps_its_text(mine, event):
    message = EventMessage.objects.create(
        event=event,
        author=event.organisers.get(),
        audience="places",
        subject="Bring <one> question",
        body="Please bring *one* question.",
        body_html="<p>Please bring <em>one</em> question.</p>",
    )
    letter = one(mails.queue_letter, message, mine(Status.CONFIRMED))
    assert letter["Subject"] == "Bring <one> question"
    assert "Priya Raghunathan" in letter["From"]
    assert "Bring &lt;one&gt; question" in html_of(letter)
    assert "<em" in html_of(letter)
    assert "Please bring *one* question." in text_of(letter)
    assert "its organisers wrote to everyone with a place." in text_of(letter)


def test_who_left_gets_no_letter(mine, event):
    message = EventMessage.objects.create(event=event, audience="places", subject="Hello", body="Hello")
    place = mine(Status.CONFIRMED)
    mails.queue_letter(message, place)
    place.status = Status.CANCELLED
    place.save()
    assert post() == []
    assert reason() == "the registration is cancelled by now"


def test_hybrid_event_says_where_this_person_goes(clock, noor):
    clock.move_to(datetime(2026, 11, 30, 14, tzinfo=UTC))
    hybrid = make_event(kind="hybrid", venue="The Forum, Norwich", capacity=9, online_capacity=9)
    where = {}
    for way in Way:
        mails.queue_confirmed(make_registration(event=hybrid, way=way))
        (message,) = post()
        where[way] = "The Forum, Norwich" in text_of(message)
    assert where == {"room": True, "online": False}


@pytest.mark.parametrize(
    ("way", "person", "has_words", "has_link"),
    [
        (Way.ROOM, {}, False, False),
        (Way.ONLINE, {}, True, False),
        (Way.ROOM, {"guest_address": "ana@example.org", "guest_name": "Ana"}, False, False),
        (Way.ONLINE, {"guest_address": "ana@example.org", "guest_name": "Ana"}, False, True),
    ],
)
def test_a_way_in_is_named_to_those_who_have_one(way, person, has_words, has_link):
    """The event page does not know guests, so they get theirs; whoever sits in the room needs none."""
    hybrid = make_event(kind="hybrid", capacity=1, online_capacity=1)
    message = one(mails.queue_confirmed, make_registration(event=hybrid, way=way, **person))
    for words in (text_of(message), html_of(message)):
        assert ("opens on the event page" in words) is has_words
        assert ("/mail/join/" in words) is has_link


def test_the_queue_that_is_meant_is_named():
    hybrid = make_event(kind="hybrid", capacity=1, online_capacity=1)
    waits = make_registration(event=hybrid, way=Way.ROOM, status=Status.WAITING)
    assert "All places in the room are taken." in text_of(one(mails.queue_waiting, waits))


@pytest.mark.parametrize("queue", [mails.queue_waiting, lambda turn: mails.queue_position(turn, 1, 1)])
def test_who_waits_changes_answers_from_the_mail(client, queue):
    event = make_event(capacity=1)
    make_registration(event=event)
    message = one(queue, make_registration(event=event, status=Status.WAITING))
    assert [link.split("/")[2] for link in links_of(message)][:2] == ["place", "cancel"]
    assert "/mail/place/" in html_of(message)
    assert "You are number 1 on the waiting list" in client.get(link_to(message, "place")).content.decode()


def test_who_gives_a_place_up_is_not_told_of_somebody_who_may_not_be_there(noor):
    mine = services.register_member(event=make_event(capacity=1), member=noor)
    services.cancel_registration(registration=mine, actor=noor)
    (message,) = post()
    assert "your place is free for somebody else." in text_of(message)
    assert "your place is free for somebody else." in html_of(message)


def test_an_offer_says_whether_somebody_left_or_the_organisers_offer_more(event, noor):
    organiser = event.organisers.get()
    event = make_event(capacity=1, organisers=[organiser])
    holder = services.register_member(event=event, member=make_member())
    waiting = [services.register_member(event=event, member=make_member()) for _number in range(2)]
    services.cancel_registration(registration=holder)
    services.offer_more_places(event=event, count=1, by=organiser)
    found = post()
    freed, more = (text_of(to(found, row.member.email)[-1]) for row in waiting)
    assert "A place became free and you are next on the waiting list." in freed
    assert "The organisers offer more places, and you are next on the waiting list." in more
    assert ("offer more places" in freed, "became free" in more) == (False, False)


def test_who_was_silent_changes_answers_from_the_mail_and_on_the_page(client, mine):
    soft = mine(Status.SOFT, asked_at=timezone.now() - timedelta(days=2))
    assert link_to(one(mails.queue_soft, soft), "place")
    client.force_login(soft.member)
    page = client.get(soft.event.get_absolute_url()).content.decode()
    assert f'href="{reverse("events:place", args=[soft.event.pk, soft.event.slug])}"' in page


def test_a_new_organiser_hears_of_it_once_and_not_when_it_is_over(client, event):
    priya, friend, other = event.organisers.get(), make_member(name="Ada Obi"), make_member()
    for _press in range(2):
        services.add_organiser(event=event, by=priya, member=friend)
    (message,) = post()
    assert (message["To"], message["Subject"]) == (friend.email, f"You organise it too: {TITLE}")
    assert "Ada, Priya Raghunathan made you an organiser." in text_of(message)
    for end in ("organise/", "organise/organisers/"):
        assert f"{event.get_absolute_url()}{end}" in text_of(message)
        client.force_login(friend)
        assert client.get(f"{event.get_absolute_url()}{end}").status_code == 200
    services.add_organiser(event=event, by=priya, member=other)
    services.remove_organiser(event=event, by=priya, member=other)
    assert post() == []
    assert reason() == "the receiver does not organise it any more"
