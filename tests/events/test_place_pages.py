"""What the event page shows in every state, and the one page for all that can be done with a place."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from events import mails, services
from events.models import Question, Status
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import dump, link_to, post, to

pytestmark = pytest.mark.django_db


def url(name, event):
    return reverse(f"events:{name}", args=[event.pk, event.slug])


def page(client, event) -> str:
    return client.get(event.get_absolute_url()).content.decode()


@pytest.fixture
def member(client):
    member = make_member(time_zone="Asia/Amman")
    client.force_login(member)
    return member


def make_question(event, **fields):
    fields.setdefault("label", "What would you like to take home?")
    return Question.objects.create(event=event, **fields)


# --- the panel -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "fields", "shown"),
    [
        ("confirmed", {}, "See you on"),
        ("confirmed", {"asked_at": True}, "Are you still coming on"),
        ("soft", {}, "Are you coming after all?"),
        ("waiting", {}, "You are on the waiting list"),
        ("offered", {}, "A place is yours until"),
        ("requested", {}, "The organisers have your request"),
        ("recording", {}, "You get the recording"),
        ("expired", {}, "Your offer has passed"),
    ],
)
def test_panel_tells_how_somebody_stands(client, member, status, fields, shown):
    event = make_event(capacity=9)
    fields = {name: timezone.now() for name in fields}
    make_registration(event=event, member=member, status=status, **fields)
    page(client, event)  # the first page of a session notes the session
    before = dump()
    response = client.get(event.get_absolute_url())
    assert response.status_code == 200
    assert shown in response.content.decode()
    assert dump() == before


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"postponed_at": timezone.now()}, "The new day is not known yet"),
        ({"cancelled_at": timezone.now(), "cancel_reason": "Two are ill."}, "This event will not take place"),
    ],
)
def test_event_that_is_off_says_so_before_all_else(client, member, fields, shown):
    event = make_event(**fields)
    make_registration(event=event, member=member)
    assert shown in page(client, event)
    assert "See you on" not in page(client, event)


def test_hybrid_event_has_a_button_for_each_way(client, member):
    event = make_event(kind="hybrid", venue="The Forum", capacity=1, online_capacity=5)
    make_registration(event=event, way="room")
    shown = page(client, event)
    assert ("Join the list for the room" in shown, "Save me a place online" in shown) == (True, True)
    client.post(url("register", event), {"way": "online"})
    mine = event.registrations.get(member=member)
    assert (mine.status, mine.way) == ("confirmed", "online")


def test_start_is_told_in_other_time_zones_with_another_day_named(client, member):
    event = make_event(starts_at=datetime(timezone.now().year + 1, 12, 3, 13, tzinfo=UTC))
    shown = page(client, event)
    assert "<dt>Vancouver</dt>" in shown
    assert "00:00, " in shown  # already the next day in Melbourne


def test_who_comes_first_is_told_to_everybody(client, member):
    earlier = make_event(title="The launch", starts_in=-timedelta(days=9))
    event = make_event(priority_from=earlier)
    assert "People who waited in vain for “The launch” come first." in page(client, event)
    hidden = make_event(title="Secret", published=False, starts_in=-timedelta(days=9))
    other = make_event(priority_from=hidden)
    assert "Secret" not in page(client, other)


# --- are you still coming? -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "status"), [("yes", "confirmed"), ("no", "cancelled"), ("recording", "recording")]
)
def test_the_question_is_answered_by_one_press(client, member, answer, status):
    event = make_event(capacity=3)
    mine = make_registration(event=event, member=member, asked_at=timezone.now() - timedelta(hours=1))
    assert client.get(url("coming", event)).status_code == 302
    response = client.post(url("coming", event), {"answer": answer}, headers={"HX-Request": "true"})
    assert response.content.startswith(b'\n<div class="ticket"') or b'id="place"' in response.content
    mine.refresh_from_db()
    assert mine.status == status
    assert "Are you still coming on" not in page(client, event)


def test_question_about_a_day_that_is_no_more_is_not_shown(client, member):
    asked_at = timezone.now() - timedelta(hours=2)
    event = make_event(capacity=3, moved_at=asked_at + timedelta(hours=1))
    make_registration(event=event, member=member, asked_at=asked_at)
    assert "See you on" in page(client, event)


def test_silent_one_says_yes_and_is_first_in_line_when_all_is_taken(client, member):
    event = make_event(capacity=1, starts_in=timedelta(hours=20))
    make_registration(event=event)
    make_registration(event=event, status=Status.WAITING)
    make_registration(event=event, member=member, status=Status.SOFT, confirmed_at=timezone.now())
    client.post(url("coming", event), {"answer": "yes"})
    assert '<span class="big num">1st</span>' in page(client, event)


def test_no_other_answer_and_nobody_elses_place(client, member):
    event = make_event()
    assert client.post(url("coming", event), {"answer": "yes"}).status_code == 404
    make_registration(event=event, member=member)
    assert client.post(url("coming", event), {"answer": "perhaps"}).status_code == 404


# --- questions -------------------------------------------------------------------------------------------------------
def test_where_there_are_questions_the_button_leads_to_a_form(client, member):
    event = make_event()
    text = make_question(event, is_required=True)
    several = make_question(event, kind="several", label="Tools?", choices=["Padlet", "Paper"])
    assert f'href="{url("register", event)}"' in page(client, event)
    refused = client.post(url("register", event), {"access_needs": "captions"})
    assert refused.status_code == 422
    assert "Please answer this question." in refused.content.decode()
    assert "captions</textarea>" in refused.content.decode()
    assert event.registrations.count() == 0
    answers = {
        f"q{text.pk}": "A method",
        f"q{several.pk}": ["Padlet", "Paper"],
        "access_needs": "captions",
    }
    assert client.post(url("register", event), answers).status_code == 302
    mine = event.registrations.get()
    assert (mine.status, mine.access_needs) == ("confirmed", "captions")
    given = dict(mine.answers.values_list("question_id", "value"))
    assert given == {text.pk: "A method", several.pk: ["Padlet", "Paper"]}


def test_press_on_an_old_page_is_led_to_the_questions(client, member):
    event = make_event()
    make_question(event, is_required=True)
    response = client.post(url("register", event))
    assert (response.status_code, response.url) == (302, url("register", event))
    response = client.post(url("register", event), headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == url("register", event)
    assert event.registrations.count() == 0


def test_recording_only_holds_no_place_and_needs_no_answers(client, member):
    event = make_event(capacity=1)
    make_question(event, is_required=True)
    client.post(url("register", event), {"recording_only": "1"})
    assert event.registrations.get().status == "recording"
    assert event.occupancy().free == 1


def test_guest_answers_and_is_registered_by_the_button_in_the_mail(client):
    event = make_event(capacity=1)
    consent = make_question(event, kind="consent", label="I agree to be recorded.", is_required=True)
    typed = {"name": "Ada", "address": "ada@example.com", "time_zone": "Africa/Nairobi", "access_needs": ""}
    refused = client.post(url("register", event), typed)
    assert refused.status_code == 422
    assert "The organisers need your yes to this." in refused.content.decode()
    client.post(url("register", event), typed | {f"q{consent.pk}": "on"})
    (message,) = post()
    client.post(link_to(message, "prove"))
    mine = event.registrations.get()
    assert (mine.status, mine.answers.get().value) == ("confirmed", True)


# --- your place ------------------------------------------------------------------------------------------------------
def test_answers_are_changed_on_the_site_and_from_the_mail(client, member):
    event = make_event()
    question = make_question(event)
    mine = make_registration(event=event, member=member)
    mine.answers.create(question=question, value="Before")
    assert "Before</textarea>" in client.get(url("place", event)).content.decode()
    client.post(
        url("place", event), {"deed": "details", f"q{question.pk}": "After", "access_needs": "breaks"}
    )
    mine.refresh_from_db()
    assert (mine.answers.get().value, mine.access_needs) == ("After", "breaks")
    client.logout()
    link = mails.place_url(mine).removeprefix("http://testserver")
    assert "After</textarea>" in client.get(link).content.decode()
    shown = client.post(link, {"deed": "details", f"q{question.pk}": "Later", "access_needs": ""})
    assert "Saved. The organisers see it." in shown.content.decode()
    assert mine.answers.get().value == "Later"


def test_place_is_given_to_a_named_person_who_takes_it(client, member):
    event = make_event(capacity=1, allows_transfer=True)
    mine = make_registration(event=event, member=member)
    refused = client.post(url("place", event), {"deed": "give", "to_name": "Ada", "to": "no-such-member"})
    assert refused.status_code == 422
    assert "No member has this handle." in refused.content.decode()
    response = client.post(url("place", event), {"deed": "give", "to_name": "Ada", "to": "ada@example.com"})
    assert response.status_code == 302
    mine.refresh_from_db()
    assert mine.status == "cancelled"
    gift = to(post(), "ada@example.com")[0]
    shown = client.post(link_to(gift, "offer"), {"answer": "accept"}).content.decode()
    assert "You have the place" in shown
    assert event.registrations.live().get().guest_name == "Ada"


def test_who_may_not_give_sees_no_form_for_it(client, member):
    event = make_event(capacity=1, allows_transfer=True)
    make_registration(event=event, member=member)
    assert "Give your place to somebody" in client.get(url("place", event)).content.decode()
    make_registration(event=event, status=Status.WAITING)
    assert "Give your place to somebody" not in client.get(url("place", event)).content.decode()
    refused = client.post(url("place", event), {"deed": "give", "to_name": "Ada", "to": "ada@example.com"})
    assert "Somebody waits for a place by now." in refused.content.decode()


def test_way_of_coming_is_changed_where_there_is_room(client, member):
    event = make_event(kind="hybrid", venue="The Forum", capacity=1, online_capacity=1)
    mine = make_registration(event=event, member=member, way="room")
    client.post(url("place", event), {"deed": "way", "way": "online"})
    mine.refresh_from_db()
    assert (mine.way, mine.status) == ("online", "confirmed")
    make_registration(event=event, way="room")
    assert "All places in the room are taken." in client.get(url("place", event)).content.decode()
    assert client.post(url("place", event), {"deed": "way", "way": "room"}).status_code == 409
    mine.refresh_from_db()
    assert mine.way == "online"


def test_who_takes_the_recording_may_come_after_all(client, member):
    event = make_event(capacity=1)
    mine = make_registration(event=event, member=member)
    client.post(url("place", event), {"deed": "recording"})
    mine.refresh_from_db()
    assert mine.status == "recording"
    client.post(url("place", event), {"deed": "after-all"})
    mine.refresh_from_db()
    assert mine.status == "confirmed"


def test_page_of_a_place_that_is_gone_leads_to_the_event(client, member):
    event = make_event()
    assert client.get(url("place", event)).status_code == 404
    mine = make_registration(event=event, member=member, status=Status.CANCELLED)
    assert client.get(url("place", event)).url == event.get_absolute_url()
    link = mails.place_url(mine).removeprefix("http://testserver")
    assert "There is nothing to change here any more." in client.get(link).content.decode()


# --- behind the links of mails ---------------------------------------------------------------------------------------
def path(link: str) -> str:
    return link.removeprefix("http://testserver")


@pytest.mark.parametrize(
    ("answer", "status", "shown"),
    [
        ("yes", "confirmed", "Thank you. Your place is yours"),
        ("no", "cancelled", "You gave up your place"),
        ("recording", "recording", "You get the recording only"),
    ],
)
def test_the_question_is_answered_from_the_mail(client, answer, status, shown):
    event = make_event(capacity=1)
    mine = make_registration(event=event, asked_at=timezone.now())
    make_registration(event=event, status=Status.WAITING)
    link = path(mails.reconfirm_url(mine))
    before = dump()
    assert "1 person is waiting for a place." in client.get(link).content.decode()
    assert dump() == before
    for _press in range(2):
        assert shown in client.post(link, {"answer": answer}).content.decode()
    mine.refresh_from_db()
    assert mine.status == status


def test_silent_guest_comes_in_at_the_door_by_the_link_of_the_mail(client, clock):
    event = make_event(capacity=2)
    make_registration(event=event)
    silent = make_registration(
        event=event,
        guest_address="ada@example.com",
        status=Status.SOFT,
        confirmed_at=timezone.now(),
        asked_at=timezone.now(),
    )
    mails.queue_soft(silent)
    (message,) = post()
    make_registration(event=event)
    clock.move_to(event.starts_at - timedelta(minutes=5))
    assert "There is no room yet" in client.post(link_to(message, "join")).content.decode()
    assert "Your way in, on the day" in client.get(link_to(message, "reconfirm")).content.decode()
    clock.move_to(event.starts_at + timedelta(minutes=5))
    assert "Go in, it is open" in client.post(link_to(message, "join")).content.decode()
    silent.refresh_from_db()
    assert (silent.status, silent.attended_at is not None) == ("soft", True)


def test_last_call_is_won_by_the_first_who_presses(client):
    event = make_event(capacity=1, starts_in=timedelta(hours=2))
    first, second = (make_registration(event=event, status=Status.WAITING) for _person in range(2))
    links = [path(mails.claim_url(registration)) for registration in (second, first)]
    assert "A place is free now" in client.get(links[0]).content.decode()
    assert "You have the place" in client.post(links[0]).content.decode()
    assert "The place has just been taken" in client.post(links[1]).content.decode()
    assert event.occupancy().confirmed == 1


def test_invited_guest_registers_by_the_button_on_the_page(client):
    organiser = make_member(is_organiser=True)
    event = make_event(visibility=3, organisers=[organiser], capacity=3)
    (invitation,) = services.invite_people(event=event, by=organiser, addresses=["ada@example.com"])
    link = path(mails.invited_url(invitation))
    assert client.get(event.get_absolute_url()).status_code == 302  # nobody else sees it
    before = dump()
    assert event.title in client.get(link).content.decode()
    assert dump() == before
    assert client.post(link, {"name": ""}).status_code == 422
    typed = {"name": "Ada", "time_zone": "Africa/Nairobi", "access_needs": ""}
    for _press in range(2):
        assert "You have a place" in client.post(link, typed).content.decode()
    assert event.registrations.get().guest_address == "ada@example.com"
    services.withdraw_invitation(invitation=invitation, by=organiser)
    assert client.get(link).status_code == 404


# --- filters of the lists --------------------------------------------------------------------------------------------
def titles(response) -> set[str]:
    return {event.title for event in response.context["page_of"].items}


def test_lists_are_filtered_by_kind_access_time_and_topic(client):
    make_event(title="A", kind="workshop", has_captions=True, starts_in=timedelta(days=3)).tags.add(
        "Evidence"
    )
    make_event(title="B", kind="workshop", starts_in=timedelta(days=50))
    make_event(title="C", has_captions=True, starts_in=timedelta(days=20)).tags.add("evidence")

    def asked(query):
        return titles(client.get(reverse("events:index") + query))

    assert asked("") == {"A", "B", "C"}
    assert asked("?kind=workshop") == {"A", "B"}
    assert asked("?kind=workshop&access=captions") == {"A"}
    assert asked("?when=week") == {"A"}
    assert asked("?when=month") == {"A", "C"}
    assert asked("?when=month&when=later") == {"A", "B", "C"}
    assert asked("?tag=EVIDENCE") == {"A", "C"}
    assert asked("?kind=nonsense&when=&page=9") == {"A", "B", "C"}
    assert asked("?kind=in_person") == set()


def test_number_beside_a_filter_is_what_it_would_show(client):
    for number in range(4):
        make_event(kind="workshop", has_captions=number < 1)
    for number in range(3):
        make_event(has_captions=number < 2)
    response = client.get(reverse("events:index") + "?access=captions")
    shown = {
        (facet.key, option.value): option.count
        for facet in response.context["facets"]
        for option in facet.options
    }
    assert shown[("kind", "workshop")] == 1
    assert shown[("kind", "webinar")] == 2
    assert shown[("access", "captions")] == 3
    for value, count in (("workshop", 1), ("webinar", 2)):
        found = client.get(reverse("events:index") + f"?access=captions&kind={value}")
        assert len(found.context["page_of"].items) == count


def test_filters_count_only_what_the_reader_may_see(client):
    for _number in range(6):
        make_event()
    make_event(kind="workshop", visibility=1).tags.add("quiet matter")
    shown = client.get(reverse("events:index")).content.decode()
    assert "quiet matter" not in shown
    assert 'value="workshop"' not in shown
