"""Writing, played in a real browser: a draft that outlives its session, quoting, naming by keyboard alone, editing."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from discussions.models import Draft, Post
from tests.factories import make_member
from tests.factories.discussions import make_post, make_thread

from .people import PASSWORD, Person, Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def sign_in(who: Person) -> None:
    who.page.locator("input[name=login]").fill(who.address)
    who.page.locator("input[name=password]").fill(PASSWORD)
    who.press("Sign in")


def known(site: Site, name: str, address: str, *, scripts: bool = True) -> Person:
    make_member(name=name, email=address, password=PASSWORD, handle=name.lower().replace(" ", "-"))
    who = site.person(name, address, scripts=scripts)
    who.go("/accounts/login/")
    sign_in(who)
    return who


def test_writing_with_a_keyboard_and_an_expired_session(site: Site):
    thread = make_thread(source="We count **what travelled**, and keep a ledger of it.")
    make_member(name="Maren de Wit", handle="maren")
    ana = known(site, "Ana Silva", "ana@example.org")
    page = ana.go(thread.get_absolute_url())
    text = page.locator("#reply textarea[name=body]")

    text.focus()
    page.keyboard.type("This is my ")
    page.keyboard.press("Control+b")
    page.keyboard.type("draft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.type(" for @mar")
    expect(page.locator(".offers").get_by_role("option")).to_have_count(1)
    expect(text).to_have_attribute("aria-activedescendant", "composer-offer-0")
    ana.look("thread, people offered")
    page.keyboard.press("Enter")
    expect(page.locator(".offers").get_by_role("option")).to_have_count(0)
    expect(text).to_have_value("This is my **draft** for @maren ")
    expect(page.locator("[data-draft-status]")).to_contain_text("Saved at")

    Session.objects.all().delete()
    ana.context.clear_cookies(name="session")
    page.keyboard.type("and it goes on.")
    expect(page.locator("[data-draft-status]")).to_contain_text("You are signed out")
    ana.go("/accounts/login/")
    sign_in(ana)
    ana.go(thread.get_absolute_url())
    expect(page.locator("#reply textarea[name=body]")).to_have_value(
        "This is my **draft** for @maren and it goes on."
    )
    assert Draft.objects.get().data["fields"]["body"].endswith("and it goes on.")
    ana.look("thread, draft offered")

    page.locator("#post-1 .prose strong").dblclick()
    page.locator("button.quote-this").click()  # it comes a moment after the selection
    expect(page.locator("#reply textarea[name=body]")).to_have_value(
        re.compile(r"it goes on\.\n\n\[Member \d+ wrote\]\(.*post=1#post-1\):\n\n> travelled")
    )
    ana.press("Post reply")
    assert Draft.objects.count() == 0
    post = Post.objects.get(number=2)
    assert 'href="/members/maren/"' in post.html

    ana.go(f"/discussions/posts/{post.pk}/edit/")
    page.locator("textarea[name=body]").fill("This is my **answer** for @maren.")
    ana.look("edit")
    ana.press("Save")
    ana.follow("edited")
    expect(page.locator("ins").first).to_contain_text("answer")
    expect(page.locator("del").first).to_contain_text("draft")
    ana.look("history")
    ana.go("/discussions/ask/")
    expect(page.locator("button[value=attach]")).to_be_disabled()  # or Enter in the title would press it
    ana.fill("Your question in one sentence", "What is a good brief?")
    page.keyboard.press("Enter")
    ana.press("Post it")
    ana.sees("One thing to fix")
    expect(page.locator("textarea[name=body]")).to_be_visible()
    ana.go("/discussions/drafts/")
    ana.look("drafts")
    ana.go(f"/discussions/posts/{post.pk}/delete/")
    ana.look("delete")
    ana.press("Take it back")
    ana.press("Undo")
    ana.sees("It is back, as it was.")
    assert site.looked_at == {where: [] for where in site.looked_at}


def tab_to(page, selector: str) -> None:
    """By the Tab key alone, as far as it takes."""
    page.wait_for_load_state("load")
    for _press in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never came to {selector}")


def test_reply_to_a_reply_by_keyboard_alone(site: Site):
    thread = make_thread()
    make_post(thread=thread, source="We drew a map.")
    ana = known(site, "Ana Silva", "ana@example.org")
    page = ana.go(thread.get_absolute_url())
    keys = page.keyboard
    tab_to(page, "#post-2 a.react[href*='?to=2']")
    with page.expect_navigation():
        keys.press("Enter")
    tab_to(page, "textarea[name=body]")
    keys.type("May I see it?")
    tab_to(page, "form:has(textarea[name=body]) button[type=submit].btn--primary")
    with page.expect_navigation():
        keys.press("Enter")
    assert "post=3" in page.url
    tab_to(page, "#post-2 button.react[value^=thanks]")
    keys.press("Space")
    expect(page.locator("#post-2 button.react[value^=thanks]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#post-2 button.react[value^=thanks]")).to_be_focused()
    post = Post.objects.get(number=3)
    assert (post.parent.number, post.source, post.parent.reactions.count()) == (2, "May I see it?", 1)
    assert ana.faults == []


@pytest.mark.fault
def test_quoting_editing_and_taking_back_without_scripts(site: Site):
    thread = make_thread(source="We count **what travelled**.")
    ana = known(site, "Ana Silva", "ana@example.org", scripts=False)
    page = ana.go(thread.get_absolute_url())
    ana.click(page.locator("#post-1 a[data-quote]"))
    text = page.locator("textarea[name=body]")
    assert "> We count **what travelled**." in text.input_value()
    text.fill(f"{text.input_value()}\n\nWe count letters.")
    ana.press("Save as a draft")
    ana.sees("Kept. You find it here, on every device.")
    ana.follow("Continue")
    assert "We count letters." in text.input_value()
    ana.press("Post reply")
    post = Post.objects.get(number=2)
    assert "<blockquote>" in post.html
    assert Draft.objects.count() == 0
    Post.objects.filter(pk=post.pk).update(published_at=post.published_at - timedelta(hours=1))
    ana.go(f"/discussions/posts/{post.pk}/edit/")
    text.fill(text.input_value().replace("letters", "calls"))
    ana.press(re.compile(r"^\s*Save\s*$"))
    ana.follow("edited")
    expect(page.locator("ins").first).to_contain_text("calls")
    expect(page.locator("del").first).to_contain_text("letters")
    ana.go(f"/discussions/posts/{post.pk}/delete/")
    ana.press("Take it back")
    ana.press("Undo")
    ana.sees("It is back, as it was.")
    assert ana.faults == []
