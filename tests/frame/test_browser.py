"""The frame in a real browser: what axe says, what a cold page costs, what the few scripts do."""

import gzip
import re

import pytest
from playwright.sync_api import expect

from kmnet.core import views
from tests.browser.judging import PHONE, faults_of
from tests.factories import PASSWORD, make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Beside those that a guest looks at on the first walk (tests/browser/test_walk.py: newcomer_joins)
GUEST_PAGES = {
    "about": [
        "/about/",
    ],
    "way in": [
        "/accounts/login/code/",
        "/accounts/confirm-email/",
        "/accounts/confirm-email/not-a-key/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/1-not-a-key/",
        "/accounts/password/reset/key/done/",
        "/accounts/inactive/",
    ],
}
MEMBER_PAGES = [
    "/accounts/logout/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/2fa/recovery-codes/generate/",
    "/accounts/reauthenticate/",
]


@pytest.fixture
def member(db):
    return make_member(name="Rosalind Achebe", email="rosalind@example.org")


@pytest.fixture
def signed_in(page, live_server, member):
    """Through the door, so that the account pages take the sign-in for a fresh one."""
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("E-mail address").fill(member.email)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation(wait_until="load"):
        page.locator("main").get_by_role("button", name="Sign in").click()
    return page


@pytest.mark.parametrize("group", GUEST_PAGES)
def test_axe_finds_nothing_on_guests_pages(page, live_server, group):
    faults = []
    for address in GUEST_PAGES[group]:
        page.goto(live_server.url + address)
        faults += faults_of(page, address)
    assert faults == []


def test_axe_finds_nothing_on_account_pages(signed_in, live_server):
    faults = []
    for address in MEMBER_PAGES:
        signed_in.goto(live_server.url + address)
        expect(signed_in.get_by_role("heading", level=1)).to_have_count(1)
        faults += faults_of(signed_in, address)
    assert faults == []


@pytest.mark.parametrize(
    ("media", "found_at"),
    [
        ("(prefers-color-scheme: dark)", "390 px, dark"),
        ("(prefers-color-scheme: dark) and (min-width: 1000px)", "1280 px, dark"),
        ("(prefers-color-scheme: light) and (min-width: 1000px)", "1280 px, light"),
    ],
)
def test_axe_finds_one_pale_line_among_many(page, live_server, media, found_at):
    """Also where only one of all that are alike is asked about, and none that was seen on a page before."""
    page.goto(live_server.url + "/about/privacy/")
    assert faults_of(page, "a page") == []
    page.reload()
    page.evaluate(
        """media => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(`@media ${media} { .pale { color: #777 !important; background: #888 !important; } }`);
          document.adoptedStyleSheets = [sheet];
          [...document.querySelectorAll("main p")].at(-2).classList.add("pale");
        }""",
        media,
    )
    assert [f"{found_at}: color-contrast" in fault for fault in faults_of(page, "a page")] == [True]


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_axe_finds_nothing_on_error_pages(page, live_server, rf, status):
    view = {
        400: views.bad_request,
        403: views.forbidden,
        429: views.too_many,
        500: views.server_error,
        503: views.unavailable,
    }[status]
    html = view(rf.post("/", {"body": "Some words that were typed"})).content.decode()
    page.goto(f"{live_server.url}/about/contact/")
    page.route("**/shown-instead/", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{live_server.url}/shown-instead/")
    assert faults_of(page, str(status)) == []


@pytest.mark.parametrize("address", ["/", "/accounts/login/", "/about/accessibility/"])
def test_a_cold_page_is_small(page, live_server, address):
    seen = []
    page.on("response", lambda response: seen.append(response))
    page.goto(live_server.url + address, wait_until="networkidle")
    weights = {
        # pages go out as they are, files compressed (here with gzip, to visitors with brotli, which is smaller)
        response.url: len(response.body())
        if response.request.resource_type == "document"
        else len(gzip.compress(response.body(), 9))
        for response in seen
    }
    scripts = [response.url for response in seen if response.request.resource_type == "script"]
    assert [url for url in weights if not url.startswith(live_server.url)] == []
    assert len(seen) <= 10
    assert len(scripts) <= 3
    assert sum(weights.values()) <= 60 * 1024


def test_a_members_page_is_small(signed_in, live_server):
    weights = []
    signed_in.on("response", lambda response: weights.append(len(gzip.compress(response.body(), 9))))
    signed_in.goto(live_server.url, wait_until="networkidle")
    assert len(weights) <= 10
    assert sum(weights) <= 60 * 1024


def test_the_policy_is_never_broken(page, live_server):
    said = []
    page.on("console", lambda message: said.append(message.text))
    for address in ("/", "/accounts/login/", "/join/"):
        page.goto(live_server.url + address, wait_until="networkidle")
    assert [words for words in said if "Content Security Policy" in words] == []


def test_what_is_to_be_fixed_takes_the_focus_and_leads_to_the_field(page, live_server):
    page.goto(f"{live_server.url}/accounts/login/")
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: Sign in"))
    page.locator(".error-summary").get_by_role("link", name="Password: this is needed").click()
    expect(page.get_by_label("Password")).to_be_focused()


def test_the_account_menu_closes_by_escape_and_by_a_click_elsewhere(signed_in):
    summary = signed_in.locator(".site-head details.menu summary")
    panel = signed_in.locator(".site-head .menu__panel")
    summary.click()
    expect(panel).to_be_visible()
    signed_in.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(summary).to_be_focused()
    summary.click()
    signed_in.locator("main").click(position={"x": 5, "y": 5})
    expect(panel).to_be_hidden()


def test_a_toast_is_said_and_can_be_sent_away(page, live_server):
    page.goto(f"{live_server.url}/about/contact/")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('toast', {detail: {value: 'Saved.'}}))")
    toasts = page.get_by_role("status").filter(has_text="Saved.")
    expect(toasts).to_be_visible()
    toasts.get_by_role("button", name="Dismiss message").click()
    expect(page.locator(".toast")).to_have_count(0)


def test_everything_is_reached_without_scripts(browser, live_server, member):
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("E-mail address").fill(member.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.locator(".site-head details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator(".messages")).to_contain_text("You are signed out.")
    context.close()


def test_the_first_tab_leads_past_the_header(page, live_server):
    page.goto(f"{live_server.url}/about/contact/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_print_leaves_the_frame_out(page, live_server):
    page.goto(f"{live_server.url}/about/privacy/")
    page.emulate_media(media="print")
    expect(page.locator(".site-head")).to_be_hidden()
    expect(page.locator(".site-foot")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
