"""A post that two members report is hidden at once, mended, and asked about again; a draft that outlives its session
without scripts; and the pages on which order is kept."""

import re

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import expect

from discussions import services
from discussions.models import DiscussionSettings, Post
from kmnet.core import moderation
from kmnet.core.models import DevMail, Flag
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

from .people import PASSWORD, Site, at_home, become, without_scripts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
def test_second_report_hides_a_post_and_its_author_mends_it_and_asks_again(site: Site, scripts: bool):
    ana, ben, cem = (make_member(name=name) for name in ("Ana Silva", "Ben Okri", "Cem Kaya"))
    thread = make_thread()
    post = make_post(thread=thread, author=ana, source="It was Mrs Miller of ward 7.")
    moderation.report(reporter=ben, target=post, reason="identifies")
    who = at_home(site, cem, scripts=scripts)
    page = who.go(thread.get_absolute_url())
    who.sees("Mrs Miller")
    page.locator("#post-2 summary").first.click()
    who.follow("Tell a moderator", within=page.locator("#post-2"))
    page.get_by_label(re.compile("identif", re.IGNORECASE)).first.check()
    who.press("Tell the moderators")
    who.has_title("Thank you. A moderator looks within a day.")
    who.follow("Go back to where you were")
    expect(page.locator("#post-2, article").filter(has_text="Hidden after members told us")).to_have_count(1)
    expect(page.locator("main")).not_to_contain_text("Miller")

    site.work()
    letter = bytes(DevMail.objects.get(recipient=ana.email).raw).decode()
    become(who, ana)
    who.go(re.search(r"http\S+(/moderation/again/\S+/)", letter)[1])
    who.sees("2 members told us about it: Keep people safe.")
    who.look("asking for another look")
    who.follow("Edit it")
    page.locator("textarea[name=body]").fill("It was a patient of ours.")
    who.press(re.compile(r"^\s*Save\s*$"))
    who.sees("It was a patient of ours.")
    who.follow("Mend it and ask again")
    page.locator("textarea[name=note]").fill("I took the name out.")
    who.press("Ask for another look")
    who.sees("Asked. A moderator looks within a day")
    asked = Flag.objects.get(reason="review")
    assert (asked.reporter, asked.target_id, asked.note) == (ana, post.pk, "I took the name out.")
    post.refresh_from_db()
    assert (post.state, post.versions.count()) == ("hidden", 1)
    assert who.faults == []
    assert site.looked_at == {where: [] for where in site.looked_at}


# The head and foot of these pages are the same: what is between them takes the place of what was there, which spares the
# browser eight pages from nothing.
SHOW_INSTEAD = """async path => {
  const answer = await fetch(path);
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector("main").replaceWith(document.adoptNode(found.querySelector("main")));
  document.title = found.title;
  history.replaceState(null, "", path);
  return answer.status;
}"""


def test_axe_finds_nothing_where_order_is_kept(site: Site):
    ngozi = make_member(name="Ngozi Adeyemi", is_moderator=True, is_host=True)
    settings = DiscussionSettings()
    settings.save()
    settings.unmaskers.set([ngozi, make_member(is_moderator=True)])
    space = make_space(name="Ask for help")
    thread = make_thread(space=space, masked=True, replies=2, tags=["boards"])
    make_thread(space=space)  # a reply is owed to it
    services.set_watch(member=ngozi, thread=thread, level="watching")
    services.set_space_level(member=ngozi, space=space, level="muted")
    who = at_home(site, ngozi)
    pages = [f"/discussions/threads/{thread.pk}/{act}/" for act in ("split", "merge", "move", "pin", "slow")]
    pages += [f"/discussions/threads/{thread.pk}/close/", f"/discussions/threads/{thread.pk}/unmask/"]
    pages += ["/settings/following/", "/hosts/replies/"]
    judge_each(who, pages)


def judge_each(who, paths: list[str]) -> None:
    page = who.go(paths[0])
    for path in paths:
        assert page.evaluate(SHOW_INSTEAD, path) == 200, path
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        who.look(path)
    assert who.site.looked_at == {path: [] for path in paths}
    assert who.faults == []


def test_draft_is_recovered_after_a_forced_sign_out_without_scripts(site: Site):
    thread = make_thread()
    member = make_member(name="Ana Silva", email="ana@example.org", password=PASSWORD)
    ana = at_home(site, member, scripts=False)
    page = ana.go(f"{thread.get_absolute_url()}reply/")
    text = page.locator("textarea[name=body]")
    text.fill("We keep a ledger.")
    ana.press("Save as a draft")
    ana.follow("Continue")
    assert text.input_value() == "We keep a ledger."
    text.fill("We keep a ledger. On Fridays, with tea.")

    ana.context.clear_cookies(name=django_settings.SESSION_COOKIE_NAME)
    ana.press("Post reply")
    page.locator("input[name=login]").fill(ana.address)
    page.locator("input[name=password]").fill(PASSWORD)
    ana.press("Sign in")
    assert text.input_value() == "We keep a ledger. On Fridays, with tea."
    ana.press("Post reply")
    ana.sees("We keep a ledger. On Fridays, with tea.")
    assert Post.objects.get(number=2).author == member
    assert not member.drafts.exists()
    assert ana.faults == []
