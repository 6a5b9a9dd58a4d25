"""An organiser plans an event on one page, approves, offers, writes, postpones and makes it again: without scripts; and
the pages of it judged by axe, which is one."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from events import services
from events.models import Event, EventMessage, Status
from tests.factories import make_member
from tests.factories.events import make_event, make_registration

from .people import Site
from .test_keeping_order import at_home, judge_each

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_organiser_plans_an_event_and_serves_its_people(site: Site):
    organiser = make_member(name="Priya Nair", is_organiser=True, time_zone="Europe/London")
    friend = make_member(name="Tamsin Okafor", handle="tamsin")
    who = at_home(site, organiser, scripts=False)
    plan(who)
    event = Event.objects.get()
    assert [question.label for question in event.questions.all()] == ["What do you hope for?"]
    who.press("Publish")
    who.sees("Published. People can find it now.")

    asks = services.register_member(event=event, member=make_member(name="Ada Ōkubo"), access_needs="A ramp")
    who.go(f"{event.get_absolute_url()}organise/")
    who.sees("1 person asks to come.")
    who.look("the desk, somebody asks")
    who.press(re.compile("^Approve"))
    who.sees("Approved, and told so")
    asks.refresh_from_db()
    assert asks.status == Status.CONFIRMED

    page = who.go(f"{event.get_absolute_url()}organise/organisers/")
    who.press("Step down")
    who.sees("Add somebody first, who takes it over.")
    who.fill("Add an organiser", "@tamsin")
    who.click(page.locator("button[value=add]"))
    who.look("who organises it")
    assert friend in event.organisers.all()

    who.go(f"{event.get_absolute_url()}organise/postpone/")
    who.look("postpone it?")
    who.press("Postpone it, and tell everybody")
    who.sees("It needs a new day.")
    who.look("the desk of a postponed event")
    who.go(f"{event.get_absolute_url()}organise/duplicate/")
    who.look("the same again")
    who.press("Make the draft")
    who.sees("Edit event")
    who.look("edit an event with questions")
    assert Event.objects.count() == 2
    assert {where: faults for where, faults in site.looked_at.items() if faults} == {}
    assert who.faults == []


def test_axe_finds_nothing_where_an_event_is_organised(site: Site):
    organiser = make_member(name="Priya Nair", is_organiser=True)
    event = make_event(organisers=[organiser], capacity=1, title="Café")
    ana = make_registration(event=event, member=make_member(name="Ana Silva"))
    make_registration(event=event, status=Status.WAITING)
    start = f"{event.get_absolute_url()}organise/"
    pages = [
        "",
        "edit/",
        "forecast/",
        "call-off/",
        f"people/{ana.pk}/",
        "check-in-sheet/",
        "letter/",
    ]
    pages += ["postpone/", "duplicate/", "organisers/", "invitations/", "series/"]
    judge_each(at_home(site, organiser), [start + page for page in pages])


def plan(who) -> None:
    page = who.go("/events/new/")
    starts = timezone.now() + timedelta(days=30)
    who.fill("Title", "A day in Leeds")
    page.locator("[name=starts]").fill(starts.strftime("%Y-%m-%dT13:00"))
    page.locator("[name=ends]").fill(starts.strftime("%Y-%m-%dT12:00"))
    page.get_by_text("How registration works").click()
    page.get_by_label("We approve each registration").check()
    page.get_by_text("Question 1", exact=True).first.click()
    page.locator("[name=questions-0-label]").fill("What do you hope for?")
    who.press("Save as a draft")
    who.sees("The end must come after the start.")
    who.look("an event with something to fix")
    page.locator("[name=ends]").fill(starts.strftime("%Y-%m-%dT14:00"))
    who.press("Save as a draft")
    who.sees("This is a draft. Publish it when it is ready.")
    who.look("the desk of a draft")


def test_organiser_offers_and_writes(site: Site):
    organiser = make_member(name="Priya Nair", is_organiser=True, time_zone="Europe/London")
    event = make_event(title="Open coffee", slug="open-coffee", organisers=[organiser], capacity=1)
    now = timezone.now()
    make_registration(event=event, asked_at=now, access_needs="Large print")
    line = [make_registration(event=event, status=Status.WAITING) for _number in range(3)]
    make_registration(event=event, status=Status.CANCELLED, confirmed_at=now, ended_at=now)
    who = at_home(site, organiser, scripts=False)
    page = who.go(f"{event.get_absolute_url()}organise/?show=all")
    who.look("the desk, all lists")
    page.locator("[name=q]").last.fill(line[1].member.name)
    who.press("Find")
    who.click(page.get_by_role("link", name=re.compile("^Offer")))
    who.sees("2 people are offered a place")
    who.look("one person who waits")
    who.press("Offer 2 places")
    who.sees("Offered to everyone up to there")
    assert [row.status for row in event.registrations.order_by("pk")][1:4] == [
        "offered",
        "offered",
        "waiting",
    ]

    who.go(f"{event.get_absolute_url()}organise/forecast/")
    who.sees("Have not answered")
    who.look("how many come, with those who were asked")
    # Only the frame around the table scrolls: it can be reached by keys.
    assert page.locator("main table").evaluate("table => getComputedStyle(table).overflowX") == "visible"

    who.go(f"{event.get_absolute_url()}organise/")
    who.fill("Subject", "Are you still coming?")
    page.locator("textarea[name=body]").fill("Dear all, **please** say so.")
    who.press("Review and send")
    who.sees("This goes to 1 person")
    who.look("a letter, once more before it goes")
    who.press("Change it")
    assert page.locator("textarea[name=body]").input_value() == "Dear all, **please** say so."
    who.press("Review and send")
    who.press("Send it to 1 person")
    who.sees("It goes to 1 person.")
    who.look("letters so far")
    assert EventMessage.objects.get().audience == "silent"
    Event.objects.update(visibility=3)
    who.go(f"{event.get_absolute_url()}organise/invitations/")
    who.fill("Whom do you invite?", "new@example.org")
    who.press("Invite them")
    who.sees("1 person is invited.")
    who.look("who is invited")
    assert {where: faults for where, faults in site.looked_at.items() if faults} == {}
    assert who.faults == []
