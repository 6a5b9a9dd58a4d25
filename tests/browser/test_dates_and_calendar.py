"""An organiser lets an event come back, changes and calls off the dates that follow, and gets an address for their
calendar: without scripts, and so without axe, which is one."""

import pytest

from events.models import Event
from tests.factories import make_member
from tests.factories.events import make_event

from .people import Site
from .test_keeping_order import at_home

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_organiser_makes_dates_changes_and_calls_off_those_that_follow(site: Site):
    organiser = make_member(name="Priya Nair", is_organiser=True)
    event = make_event(title="Open coffee", slug="open-coffee", organisers=[organiser])
    who = at_home(site, organiser, scripts=False)
    page = who.go(f"{event.get_absolute_url()}organise/series/")
    who.fill("How many times", "4")
    who.press("Show the dates")
    who.look("the dates before they are made")
    who.press("Make these 4 dates")
    who.sees("4 dates are made.")
    who.look("all dates")
    second = Event.objects.order_by("slot")[1]
    who.go(f"{second.get_absolute_url()}organise/series/")
    who.follow("Change them together")
    who.look("change them together")
    who.fill("Title", "Open tea")
    who.press("Change them")
    who.sees("3 dates are changed.")
    who.follow("Call them off")
    who.look("call them off")
    who.press("Call them off")
    who.sees("3 dates are called off.")
    found = [(one.title, one.cancelled_at is None) for one in Event.objects.order_by("slot")]
    assert found == [("Open coffee", True), *[("Open tea", False)] * 3]

    page = who.go("/settings/calendar/")
    who.press("Make my address")
    who.look("the calendar's page")
    address = page.get_by_label("Address to subscribe to").first.input_value()
    who.press("Make a new address")
    who.sees("The old one has ended.")
    assert page.get_by_label("Address to subscribe to").first.input_value() != address
    page = who.go(event.get_absolute_url())
    who.sees("Other dates")
    assert {where: faults for where, faults in site.looked_at.items() if faults} == {}
    assert who.faults == []
