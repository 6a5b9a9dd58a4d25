"""Writing to the people of an event, postponing it, making it again, and who organises it."""

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from events import services
from events.models import Audience, Event, EventMessage, Status, Visibility
from kmnet.core.models import AuditEntry, OutgoingMail
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import calendar_of, entry_of, post, text_of

pytestmark = pytest.mark.django_db
WORDS = {"subject": "Are you still coming?", "body": "Dear all, **please** say so."}


def url(name, event, *more):
    return reverse(f"events:{name}", args=[event.pk, event.slug, *more])


@pytest.fixture
def organiser(client):
    organiser = make_member(is_organiser=True, time_zone="Europe/London")
    client.force_login(organiser)
    return organiser


@pytest.fixture
def event(organiser):
    return make_event(capacity=5, organisers=[organiser])


def write(event, actor, audience=Audience.PLACES, **more):
    key = more.pop("submit_key", None) or uuid.uuid4()
    return services.write_to_people(
        event=event, actor=actor, audience=audience, submit_key=key, **WORDS | more
    )


# --- letters -------------------------------------------------------------------------------------------------------------
def test_letter_is_looked_at_once_more_and_sent_once(client, event):
    now = timezone.now()
    silent = make_registration(event=event, asked_at=now)
    make_registration(event=event, asked_at=now, said_yes_at=now)
    page = client.get(url("letter", event))
    form = page.context["form"]
    assert form.fields["audience"].choices == [
        ("places", "Everyone with a place (2)"),
        ("silent", "With a place, no answer yet (1)"),
    ]
    typed = WORDS | {"audience": "silent", "submit_key": str(form["submit_key"].value())}
    review = client.post(url("letter", event), typed)
    assert "This goes to 1 person" in review.content.decode()
    assert "<strong>please</strong>" in review.content.decode()
    assert not EventMessage.objects.exists()
    for _press in range(2):
        answer = client.post(url("letter", event), typed | {"send": "yes"})
        assert answer.status_code == 302
    (mail,) = post()
    assert (mail["To"], "please" in text_of(mail)) == (silent.member.email, True)
    letter = EventMessage.objects.get()
    assert (letter.told_count, letter.audience, letter.subject) == (1, "silent", WORDS["subject"])
    assert WORDS["subject"] in client.get(url("letter", event)).content.decode()


def test_each_audience_is_who_it_says(event):
    now = timezone.now()
    yes = make_registration(event=event, asked_at=now, said_yes_at=now, attended_at=now)
    silent = make_registration(event=event, asked_at=now)
    rows = {
        status: make_registration(event=event, status=status)
        for status in (Status.WAITING, Status.REQUESTED, Status.RECORDING, Status.CANCELLED, Status.SOFT)
    }
    make_registration(event=event, status=Status.UNPROVEN, guest_address="typed@example.org")
    found = {audience: set(services.people_of(event, audience)) for audience in Audience}
    assert found == {
        "places": {yes, silent},
        "silent": {silent},
        "waiting": {rows["waiting"]},
        "requested": {rows["requested"]},
        "recording": {rows["recording"]},
        "came": {yes},
        "missed": {silent},
    }
    assert set(services.audience_counts(event)) == set(Audience) - {"came", "missed"}
    Event.objects.filter(pk=event.pk).update(starts_at=now - timedelta(hours=1))
    event.refresh_from_db()
    counts = services.audience_counts(event)
    assert counts == {audience.value: len(rows) for audience, rows in found.items()}


def test_letter_to_nobody_and_too_many_are_refused(client, event, organiser):
    with pytest.raises(services.NobodyThere):
        write(event, organiser)
    make_registration(event=event)
    for _letter in range(5):
        write(event, organiser)
    with pytest.raises(services.TooManyLetters):
        write(event, organiser)
    refused = client.post(url("letter", event), WORDS | {"audience": "places", "send": "yes"})
    assert refused.status_code == 422
    assert "five letters since yesterday" in refused.content.decode()
    assert "Dear all, **please** say so." in refused.content.decode()


def test_only_organisers_write_and_an_admins_letter_is_logged(event):
    make_registration(event=event)
    with pytest.raises(PermissionDenied):
        write(event, make_member(is_organiser=True))
    admin = make_member(is_staff=True, is_superuser=True)
    letter = write(event, admin)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb, entry.data["letter"]) == (admin, "events.letter", letter.pk)


def test_key_of_anothers_letter_is_refused(event, organiser):
    other = make_event(organisers=[organiser])
    for one in (event, other):
        make_registration(event=one)
    letter = write(event, organiser)
    with pytest.raises(PermissionDenied):
        write(other, organiser, submit_key=letter.submit_key)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"subject": ""}, "Subject:"),
        ({"body": ""}, "Message:"),
        ({"audience": "came"}, "Select a valid choice. came is not one of the available choices."),
    ],
)
def test_letter_that_lacks_something_keeps_the_rest(client, event, change, words):
    make_registration(event=event)
    refused = client.post(url("letter", event), WORDS | {"audience": "places"} | change)
    assert (refused.status_code, EventMessage.objects.count()) == (422, 0)
    assert words in refused.content.decode()
    kept = [text for text in (WORDS | change).values() if text in WORDS.values()]
    assert all(text in refused.content.decode() for text in kept)


def test_letter_without_scripts_is_previewed_on_its_page(client, event):
    make_registration(event=event)
    looked = client.post(url("letter", event), WORDS | {"audience": "places", "view": "preview"})
    page = looked.content.decode()
    assert (looked.status_code, "<strong>please</strong>" in page, WORDS["subject"] in page) == (
        200,
        True,
        True,
    )


# --- postponing ----------------------------------------------------------------------------------------------------------
def test_postponed_event_tells_everybody_once_and_takes_the_day_from_calendars(client, event):
    place = services.register_member(event=event, member=make_member())
    post()
    assert "1 person is told" in client.get(url("postpone", event)).content.decode()
    for _press in range(2):
        client.post(url("postpone", event))
    (mail,) = post()
    method, calendar, _raw = calendar_of(mail)
    entry = entry_of(calendar)
    assert (mail["To"], method, entry["STATUS"], entry["SEQUENCE"]) == (
        place.member.email,
        "CANCEL",
        "CANCELLED",
        1,
    )
    event.refresh_from_db()
    assert (event.is_postponed, event.takes_registrations(), event.doors_are_open()) == (True, False, False)
    page = client.get(url("organise", event)).content.decode()
    assert ("It needs a new day." in page, "Set the new day" in page) == (True, True)


def test_offers_of_a_postponed_event_are_made_anew_with_the_new_day(event, organiser, clock):
    Event.objects.filter(pk=event.pk).update(capacity=1)
    come = services.register_member(event=event, member=make_member())
    first, second = (services.register_member(event=event, member=make_member()) for _n in range(2))
    services.cancel_registration(registration=come, actor=come.member)
    post()

    def states():
        return [row.status for row in event.registrations.order_by("pk")]

    assert states() == ["cancelled", "offered", "waiting"]
    services.postpone_event(event=event, actor=organiser)
    assert states() == ["cancelled", "waiting", "waiting"]
    services.promote_waiting(event=event)
    assert states() == ["cancelled", "waiting", "waiting"]
    assert sorted(mail["To"] for mail in post()) == sorted([first.member.email, second.member.email])
    services.update_event(event=event, actor=organiser, venue="Another hall")
    assert post() == []  # no calendar shall have the old day back
    clock.shift(timedelta(hours=2))
    later = event.starts_at + timedelta(days=30)
    moved = services.update_event(
        event=event, actor=organiser, starts_at=later, ends_at=later + timedelta(hours=1)
    )
    assert (moved.postponed_at, moved.sequence) == (None, 3)
    assert states() == ["cancelled", "offered", "waiting"]
    kinds = OutgoingMail.objects.filter(state="waiting").values_list("kind", flat=True)
    assert sorted(kinds) == ["events.event_changed", "events.event_changed", "events.offer"]


def test_postponed_event_gets_its_day_also_after_the_old_one_has_passed(event, organiser, clock):
    services.register_member(event=event, member=make_member())
    services.postpone_event(event=event, actor=organiser)
    clock.shift(timedelta(days=20))
    event.refresh_from_db()
    assert not event.is_over()
    later = timezone.now() + timedelta(days=7)
    event = services.update_event(
        event=event, actor=organiser, starts_at=later, ends_at=later + timedelta(hours=1)
    )
    assert (event.is_postponed, event.takes_registrations()) == (False, True)


def test_drafts_and_events_that_have_begun_are_not_postponed(client, organiser):
    for event in (
        make_event(organisers=[organiser], published=False),
        make_event(organisers=[organiser], starts_in=timedelta(minutes=-5)),
    ):
        with pytest.raises(services.EventOver):
            services.postpone_event(event=event, actor=organiser)
        assert "cannot be postponed" in client.post(url("postpone", event), follow=True).content.decode()
    with pytest.raises(PermissionDenied):
        services.postpone_event(event=make_event(), actor=organiser)


# --- once more, by whom, for whom ----------------------------------------------------------------------------------------
def test_duplicate_is_a_draft_on_the_clock_of_the_event(client, event):
    Event.objects.filter(pk=event.pk).update(starts_at="2027-02-25T13:00Z", ends_at="2027-02-25T14:00Z")
    shown = client.get(url("duplicate", event)).context["form"]["starts"].value()
    assert shown.strftime("%Y-%m-%dT%H:%M") == "2027-03-25T13:00"
    typed = {"starts": "2027-04-01T13:00", "submit_key": str(uuid.uuid4())}
    for _press in range(2):
        answer = client.post(url("duplicate", event), typed)
    copy = Event.objects.exclude(pk=event.pk).get()
    assert answer.url == url("edit", copy)
    assert copy.starts_at.isoformat() == "2027-04-01T12:00:00+00:00"  # the clocks have gone forward by then
    refused = client.post(url("duplicate", event), {"starts": "2027-03-28T01:30"})
    assert (refused.status_code, "does not exist" in refused.content.decode()) == (422, True)
    assert client.post(url("duplicate", event), {"starts": "2020-01-01T10:00"}).status_code == 422


def test_organisers_are_added_and_step_down_on_their_page(client, event, organiser):
    step_down = {"act": "remove", "member": organiser.pk}
    answer = client.post(url("organisers", event), step_down, follow=True)
    assert "Add somebody first, who takes it over." in answer.content.decode()
    friend = make_member()
    client.post(url("organisers", event), {"act": "add", "person": f"@{friend.handle}"})
    assert set(event.organisers.all()) == {organiser, friend}
    assert client.post(url("organisers", event), {"act": "add", "person": "nobody"}).status_code == 422
    assert client.post(url("organisers", event), step_down).url == reverse("events:index")
    assert list(event.organisers.all()) == [friend]
    assert client.get(url("organise", event)).status_code == 404
    assert client.post(url("organisers", event), {"act": "remove", "member": "²"}).status_code == 404


def test_invitations_go_to_members_by_handle_and_to_addresses(client, event):
    friend, known = make_member(), make_member()
    people = {"act": "invite", "people": f"@{friend.handle}\n{known.email}, new@example.org\nnew@example.org"}
    refused = client.post(url("invitations", event), people)
    assert (refused.status_code, event.invitations.count()) == (422, 0)  # it is open to everybody
    Event.objects.filter(pk=event.pk).update(visibility=Visibility.INVITED)
    odd = client.post(url("invitations", event), {"act": "invite", "people": "@nobody-here"})
    assert (odd.status_code, "@nobody-here" in odd.content.decode()) == (422, True)
    for _press in range(2):
        client.post(url("invitations", event), people)
    # An address stays one, also where it is a member's: who asks does not learn whose it is.
    assert sorted(mail["To"] for mail in post()) == sorted([friend.email, known.email, "new@example.org"])
    page = client.get(url("invitations", event)).content.decode()
    assert (friend.name in page, known.name in page, known.email in page) == (True, False, True)
    asked = event.invitations.get(guest_address="new@example.org")
    client.post(url("invitations", event), {"act": "withdraw", "invitation": asked.pk})
    assert event.invitations.count() == 2
    assert (
        client.post(url("invitations", event), {"act": "withdraw", "invitation": asked.pk}).status_code == 404
    )
