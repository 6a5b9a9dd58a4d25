"""Events by invitation: members see them and register, addresses have a link that proves them."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from events import services
from events.models import Event, EventInvitation, Status, Visibility
from events.services import unasked
from kmnet.core.models import OutgoingMail
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .helpers import kinds_about

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser():
    return make_member(is_organiser=True)


@pytest.fixture
def event(organiser):
    return make_event(visibility=Visibility.INVITED, organisers=[organiser], capacity=2)


def invite(event, **people):
    return services.invite_people(event=event, by=event.organisers.get(), **people)


def mails() -> int:
    return OutgoingMail.objects.filter(kind="events.invited").count()


def test_members_who_are_asked_see_it_and_register_and_others_do_not(event):
    asked, other = make_member(), make_member()
    invite(event, members=[asked, asked])
    assert invite(event, members=[asked]) == []
    assert (mails(), event.invitations.count()) == (1, 1)
    assert list(Event.objects.visible_to(asked).filter(pk=event.pk)) == [event]
    assert not Event.objects.visible_to(other).filter(pk=event.pk).exists()
    assert services.register_member(event=event, member=asked).status == "confirmed"
    with pytest.raises(PermissionDenied):
        services.register_member(event=event, member=other)
    with pytest.raises(PermissionDenied):
        services.request_guest_place(event=event, name="X", address="x@example.org")


def test_an_address_that_is_asked_registers_by_its_link_and_twice_is_once(event):
    [asked] = invite(event, addresses=[" ada@example.org ", "ADA@example.org", ""])
    mine = services.register_invited(invitation=asked, name="Ada Guest", time_zone="Africa/Nairobi")
    again = services.register_invited(invitation=asked, name="Another")
    assert (again, mine.status, mine.guest_name, mine.address) == (
        mine,
        "confirmed",
        "Ada Guest",
        "ada@example.org",
    )
    assert kinds_about(mine) == ["confirmed"]


def test_an_address_that_is_a_members_stays_an_address_and_registers_the_member(event):
    member = make_member(email="ros@example.org")
    [asked] = invite(event, addresses=["Ros@example.org"])
    assert (asked.member, asked.guest_address) == (None, "Ros@example.org")
    assert list(Event.objects.visible_to(member).filter(pk=event.pk)) == [event]
    mine = services.register_invited(invitation=asked, name="Somebody")
    assert (mine.member, mine.guest_address) == (member, "")
    assert services.register_member(event=event, member=member) == mine


def test_an_invitation_to_a_member_registers_that_member(event):
    member = make_member()
    [asked] = invite(event, members=[member])
    assert services.register_invited(invitation=asked).member == member


def test_invited_guests_queue_like_all_others_and_may_want_the_recording_only(event):
    for _number in range(2):
        make_registration(event=event)
    first, second = invite(event, addresses=["a@example.org", "b@example.org"])
    assert services.register_invited(invitation=first, name="A").status == "waiting"
    recorded = services.register_invited(invitation=second, name="B", recording_only=True)
    assert recorded.status == "recording"
    after_all = services.register_invited(invitation=second, name="B")
    assert after_all.status == "waiting"
    assert event.registrations.live().for_address("b@example.org").count() == 1


def test_a_withdrawn_invitation_opens_nothing_and_whoever_registered_stays(event, organiser):
    first, second = invite(event, addresses=["a@example.org", "b@example.org"])
    mine = services.register_invited(invitation=first, name="A")
    for invitation in (first, second, second):
        services.withdraw_invitation(invitation=invitation, by=organiser)
    assert not EventInvitation.objects.exists()
    with pytest.raises(services.RegistrationClosed):
        services.register_invited(invitation=second, name="B")
    mine.refresh_from_db()
    assert mine.status == Status.CONFIRMED


def test_only_organisers_ask_and_only_to_their_published_events_by_invitation(event, organiser):
    stranger = make_member(is_organiser=True)
    with pytest.raises(PermissionDenied):
        services.invite_people(event=event, by=stranger, members=[make_member()])
    [asked] = invite(event, members=[make_member()])
    with pytest.raises(PermissionDenied):
        services.withdraw_invitation(invitation=asked, by=stranger)
    with pytest.raises(PermissionDenied):
        invite(make_event(organisers=[organiser]), members=[make_member()])
    for fields in (
        {"published": False},
        {"cancelled_at": timezone.now()},
        {"starts_in": -timedelta(hours=1)},
    ):
        shut = make_event(visibility=Visibility.INVITED, organisers=[organiser], **fields)
        with pytest.raises(services.RegistrationClosed):
            invite(shut, members=[make_member()])
    assert mails() == 1


# --- so that nobody is flooded ------------------------------------------------------------------------------------------
def test_an_address_gets_three_invitations_a_day_and_the_organiser_hears_of_it(client, organiser, clock):
    asked = {"visibility": Visibility.INVITED, "organisers": [organiser], "starts_in": timedelta(days=20)}
    events = [make_event(**asked) for _number in range(4)]
    for event in events[:3]:
        assert len(invite(event, addresses=["Flooded@example.org"])) == 1
    assert invite(events[3], addresses=["flooded@example.org"]) == []
    client.force_login(organiser)
    page = reverse("events:invitations", args=[events[3].pk, events[3].slug])
    typed = {"act": "invite", "people": "flooded@example.org, fine@example.org"}
    said = client.post(page, typed, follow=True).content.decode()
    assert "1 person is invited." in said
    assert "do so again tomorrow at the earliest: flooded@example.org" in said
    assert mails() == 4
    clock.shift(timedelta(days=1, minutes=1))
    assert len(invite(events[3], addresses=["flooded@example.org"])) == 1


def test_who_is_withdrawn_and_asked_again_has_had_the_mail(event):
    for _time in range(3):
        [asked] = invite(event, addresses=["again@example.org"])
        services.withdraw_invitation(invitation=asked, by=event.organisers.get())
    assert invite(event, addresses=["again@example.org"]) == []


def test_an_event_and_an_organiser_invite_so_many_addresses_a_day(client, event, organiser, monkeypatch):
    monkeypatch.setattr(unasked, "INVITED_TO_EVENT", 3)
    monkeypatch.setattr(unasked, "INVITED_BY_ONE", 4)
    [first, _second] = invite(event, addresses=["a@example.org", "b@example.org"])
    services.withdraw_invitation(invitation=first, by=organiser)
    with pytest.raises(services.TooManyInvited):
        invite(event, addresses=["c@example.org", "d@example.org"], members=[make_member()])
    assert mails() == 2  # nobody, also not the member
    assert len(invite(event, addresses=["c@example.org"], members=[make_member()])) == 2
    other = make_event(visibility=Visibility.INVITED, organisers=[organiser])
    client.force_login(organiser)
    page = reverse("events:invitations", args=[other.pk, other.slug])
    typed = {"act": "invite", "people": "e@example.org\nf@example.org\ng@example.org"}
    answer = client.post(page, typed)
    assert answer.status_code == 422
    assert "So many addresses are not invited in one day." in answer.content.decode()
    assert "g@example.org" in answer.content.decode()  # the text is kept
    assert len(invite(other, addresses=["e@example.org", "f@example.org"])) == 2
