"""A poll is asked and answered; a post is thanked for and kept: in a browser, with and without scripts."""

import pytest
from playwright.sync_api import expect

from discussions.models import Bookmark, Poll, Reaction
from tests.factories import make_member

from .people import PASSWORD, at_home, without_scripts

pytestmark = pytest.mark.browser


def sign_in(someone) -> None:
    someone.go("/accounts/login/")
    someone.fill("E-mail", someone.address)
    someone.fill("Password", PASSWORD)
    someone.press("Sign in")


@pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
def test_poll_from_the_asking_to_the_result(site, scripts):
    people = []
    for name, address in (("Ana Silva", "ana@example.org"), ("Ben Okri", "ben@example.org")):
        people.append(at_home(site, make_member(name=name, email=address), scripts=scripts))
    ana, ben = people

    ana.go("/discussions/methods-and-tools/ask/")
    ana.fill("In one sentence", "What shall we read together?")
    ana.page.locator("textarea[name=body]").fill("One paper a month, twenty minutes.")
    ana.page.get_by_label("A poll").check()
    ana.fill("Answers to choose from", "Mindlines")
    ana.page.get_by_label("They put the answers in their order").check()
    ana.press("Post it")
    ana.sees("A poll needs two answers at least")
    ana.look("asking a poll, with a fault")
    ana.fill("Answers to choose from", "Mindlines\nBoundary spanners\nA novel")
    ana.press("Post it")
    ana.has_title("What shall we read together?")
    address = ana.page.url

    ben.go(address)
    ben.look("a poll")
    ben.page.get_by_label("A novel").select_option("1")
    ben.page.get_by_label("Mindlines").select_option("1")
    ben.press("Vote")
    ben.sees("Another answer is your number 1 already")
    ben.look("a vote with a fault")
    ben.page.get_by_label("Mindlines").select_option("2")
    ben.press("Vote")
    ben.sees("Your vote counts")
    expect(ben.page.get_by_role("row", name="A novel")).to_contain_text("100 %")

    thank = ben.page.get_by_role("button", name="Thank you")
    ben.click(thank)
    expect(thank).to_have_attribute("aria-pressed", "true")
    if scripts:
        expect(thank).to_be_focused()  # after the swap, too
    ben.page.locator("summary[aria-label^='More for post 1']").click()
    ben.follow("Keep for later")
    ben.page.get_by_label("Tomorrow morning").check()
    ben.look("keeping for later")
    ben.press("Keep it")
    ben.go("/discussions/bookmarks/")
    ben.sees("What shall we read together?")
    ben.look("kept for later")

    ana.go(address)
    ana.follow("Close the poll now")
    ana.press("Close the poll")
    ana.sees("This poll is closed")
    ana.look("a closed poll")
    ana.follow("Who reacted")
    ana.sees("Ben Okri")
    ana.look("who reacted")
    assert Poll.objects.get().outcome["voters"] == 1
    assert (Reaction.objects.count(), Bookmark.objects.filter(remind_at__isnull=False).count()) == (1, 1)
    assert [fault for faults in site.looked_at.values() for fault in faults] == []
