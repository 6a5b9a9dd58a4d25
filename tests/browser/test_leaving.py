"""A member asks for a copy of their data and takes it, leaves, and comes back: in a browser, with and without scripts."""

import io
import zipfile

import pytest

from members import services
from members.models import Member
from tests.factories import make_member

from .people import PASSWORD, without_scripts

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
def test_leaving_and_coming_back(site, scripts, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.STAFF_NEED_SECOND_STEP = False
    address = "ana@example.org"
    member = make_member(name="Ana Silva", email=address, password=PASSWORD)
    ana = site.person("Ana Silva", address, scripts=scripts)
    sign_in(ana)

    ana.go("/settings/your-data/")
    ana.look("your data")
    ana.press("Make a copy")
    prove(ana)
    ana.sees("Your copy is being made")
    services.build_waiting_copies()
    letter = ana.mail("The copy of your kmnet data is ready")
    letter.follow("Take my copy")
    ana.sees("Your copy is ready")
    ana.look("your data, ready")
    with ana.page.expect_download() as started:
        ana.page.get_by_role("link", name="Download it").click()
    package = zipfile.ZipFile(io.BytesIO(started.value.path().read_bytes()))
    assert address in package.read("account.json").decode()

    ana.go("/settings/your-data/")
    ana.follow("Leave …")
    ana.sees("We will miss you")
    ana.look("leaving, the question")
    ana.page.get_by_label("Take my words away too").check()
    ana.press("Leave now")
    ana.has_title("You have left")
    ana.look("you have left")
    assert Member.objects.get(pk=member.pk).status == "leaving"

    sign_in(ana)
    ana.has_title("Your account is closed")
    ana.look("your account is closed")
    ana.press("Stay: undo it")
    ana.sees("Welcome back")

    ana.follow("Leave …")
    prove(ana, maybe=True)
    ana.press("Leave now")
    letter = ana.mail("Your kmnet account is closed")
    letter.follow("Stay")
    ana.look("stay, by the link in the mail")
    ana.press("Keep my account")
    ana.has_title("Your account stays")
    assert Member.objects.get(pk=member.pk).status == "active"
    assert [fault for faults in site.looked_at.values() for fault in faults] == []


def sign_in(someone) -> None:
    someone.go("/accounts/login/")
    someone.fill("E-mail", someone.address)
    someone.fill("Password", PASSWORD)
    someone.press("Sign in")


def prove(someone, *, maybe: bool = False) -> None:
    """The password, asked for once more."""
    if maybe and not someone.page.locator("input[type=password]").count():
        return
    someone.fill("Password", PASSWORD)
    someone.press("Go on")
