"""One place and three people who want it: register, wait, let an offer pass, take one, say that one comes, give it up;
as members and as a guest, in a browser, with scripts and without."""

import re
from datetime import timedelta

import pytest
import time_machine

from events.models import Event, Question, Status
from events.tasks import sweep_registrations
from tests.factories import make_member
from tests.factories.events import make_event

from .people import Person, Site, without_scripts
from .test_messages import known

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
TITLE = "What a residency leaves behind"


def standing(event: Event) -> list[str]:
    """The states of those registered, in the order in which they came."""
    return list(event.registrations.order_by("pk").values_list("status", flat=True))


def register_as_guest(site: Site, event: Event, scripts: bool) -> Person:
    guest = site.person("Ada Guest", "ada@example.com", scripts=scripts)
    guest.go(event.get_absolute_url())
    guest.look("event, for a guest")
    guest.follow("Join the waiting list")
    guest.fill("Your name", "Ada Guest")
    guest.fill("Your e-mail address", guest.address)
    guest.fill("What would you like to take home?", "A method")
    guest.look("registering as a guest")
    guest.press("Send me the mail")
    guest.has_title("Look in your mail")
    assert Status.WAITING not in standing(event)[2:]  # nothing counts before the button in the mail
    guest.mail(re.compile("Is this you")).follow("Yes, register me")
    guest.look("proof of an address")
    guest.press("Yes, register me")
    guest.has_title("You are number 2 on the waiting list")
    return guest


@pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
def test_a_place_goes_from_hand_to_hand(site: Site, scripts: bool):
    organiser = make_member(name="Priya Raghunathan", is_organiser=True)
    event = make_event(title=TITLE, capacity=1, organisers=[organiser], has_captions=True)
    Question.objects.create(event=event, label="What would you like to take home?")
    ana, noor = known(site, "Ana Sousa", "ana", scripts), known(site, "Noor Haddad", "noor", scripts)

    for who, button in ((ana, "Save me a place"), (noor, "Join the waiting list")):
        who.go("/events/")
        who.look("events")
        who.follow(TITLE)
        who.look(f"event: {button}")
        who.follow(button)
        who.look("registering")
        who.fill("What helps you to take part?", "Captions")
        who.press(re.compile("Register|Join the waiting list"))
    ana.sees("See you on")
    noor.sees("You are on the waiting list")
    guest = register_as_guest(site, event, scripts)
    assert standing(event) == ["confirmed", "waiting", "waiting"]

    ana.go(event.get_absolute_url())
    ana.look("event with my place")
    ana.follow("Change my answers")
    ana.look("my place")
    ana.fill("What would you like to take home?", "Courage")
    ana.press("Save")
    ana.sees("Saved. The organisers see it.")
    ana.follow("Give my place up")
    ana.look("give up my place")
    ana.press("Give up my place")
    assert standing(event) == ["cancelled", "offered", "waiting"]

    noor.go(event.get_absolute_url())
    noor.sees("A place is yours until")
    noor.look("event, offered")
    site.work()
    with time_machine.travel(timedelta(hours=25), tick=True):
        site.work()
        assert standing(event) == ["cancelled", "expired", "offered"]
        noor.go(event.get_absolute_url())
        noor.sees("Your offer has passed")
        noor.look("event, offer passed")
        guest.mail(re.compile("A place is yours until")).follow("Take the place")
        guest.look("an offer")
        guest.press("Take the place")
        guest.has_title("You have the place")

    with time_machine.travel(event.starts_at - timedelta(hours=70), tick=True):
        sweep_registrations()
        letter = guest.mail(re.compile("Are you still coming"))
        letter.says("If your day has changed, no need to explain.")
        letter.follow("Yes, I will be there")
        guest.has_title("Are you still coming on")
        guest.look("are you still coming?")
        guest.press("Yes, I will be there")
        guest.has_title("Thank you. Your place is yours")
        assert event.registrations.get(guest_address=guest.address).said_yes_at is not None
        guest.mail(re.compile("You have a place")).follow("Your place on one page")
        guest.has_title("Your place")
        guest.look("a guest's place")
        guest.follow("Give my place up")
        guest.press("Give up my place")
        guest.has_title("You gave up your place")
    assert standing(event) == ["cancelled", "expired", "cancelled"]
    assert [who.faults for who in site.people] == [[], [], []]
    assert [faults for faults in site.looked_at.values() if faults] == []
