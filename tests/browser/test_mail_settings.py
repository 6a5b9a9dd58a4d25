"""What we tell people: chosen on their page and behind the link of a mail, stopped by one button, and the bell. With
scripts and without."""

import pytest
from playwright.sync_api import expect

from kmnet.core.mail.choices import choices_of
from kmnet.core.models.mail import MailHabits
from kmnet.core.tasks import fan_out_waiting
from members.mail_links import less_often_url, pause_url, still_here_url
from members.models import Profile
from tests.factories import make_member
from tests.factories.discussions import make_post, make_thread

from .people import Person, Site
from .test_keeping_order import at_home

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def choose(who: Person, label: str, value: str) -> None:
    """With scripts it is stored at once; without them by the button."""
    field = who.page.get_by_label(label)
    if not who.scripts:
        field.select_option(value)
        return
    with who.page.expect_response(lambda answer: answer.request.resource_type == "xhr"):
        field.select_option(value)
    expect(who.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def save(who: Person) -> None:
    if not who.scripts:
        who.press("Save")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_somebody_chooses_what_we_tell_them(site: Site, scripts: bool):
    ana = make_member(name="Ana Silva")
    thread = make_thread(author=ana, title="Who pays for it?")
    who = at_home(site, ana, scripts=scripts)
    if scripts:
        who.page.clock.install()
    page = who.go("/settings/mail/")

    make_post(thread=thread, author=make_member(name="Ben Okri"), source="The region does.")
    fan_out_waiting()
    bell = page.get_by_role("banner").get_by_role("link", name="Notifications")
    if scripts:  # the page is open, and asks after a minute
        expect(bell).to_have_accessible_name("Notifications")
        page.clock.fast_forward("01:01")
        expect(bell).to_have_accessible_name("Notifications, 1 new")
        expect(page.locator("[data-bell-said]")).to_have_text("1 thing is new to you")
        page.clock.resume()

    choose(who, "Private messages, by e-mail", "never")
    choose(who, "Somebody mentions me, by e-mail", "digest")
    save(who)
    who.sees("Saved.")
    chosen = choices_of(member_id=ana.pk)
    assert (chosen["messages"], chosen["mention"], chosen["reply"]) == ("never", "digest", "at_once")

    choose(who, "Quiet from", "22")
    save(who)
    who.sees("Until which hour?")
    assert not MailHabits.objects.exists()
    who.look("what we tell you, with a mistake")
    choose(who, "Quiet until", "7")
    save(who)
    who.sees("Saved.")
    expect(page.locator("main .error")).to_have_count(0)
    habits = MailHabits.objects.get()
    assert (habits.quiet_from, habits.quiet_until) == (22, 7)
    MailHabits.objects.all().delete()

    links = who.mail("Who pays for it?").frame
    switch = links.locator("a[href*='/mail/settings/']").first.get_attribute("href")
    stop = links.locator("a[href*='/mail/unsubscribe/']").first.get_attribute("href")
    who.context.clear_cookies()  # nobody is signed in from here on
    who.go(switch)
    who.sees("For Ana Silva. You need not sign in for this.")
    choose(who, "Replies to what I wrote, by e-mail", "bundled")
    save(who)
    who.sees("Saved.")
    assert choices_of(member_id=ana.pk)["reply"] == "bundled"
    who.look("what we tell you, by the link of a mail")

    who.go(stop)
    who.look("stopping mails")
    who.press("Stop these mails")
    who.has_title("You get no more of these mails")
    assert choices_of(member_id=ana.pk)["reply"] == "never"
    who.press("Send them again")
    assert choices_of(member_id=ana.pk)["reply"] == "bundled"

    for url, button in (
        (less_often_url(ana), "Less often"),
        (pause_url(ana), "Pause for a month"),
        (still_here_url(ana, "weekly"), "As often as before"),
    ):
        who.go(url)
        who.press(button)
    assert (Profile.objects.get(member=ana).digest, MailHabits.objects.get().paused_until is None) == (
        "weekly",
        False,
    )
    assert who.context.cookies() == []

    who = at_home(site, ana, scripts=scripts)
    who.go("/")
    who.follow("Notifications, 1 new", within=who.page.get_by_role("banner"))
    who.look("notifications")
    who.press("Mark as read")
    who.has_title("Nothing new since you were here")
    expect(who.page.get_by_role("banner").get_by_role("link", name="Notifications")).to_have_accessible_name(
        "Notifications"
    )
    assert {where: faults for where, faults in site.looked_at.items() if faults} == {}
