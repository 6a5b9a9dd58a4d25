"""Two members write to each other, bring in a third and leave: in a browser, with scripts and without."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_member

from .people import Person, Site, at_home, without_scripts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def known(site: Site, name: str, handle: str, scripts: bool) -> Person:
    address = f"{handle}@example.org"
    return at_home(site, make_member(name=name, email=address, handle=handle), scripts=scripts)


@pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
def test_writing_to_each_other(site: Site, scripts: bool):
    ana = known(site, "Ana Sousa", "ana", scripts)
    per = known(site, "Per Lind", "per", scripts)
    make_member(name="Kofi Mensah", handle="kofi")

    page = ana.go("/messages/new/")
    page.get_by_label("To whom?").first.fill("lind")
    if not scripts:
        ana.press("Find")
    page.get_by_label("Per Lind").check()
    page.locator("textarea[name=body]").fill("Shall we **meet** on Friday?")
    ana.look("a new message")
    ana.press("Send")
    ana.sees("Shall we meet on Friday?")

    site.work()
    page = per.go("/messages/")
    per.sees("1 new")
    per.look("the list of messages")
    per.click(page.get_by_role("link", name="Ana Sousa"))
    page.locator("textarea[name=body]").fill("Gladly, at ten.")
    per.press("Send")
    per.sees("Gladly, at ten.")
    per.look("a conversation")

    page = ana.go("/messages/")
    ana.click(page.get_by_role("link", name="Per Lind"))
    ana.sees("Gladly, at ten.")
    ana.click(page.get_by_role("link", name="Bring somebody in"))
    page.get_by_label("Name or handle").fill("kofi")
    ana.press("Find")
    ana.look("bringing somebody in")
    ana.press("Bring in")
    ana.sees("Ana Sousa brought in Kofi Mensah, who reads from here on")

    page = per.go("/messages/")
    per.click(page.get_by_role("link", name="Kofi Mensah"))
    per.click(page.get_by_role("link", name="Leave this conversation"))
    per.look("leaving a conversation")
    per.press("Leave")
    expect(per.page.locator("main")).to_contain_text("You have left.")
    expect(per.page.locator("main")).not_to_contain_text("Kofi Mensah")

    for who in site.people:
        assert who.faults == []
    assert [fault for faults in site.looked_at.values() for fault in faults] == []
