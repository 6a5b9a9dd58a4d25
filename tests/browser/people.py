"""People at their browsers: each has an own one, reads own mails, and never sees a page that axe would fault."""

import re
import time
from collections import deque
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from urllib.parse import urljoin, urlsplit

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError

from events.tasks import queue_due_reminders, sweep_promotions, sweep_registrations
from kmnet.core import mail
from kmnet.core.models import DevMail
from kmnet.core.tasks import fan_out_waiting
from kmnet.hub.tasks import queue_due_digests
from members.models import Member
from tests.together import LONG

from .judging import DESK, faults_of

PASSWORD = "a-bridge-and-a-harbour-7"
WHAT_IT_ASKS = """element => {
  const asks = element.closest("[hx-post], [hx-get]");
  return asks && (asks.getAttribute("hx-post") ?? asks.getAttribute("hx-get"));
}"""


def without_scripts():
    """As a parameter of a journey: played by `make fault`, since `make test` has the long walk without scripts."""
    return pytest.param(False, marks=pytest.mark.fault)


class Site:
    """The site under test, and who visits it."""

    def __init__(self, url: str, browser: Browser):
        self.url, self.browser = url, browser
        self.people: list[Person] = []
        self.looked_at: dict[str, list[str]] = {}
        self.seen: dict[str, str] = {}  # each view that showed somebody a page, and where
        self.judged: set[str] = set()  # the views whose pages were looked at
        self.answers: deque[str] = deque(maxlen=60)  # as the server gave them

    def work(self) -> None:
        """What worker and beat do, once round."""
        fan_out_waiting()
        sweep_promotions()
        sweep_registrations()
        queue_due_reminders()
        queue_due_digests()
        while mail.send_due_mail(limit=200) == 200:
            pass

    @contextmanager
    def at(self, moment: datetime):
        """Another hour, for what is done without people. They close their pages: a bell that asked at that hour would
        end the session of a moderator who has done nothing for half a day."""
        for someone in self.people:
            someone.page.goto("about:blank")
        with time_machine.travel(moment, tick=True):
            yield

    def person(self, name: str, address: str, *, scripts: bool) -> "Person":
        someone = Person(self, name, address, scripts=scripts)
        self.people.append(someone)
        return someone

    def note(self, request, response) -> None:
        """What the server answered, to whom, and which cookies came and went."""
        user, cookies = getattr(request, "user", None), response.cookies
        set_now = [f"{name}{'' if cookies[name].value else ' (taken away)'}" for name in cookies]
        self.answers.append(
            f"{_clock()} {response.status_code} {request.method} {request.get_full_path()} "
            f"to {getattr(user, 'name', '') or 'a guest'}, who brought {', '.join(request.COOKIES) or 'no cookie'}"
            + (f"; cookies set: {', '.join(set_now)}" if set_now else "")
        )

    def told(self) -> str:
        """For whoever reads that a test failed: what everybody saw at the end, and how they came there."""
        people = [someone.told() for someone in self.people]
        return "\n\n".join([*people, "\n".join(["The server's latest answers:", *self.answers])])

    def close(self) -> None:
        for someone in self.people:
            someone.context.close()


def _clock() -> str:
    now = time.time()
    return f"{time.strftime('%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03}"


class Person:
    """Somebody with a browser of their own, with scripts or without."""

    def __init__(self, site: Site, name: str, address: str, *, scripts: bool):
        self.site, self.name, self.address, self.scripts = site, name, address, scripts
        self.context = site.browser.new_context(
            java_script_enabled=scripts,
            viewport=DESK,
            timezone_id="America/Toronto",
            locale="en-GB",
            reduced_motion="reduce",  # as in faults_of; nobody waits for a transition
        )
        self.context.set_default_timeout(LONG * 1000)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("console", self._hear)
        self.page.on("response", self._notice)
        self.heard: deque[str] = deque(maxlen=30)  # by their browser
        self.page.on("response", lambda answer: self._hear_of(answer.request, str(answer.status)))
        self.page.on("requestfailed", lambda request: self._hear_of(request, f"nothing ({request.failure})"))
        self.page.on("framenavigated", lambda frame: self.heard.append(f"{_clock()} now at {frame.url}"))

    def _hear_of(self, request, what: str) -> None:
        if request.resource_type in ("document", "xhr", "fetch", "ping"):
            self.heard.append(f"{_clock()} {what}: {request.method} {request.url}")

    def told(self) -> str:
        """Where they are, as whom, what stands there, and what their browser asked for lately."""

        def ask(question) -> str:
            try:
                return str(question())
            except PlaywrightError as error:  # the page may be gone
                return f"({error.message.splitlines()[0]})"

        def words(place: str) -> str:
            return ask(lambda: self.page.locator(place).first.inner_text(timeout=2000))

        names = ask(lambda: ", ".join(cookie["name"] for cookie in self.context.cookies()))
        signed_in = ask(lambda: self.page.locator("form[action='/accounts/logout/']").count() > 0)
        return "\n".join(
            [
                f"{self.name} at {self.page.url}; signed in there: {signed_in}; cookies: {names}; faults: {self.faults}",
                f"Title: {words('h1')}",
                *self.heard,
                words("body")[:1500],
            ]
        )

    def _hear(self, message) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.faults.append(message.text)

    def _notice(self, response) -> None:
        if response.status >= 500:
            self.faults.append(f"{response.status} at {response.url}")
        if not response.url.startswith((self.site.url, "data:")):
            self.faults.append(f"asked somebody else: {response.url}")
        elif (
            response.request.is_navigation_request()
            and response.frame.parent_frame is None
            and response.headers.get("content-type", "").startswith("text/html")
            and (response.status == 200 or response.status == 422)
        ):
            self.site.seen[view_at(response.url)] = response.url

    # --- going about ---
    def go(self, path: str) -> Page:
        self.page.goto(urljoin(self.site.url, path))
        return self.page

    def press(self, name: str | re.Pattern, *, within=None) -> None:
        self.click((within or self.page.locator("main")).get_by_role("button", name=name).first)

    def follow(self, name: str | re.Pattern, *, within=None) -> None:
        self.click((within or self.page.locator("main")).get_by_role("link", name=name).first)

    def click(self, target) -> None:
        """Click, and wait until what it asked for has come and is in the page."""
        self._act(target, target.click)

    def _act(self, target, act) -> None:
        asks = target.evaluate(WHAT_IT_ASKS) if self.scripts else None
        if asks is None:
            with self.page.expect_navigation(wait_until="load"):
                act()
            return
        asked = urljoin(self.page.url, asks).partition("?")[0]

        def is_heard(answer) -> bool:
            return answer.request.resource_type == "xhr" and answer.url.partition("?")[0] == asked

        with self.page.expect_response(is_heard) as heard:
            act()
        answer = heard.value
        if onward := answer.headers.get("hx-redirect"):
            self.page.wait_for_url(urljoin(answer.url, onward), wait_until="load")
        else:
            expect(self.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)

    def search(self, words: str) -> None:
        """Type into the page's own search field, press Enter, and wait as after a click."""
        field = self.page.locator("main input[name=q]").first
        field.fill(words)
        self._act(field, lambda: field.press("Enter"))

    def fill(self, label: str | re.Pattern, text: str) -> None:
        self.page.get_by_label(label).first.fill(text)

    def sees(self, text: str | re.Pattern) -> None:
        expect(self.page.locator("body")).to_contain_text(text)

    def has_title(self, text: str | re.Pattern) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)

    # --- mail ---
    def mail(self, subject: str | re.Pattern) -> "Letter":
        """The newest letter to this person with this subject, opened in the in-site mailbox."""
        self.site.work()
        letters = DevMail.objects.filter(recipient__iexact=self.address).order_by("-pk")
        wanted = re.compile(re.escape(subject)) if isinstance(subject, str) else subject
        found = [letter.pk for letter in letters.only("pk", "subject") if wanted.search(letter.subject)]
        assert found, f"nothing for {self.address} among {[letter.subject for letter in letters]}"
        self.go(f"/dev/mail/{found[0]}/")
        return Letter(self)

    # --- what axe says ---
    def look(self, where: str) -> None:
        """Judge the page that is open (faults_of). Needs scripts; without them, nothing."""
        assert self.faults == [], f"{where}: {self.faults}"
        self.site.judged.add(view_at(self.page.url))
        if self.scripts and where not in self.site.looked_at:
            self.site.looked_at[where] = faults_of(self.page, where)


def become(who: Person, member: Member) -> None:
    """This browser is theirs from here on, and they have signed in: other journeys go through the door."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(member.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = member.get_session_auth_hash()
    session.save()
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": session.session_key,
        "url": who.site.url,
    }
    who.context.add_cookies([cookie])


def at_home(site: Site, member: Member, *, scripts: bool = True) -> Person:
    """Somebody at a browser in which they have signed in."""
    who = site.person(member.name, member.email, scripts=scripts)
    become(who, member)
    return who


def view_at(address: str) -> str:
    """The name of the view that answers there; "" where none does."""
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


class Letter:
    """A mail as its receiver sees it, on a page of the in-site mailbox."""

    def __init__(self, person: Person):
        self.person = person
        self.frame = person.page.frame_locator("iframe").first

    def says(self, text: str | re.Pattern) -> None:
        expect(self.frame.locator("body")).to_contain_text(text)

    def text(self) -> str:
        return self.frame.locator("body").inner_text()

    def follow(self, name: str | re.Pattern) -> None:
        """Open the link in the same window, as a mail program would in a browser."""
        target = self.frame.get_by_role("link", name=name).first.get_attribute("href")
        assert target.startswith(self.person.site.url), target
        self.person.page.goto(target)

    def attachment(self, name: str) -> bytes:
        with self.person.page.expect_download() as started:
            self.person.page.get_by_role("link", name=name).first.click()
        return started.value.path().read_bytes()
