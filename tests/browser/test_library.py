"""The library by two who never met: added, made anew, put into plain words, used, told of, gathered, met by a guest."""

import re

import pytest
from playwright.sync_api import expect

from resources.models import Derivative, Resource, Story
from tests.factories import make_member
from tests.factories.resources import PDF

from .people import PASSWORD, without_scripts
from .test_polls import sign_in

pytestmark = pytest.mark.browser
LONG = "The NHS sheet is a thing that many people in many places fill in on Fridays when they have found the time to do it."


@pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
def test_a_tool_travels(site, tmp_path, scripts):
    make_member(name="Ana Silva", email="ana@example.org", password=PASSWORD, is_host=True)
    make_member(name="Ben Okri", email="ben@example.org", password=PASSWORD, is_host=True)
    ana = site.person("Ana", "ana@example.org", scripts=scripts)
    ben = site.person("Ben", "ben@example.org", scripts=scripts)
    guest = site.person("A guest", "", scripts=scripts)
    sign_in(ana)
    sign_in(ben)
    sheet = tmp_path / "sheet.pdf"
    sheet.write_bytes(PDF)

    # added by hand, with a file
    ana.go("/library/add/")
    ana.follow("Write it down by hand")
    ana.fill("Title", "Contribution ledger")
    ana.fill("In your own words", "Record what changed, and who changed it.")
    ana.page.get_by_label("What is it?").select_option(label="Tool or template")
    ana.page.locator("input[type=file]").set_input_files(str(sheet))
    ana.page.get_by_label("I made this, or I have leave to share the file here").check()
    ana.press("Put it into the library")
    ana.has_title("Contribution ledger")
    ana.look("a record of one's own")
    address = ana.page.url

    # a new version: a fault first, then with the file that stays
    ana.follow("New version")
    ana.press("Make it the newest version")
    ana.sees("What is new in it")
    ana.look("a new version, with a fault")
    ana.fill("What is new in it?", "Added a confirmer.")
    ana.press("Make it the newest version")
    ana.sees("version 2")

    # Ben used it, and says how it went
    ben.go(address)
    ben.press("I used this")
    ben.sees("You said that you used it")
    ben.look("a record")
    ben.follow("Tell how it went")
    ben.fill("Where did you use it?", "A council")
    ben.press("Tell it")
    ben.sees("Answer two of the five questions")
    ben.look("a story, with a fault")
    ben.fill("What happened?", "Nobody filled it in.")
    ben.page.get_by_label("It did not work").check()
    ben.page.get_by_label("Without my name").check()
    ben.press("Tell it")
    ben.sees("A member, without their name")
    ben.look("stories")
    assert Story.objects.get().author is None

    # in plain words, with advice that stops nobody
    ben.go(address)
    ben.follow("Write it in plain language")
    if scripts:
        ben.page.get_by_label("Its text").press_sequentially(LONG, delay=0)
        expect(ben.page.locator("#plain-advice")).to_contain_text("more than 20 words")
    else:
        ben.fill("Its text", LONG)
        ben.press("How plain is it?")
        ben.sees("more than 20 words")
    ben.look("a plain-language version, with advice")
    ben.fill("Its text", "This sheet helps you write down what changed.")
    ben.page.get_by_label("Lay readers, who are those it was made for").check()
    ben.press("Put it into the library")
    ben.has_title("Contribution ledger, in plain language")
    ben.sees("Which version do you need?")
    ben.look("a derivative")
    ben.follow("Who checked it?")
    ben.look("who checked a derivative")
    assert Derivative.objects.get().checked == "lay"

    # into a collection
    ben.go(address)
    ben.follow("Add to a collection")
    ben.look("no collection yet")
    ben.follow(re.compile("Make a (new )?collection with this in it"))
    ben.fill("Title", "When you begin")
    ben.press("Make the collection")
    ben.has_title("When you begin")
    ben.sees("Contribution ledger")
    ben.look("a collection")

    # what a guest meets
    guest.go(address)
    guest.sees("This sheet helps you write down what changed.")
    guest.sees("Checked by lay readers")
    guest.sees("Nobody filled it in.")
    expect(guest.page.locator("body")).not_to_contain_text("Ben Okri")
    guest.look("a record, for guests")
    guest.click(guest.page.get_by_role("link", name="Read the whole story"))
    guest.sees("It did not work")
    guest.go(f"{address}versions/1/")
    guest.sees("A newer version exists")
    guest.look("an old version")

    # links
    other = Resource.objects.get(title__endswith="in plain language")
    ana.go(f"/library/{Resource.objects.get(title='Contribution ledger').pk}/links/")
    ana.search(other.title)
    ana.look("looking for the other one")
    ana.press(re.compile("^Link"))
    ana.sees("Linked.")
    ana.look("links")
    assert {where: faults for where, faults in site.looked_at.items() if faults} == {}
