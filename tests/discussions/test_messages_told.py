"""Who hears of private messages, by bell and mail; what moderators get of them; and that nothing else shows them."""

import json
from datetime import timedelta

import pytest
from django.core import mail as sent
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from discussions import mails, searching, services
from discussions.models import Post, Thread
from kmnet.core import activity, mail, moderation, personal_data
from kmnet.core.models import Activity, AuditEntry, Flag, Notification, OutgoingMail
from kmnet.core.search import SearchText
from members import services as members
from members.models import Member
from tests import mailbox
from tests.factories import make_member
from tests.factories.discussions import make_message, make_thread
from tests.mailbox import html_of, text_of

pytestmark = pytest.mark.django_db
SECRET = "Zwischenraumgeheimnis"


def signed_in(member) -> Client:
    client = Client()
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    return client


def tell():
    for deed in Activity.objects.waiting().order_by("pk"):
        activity.fan_out(activity_id=deed.pk)


def let_mails_go(later=timedelta(minutes=6)):
    """What goes out once their waiting is over."""
    tell()
    past = timezone.now() - later
    OutgoingMail.objects.waiting().update(due_at=past, next_try_at=past)
    sent.outbox.clear()
    mail.send_due_mail()
    return [message["To"] for message in mailbox.sent()]


def told():
    tell()
    return set(Notification.objects.values_list("recipient", flat=True))


# --- who is told -----------------------------------------------------------------------------------------------------
def test_those_who_are_there_are_told_and_nobody_else():
    author, one, left, muted, silenced = (make_member() for _number in range(5))
    away = make_member()
    thread = make_message(author, one, left, muted, silenced, away).thread
    tell()
    Notification.objects.all().delete()
    services.leave_conversation(member=left, thread=thread)
    services.mute_conversation(member=muted, thread=thread)
    Member.objects.filter(pk=silenced.pk).update(status="silenced")
    Member.objects.filter(pk=away.pk).update(status="suspended", is_active=False)
    make_message(author, thread=thread)
    assert told() == {one.pk, silenced.pk}


def test_a_mute_that_is_over_mutes_no_more():
    author, one = make_member(), make_member()
    thread = make_message(author, one).thread
    services.mute_conversation(member=one, thread=thread, until=timezone.now() - timedelta(minutes=1))
    assert told() == {one.pk}


def test_who_blocks_or_ignores_the_writer_hears_nothing():
    author, one, other = make_member(), make_member(), make_member()
    thread = make_message(author, one, other).thread
    members.set_boundary(owner=one, other=author, distance="block")
    make_message(author, thread=thread)
    assert told() == {other.pk}


def test_who_is_brought_in_hears_of_it_and_of_what_follows():
    author, one, third = make_member(), make_member(), make_member()
    thread = make_message(author, one).thread
    tell()
    services.add_person(actor=one, thread=thread, member=third)
    tell()
    assert list(Notification.objects.filter(recipient=third).values_list("activity__verb", flat=True)) == [
        "discussions.brought_in"
    ]
    client = signed_in(third)
    assert "brought you into" in client.get("/notifications/").content.decode()
    client.get(thread.get_absolute_url())
    assert not Notification.objects.unread().filter(recipient=third).exists()


def test_the_bell_counts_a_conversation_once_and_reading_quiets_it():
    author, one = make_member(name="Ana Sousa"), make_member()
    thread = make_message(author, one, source=SECRET).thread
    make_message(author, thread=thread)
    tell()
    client = signed_in(one)
    page = client.get("/notifications/").content.decode()
    assert page.count("Ana Sousa wrote to you") == 1
    assert SECRET not in page
    client.get(thread.get_absolute_url())
    assert not Notification.objects.unread().exists()


# --- mails -----------------------------------------------------------------------------------------------------------
def test_the_mail_brings_the_words_and_the_way_to_them():
    author, one = make_member(name="Ana Sousa"), make_member()
    thread = make_message(author, one, source="Shall we **meet** on Friday?").thread
    assert let_mails_go() == [one.email]
    [message] = mailbox.sent()
    assert message["Subject"] == "Ana Sousa wrote to you"
    assert "Shall we **meet** on Friday?" in text_of(message)
    assert "<strong>meet</strong>" in html_of(message)
    for text in (text_of(message), html_of(message)):
        assert f"/messages/{thread.pk}/?post=1#post-1" in text
    assert message["From"].startswith('"Ana Sousa (')
    assert message["List-Id"].startswith("messages ")


def test_the_mail_waits_as_long_as_an_edit_leaves_no_trace(settings):
    settings.POST_GRACE_MINUTES = 5
    author, one = make_member(), make_member()
    post = make_message(author, one)
    tell()
    row = OutgoingMail.objects.get()
    assert row.due_at - post.published_at == timedelta(minutes=5)
    assert OutgoingMail.objects.get().member == one


def test_only_the_first_unread_message_is_mailed():
    author, one = make_member(), make_member()
    thread = make_message(author, one).thread
    make_message(author, thread=thread)
    assert let_mails_go() == [one.email]
    make_message(author, thread=thread)
    assert let_mails_go() == []
    signed_in(one).get(thread.get_absolute_url())
    make_message(author, thread=thread)
    assert let_mails_go() == [one.email]
    reasons = OutgoingMail.objects.filter(state="withheld").values_list("reason", flat=True)
    assert set(reasons) == {"the receiver knows that something unread is there"}


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        (
            lambda post, one: signed_in(one).get(post.thread.get_absolute_url()),
            "the receiver has read it already",
        ),
        (
            lambda post, one: services.leave_conversation(member=one, thread=post.thread),
            "the receiver has left or muted the conversation",
        ),
        (
            lambda post, one: services.mute_conversation(member=one, thread=post.thread),
            "the receiver has left or muted the conversation",
        ),
        (
            lambda post, one: members.set_boundary(owner=one, other=post.author, distance="block"),
            "the receiver does not want to hear of it",
        ),
        (
            lambda post, one: services.hide_post(
                post=post, actor=make_member(is_moderator=True), reason="A threat."
            ),
            "the post was hidden before sending",
        ),
        (
            lambda post, one: Member.objects.filter(pk=one.pk).update(status="suspended", is_active=False),
            "the member is suspended",
        ),
    ],
)
def test_what_keeps_a_mail_back(meanwhile, reason):
    author, one = make_member(), make_member()
    post = make_message(author, one)
    tell()
    meanwhile(post, one)
    assert let_mails_go() == []
    assert OutgoingMail.objects.get(kind="discussions.message").reason == reason


def test_an_admin_sees_that_a_mail_went_out_and_not_what_it_says():
    author, one = make_member(name="Ana Sousa"), make_member()
    make_message(author, one, source=SECRET)
    tell()
    row, admin = OutgoingMail.objects.get(), signed_in(make_member(is_superuser=True, is_staff=True))
    page = admin.get(reverse("admin:core_outgoingmail_preview", args=[row.pk]))
    assert page.status_code == 200
    assert "shown to its receiver only" in page.content.decode()
    assert SECRET not in page.content.decode()
    assert admin.get(reverse("admin:core_outgoingmail_preview_html", args=[row.pk])).status_code == 404


def test_the_link_in_the_mail_mutes_and_undoes_it():
    author, one = make_member(), make_member()
    thread = make_message(author, one).thread
    path = mails.mute_url(thread, one.pk).partition("/mail/")[2]
    client = Client()
    assert "The conversation</a>" in client.get(f"/mail/{path}").content.decode()
    client.post(f"/mail/{path}", {"level": "muted"})
    make_message(author, thread=thread)
    assert told() == set()
    client.post(f"/mail/{path}", {"level": "normal"})
    make_message(author, thread=thread)
    assert told() == {one.pk}


# --- moderators ------------------------------------------------------------------------------------------------------
@pytest.fixture
def reported():
    """The eighth of fifteen messages, reported by one of the two."""
    author, one = make_member(name="Ana Sousa"), make_member(name="Per Lind")
    thread = make_message(author, one, source="Line 1 of it").thread
    for number in range(2, 16):
        make_message(author if number % 2 else one, thread=thread, source=f"Line {number} of it")
    post = thread.posts.get(number=7)
    moderation.report(reporter=one, target=post, reason="unkind", note="Look at this.")
    return post


def test_only_who_is_there_can_report(reported):
    address = reverse("hub:report", args=["discussions.post", reported.pk])
    for member, status in ((Member.objects.get(name="Per Lind"), 200), (make_member(), 404)):
        assert signed_in(member).get(address).status_code == status
    assert signed_in(make_member(is_moderator=True)).get(address).status_code == 404


def test_a_moderator_sees_what_was_reported_and_five_around_it_and_that_is_logged(reported):
    moderator = make_member(is_moderator=True, is_staff=True)
    desk = signed_in(moderator)
    queue = desk.get(reverse("hub:moderation")).content.decode()
    assert "of it" not in queue
    assert not AuditEntry.objects.filter(verb="reports.private_read").exists()
    case = desk.get(reverse("hub:moderation_case", args=["discussions.post", reported.pk])).content.decode()
    seen = [number for number in range(1, 16) if f"Line {number} of it" in case]
    assert seen == list(range(2, 13))
    assert reported.get_absolute_url() not in case
    entry = AuditEntry.objects.get(verb="reports.private_read")
    assert (entry.actor, entry.target_id) == (moderator, reported.pk)
    assert desk.get(reported.thread.get_absolute_url()).status_code == 404
    other = reported.thread.posts.get(number=8)
    assert desk.get(reverse("hub:moderation_case", args=["discussions.post", other.pk])).status_code == 404


def test_a_decision_hides_it_for_both_and_its_writer_is_told(reported):
    desk = signed_in(make_member(is_moderator=True, is_staff=True))
    flag = Flag.objects.get()
    answer = desk.post(
        reverse("hub:moderation_decide", args=["discussions.post", reported.pk]),
        {"decision": "hide", "reason": "A threat.", "seen_state": "visible", "seen_flags": flag.pk},
    )
    assert answer.status_code == 302
    reader = Member.objects.get(name="Per Lind")
    page = signed_in(reader).get(reported.get_absolute_url()).content.decode()
    assert "A moderator has hidden this message" in page
    assert "Line 7 of it" not in page
    tell()
    OutgoingMail.objects.exclude(kind="hub.hidden").delete()
    assert let_mails_go() == [reported.author.email]
    assert "A threat." in text_of(mailbox.sent()[0])
    assert "Line 7 of it" not in text_of(mailbox.sent()[0])


# --- nowhere else ----------------------------------------------------------------------------------------------------
def test_no_page_of_anybody_shows_a_conversation():
    """Each kind of onlooker, and those who talk themselves, on every page that lists what people write or do."""
    author, one = make_member(name="Ana Sousa", handle="ana"), make_member()
    make_thread(author=author)
    post = make_message(author, one, source=SECRET)
    make_message(one, thread=post.thread, source=SECRET)
    tell()
    onlookers = {
        "guest": Client(),
        "stranger": signed_in(make_member()),
        "host": signed_in(make_member(is_host=True)),
        "organiser": signed_in(make_member(is_organiser=True)),
        "moderator": signed_in(make_member(is_moderator=True, is_staff=True)),
        "admin": signed_in(make_member(is_superuser=True, is_staff=True)),
        "author": signed_in(author),
        "one": signed_in(one),
    }
    shown_to_two = {"/messages/", "/notifications/"}
    addresses = [
        "/",
        "/discussions/",
        "/discussions/?show=unread",
        "/discussions/?show=mine",
        "/discussions/conversations/",
        f"/discussions/conversations/{post.thread_id}-conversation/",
        f"/discussions/conversations/{post.thread_id}/",
        f"/search/?q={SECRET}",
        "/members/ana/",
        "/members/ana/contributions/",
        "/moderation/",
        "/moderation/settled/",
        f"/moderation/discussions.post/{post.pk}/",
        "/hosts/hello/",
        "/messages/",
        "/notifications/",
        "/admin/discussions/thread/",
        "/admin/discussions/post/",
        "/admin/discussions/space/",
        f"/admin/discussions/post/?q={SECRET}",
        f"/admin/discussions/thread/{post.thread_id}/change/",
        f"/admin/discussions/post/{post.pk}/change/",
        post.thread.get_absolute_url(),
    ]
    traces = (SECRET, post.thread.get_absolute_url(), "conversations/", "Private conversations")
    for who, client in onlookers.items():
        for address in addresses:
            own = address in {*shown_to_two, post.thread.get_absolute_url()} and who in ("author", "one")
            response = client.get(address)
            text = response.content.decode().replace(address, "").replace(f"q={SECRET}", "")
            if own:
                continue
            if "search" in address or "q=" in address:
                text = text.replace(SECRET, "", text.count(SECRET)) if post.source not in text else text
                assert post.thread.get_absolute_url() not in text, (who, address)
                continue
            assert [trace for trace in traces if trace in text] == [], (who, address)
    assert searching.search(SearchText(SECRET), author, 10).hits == []


def test_lists_digests_and_counts_know_nothing_of_it():
    author, one = make_member(), make_member()
    make_message(author, one)
    since = timezone.now() - timedelta(hours=1)
    for member in (author, one):
        assert not Thread.objects.visible_to(member).exists()
        assert not Thread.objects.for_digest(member, since, timezone.now()).exists()
        services.mark_all_read(member=member)
    assert one.read_states.get().numbers == []


def test_the_copy_holds_ones_own_words_and_not_those_of_others():
    author, one = make_member(), make_member(name="Per Lind")
    thread = make_message(author, one, source="My own words.").thread
    make_message(one, thread=thread, source="Words of another.")
    copy = {part.key: list(part.export(author)) for part in personal_data.parts()}
    text = json.dumps(copy, default=str)
    assert "My own words." in text
    assert "Words of another." not in text
    assert "Per Lind" not in text
    assert [row["thread"] for row in copy["conversations"]] == [thread.pk]
    assert copy["threads"] == []


def test_somebody_elses_search_finds_no_post_of_it():
    make_message(make_member(), make_member(), source=SECRET)
    assert Post.objects.count() == 1
    assert searching.search(SearchText(SECRET), make_member(is_superuser=True, is_staff=True), 10).hits == []
