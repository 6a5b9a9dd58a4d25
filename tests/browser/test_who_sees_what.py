"""Maren chooses who sees which part of her profile, shares a group, blocks and unblocks: in a browser."""

import re

import pytest
from playwright.sync_api import expect

from members.models import Group, Joining
from tests.factories import make_member

from .people import Person, Site, at_home, without_scripts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

WHERE = "A hospice by the sea"
WORDS = "I carry papers over a bridge"


def known(site: Site, name: str, address: str, scripts: bool, **more) -> Person:
    return at_home(site, make_member(name=name, email=address, **more), scripts=scripts)


@pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
def test_who_sees_what(site: Site, scripts: bool):
    maren = known(site, "Maren de Wit", "maren@example.org", scripts)
    ngozi = known(site, "Ngozi Adeyemi", "ngozi@example.org", scripts)
    guest = site.person("Nobody", "nobody@example.org", scripts=scripts)

    tell_parts_to_some(maren)
    page = guest.go("/members/maren-de-wit/")
    guest.sees(WORDS)
    expect(page.locator("body")).not_to_contain_text(WHERE)
    guest.look("a profile, as a guest")
    page = ngozi.go("/members/maren-de-wit/")
    expect(page.locator("main")).not_to_contain_text(WHERE)

    share_a_group(maren, ngozi)
    ngozi.go("/members/maren-de-wit/")
    ngozi.sees(WHERE)
    ngozi.look("a profile, from the same group")
    ngozi.go("/members/")
    ngozi.look("directory")
    ngozi.go("/members/countries/")
    ngozi.look("countries")

    keep_at_a_distance(maren, other="ngozi-adeyemi")
    page = ngozi.go("/members/maren-de-wit/")
    ngozi.sees(WORDS)
    expect(page.locator("main")).not_to_contain_text(WHERE)
    maren.go("/settings/privacy/")
    maren.sees("Ngozi Adeyemi")
    maren.look("settings, whom one keeps away")
    maren.press(re.compile("Unblock"))
    ngozi.go("/members/maren-de-wit/")
    ngozi.sees(WHERE)

    for who in site.people:
        assert who.faults == []
    assert [fault for faults in site.looked_at.values() for fault in faults] == []


def tell_parts_to_some(who: Person) -> None:
    page = who.go("/settings/profile/")
    who.look("settings, profile")
    page.locator("[name=headline]").fill(WORDS)
    page.locator("[name=headline_seen_by]").select_option(label="anyone")
    page.locator("[name=organisation]").fill(WHERE)
    page.locator("[name=organisation_seen_by]").select_option(label="members of my groups")
    who.click(page.locator("main form[action$='/settings/profile/'] button[type=submit]").last)
    assert page.locator("[name=organisation_seen_by]").input_value() == "30"


def share_a_group(convenor: Person, other: Person) -> None:
    page = convenor.go("/groups/new/")
    convenor.look("a new group")
    page.locator("[name=name]").fill("Hospices and evidence")
    page.locator("[name=purpose]").fill("What helps people in their last months.")
    page.locator("[name=joining][value=request]").check()
    convenor.click(page.locator("main form[method=post] button[type=submit]").last)
    group = Group.objects.get()
    assert group.joining == Joining.REQUEST
    other.go("/groups/")
    other.look("groups")
    other.go(group.get_absolute_url())
    other.look("a group, from outside")
    other.press(re.compile("Ask to join"))
    convenor.go(group.get_absolute_url())
    convenor.look("a group, its convenor")
    convenor.go(group.get_absolute_url() + "people/")
    convenor.look("a group's people")
    convenor.press(re.compile("^Let in"))
    other.go(group.get_absolute_url())
    other.look("a group, from inside")


def keep_at_a_distance(who: Person, *, other: str) -> None:
    page = who.go(f"/members/{other}/")
    page.locator("main details.menu summary").click()
    who.follow(re.compile("Ignore or block"))
    who.look("at a distance?")
    who.press(re.compile("^Block$"))
