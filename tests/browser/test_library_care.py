"""Looking after the library: a newcomer's first record, one that is taken down and comes back, one that is handed on,
two that become one, a search that tells what is new, a citation to take along, and a free tag that becomes a term."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from resources.services.searches import tell_what_is_new
from tests.factories import make_member
from tests.factories.resources import make_resource, make_term

from .people import without_scripts
from .test_keeping_order import at_home

pytestmark = pytest.mark.browser
both_ways = pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
TITLE = "The dark side of knowledge brokering"


@both_ways
@pytest.mark.usefixtures("first_looks")
def test_released_taken_down_and_put_back(site, scripts):
    new = at_home(site, make_member(name="Nia New"), scripts=scripts)
    mod = at_home(site, make_member(name="Maren Mod", is_moderator=True), scripts=scripts)
    guest = site.person("A guest", "", scripts=scripts)
    new.go("/library/add/?by=hand")
    new.fill("Title", "My first find")
    new.fill("In your own words", "It helped me.")
    new.fill("Link", "https://first.example/find")
    new.page.get_by_label("What is it?").select_option(label="Guide")
    new.press("Put it into the library")
    new.sees("A moderator looks at this before others see it.")
    address = new.page.url
    guest.go(address)
    guest.has_title("Sign in")

    mod.go("/moderation/")
    mod.follow("Let it appear")
    mod.fill("Why", "A good find.")
    mod.press("Decide")
    mod.sees("It has appeared.")
    guest.go(address)
    guest.has_title("My first find")

    mod.follow("Open its page")
    mod.follow("Hide this")
    mod.follow("Take it out of the library for good, with its files")
    mod.press("Take it down")
    mod.sees("Two things to fix")
    mod.look("taking a record down, with a fault")
    mod.page.get_by_label("Why is it taken down?").select_option(label="its publisher has withdrawn it")
    mod.fill("In a sentence, for everybody", "The publisher asked.")
    mod.fill("For the log and for who added it", "A letter came.")
    mod.press("Take it down")
    mod.has_title("This was taken down")
    mod.look("a tombstone, for moderators")
    assert guest.page.goto(address).status == 410
    guest.sees("The reason: its publisher has withdrawn it.")
    guest.sees("My first find. (n.d.).")
    expect(guest.page.get_by_role("button", name="Put it back")).to_have_count(0)
    mod.fill("Why? It stands in the log", "They changed their mind.")
    mod.press("Put it back into the library")
    mod.sees("It is back in the library")
    assert guest.page.goto(address).status == 200  # the browser has not kept what was gone
    guest.has_title("My first find")
    assert {where: faults for where, faults in site.looked_at.items() if faults} == {}


@both_ways
def test_handed_on_made_one_searched_cited_and_named(site, scripts):
    ana, ben = (make_member(name=name, is_host=True) for name in ("Ana Silva", "Ben Okri"))
    hospital = make_term("setting", "hospital")
    resource, *_others = (
        make_resource(title=title, creators=["Kislov, Roman"], added_by=ana, tags=["ward rounds"])
        for title in (TITLE, *"abcd")
    )
    twin = make_resource(title=f"{TITLE}!", creators=["Kislov, Roman"], added_by=ben, csl={"volume": "22"})
    at_ana, at_ben = at_home(site, ana, scripts=scripts), at_home(site, ben, scripts=scripts)

    # handed on
    at_ana.go(resource.get_absolute_url())
    at_ana.follow("Hand it on")
    at_ana.fill("Their handle", "nobody")
    at_ana.press("Ask them")
    at_ana.sees("There is nobody of this handle whom you can ask about it.")
    at_ana.look("handing on, with a fault")
    at_ana.fill("Their handle", f"@{ben.handle}")
    at_ana.press("Ask them")
    at_ana.sees("Ben Okri is asked.")
    at_ben.go("/library/kept/")
    at_ben.look("what one looks after")
    at_ben.follow(TITLE)
    at_ben.look("asked to look after something")
    at_ben.press("Yes, I will")
    at_ben.sees("You look after it now. Thank you.")
    resource.refresh_from_db()
    assert resource.keeper == ben

    # two are one
    at_ben.follow("Is this in the library twice?")
    at_ben.look("looking for the same thing")
    at_ben.follow(twin.title)
    at_ben.look("two side by side")
    at_ben.press("Merge them")
    at_ben.sees("The two are one now.")
    at_ben.go(twin.get_absolute_url())
    assert at_ben.page.url.endswith(resource.get_absolute_url())

    # a citation to take along
    copy = at_ben.page.get_by_role("button", name="Copy")
    if scripts:
        at_ben.context.grant_permissions(["clipboard-read", "clipboard-write"])
        copy.first.click()
        expect(at_ben.page.get_by_role("button", name="Copied")).to_be_visible()
        copied = at_ben.page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f"Kislov, R. (2017). {TITLE}.")
    else:
        expect(copy).to_have_count(0)

    # a search that tells what is new
    at_ben.go("/library/?q=brokering")
    at_ben.follow("Save this search")
    at_ben.fill("Name", "Brokers")
    at_ben.look("a search to save")
    at_ben.press("Save")
    at_ben.has_title("Your searches")
    at_ben.look("saved searches")
    make_resource(title="Brokering in care homes")
    assert tell_what_is_new(now=timezone.now() + timedelta(days=2)) == 1
    at_ben.mail("New in the library: Brokers").follow(re.compile("Brokering in care homes"))
    at_ben.has_title("Brokering in care homes")

    # a free tag becomes a term
    boss = at_home(site, make_member(name="Admin", is_staff=True, is_superuser=True), scripts=scripts)
    boss.go("/admin/core/term/free-tags/")
    boss.sees("ward rounds")
    boss.look("admin, free tags")
    boss.follow("Make it one of the terms")
    boss.look("admin, a free tag")
    boss.page.get_by_label("Term").select_option(str(hospital.pk))
    boss.press("Make it this term")
    boss.sees("“ward rounds” is “hospital” now, on 5 things")
    assert hospital.resources.count() == 5
    assert {where: faults for where, faults in site.looked_at.items() if faults} == {}
