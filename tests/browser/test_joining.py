"""Three ways in, played in a real browser: through an open door; past a moderator; with an invitation. Then the hello."""

import re

import pytest

from kmnet.core.models import CommunitySettings
from members.models import Greeting, Member
from members.permissions import is_full_member
from members.tasks import keep_invitations
from tests.factories import make_member

from .people import PASSWORD, Person, Site, at_home, without_scripts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


class Door:
    """The people of the walk, and what each of them does more than once."""

    def __init__(self, site: Site, scripts: bool):
        self.site, self.scripts = site, scripts

    def known(self, name: str, address: str, **roles) -> Person:
        return at_home(self.site, make_member(name=name, email=address, **roles), scripts=self.scripts)

    def stranger(self, name: str, address: str) -> Person:
        return self.site.person(name, address, scripts=self.scripts)

    def fill_in(self, who: Person, *, answers=()) -> None:
        page = who.page
        page.locator("input[name=name]").fill(who.name)
        page.locator("input[name=email]").fill(who.address)
        page.locator("input[name=password1]").fill(PASSWORD)
        for number, answer in enumerate(answers, 1):
            page.locator(f"textarea[name=answer_{number}]").fill(answer)
        page.locator("input[name=agree]").check()
        who.press("Join kmnet")

    def prove(self, who: Person) -> None:
        who.mail("Prove your address, and you are in").follow(re.compile("Prove|Yes|address", re.IGNORECASE))
        who.press("Yes, it is mine")

    def policy(self, policy: str) -> None:
        CommunitySettings(join_policy=policy).save()

    def row(self, who: Person) -> Member:
        return Member.objects.get(email=who.address)


@pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
def test_joining_three_ways(site: Site, scripts: bool):
    door = Door(site, scripts)
    through_the_open_door(door)
    past_a_moderator(door)
    with_an_invitation(door)
    for who in site.people:
        assert who.faults == []
    faults = [fault for found in site.looked_at.values() for fault in found]
    assert faults == [], "\n\n".join(faults)


def through_the_open_door(door: Door) -> None:
    who = door.stranger("Samina Qureshi", "samina@example.org")
    who.go("/join/")
    door.fill_in(who)
    door.prove(who)
    assert is_full_member(door.row(who))
    for number in (1, 2, 3):  # nothing is asked for that cannot be left out
        who.go(f"/welcome/{number}/")
        who.press(re.compile("^Next|^Done"))
    who.sees("Three things you could do next")
    who.look("three things")
    who.follow("Look at it")
    who.look("introduction")
    who.press("Post it")
    who.has_title("Hello, I am Samina")

    host = door.known("Rosalind Achebe", "rosalind@example.org", is_host=True)
    host.go("/hosts/hello/")
    host.sees("Samina Qureshi")
    host.look("say hello")
    host.follow(re.compile("Answer the introduction"))
    host.sees("First post – welcome them")
    host.look("a first post")
    host.page.locator("#reply textarea[name=body]").fill("Welcome, Samina! What are you working on?")
    host.press("Post reply")
    assert Greeting.objects.get().newcomer == door.row(who)
    host.go("/hosts/hello/")
    host.sees("Everybody has been greeted")
    host.look("all greeted")


def past_a_moderator(door: Door) -> None:
    door.policy("approval")
    who = door.stranger("Tomasz Wierzbicki", "tomasz@example.org")
    who.go("/join/")
    who.press("Join kmnet")
    who.look("join with questions and mistakes")
    door.fill_in(who, answers=("I look after guidelines.", "Company."))
    door.prove(who)
    who.go("/members/")
    who.sees("usually within 2 working days")
    who.look("waiting")
    who.mail("We have your request to join").says("A person reads it")

    moderator = door.known("Ngozi Adeyemi", "ngozi@example.org", is_moderator=True)
    moderator.go("/")
    moderator.follow(re.compile("waits to be let in"))
    moderator.sees("I look after guidelines.")
    moderator.look("queue of those who ask")
    moderator.press(re.compile("^Decline"))
    moderator.sees("Please say why")
    moderator.look("declining without a reason")
    moderator.press(re.compile("^Let in"))
    moderator.sees("is in, and gets a mail")
    assert is_full_member(door.row(who))
    who.mail(re.compile("You are in")).follow("Come in")
    who.go("/members/")
    who.has_title("People")


def with_an_invitation(door: Door) -> None:
    door.policy("invitation")
    who = door.stranger("Leilani Kahale", "leilani@example.org")
    who.go("/join/")
    who.has_title("People join kmnet by invitation")
    who.look("by invitation")

    organiser = door.known("Maren de Wit", "maren@example.org", is_organiser=True)
    page = organiser.go("/invitations/")
    organiser.follow("Bring in a mailing list")
    organiser.look("bring in a list")
    page.locator("input[name=name]").fill("KM Forum")
    page.locator("textarea[name=text]").fill(f"{who.address}, {who.name}\nnobody at home\n")
    page.locator("input[name=basis][value=list]").check()
    page.locator("input[name=promise]").check()
    organiser.press("Check the list")
    organiser.sees("This is not an e-mail address.")
    organiser.look("the list is checked")
    organiser.press(re.compile("invite 1 person"))
    organiser.sees("KM Forum")
    organiser.look("invitations")
    organiser.go("/invitations/link/")
    organiser.press("Make the link")
    organiser.look("a link for several")

    keep_invitations()
    letter = who.mail(re.compile("invites you to kmnet"))
    letter.says("KM Forum")
    letter.follow("Join kmnet")
    who.look("invited")
    who.press("Join kmnet")
    who.sees("has invited you")
    assert who.page.locator("input[name=email]").input_value() == who.address
    who.look("join with an invitation")
    door.fill_in(who)
    who.has_title("What do you do, Leilani?")
    assert is_full_member(door.row(who))
