"""The first walk, played as four people in a real browser: once with scripts, once without.

A newcomer joins and asks; a member answers and waits for a place; an organiser runs the launch of 100 places that 130
people want; a moderator keeps it kind. Whatever happens by mail is read in the in-site mailbox, as a newcomer to the
demo would.
"""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from icalendar import Calendar

from events.models import Event, Registration, Status
from events.services import register_member
from kmnet.core.models import AuditEntry, OutgoingMail
from members.models import DigestRhythm, Member, Profile
from resources.services import import_bibtex
from tests.factories import make_member

from .people import PASSWORD, Person, Site, at_home

LIBRARY = "kmnet/demo/data/library.bib"
QUESTION = "How do others explain what they do to a new manager?"
ANSWER = "I stopped defining and started with a **Tuesday**."
HALL, SMALL_HALL = 100, 12  # places; the second pass need not draw and send the mails of a hundred once more


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_the_first_walk(site: Site, scripts: bool, tmp_path):
    walk = Walk(site, scripts)
    walk.newcomer_joins()
    walk.newcomer_is_signed_in_by_a_mailed_code()
    walk.directory_shows_what_is_shared()
    walk.newcomer_asks_and_member_answers()
    walk.launch_fills_up()
    walk.a_place_comes_back()
    walk.the_library_is_found_and_grows(tmp_path)
    walk.digest_comes_and_ends()
    walk.an_ignored_offer_passes_on()
    walk.reminders_come()
    walk.a_post_is_reported_hidden_and_restored()
    for someone in site.people:
        assert someone.faults == []
    if scripts:
        assert {view: where for view, where in site.seen.items() if view not in site.judged} == {}
        assert len(site.looked_at) >= 40
        faults = [fault for found in site.looked_at.values() for fault in found]
        assert faults == [], "\n\n".join(faults)


class Walk:
    def __init__(self, site: Site, scripts: bool):
        self.site, self.scripts = site, scripts
        self.places = HALL if scripts else SMALL_HALL
        self.before = self.places - 2  # who register before the newcomer, the moderator and the member do
        self.newcomer = self.person("Samina Qureshi", "samina@example.org")
        make_member(
            name="Maren de Wit", email="maren@example.org", password=PASSWORD, time_zone="Europe/Amsterdam"
        )
        self.member = self.person("Maren de Wit", "maren@example.org")
        self.sign_in(self.member)
        self.organiser = self.known("Rosalind Achebe", "rosalind@example.org", is_organiser=True)
        self.moderator = self.known("Ngozi Adeyemi", "ngozi@example.org", is_moderator=True)

    def person(self, name: str, address: str) -> Person:
        return self.site.person(name, address, scripts=self.scripts)

    def known(self, name: str, address: str, **more) -> Person:
        """Somebody who has been here for a while, and has signed in before."""
        return at_home(self.site, make_member(name=name, email=address, **more), scripts=self.scripts)

    def sign_in(self, someone: Person) -> None:
        page = someone.go("/accounts/login/")
        page.locator("input[name=login]").fill(someone.address)
        page.locator("input[name=password]").fill(PASSWORD)
        someone.press("Sign in")

    def row(self, someone: Person) -> Member:
        return Member.objects.get(email=someone.address)

    # 1
    def newcomer_joins(self) -> None:
        who = self.newcomer
        page = who.go("/")
        who.look("landing")
        for path in (
            "/about/how-we-treat-each-other/",
            "/about/privacy/",
            "/about/accessibility/",
            "/about/contact/",
        ):
            who.go(path)
            who.look(path)
        who.go("/accounts/login/")
        who.look("sign in")
        who.go("/nowhere/")
        who.look("not found")
        page = who.go("/join/")
        who.look("join")
        page.locator("input[name=name]").fill(who.name)
        who.press("Join kmnet")
        assert page.locator("input[name=name]").input_value() == who.name  # nothing typed is lost
        who.look("join with mistakes")
        page.locator("input[name=email]").fill(who.address)
        page.locator("input[name=password1]").fill(PASSWORD)
        page.locator("main input[name=agree]").check()
        who.press("Join kmnet")
        who.look("look in your mail")
        who.go("/members/")
        assert "/accounts/login/" in page.url  # nothing opens before the address is proven
        letter = who.mail("Prove your address, and you are in")
        who.look("mailbox message")
        letter.says(who.name.split()[0])
        letter.follow(re.compile("Prove|Yes|address", re.IGNORECASE))
        who.look("prove the address")
        assert (
            not Member.objects.get(email=who.address).emailaddress_set.get().verified
        )  # a GET proves nothing
        who.press("Yes, it is mine")
        if "/accounts/login/" in page.url or page.locator("input[name=password]").count():
            self.sign_in(who)
        who.go("/welcome/")
        self.onboarding(page)

    def onboarding(self, page) -> None:
        who = self.newcomer
        who.look("welcome 1")
        page.get_by_label(re.compile("public contributor")).first.check(force=True)
        page.locator("input[name=job_title]").fill("Public contributor")
        page.get_by_label(re.compile("I am the only one")).first.check(force=True)
        who.press(re.compile("^Next"))
        who.look("welcome 2")
        page.locator("input[name=can_help_more]").fill("reading a summary aloud")
        page.locator("[name=can_help_text]").fill("I tell you what it sounds like at a kitchen table.")
        page.locator("[name=country]").select_option("GB")
        who.press(re.compile("^Next"))
        who.look("welcome 3")
        page.get_by_label(re.compile("Every day|daily", re.IGNORECASE)).first.check(force=True)
        page.locator("[name=time_zone]").select_option("Europe/London")
        who.press("Done")
        who.sees("Three things you could do next")
        who.look("welcome done")
        profile = self.row(who).profile
        assert (profile.team_size, profile.country.code, profile.digest) == ("solo", "GB", "daily")

    def newcomer_is_signed_in_by_a_mailed_code(self) -> None:
        who = self.newcomer
        page = who.go("/accounts/logout/")
        who.look("sign out")
        who.press(re.compile("Sign out"))
        who.go("/accounts/login/")
        who.follow("Mail me a code")
        who.look("ask for a code")
        page.locator("input[name=email]").fill(who.address)
        who.press(re.compile("code", re.IGNORECASE))
        who.look("type the code")
        confirm = page.url
        letter = who.mail("Your code for kmnet")
        code = re.search(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b", letter.text()).group(0)
        page.goto(confirm)
        page.locator("input[name=code]").fill(code)
        who.click(page.locator("main form button[type=submit]").first)
        who.go("/")
        who.sees("Samina")
        who.look("home")

    # 2
    def directory_shows_what_is_shared(self) -> None:
        who = self.member
        page = who.go("/members/")
        who.look("people")
        who.search("kitchen")
        who.follow("Samina Qureshi")
        who.has_title("Samina Qureshi")
        who.sees("I tell you what it sounds like at a kitchen table.")
        assert self.newcomer.address not in page.content()
        who.look("profile")

    # 3
    def newcomer_asks_and_member_answers(self) -> None:
        who = self.newcomer
        page = who.go("/discussions/")
        who.look("discussions")
        who.go("/discussions/ask-for-help/ask/")
        who.look("ask")
        page.locator("[name=title]").fill(QUESTION)
        page.locator("textarea[name=body]").fill("She comes from **finance**.\n\n<script>alert(1)</script>")
        if self.scripts:
            page.get_by_label("Preview").first.check(force=True)
            page.locator("[data-preview] strong", has_text="finance").wait_for()
        else:
            who.press("Preview")
        assert page.locator("main strong", has_text="finance").count() >= 1
        who.look("ask with preview")
        page.locator("[name=tags]").fill("explaining my role, managers")
        who.press("Post it")
        who.has_title(QUESTION)
        assert "alert(1)" in page.locator("main .post").first.inner_text()  # shown as words
        who.look("thread without answer")
        self.thread = page.url.partition("?")[0].partition("#")[0]

        other = self.member
        page = other.go(self.thread)
        other.sees("No answer yet")
        page.locator("#reply textarea[name=body]").fill(ANSWER)
        other.press("Post reply")
        other.sees("started with a Tuesday")
        letter = who.mail(re.compile("Maren de Wit answered"))
        letter.says("started with a Tuesday")
        letter.follow(re.compile("Read it in the discussion"))
        page = who.page
        assert "?post=2" in page.url
        who.look("thread with an answer")
        who.click(page.locator("#post-2").get_by_role("link", name=re.compile("Reply")).first)
        who.look("reply to one post")
        page.locator("textarea[name=body]").last.fill("Mine is about a leaflet. Thank you.")
        who.press("Post reply")
        nested = page.locator("#post-3")
        assert nested.evaluate("element => element.parentElement.closest('article')?.id") == "post-2"
        who.press("This answers it")
        who.sees(re.compile("chose this answer"))
        who.look("thread with a chosen answer")
        other.mail(re.compile("Samina Qureshi chose your answer"))
        other.go("/notifications/")
        other.look("notifications")

    # 4
    def launch_fills_up(self) -> None:
        organiser = self.organiser
        page = organiser.go("/events/new/")
        organiser.look("new event")
        starts = (timezone.now() + timedelta(days=9)).replace(hour=14, minute=0)
        page.locator("[name=title]").fill("Launch of the Knowledge into Practice Learning Network")
        page.locator("[name=starts]").first.fill(starts.strftime("%Y-%m-%dT%H:%M"))
        page.locator("[name=ends]").first.fill(starts.strftime("%Y-%m-%dT15:30"))
        page.locator("[name=time_zone]").select_option("Europe/London")
        page.locator("[name=capacity]").fill(str(self.places))
        page.locator("[name=meeting_url]").fill("https://meet.example/launch")
        organiser.press("Save as a draft")
        self.event = Event.objects.get()
        organiser.go(self.event.get_absolute_url() + "organise/")
        organiser.look("organise a draft")
        organiser.press(re.compile("Publish"))
        self.event.refresh_from_db()
        assert self.event.published_at is not None

        self.crowd = [make_member(name=f"Guest {number:03}") for number in range(self.before + 30)]
        # The digest is watched at the newcomer's; a hundred more of the same would only cost minutes.
        Profile.objects.filter(member__in=self.crowd).update(digest=DigestRhythm.NEVER)
        for someone in self.crowd[: self.before]:
            register_member(event=self.event, member=someone)
        where = self.event.get_absolute_url()
        for who in (self.newcomer, self.moderator):
            who.go(where)
            if who is self.newcomer:
                who.look("event with places")
            who.press("Save me a place")
            who.sees("You have a place")
        self.newcomer.look("event with my place")
        who = self.member
        who.go(where)
        who.sees(f"{self.places} of {self.places}")
        who.look("event that is full")
        who.press("Join the waiting list")
        who.sees("You are on the waiting list")
        who.look("event, waiting")
        for someone in self.crowd[self.before : self.before + 29]:
            register_member(event=self.event, member=someone)
        occupancy = self.event.occupancy()
        assert (occupancy.confirmed, occupancy.waiting) == (self.places, 30)
        letter = who.mail(re.compile("You are number 1 on the waiting list"))
        letter.says("Launch of the Knowledge")
        guest = self.person("A guest", "guest@example.com")
        guest.go("/events/")
        guest.look("events, for a guest")
        guest.go(where)
        guest.look("event, for a guest")

    def a_place_comes_back(self) -> None:
        leaver, next_one = self.newcomer, self.member
        letter = leaver.mail(re.compile("You have a place: Launch"))
        calendar = Calendar.from_ical(letter.attachment(re.compile(r"\.ics")))
        assert calendar["METHOD"] == "REQUEST"
        letter = leaver.mail(re.compile("You have a place: Launch"))
        letter.follow(re.compile("Give|cancel", re.IGNORECASE))
        leaver.look("give up a place")
        assert self.event.occupancy().confirmed == self.places  # opening the page changed nothing
        leaver.press("Give up my place")
        leaver.look("a place given up")
        assert self.event.occupancy().offered == 1
        letter = next_one.mail(re.compile("A place is yours until"))
        letter.follow(re.compile("take|accept|place", re.IGNORECASE))
        next_one.look("an offer")
        assert self.event.occupancy().offered == 1
        next_one.press("Take the place")
        next_one.sees("You have the place")
        next_one.look("an offer taken")
        letter = next_one.mail(re.compile("You have a place: Launch"))
        assert Calendar.from_ical(letter.attachment(re.compile(r"\.ics")))["METHOD"] == "REQUEST"
        occupancy = self.event.occupancy()
        assert (occupancy.confirmed, occupancy.offered, occupancy.waiting) == (self.places, 0, 29)

    def an_ignored_offer_passes_on(self) -> None:
        first, second = self.crowd[self.before : self.before + 2]
        self.moderator.go(self.event.get_absolute_url())
        self.moderator.follow("Give up my place")
        self.moderator.look("give up a place, signed in")
        self.moderator.press("Give up my place")
        assert self.status(first) == Status.OFFERED
        self.organiser.go(self.event.get_absolute_url() + "organise/")
        self.organiser.look("organise the launch")
        with self.site.at(timezone.now() + timedelta(hours=25)):
            self.site.work()
            assert (self.status(first), self.status(second)) == (Status.EXPIRED, Status.OFFERED)
            assert OutgoingMail.objects.filter(kind="events.offer_passed", member=first).count() == 1

    def status(self, member: Member) -> str:
        return Registration.objects.get(event=self.event, member=member).status

    # 5
    def the_library_is_found_and_grows(self, tmp_path) -> None:
        with open(LIBRARY, "rb") as file:
            assert len(import_bibtex(file.read()).added) == 60
        who = self.member
        page = who.go("/library/")
        who.look("library")
        who.search("between world of knowledge brokering")
        who.follow(re.compile("The in-between world of knowledge brokering"))
        who.has_title("The in-between world of knowledge brokering")
        who.sees("Lomas")
        who.look("resource")
        page = who.go("/library/add/")
        who.look("add to the library")
        page = who.go("/library/add/?by=file")
        page.locator("[name=title]").fill("One page that a busy team reads")
        page.locator("[name=description]").fill("A pattern for a page that is read on a Monday.")
        page.locator("[name=kind]").select_option(label="Tool or template")
        note = tmp_path / "one-page.txt"
        note.write_text("A page that a busy team reads on Monday.")
        page.locator("input[type=file]").first.set_input_files(str(note))
        page.locator("input[name=may_share]").check(force=True)
        who.click(page.locator("main form button.btn--primary").first)
        who.has_title("One page that a busy team reads")
        who.look("resource with a file")
        with page.expect_download() as started:
            page.get_by_role("link", name=re.compile("one-page")).first.click()
        assert started.value.path().read_text() == "A page that a busy team reads on Monday."
        page = who.go("/search/?q=KT")
        who.sees("knowledge translation")
        who.look("search")

    # 6
    def digest_comes_and_ends(self) -> None:
        who = self.newcomer
        morning = (timezone.now() + timedelta(days=1)).replace(hour=9, minute=5)
        with self.site.at(morning):
            self.site.work()
        digests = OutgoingMail.objects.filter(member=self.row(who), kind="hub.digest")
        assert [(digest.state, digest.reason) for digest in digests] == [("sent", "")]
        self.site.work()
        who.go(f"/dev/mail/?to={who.address}")
        who.look("mailbox")
        digest = digests.get()
        from kmnet.core.models import DevMail

        kept = DevMail.objects.get(message_id=digest.message_id)
        raw = bytes(kept.raw).decode("utf-8", "replace")
        assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in raw
        who.go(f"/dev/mail/{kept.pk}/")
        frame = who.page.frame_locator("iframe").first
        link = frame.get_by_role(
            "link", name=re.compile("unsubscribe|stop", re.IGNORECASE)
        ).first.get_attribute("href")
        who.page.goto(link)
        who.look("stop the digest")
        who.click(who.page.locator("main form button[type=submit]").first)
        who.look("the digest stopped")
        with self.site.at(morning + timedelta(days=1)):
            self.site.work()
        assert digests.count() == 1
        who.go("/settings/")
        who.look("settings")
        who.go("/settings/profile/")
        who.look("settings, profile")
        who.go("/settings/mail/")
        who.look("settings, mails")

    def reminders_come(self) -> None:
        start = self.event.starts_at
        with self.site.at(start - timedelta(hours=24) + timedelta(minutes=2)):
            self.site.work()
        with self.site.at(start - timedelta(hours=1) + timedelta(minutes=2)):
            self.site.work()
        member = self.row(self.member)
        mails = OutgoingMail.objects.filter(member=member, kind__startswith="events.reminder", state="sent")
        assert sorted(mails.values_list("kind", flat=True)) == ["events.reminder_1h", "events.reminder_24h"]
        left = OutgoingMail.objects.filter(member=self.row(self.newcomer), kind__startswith="events.reminder")
        assert left.filter(state="sent").count() == 0

    # 7
    def a_post_is_reported_hidden_and_restored(self) -> None:
        reporter, moderator = self.member, self.moderator
        page = reporter.go(self.thread)
        post = page.locator("#post-3")
        post.locator("summary").first.click()
        reporter.click(post.get_by_role("link", name=re.compile("Tell a moderator")).first)
        reporter.look("report")
        page.locator("main input[type=radio]").first.check(force=True)
        page.locator("main textarea").first.fill("It may name somebody.")
        reporter.press("Tell the moderators")
        reporter.look("report sent")
        page = moderator.go("/moderation/")
        moderator.look("moderation")
        moderator.follow(re.compile("Hide", re.IGNORECASE))
        moderator.look("moderation, one case")
        page.locator("input[name=decision][value=hide]").check(force=True)
        page.locator("[name=reason]").fill("It may name a patient.")
        moderator.press("Decide")
        moderator.look("moderation, just decided")
        reporter.go(self.thread)
        reporter.sees("A moderator has hidden this reply")
        reporter.look("thread with a hidden reply")
        assert "about a leaflet" not in reporter.page.locator("main").inner_text()
        self.newcomer.mail(re.compile("hidden|moderator", re.IGNORECASE))
        moderator.go(f"/moderation/discussions.post/{self.third_post().pk}/")
        moderator.look("moderation, hidden case")
        page.locator("input[name=decision][value=restore]").check(force=True)
        page.locator("[name=reason]").fill("It names nobody; I have asked.")
        moderator.press("Decide")
        reporter.go(self.thread)
        reporter.sees("Mine is about a leaflet")
        verbs = list(
            AuditEntry.objects.filter(actor=self.row(moderator)).order_by("pk").values_list("verb", flat=True)
        )
        assert [verb for verb in verbs if verb.startswith("discussions.")] == [
            "discussions.post_hidden",
            "discussions.post_restored",
        ]
        admin = self.known("Admin", "admin@example.org", is_staff=True, is_superuser=True)
        admin.go("/admin/")
        admin.look("admin")
        admin.go("/admin/core/communitysettings/1/change/")
        admin.look("admin, settings of the community")
        admin.go("/admin/discussions/post/")
        admin.look("admin, posts")
        admin.go("/admin/core/auditentry/")
        admin.look("admin, log")
        admin.sees("It names nobody; I have asked.")

    def third_post(self):
        from discussions.models import Post

        return Post.objects.get(number=3)
