"""Blocking and ignoring: what the owner no longer sees, what the other can no longer do, and that nobody is told."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from discussions import services as discussions
from kmnet.core import activity
from kmnet.core.mail import send_due_mail
from kmnet.core.models import Activity, Notification, OutgoingMail
from members import services
from members.models import Boundary, Distance, blockers_of, has_blocked, is_kept_apart, unread_by
from members.permissions import can_contact
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db
FOLDED = "Words of somebody you ignore"


def tell():
    for deed in Activity.objects.waiting().order_by("pk"):
        activity.fan_out(activity_id=deed.pk)


# --- the services ----------------------------------------------------------------------------------------------------
def test_one_distance_takes_the_place_of_the_other_and_can_be_lifted():
    owner, other = make_member(), make_member()
    services.set_boundary(owner=owner, other=other, distance="block")
    services.set_boundary(owner=owner, other=other, distance="ignore")
    services.set_boundary(owner=owner, other=other, distance="ignore")
    owner.refresh_from_db()
    assert [(row.other_id, row.distance) for row in Boundary.objects.filter(owner=owner)] == [
        (other.pk, "ignore")
    ]
    assert (owner.keeps_away, owner.unwanted) == (True, {other.pk})
    services.lift_boundary(owner=owner, other=other)
    services.lift_boundary(owner=owner, other=other)
    owner.refresh_from_db()
    assert (Boundary.objects.count(), owner.keeps_away, owner.unwanted) == (0, False, frozenset())


def test_nobody_keeps_themselves_away(member):
    with pytest.raises(ValidationError):
        services.set_boundary(owner=member, other=member, distance="block")


@pytest.mark.parametrize("distance", ["", *Distance.values])
def test_predicates_and_filters_agree(distance):
    owner, other = make_member(), make_member()
    if distance:
        services.set_boundary(owner=owner, other=other, distance=distance)
    blocked = distance == "block"
    assert has_blocked(owner, other) is blocked
    assert (owner.pk in set(blockers_of(other).values_list("owner", flat=True))) is blocked
    assert (other.pk in owner.unwanted) is (other.pk in set(unread_by(owner).values_list("other", flat=True)))
    assert [can_contact(other, owner), can_contact(owner, other)] == [not blocked, True]
    third = make_member()
    assert is_kept_apart(third.pk, owner.pk, other.pk) is blocked
    assert is_kept_apart(other.pk, *sorted((owner.pk, third.pk))) is bool(distance)


@pytest.mark.parametrize(
    ("sender", "receiver"),
    [
        ({"status": "silenced"}, {}),
        ({"status": "pending"}, {}),
        ({}, {"status": "suspended", "is_active": False}),
    ],
)
def test_contact_needs_a_sender_who_may_write_and_a_receiver_who_is_here(sender, receiver):
    assert not can_contact(make_member(**sender), make_member(**receiver))


# --- who hears of what -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("distance", Distance.values)
def test_what_somebody_kept_away_does_is_told_to_others_only(distance):
    asker, watcher, writer = make_member(), make_member(), make_member()
    thread = make_thread(author=asker)
    discussions.set_watch(member=watcher, thread=thread, level="watching")
    services.set_boundary(owner=asker, other=writer, distance=distance)
    make_post(thread=thread, author=writer)
    tell()
    assert set(Notification.objects.values_list("recipient", flat=True)) == {watcher.pk}
    assert set(OutgoingMail.objects.filter(kind="discussions.watched").values_list("member", flat=True)) == {
        watcher.pk
    }


def test_a_block_between_deed_and_sending_holds_the_mail_back_with_its_reason(mailbox):
    thread, writer = make_thread(), make_member()
    make_post(thread=thread, author=writer)
    tell()
    services.set_boundary(owner=thread.author, other=writer, distance="block")
    send_due_mail()
    mail = OutgoingMail.objects.get(kind="discussions.reply")
    assert (mail.state, mail.reason) == ("withheld", "the receiver does not want to hear of it")
    assert (
        not Notification.objects.unread().filter(recipient=thread.author).exists()
    )  # nor does the bell ring


def test_official_acts_pass_every_boundary():
    """Somebody in a role is not blocked away."""
    moderator, member = make_member(is_moderator=True), make_member()
    services.set_boundary(owner=member, other=moderator, distance="block")
    services.hide_profile(target=member.profile, actor=moderator, reason="An address of somebody else")
    assert send_due_mail() == 1
    assert OutgoingMail.objects.get(kind="members.profile_hidden").state == "sent"
    kind = activity.ActivityType("test.official", "x.html", audience=lambda deed: [member.pk], official=True)
    deed = Activity(verb="test.official", actor=moderator)
    activity._types["test.official"] = kind
    try:
        assert activity.those_told(deed, [member.pk]) == {member.pk}
        activity._types["test.official"] = activity.ActivityType("test.official", "x.html", kind.audience)
        assert activity.those_told(deed, [member.pk]) == set()
    finally:
        del activity._types["test.official"]


# --- pages -----------------------------------------------------------------------------------------------------------
def test_words_are_folded_away_for_the_owner_only(signed_in):
    owner, other = make_member(), make_member(name="Other Person")
    space = make_space()
    thread = make_thread(author=other, space=space, title="Their own question", source="The secret recipe.")
    post = make_post(thread=thread, author=make_member(), source="Somebody else's words.")
    services.set_boundary(owner=owner, other=other, distance="ignore")
    pages = [thread.get_absolute_url(), reverse("discussions:index"), reverse("hub:search") + "?q=recipe"]
    for_owner = [signed_in(owner).get(page).content.decode() for page in pages]
    for_others = [signed_in(make_member()).get(page).content.decode() for page in pages]
    assert [html.count(FOLDED) for html in for_owner] == [1, 1, 1]
    assert [html.count(FOLDED) for html in for_others] == [0, 0, 0]
    assert "secret recipe" in for_owner[0]  # behind the fold: one press shows it, without a script
    assert ["Their own question" in html for html in for_owner[1:]] == [False, False]
    assert "Somebody else" in for_owner[0]
    assert post.author_id not in owner.unwanted


def test_what_was_told_before_is_gone_from_the_list(signed_in):
    thread, writer = make_thread(), make_member(name="Loud Voice")
    make_post(thread=thread, author=writer)
    tell()
    browser = signed_in(thread.author)
    page = reverse("hub:notifications")
    assert "Loud Voice" in browser.get(page).content.decode()
    services.set_boundary(owner=thread.author, other=writer, distance="ignore")
    assert "Loud Voice" not in browser.get(page).content.decode()


def test_the_page_says_what_it_means_and_get_changes_nothing(signed_in):
    owner, other = make_member(), make_member(name="Ana Silva", handle="ana-silva")
    page, browser = reverse("members:distance", args=["ana-silva"]), signed_in(owner)
    assert "Ana Silva" in browser.get(page).content.decode()
    assert Boundary.objects.count() == 0
    answer = browser.post(page, {"distance": "block", "next": "/members/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/members/")
    assert has_blocked(owner, other)
    listed = browser.get(reverse("members:settings_privacy")).content.decode()
    assert "Ana Silva" in listed
    answer = browser.post(page, {"distance": "none", "next": "https://evil.example/"})
    assert answer.headers["Location"] == reverse("members:settings_privacy")
    assert not has_blocked(owner, other)
    assert browser.post(page, {"distance": "nonsense"}).status_code == 302
    assert Boundary.objects.count() == 0


def test_whom_one_keeps_away_can_be_let_back_after_their_suspension(signed_in):
    owner, other = make_member(), make_member(handle="ana-silva")
    services.set_boundary(owner=owner, other=other, distance="block")
    services.suspend_member(member=other, actor=make_member(is_moderator=True), reason="Spam")
    signed_in(owner).post(reverse("members:distance", args=["ana-silva"]), {"distance": "none"})
    assert Boundary.objects.count() == 0


def test_no_page_for_oneself_for_nobody_and_for_guests(signed_in, client, member):
    page = reverse("members:distance", args=[member.handle])
    assert signed_in(member).get(page).status_code == 404
    assert signed_in(member).get(reverse("members:distance", args=["nobody-here"])).status_code == 404
    assert client.get(page).headers["Location"].startswith(reverse("account_login"))
    assert client.get(reverse("members:settings_privacy")).status_code == 302


def test_the_blocked_one_sees_the_same_pages_as_anybody_without_the_members_parts(signed_in):
    """What they get is what a member gets of somebody who shows nothing to members: no word of a block."""
    quiet, owner, other = make_member(name="Ana Silva"), make_member(name="Ana Silva"), make_member()
    services.update_profile(member=owner, headline="For members only")
    services.set_boundary(owner=owner, other=other, distance="block")
    browser = signed_in(other)

    def page(member) -> str:
        html = browser.get(member.get_absolute_url()).content.decode()
        main = html[html.index("<main") : html.index("</main>")]
        return main.replace(member.handle, "handle").replace(f"/{member.profile.pk}/", "/n/")

    assert page(owner) == page(quiet)
    with_notice = browser.get(owner.get_absolute_url()).content.decode()
    assert "For members only" not in with_notice


@pytest.mark.parametrize("count", [1, 50])
def test_the_list_costs_the_same_for_1_and_50(count, signed_in, django_assert_num_queries):
    owner = make_member()
    for _number in range(count):
        services.set_boundary(owner=owner, other=make_member(), distance="ignore")
    browser = signed_in(owner)
    browser.get(reverse("members:settings_privacy"))
    with django_assert_num_queries(3):  # the member, the list, the bell
        browser.get(reverse("members:settings_privacy"))
