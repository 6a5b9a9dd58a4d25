"""What somebody could try who means no good, or has bad luck: each of these failed once."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from events import services
from events.mails import links
from events.models import BACK, Kind, Question, QuestionKind, Status, Visibility
from members.models import SeenBy
from members.services import set_boundary
from tests.factories import make_member
from tests.factories.events import make_event, make_registration
from tests.rules import broken_rules

from .helpers import kinds_about, status_of

pytestmark = pytest.mark.django_db
HUGE = 10**24


@pytest.fixture
def organiser():
    return make_member(is_organiser=True)


def url(name, event, *args):
    return reverse(f"events:{name}", args=[event.pk, event.slug, *args])


# --- ids -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["detail", "register", "place", "offer", "calendar_file", "organise", "people_csv"]
)
@pytest.mark.parametrize("pk", [2**63, HUGE])
def test_a_number_beyond_all_ids_is_not_there(client, organiser, name, pk):
    path = reverse(f"events:{name}", args=[pk, "x"])
    assert client.get(path).status_code == 302  # to sign in
    client.force_login(organiser)
    assert client.get(path).status_code == 404


# --- a list that is gone -------------------------------------------------------------------------------------------------
def test_an_offer_that_passed_on_a_list_that_is_gone_opens_and_takes_nothing(client, organiser):
    event = make_event(
        kind=Kind.HYBRID,
        venue="Hall",
        online_capacity=1,
        organisers=[organiser],
        starts_in=timedelta(hours=2),
    )
    passed = make_registration(event=event, status=Status.EXPIRED, way="online")
    services.update_event(event=event, actor=organiser, kind=Kind.WEBINAR)
    link = links.claim_url(passed).removeprefix("http://testserver")
    assert [client.get(link).status_code, client.post(link).status_code] == [200, 200]
    client.force_login(passed.member)
    assert client.post(url("offer", event), {"answer": "claim"}).status_code == 302
    assert status_of(passed) == ["expired"]


# --- the last call -------------------------------------------------------------------------------------------------------
def was_given_a_place(event):
    """Somebody to whom a place was given, and who took it."""
    giver, receiver = make_member(), make_member()
    given = services.register_member(event=event, member=giver)
    services.transfer_place(registration=given, to_member=receiver, actor=giver)
    return services.accept_offer(registration=event.registrations.get(member=receiver))


def test_who_was_given_a_place_and_waits_now_is_called_as_everybody(clock):
    event = make_event(capacity=1, allows_transfer=True)
    silent = was_given_a_place(event)
    clock.move_to(event.starts_at - timedelta(hours=71))
    services.ask_reconfirmations(timezone.now())
    next_one = services.register_member(event=event, member=make_member())
    clock.move_to(event.starts_at - timedelta(hours=23))
    services.soften_silent(timezone.now())
    services.accept_offer(registration=next_one)
    assert services.confirm_coming(registration=silent).status == Status.WAITING
    clock.move_to(event.starts_at - timedelta(hours=2))
    services.cancel_registration(registration=next_one)
    assert services.call_everyone(timezone.now()) == 1
    assert kinds_about(silent)[-1] == "all_hands"


def test_a_place_that_was_given_is_an_ordinary_turn_once_the_event_is_postponed(organiser):
    event = make_event(capacity=1, allows_transfer=True, organisers=[organiser])
    given = services.register_member(event=event, member=make_member())
    services.transfer_place(registration=given, to_member=make_member())
    services.postpone_event(event=event, actor=organiser)
    receiver = event.registrations.get(status=Status.WAITING)
    assert (receiver.given_by, broken_rules(event)) == (None, [])
    later = {"starts_at": event.starts_at + timedelta(days=9), "ends_at": event.ends_at + timedelta(days=9)}
    services.update_event(event=event, actor=organiser, **later)
    assert (status_of(receiver), broken_rules(event)) == (["offered"], [])


def test_a_place_that_is_given_does_not_carry_an_old_priority_back_into_the_line(organiser):
    event = make_event(capacity=1, allows_transfer=True, organisers=[organiser])
    friend = make_registration(event=event, status=Status.RECORDING, priority=BACK)
    given = services.register_member(event=event, member=make_member())
    services.transfer_place(registration=given, to_member=friend.member)
    first = services.register_member(event=event, member=make_member())
    services.postpone_event(event=event, actor=organiser)
    friend.refresh_from_db()
    assert (friend.status, friend.priority, friend.position(), first.status) == ("waiting", 0, 1, "waiting")


# --- series --------------------------------------------------------------------------------------------------------------
def test_dates_may_move_far_ahead_of_when_registration_was_to_open(organiser):
    event = make_event(organisers=[organiser], starts_in=timedelta(days=40))
    event.registration_opens_at = event.starts_at - timedelta(days=14)
    event.registration_closes_at = event.starts_at - timedelta(days=1)
    event.save()
    services.make_series(event=event, actor=organiser, rule="FREQ=WEEKLY;COUNT=2")
    earlier = timedelta(days=20)
    times = {"starts_at": event.starts_at - earlier, "ends_at": event.ends_at - earlier}
    for one in services.update_following(event=event, actor=organiser, **times):
        before = one.starts_at - one.registration_opens_at, one.starts_at - one.registration_closes_at
        assert [round(gap / timedelta(days=1)) for gap in before] == [14, 1]


def test_registration_that_is_open_stays_so_when_the_dates_move(organiser):
    event = make_event(organisers=[organiser], starts_in=timedelta(days=40))
    event.registration_opens_at = opened = timezone.now() - timedelta(days=1)
    event.registration_closes_at = event.starts_at - timedelta(days=30)
    event.save()
    services.make_series(
        event=event,
        actor=organiser,
        rule="FREQ=MONTHLY;COUNT=2;BYMONTHDAY=" + str(event.starts_at.astimezone(event.zone).day),
    )
    earlier = timedelta(days=20)
    times = {"starts_at": event.starts_at - earlier, "ends_at": event.ends_at - earlier}
    first = services.update_following(event=event, actor=organiser, **times)[0]
    assert first.registration_opens_at == opened
    assert opened < first.registration_closes_at < timezone.now()


# --- whose address is it -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("page", "args", "typed"),
    [("person", (0,), {"person": ""}), ("organisers", (), {"act": "add", "person": ""})],
)
def test_no_organiser_learns_whose_a_typed_address_is(client, organiser, page, args, typed):
    event = make_event(organisers=[organiser])
    hidden, shown = make_member(), make_member(profile={"email_seen_by": SeenBy.MEMBERS})
    pending = make_member(status="pending")
    client.force_login(organiser)

    def press(words):
        return client.post(url(page, event, *args), typed | {"person": words})

    nobody = press("nobody@example.org")
    for words in (hidden.email, pending.email, pending.handle):
        answer = press(words)
        assert (answer.status_code, answer.context["form" if args == () else "add_form"].errors) == (
            422,
            nobody.context["form" if args == () else "add_form"].errors,
        )
    assert [press(words).status_code for words in (hidden.handle, shown.email.upper())] == [302, 302]


def test_moderators_know_addresses_anyway(client):
    moderator, friend = make_member(is_moderator=True), make_member()
    event = make_event(organisers=[moderator])
    client.force_login(moderator)
    client.post(url("person", event, 0), {"person": friend.email})
    assert event.registrations.get().member == friend


def test_an_address_that_looks_like_another_is_not_invited(client, organiser):
    event = make_event(organisers=[organiser], visibility=Visibility.INVITED)
    client.force_login(organiser)
    answer = client.post(url("invitations", event), {"act": "invite", "people": "\u017fam@example.org"})
    assert (answer.status_code, event.invitations.count()) == (422, 0)


def test_who_joined_with_somebody_elses_address_and_never_proved_it_stands_in_nobodys_way():
    event = make_event(capacity=1)
    make_member(email="ada@example.org", address_proven=False)
    services.request_guest_place(event=event, name="Ada", address="Ada@example.org")
    proven = services.prove_guest(registration=event.registrations.get())
    assert (proven.status, proven.member, broken_rules(event)) == ("confirmed", None, [])


def test_adding_somebody_by_hand_tells_nobody_their_address(client, organiser):
    event = make_event(organisers=[organiser])
    client.force_login(organiser)
    friend, came = make_member(), make_member()
    for member in (friend, came):
        services.register_member(event=event, member=member, by=organiser)
    theirs, answered = event.registrations.get(member=friend), event.registrations.get(member=came)
    services.change_answers(registration=answered, answers={}, access_needs="Captions", actor=came)
    guest = make_registration(event=event, guest_address="guest@example.org", guest_name="Grace")
    assert "guest@example.org" in client.get(url("person", event, guest.pk)).content.decode()
    assert friend.email not in client.get(url("person", event, theirs.pk)).content.decode()
    for page in (url("organise", event), url("people_csv", event)):
        words = client.get(page).content.decode()
        assert [told in words for told in (friend.name, friend.email, came.email)] == [True, False, True]
    found = [
        client.get(url("organise", event), {"q": one.email}).context["page_of"] for one in (friend, came)
    ]
    assert [[row.member for row in page.items] for page in found] == [[], [came]]


# --- who may not write ---------------------------------------------------------------------------------------------------
def test_a_silenced_member_gives_up_a_place_and_sends_nobody_a_mail_with_it(client):
    event, silenced = make_event(allows_transfer=True), make_member(status="silenced")
    place = make_registration(event=event, member=silenced)
    client.force_login(silenced)
    for path in (url("place", event), links.place_url(place).removeprefix("http://testserver")):
        assert b'value="give"' not in client.get(path).content
        typed = {"deed": "give", "to_name": "Buy now", "to": "stranger@example.org"}
        assert client.post(path, typed).status_code == 422
    assert (event.registrations.count(), status_of(place)) == (1, ["confirmed"])
    assert services.cancel_registration(registration=place, actor=silenced).status == Status.CANCELLED


def test_a_guest_sees_what_the_button_does_before_they_press_it(client):
    event = make_event(kind=Kind.HYBRID, venue="Hall", needs_approval=True)
    typed = {"event": event, "address": "ada@example.org"}
    services.request_guest_place(name="Ada", way="room", **typed)
    row = event.registrations.get()
    link = links.prove_url(row).removeprefix("http://testserver")
    assert "<p>Ada, in the room</p>" in client.get(link).content.decode()
    services.request_guest_place(name="Somebody else", recording_only=True, **typed)
    assert "Somebody else, for the recording only: no place is held." in client.get(link).content.decode()
    assert "You get the recording" in client.post(link).content.decode()


# --- who keeps somebody away ---------------------------------------------------------------------------------------------
def test_who_blocks_an_organiser_is_neither_added_nor_invited_nor_made_to_help_by_them(client, organiser):
    event = make_event(organisers=[organiser], visibility=Visibility.INVITED)
    away, friend = make_member(), make_member()
    set_boundary(owner=away, other=organiser, distance="block")
    client.force_login(organiser)
    people = f"{away.handle}\n{friend.handle}"
    assert client.post(url("invitations", event), {"act": "invite", "people": people}).status_code == 302
    assert [asked.member for asked in event.invitations.all()] == [friend]

    def press(page, *args):
        typed = {"act": "add", "person": away.handle}
        return client.post(url(page, event, *args), typed).status_code

    assert [press("person", 0), press("organisers")] == [422, 422]
    assert not event.registrations.exists()
    assert list(event.organisers.all()) == [organiser]


def test_who_never_proved_their_address_is_nobody_to_the_organisers(client, organiser):
    event = make_event(organisers=[organiser])
    services.request_guest_place(event=event, name="Ada", address="ada@example.org", access_needs="A ramp")
    row = event.registrations.get()
    client.force_login(organiser)
    assert client.get(url("person", event, row.pk)).status_code == 404
    assert client.post(url("person", event, row.pk), {"act": "remove", "reason": "x"}).status_code == 404
    assert status_of(row) == ["unproven"]


# --- an expired login ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.MEMBERS])
def test_what_a_member_answers_outlives_an_expired_login(client, visibility):
    event, member = make_event(visibility=visibility), make_member()
    question = Question.objects.create(event=event, kind=QuestionKind.TEXT, label="What do you hope for?")
    typed = {f"q{question.pk}": "Meeting others", "access_needs": "A ramp"}
    for page, after in (("register", "events:detail"), ("place", "events:place")):
        more = typed if page == "register" else {name: f"{words}!" for name, words in typed.items()}
        more = more | ({"deed": "details"} if page == "place" else {})
        client.logout()
        assert "/accounts/login/" in client.post(url(page, event), more).url
        client.force_login(member)
        words = client.get(url(page, event)).content.decode()
        assert [said in words for said in (more[f"q{question.pk}"], more["access_needs"])] == [True, True]
        assert client.post(url(page, event), more).url == reverse(after, args=[event.pk, event.slug])
        assert "kept_text" not in client.session or not client.session["kept_text"]
    answer = event.registrations.get(member=member).answers.get()
    assert answer.value == "Meeting others!"


# --- a stranger's mailbox ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["http://evil.example/prize", "www.evil.example", "buy@evil.example"])
def test_nobody_has_us_send_a_link_of_theirs_to_a_stranger(client, name):
    event = make_event(allows_transfer=True)
    who = {"address": "stranger@example.org", "time_zone": "UTC", "access_needs": ""}
    assert client.post(url("register", event), who | {"name": name}).status_code == 422
    assert client.post(url("register", event), who | {"name": "Ada"}).status_code == 200
    place = make_registration(event=event)
    link = links.place_url(place).removeprefix("http://testserver")
    gift = {"deed": "give", "to": "other@example.org"}
    assert client.post(link, gift | {"to_name": name}).status_code == 422
    assert client.post(link, gift | {"to_name": "Grace"}).status_code == 200
    assert status_of(place) == ["cancelled"]
