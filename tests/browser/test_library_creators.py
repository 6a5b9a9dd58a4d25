"""Members among the creators of a resource: offered while their name is typed, taken only when they are chosen."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_member

from .people import PASSWORD
from .test_polls import sign_in

pytestmark = pytest.mark.browser


def test_a_member_is_chosen_among_the_creators(site):
    make_member(name="Ana Silva", handle="ana", email="ana@example.org", password=PASSWORD, is_host=True)
    make_member(name="Andrée le May", handle="andree")
    ana = site.person("Ana", "ana@example.org", scripts=True)
    sign_in(ana)
    ana.go("/library/add/?by=link")
    names, offers = ana.page.get_by_label("By whom"), ana.page.locator(".offers").get_by_role("option")

    names.press_sequentially("Andr")
    expect(offers).to_have_count(1)
    ana.look("a creator, members offered")
    names.press("Enter")  # nobody was chosen: it is a new line
    names.press_sequentially("le May, Andrée")
    expect(offers).to_have_count(1)
    names.press("ArrowDown")
    expect(names).to_have_attribute("aria-activedescendant", "composer-offer-0")
    names.press("Enter")
    expect(names).to_have_value("Andr\nle May, Andrée (@andree)")
    expect(offers).to_have_count(0)
    names.press("Enter")
    names.press_sequentially("silva")  # oneself
    offers.click()
    expect(names).to_have_value("Andr\nle May, Andrée (@andree)\n@ana")
