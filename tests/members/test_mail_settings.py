"""What somebody is told, how and when: one page, signed in or behind the link of a mail."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from discussions import services as discussions
from kmnet.core import tokens
from kmnet.core.mail import CATEGORIES
from kmnet.core.mail.choices import choices_of
from kmnet.core.models import MailChoice, OutgoingMail
from kmnet.core.models.mail import MailHabits
from members import mail_links, services
from members.forms import MailForm
from members.mail_estimate import mails_a_week
from members.models import Boundary, Member, Profile
from tests.factories import make_member
from tests.factories.discussions import make_space, make_thread
from tests.mail_kinds import mail_kind

pytestmark = pytest.mark.django_db
PAGE = reverse("members:settings_mail")


@pytest.fixture
def visitor(member, signed_in, vocabulary):
    return signed_in(member)


def answers(member, **changed) -> dict:
    """What a browser sends from the page as it is stored, but for what is changed; None leaves a field out."""
    form = MailForm(member=Member.objects.select_related("profile").get(pk=member.pk))
    sent = {name: form[name].value() for name in form.fields}
    sent = {
        name: "on" if value is True else value for name, value in sent.items() if value not in (False, None)
    }
    return {name: value for name, value in {**sent, **changed}.items() if value is not None}


def link_of(member) -> str:
    return reverse("mail:settings", args=[tokens.make("mail-settings", m=member.pk)])


def chosen(member) -> dict:
    return {row.category: (row.how, row.site) for row in MailChoice.objects.filter(member=member)}


# --- what is stored --------------------------------------------------------------------------------------------------
def test_page_sent_back_as_it_is_stores_nothing(visitor, member):
    assert visitor.post(PAGE, answers(member)).status_code == 302
    assert (chosen(member), MailHabits.objects.count()) == ({}, 0)


def test_everything_is_chosen_at_once(visitor, member):
    until = timezone.localdate() + timedelta(days=20)
    sent = answers(
        member,
        how_reply="bundled",
        how_watched="digest",
        how_mention="never",
        site_mention=None,
        bundle_minutes="60",
        quiet_from="22",
        quiet_until="7",
        paused_until=until.isoformat(),
        digest="days",
        digest_days=["4", "1"],
        digest_hour="18",
        digest_minutes="10",
    )
    assert visitor.post(PAGE, sent)["Location"] == PAGE
    assert chosen(member) == {
        "reply": ("bundled", True), "watched": ("digest", True), "mention": ("never", False),
    }  # fmt: skip
    habits = MailHabits.objects.get(member=member)
    assert (habits.bundle_minutes, habits.quiet_from, habits.quiet_until, habits.paused_until) == (
        60,
        22,
        7,
        until,
    )
    profile = Profile.objects.get(member=member)
    assert (profile.digest, profile.digest_days, profile.digest_hour, profile.digest_minutes) == (
        "days", [1, 4], 18, 10,
    )  # fmt: skip
    assert answers(member) == {**sent, "digest_days": [1, 4], "paused_until": until} | {
        name: int(sent[name])
        for name in ("bundle_minutes", "quiet_from", "quiet_until", "digest_hour", "digest_minutes")
    }  # the page shows what is stored


def test_switching_off_the_site_alone_leaves_the_mail_as_usual(visitor, member):
    visitor.post(PAGE, answers(member, site_reply=None))
    assert chosen(member) == {"reply": ("", False)}
    assert choices_of(member_id=member.pk)["reply"] == "at_once"


def test_no_digest_is_one_choice_in_both_places(visitor, member):
    visitor.post(PAGE, answers(member, digest="never"))
    assert choices_of(member_id=member.pk)["digest"] == "never"
    visitor.post(PAGE, answers(member, digest="weekly"))
    assert choices_of(member_id=member.pk)["digest"] == "at_once"


def test_digest_stopped_by_a_link_in_a_mail_shows_as_never(visitor, member):
    MailChoice.objects.create(member=member, category="digest", how="never")
    assert visitor.get(PAGE).context["form"]["digest"].value() == "never"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"digest": "99"}, "digest"),
        ({"digest_weekday": "99"}, "digest_weekday"),
        ({"digest_hour": "24"}, "digest_hour"),
        ({"digest_minutes": "3"}, "digest_minutes"),
        ({"digest": "days", "digest_days": None}, "digest_days"),
        ({"digest": "days", "digest_days": ["7"]}, "digest_days"),
        ({"bundle_minutes": "121"}, "bundle_minutes"),
        ({"quiet_from": "22"}, "quiet_until"),
        ({"quiet_until": "7"}, "quiet_from"),
        ({"quiet_from": "7", "quiet_until": "7"}, "quiet_until"),
        ({"quiet_from": "x", "quiet_until": "7"}, "quiet_from"),
        ({"paused_until": "2020-01-01"}, "paused_until"),
        ({"paused_until": "9999-12-31"}, "paused_until"),
        ({"paused_until": "soon"}, "paused_until"),
        ({"how_reply": "shouted"}, "how_reply"),
        ({"how_messages": "digest"}, "how_messages"),  # not among its ways
        ({"how_reply": None}, "how_reply"),
    ],
)
def test_senseless_choice_is_refused_at_its_field_and_stores_nothing(changed, field, visitor, member):
    sent = answers(member, how_mention="never", **changed)
    response = visitor.post(PAGE, sent)
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])
    assert response.context["form"]["how_mention"].value() == "never"
    assert (chosen(member), MailHabits.objects.count()) == ({}, 0)


def test_what_is_fixed_is_shown_and_cannot_be_sent(visitor, member):
    page = visitor.get(PAGE).content.decode()
    fixed = [category for category in CATEGORIES.values() if category.fixed]
    assert len(fixed) == 3
    for category in fixed:
        assert f'<tr id="{category.key}">' in page
        assert f"how_{category.key}" not in page
    visitor.post(PAGE, answers(member, how_offers="never", site_offers=None))
    assert chosen(member) == {}


def test_only_hosts_choose_about_newcomers(signed_in, vocabulary):
    for is_host in (True, False):
        form = signed_in(make_member(is_host=is_host)).get(PAGE).context["form"]
        assert ("how_newcomers" in form.fields) == is_host


# --- as they go ------------------------------------------------------------------------------------------------------
HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize("by_link", [False, True])
def test_each_change_is_stored_as_they_go_and_its_meaning_told(visitor, member, by_link):
    path = link_of(member) if by_link else PAGE
    saved = visitor.post(path, answers(member, how_reply="never"), headers=HTMX)
    html = saved.content.decode()
    assert (saved.status_code, html.count('role="status"'), "<form" in html) == (200, 1, False)
    assert "Saved." in html
    assert chosen(member) == {"reply": ("never", True)}

    wrong = visitor.post(path, answers(member, quiet_from="7"), headers=HTMX)
    assert (wrong.status_code, wrong["HX-Retarget"]) == (422, "#mail-form")
    assert "Until which hour?" in wrong.content.decode()
    mended = visitor.post(path, answers(member, quiet_from="7", quiet_until="8", was_wrong="1"), headers=HTMX)
    assert (mended.status_code, mended["HX-Retarget"], 'class="error"' in mended.content.decode()) == (
        200, "#mail-form", False,
    )  # fmt: skip


# --- behind the link of a mail ---------------------------------------------------------------------------------------
def test_same_page_behind_the_link_of_a_mail_needs_no_session(member):
    client = Client(enforce_csrf_checks=True)
    path = link_of(member)
    for _scanner in range(2):
        page = client.get(path)
        assert (page.status_code, page.cookies) == (200, {})
    html = page.content.decode()
    assert "csrfmiddlewaretoken" not in html
    ways = re.findall(r'href="http://testserver(/mail/(?:less-often|pause)/[^"]+)"', html)
    assert [client.get(way).status_code for way in ways] == [200, 200]
    assert {'id="digest"', 'id="quiet"', 'id="pause"'} <= set(re.findall(r'id="\w+"', html))
    assert (chosen(member), MailHabits.objects.count()) == ({}, 0)
    saved = client.post(path, answers(member, how_reply="digest", paused_until="2020-01-01"))
    assert (saved.status_code, chosen(member)) == (422, {})
    saved = client.post(path, answers(member, how_reply="digest"))
    assert (saved.status_code, saved.cookies, chosen(member)) == (200, {}, {"reply": ("digest", True)})
    assert "Saved." in saved.content.decode()


def test_link_speaks_the_members_language_and_tells_nothing_of_what_they_follow(member, settings):
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    thread = make_thread(title="A merger that nobody may know of")
    discussions.set_watch(member=member, thread=thread, level="watching")
    services.set_boundary(owner=member, other=make_member(name="Kept Away"), distance="ignore")
    Member.objects.filter(pk=member.pk).update(language="ar")
    page = Client().get(link_of(member)).content.decode()
    assert '<html lang="ar" dir="rtl"' in page
    assert ("merger" in page, "Kept Away" in page) == (False, False)


@pytest.mark.parametrize("status", ["erased", "nobody"])
def test_link_of_somebody_who_is_gone_is_dead(member, status):
    path = link_of(member)
    if status == "erased":
        Member.objects.filter(pk=member.pk).update(status="erased", is_active=False)
    else:
        path = reverse("mail:settings", args=[tokens.make("mail-settings", m=0)])
    assert Client().get(path).status_code == 404


# --- what they follow, and whom they keep away -----------------------------------------------------------------------
def test_levels_and_people_stand_on_the_same_page(visitor, member):
    thread = make_thread(title="Who pays for it?")
    discussions.set_watch(member=member, thread=thread, level="muted")
    services.set_boundary(owner=member, other=make_member(name="Kept Away"), distance="ignore")
    page = visitor.get(PAGE).content.decode()
    assert ("Who pays for it?" in page, "Kept Away" in page) == (True, True)
    action = f"/discussions/threads/{thread.pk}/watch/"
    back = visitor.post(action, {"level": "watching", "next": f"{PAGE}#following"})
    assert back["Location"] == f"{PAGE}#following"
    old = visitor.get("/settings/following/")
    assert old["Location"] == f"{PAGE}#following"


@pytest.mark.parametrize("count", [1, 50])
def test_the_page_costs_the_same_at_any_length(visitor, member, count, django_assert_num_queries):
    space, author = make_space(), make_member()
    for _number in range(count):
        discussions.set_watch(member=member, thread=make_thread(space=space, author=author), level="muted")
    others = [make_member() for _number in range(min(count, 20))]
    Boundary.objects.bulk_create([Boundary(owner=member, other=other, distance="ignore") for other in others])
    Member.objects.filter(pk=member.pk).update(keeps_away=True)
    with mail_kind("test.reply", category="reply"):
        write(member, count, "test.reply")
    visitor.get(PAGE)
    with django_assert_num_queries(10):
        response = visitor.get(PAGE)
    following, people = (part["here"] for part in response.context["parts"])
    assert (len(following["page"].items), len(people["people"])) == (count, min(count, 20))


# --- how much it is --------------------------------------------------------------------------------------------------
def write(member, count, kind, *, every=timedelta(hours=6), state="sent", reason=""):
    """So many mails of the last weeks, the newest now."""
    now = timezone.now()
    rows = OutgoingMail.objects.bulk_create(
        OutgoingMail(
            member=member,
            kind=kind,
            dedupe_key=f"{kind}:{state}:{reason}:{number}",
            due_at=now,
            next_try_at=now,
            state=state,
            sent_at=now if state == "sent" else None,
            reason=reason,
        )
        for number in range(count)
    )
    for number, row in enumerate(rows):
        row.created_at = now - number * every - timedelta(minutes=1)
    OutgoingMail.objects.bulk_update(rows, ["created_at"])


@pytest.mark.parametrize(
    ("how", "minutes", "expected"),
    [("at_once", 10, 20), ("bundled", 10, 10), ("bundled", 120, 5), ("digest", 10, 0), ("never", 10, 0)],
)
def test_estimate_is_worked_out_from_what_happened(member, how, minutes, expected):
    """80 pieces of news in 28 days: pairs a few minutes apart, and two pairs within two hours."""
    Member.objects.filter(pk=member.pk).update(joined_at=timezone.now() - timedelta(days=400))
    member.refresh_from_db()
    now = timezone.now()
    with mail_kind("test.news", category="reply", bundles=True):
        write(member, 80, "test.news")
        for number, row in enumerate(OutgoingMail.objects.order_by("pk")):
            day, place = divmod(number, 4)
            at = now - timedelta(days=day, hours=5) + timedelta(minutes=(0, 5, 60, 65)[place])
            OutgoingMail.objects.filter(pk=row.pk).update(created_at=at)
        hows = choices_of(member_id=member.pk) | {"reply": how, "digest": "never"}
        assert mails_a_week(member, hows, minutes) == expected


def test_estimate_counts_what_was_left_out_by_choice_and_nothing_else(member):
    Member.objects.filter(pk=member.pk).update(joined_at=timezone.now() - timedelta(days=400))
    member = Member.objects.select_related("profile").get(pk=member.pk)
    with mail_kind("test.reply", category="reply"), mail_kind("test.code", category="sign_in"):
        for number, reason in enumerate(
            (
                "switched off by the receiver: reply",
                "left to the digest: reply",
                "mail is paused until 2026-12-01",
            )
        ):
            write(member, 4, "test.reply", state="withheld", reason=f"{reason}{' ' * number}")
        write(member, 4, "test.reply", state="withheld", reason="they read it already")
        write(member, 40, "test.code")
        write(member, 40, "of.an.app.that.is.gone")
        hows = choices_of(member_id=member.pk)
        assert mails_a_week(member, hows, 10) == 3 + 1  # and the weekly digest
        member.profile.digest, member.profile.digest_days = "days", [1, 2, 4]
        assert mails_a_week(member, hows, 10) == 3 + 3
        assert mails_a_week(member, hows | {"digest": "never"}, 10) == 3


@pytest.mark.parametrize(
    ("digest", "words"),
    [
        ("daily", "seven e-mails a week"),
        ("weekly", "one e-mail a week"),
        ("monthly", "less than one"),
        ("never", "hardly get any"),
    ],
)
def test_page_tells_how_much_that_is(visitor, member, digest, words):
    Profile.objects.filter(member=member).update(digest=digest)
    assert words in visitor.get(PAGE).content.decode()


def test_form_begins_with_its_first_heading_level_with_the_sections_beside_it(visitor):
    html = visitor.get(PAGE).content.decode()
    assert re.search(r'<form [^>]*id="mail-form"[^>]*>\s*<section', html)
    assert html.count('name="csrfmiddlewaretoken"') >= 1
    assert '<a href="#quiet">Quiet for a while?</a>' in html


@pytest.mark.parametrize("kind", ["less-often", "pause", "settings", "unsubscribe", "here", "works-again"])
def test_dead_link_of_a_mail_leads_to_the_settings_of_mail(client, kind):
    response = client.get(f"/mail/{kind}/x/")
    html = response.content.decode()
    assert response.status_code == 404
    assert 'href="/settings/mail/"' in html
    assert "or its time is over" in html  # that of the proof of an address is three days


# --- the links at the foot of a digest -------------------------------------------------------------------------------
def path_of(url: str) -> str:
    return url.removeprefix("http://testserver")


@pytest.mark.parametrize(
    ("rhythm", "then"),
    [("daily", "weekly"), ("days", "weekly"), ("weekly", "monthly"), ("monthly", "monthly")],
)
def test_digest_comes_less_often_by_a_button_and_as_before_by_another(client, member, rhythm, then):
    Profile.objects.filter(member=member).update(digest=rhythm, digest_days=[1, 3])
    path = path_of(mail_links.less_often_url(member))

    def stored():
        return Profile.objects.get(member=member).digest

    client.head(path)
    page = client.get(path)
    assert (page.status_code, page.cookies, stored()) == (200, {}, rhythm)
    done = client.post(path)
    assert (done.status_code, stored(), done.context["was"]) == (200, then, rhythm if then != rhythm else "")
    if then != rhythm:
        client.post(path, {"was": rhythm})
        assert stored() == rhythm
    Profile.objects.filter(member=member).update(digest="weekly", digest_days=[])
    client.post(path, {"was": "days"})
    assert stored() == "weekly"  # no day is left


def test_mail_is_paused_for_a_month_by_a_button_and_ended_by_another(client, member):
    path = path_of(mail_links.pause_url(member))
    client.get(path)
    client.head(path)
    assert not MailHabits.objects.exists()
    for _twice in range(2):
        page = client.post(path)
        assert MailHabits.objects.get().paused_until == timezone.localdate() + timedelta(days=30)
    assert (page.status_code, page.cookies) == (200, {})
    MailHabits.objects.update(paused_until=timezone.localdate() + timedelta(days=90), bundle_minutes=60)
    client.post(path)
    assert MailHabits.objects.get().paused_until == timezone.localdate() + timedelta(days=90)
    client.post(path, {"again": "1"})
    habits = MailHabits.objects.get()
    assert (habits.paused_until, habits.bundle_minutes) == (None, 60)


@pytest.mark.parametrize("name", ["members_mail:less_often", "members_mail:pause"])
def test_other_links_do_not_open_these_pages(client, member, name):
    for token in (
        "x",
        tokens.make("unsubscribe", m=member.pk, c="digest"),
        tokens.make("digest-calmer", m=0),
    ):
        assert client.post(reverse(name, args=[token])).status_code == 404


# --- presence --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", ["unsubscribe", "settings", "less", "pause"])
def test_button_behind_a_mails_link_is_presence_and_opening_it_is_none(client, member, page):
    path = {
        "unsubscribe": reverse("mail:unsubscribe", args=[tokens.make("unsubscribe", m=member.pk, c="reply")]),
        "settings": link_of(member),
        "less": path_of(mail_links.less_often_url(member)),
        "pause": path_of(mail_links.pause_url(member)),
    }[page]
    long_ago = timezone.now().date() - timedelta(days=200)
    Member.objects.filter(pk=member.pk).update(last_seen_on=long_ago)
    client.get(path)
    assert Member.objects.get().last_seen_on == long_ago
    client.post(path, answers(member))
    assert Member.objects.get().last_seen_on == timezone.now().date()
