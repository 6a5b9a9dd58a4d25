"""Levels, mentions, and who is told of what."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from taggit.models import Tag

from discussions import audiences, services
from discussions.models import Following, Mention, SpaceLevel, TagLevel, Thread, ThreadWatch
from kmnet.core import activity
from kmnet.core.models import Activity, MailChoice, Notification, OutgoingMail
from kmnet.core.models.mail import BUNDLE
from members.models import Boundary, Member
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.mailbox import html_of, make_bundles_due, text_of

pytestmark = pytest.mark.django_db


def tell():
    for deed in Activity.objects.waiting().order_by("pk"):
        activity.fan_out(activity_id=deed.pk)


def told(post=None):
    tell()
    return sorted(Notification.objects.values_list("recipient", "activity__verb"))


def mails():
    return sorted(OutgoingMail.objects.exclude(kind=BUNDLE).values_list("member", "kind"))


def test_each_is_told_once_by_what_comes_first():
    asker, answered, mentioned, watcher = (make_member(handle=f"person{n}") for n in range(4))
    thread = make_thread(author=asker)
    answer = make_post(thread=thread, author=answered)
    tell()
    Notification.objects.all().delete()
    OutgoingMail.objects.all().delete()
    for member in (asker, answered, mentioned, watcher):
        services.set_watch(member=member, thread=thread, level="watching")
    post = make_post(thread=thread, parent=answer, source="@person2 and @person1, look, and @person2 again.")
    tellings = audiences.told_about(audiences.find_post(Activity.objects.latest("pk")))
    reasons = {telling.member_id: telling.reason for telling in tellings}
    assert reasons == {
        asker.pk: "reply",
        answered.pk: "mention",
        mentioned.pk: "mention",
        watcher.pk: "watching",
    }
    assert told() == sorted([
        (asker.pk, "discussions.replied"),
        (answered.pk, "discussions.mentioned"),
        (mentioned.pk, "discussions.mentioned"),
        (watcher.pk, "discussions.replied"),
    ])  # fmt: skip
    assert mails() == sorted([
        (asker.pk, "discussions.reply"),
        (answered.pk, "discussions.mentioned"),
        (mentioned.pk, "discussions.mentioned"),
        (watcher.pk, "discussions.watched"),
    ])  # fmt: skip
    assert post.mentions.count() == 2


@pytest.mark.parametrize("first", ["discussions.mentioned", "discussions.replied"])
def test_a_level_changed_between_two_tellings_makes_no_second_one(first):
    thread, member = make_thread(), make_member(handle="ada")
    services.set_watch(member=member, thread=thread, level="watching")
    post = make_post(thread=thread, source="@ada, look.")
    deeds = {deed.verb: deed for deed in Activity.objects.filter(target_id=post.pk)}
    activity.fan_out(activity_id=deeds.pop(first).pk)
    Mention.objects.all().delete() if first == "discussions.mentioned" else None
    activity.fan_out(activity_id=deeds.popitem()[1].pk)
    assert Notification.objects.filter(recipient=member).count() == 1


def test_mention_passes_normal_and_not_mute():
    thread = make_thread()
    normal, muted = make_member(handle="ada"), make_member(handle="ben")
    services.set_space_level(member=normal, space=thread.space, level="normal")
    services.set_space_level(member=muted, space=thread.space, level="muted")
    make_post(thread=thread, source="@ada @ben", author=thread.author)
    assert told() == [(normal.pk, "discussions.mentioned")]


def test_mention_tells_nobody_who_may_not_see_or_keeps_the_writer_away():
    space = make_space(readable_by="members")
    thread, writer = make_thread(space=space), make_member()
    make_member(handle="ada", status="pending")
    blocker = make_member(handle="ben")
    Boundary.objects.create(owner=blocker, other=writer, distance="block")
    type(blocker).objects.filter(pk=blocker.pk).update(keeps_away=True)
    make_post(thread=thread, author=writer, source="@ada @ben @nobody-here")
    assert told() == [(thread.author_id, "discussions.replied")]


def test_edit_tells_those_named_anew_and_nobody_twice():
    thread, ada, ben = make_thread(), make_member(handle="ada"), make_member(handle="ben")
    post = make_post(thread=thread, author=thread.author, source="@ada, look.")
    services.edit_post(editor=thread.author, post=post, source="@ada and @ben, look.")
    services.edit_post(editor=thread.author, post=post, source="@ben and @ada, look again.")
    assert told() == sorted([(ada.pk, "discussions.mentioned"), (ben.pk, "discussions.mentioned")])
    assert Activity.objects.filter(verb="discussions.mentioned").count() == 2


def test_quoting_a_mention_is_none():
    thread, ada = make_thread(), make_member(handle="ada")
    make_post(thread=thread, source="> @ada said so\n\nYes. And `@ada` is code.", author=thread.author)
    assert told() == [] == list(ada.mentions.all())


def test_mail_of_a_mention(mailbox):
    ada = make_member(handle="ada")
    thread = make_thread(title="Who pays?")
    post = make_post(thread=thread, author=make_member(name="Maren de Wit"), source="Ask @ada <b>&</b>.")
    tell()
    message = mailbox(to=ada.email)[0]
    assert str(message["Subject"]) == "Maren de Wit mentioned you: Who pays?"
    assert "Maren de Wit mentioned you." in text_of(message)
    assert "You get this because you are mentioned." in text_of(message)
    assert f"?post={post.number}#post-{post.number}" in html_of(message)
    assert "<b>" not in html_of(message).split("Ask")[1][:60]


def test_mention_taken_out_before_sending_is_not_mailed(mailbox):
    ada, thread = make_member(handle="ada"), make_thread()
    post = make_post(thread=thread, source="@ada", author=thread.author)
    tell()
    Mention.objects.filter(post=post).delete()
    assert mailbox(to=ada.email) == []
    assert OutgoingMail.objects.get(member=ada).reason == "the receiver is not named there"


def test_watchers_of_a_space_or_tag_hear_of_new_threads(mailbox):
    space = make_space()
    make_thread(tags=["boards"])
    tell()
    of_space, of_tag, of_muted = make_member(), make_member(), make_member()
    tag = Tag.objects.get(name="boards")
    services.set_space_level(member=of_space, space=space, level="watching")
    services.set_tag_level(member=of_tag, tag=tag, level="watching")
    services.set_tag_level(member=of_muted, tag=tag, level="watching")
    services.set_space_level(member=of_muted, space=space, level="watching")
    thread = make_thread(space=space, tags=["boards"], title="How much?")
    services.set_watch(member=of_muted, thread=thread, level="muted")
    assert told() == sorted([(of_space.pk, "discussions.asked"), (of_tag.pk, "discussions.asked")])
    assert mailbox(to=of_tag.email) == []  # such news is gathered
    make_bundles_due()
    [message] = mailbox(to=of_tag.email)
    assert str(message["Subject"]) == f"{thread.author.name} asks: How much?"
    assert "You get this because you follow its space or one of its tags." in text_of(message)
    assert "/settings/following/" in html_of(message)


def test_usual_level_of_a_space_tells_all_its_readers_who_chose_nothing():
    space = make_space(default_level="watching", readable_by="members")
    reader, quiet = make_member(), make_member()
    make_member(status="pending")
    services.set_space_level(member=quiet, space=space, level="normal")
    thread = make_thread(space=space)
    assert told() == [(reader.pk, "discussions.asked")]
    assert thread.space_id == space.pk


def test_asker_who_wants_answers_only_hears_of_no_other_reply():
    thread = make_thread()
    services.set_watch(member=thread.author, thread=thread, level="normal")
    answer = make_post(thread=thread)
    make_post(thread=thread, parent=answer)
    assert told() == sorted(
        [(thread.author_id, "discussions.replied"), (answer.author_id, "discussions.replied")]
    )


def test_whoever_replies_sees_what_is_new_and_keeps_their_choice():
    thread, helper, quiet = make_thread(), make_member(), make_member()
    services.set_watch(member=quiet, thread=thread, level="muted")
    for member in (helper, quiet, thread.author):
        make_post(thread=thread, author=member)
    levels = dict(ThreadWatch.objects.values_list("member", "level"))
    assert levels == {helper.pk: "tracking", quiet.pk: "muted"}
    assert list(Thread.objects.watched_by(helper)) == [thread]


def test_level_of_one_thread_is_the_same_as_among_all():
    member, space = make_member(), make_space(default_level="tracking")
    chosen, tagged, own = (
        make_thread(space=space),
        make_thread(space=space, tags=["boards"]),
        make_thread(space=space, author=member),
    )
    other = make_thread()
    services.set_watch(member=member, thread=chosen, level="muted")
    TagLevel.objects.create(member=member, tag=Tag.objects.get(name="boards"), level="normal")
    levels = []
    for thread in (chosen, tagged, own, other):
        thread = Thread.objects.get(pk=thread.pk)
        levels.append(Following.of_one(member, thread.pk).level(thread))
        assert levels[-1] == Following.of(member).level(thread)
    assert levels == ["muted", "normal", "watching", "normal"]


def test_mute_until_ends():
    thread, member = make_thread(), make_member()
    services.set_watch(member=member, thread=thread, level="watching")
    services.set_watch(member=member, thread=thread, level="muted", until=timezone.now() + timedelta(days=1))
    make_post(thread=thread, author=thread.author)
    assert told() == []
    ThreadWatch.objects.filter(member=member).update(until=timezone.now())
    services.set_space_level(member=member, space=thread.space, level="watching")
    make_post(thread=thread, author=thread.author)
    assert told() == [(member.pk, "discussions.replied")]


# --- pages ----------------------------------------------------------------------------------------------------------
def test_levels_are_chosen_beside_thread_space_and_tag_and_listed_on_one_page(client):
    member, thread = make_member(), make_thread(tags=["boards"], title="Who pays for it?")
    tag = Tag.objects.get(name="boards")
    client.force_login(member)
    page = thread.get_absolute_url()
    assert "As usual here" in client.get(page).content.decode()
    for url, action in (
        (page, f"/discussions/threads/{thread.pk}/watch/"),
        (thread.space.get_absolute_url(), f"/settings/following/spaces/{thread.space_id}/"),
        ("/discussions/?tag=boards", f"/settings/following/tags/{tag.pk}/"),
    ):
        assert f'action="{action}"' in client.get(url).content.decode()
        response = client.post(action, {"level": "muted", "span": "7", "next": url})
        assert (response.status_code, response["Location"]) == (302, url)
    found = [model.objects.get(member=member) for model in (ThreadWatch, SpaceLevel, TagLevel)]
    assert {choice.level for choice in found} == {"muted"}
    assert all(timedelta(6) < choice.until - timezone.now() <= timedelta(7) for choice in found)
    html = client.get("/settings/following/", follow=True).content.decode()
    for words in ("Who pays for it?", thread.space.name, "boards"):
        assert words in html
    assert len(re.findall(r'value="muted" selected', html)) == 3
    for action in (f"/settings/following/spaces/{thread.space_id}/", f"/settings/following/tags/{tag.pk}/"):
        client.post(action, {"level": ""})
    client.post(f"/discussions/threads/{thread.pk}/watch/", {"level": ""})
    assert "You have chosen nothing yet" in client.get("/settings/following/", follow=True).content.decode()


def test_level_of_what_one_may_not_see_is_not_found(client):
    thread = make_thread(space=make_space(readable_by="members"), tags=["merger"])
    newcomer = make_member(status="pending")
    with pytest.raises(PermissionDenied):
        services.set_space_level(member=newcomer, space=thread.space, level="muted")
    services.hide_post(post=thread.posts.get(), actor=make_member(is_moderator=True), reason="Names one.")
    client.force_login(make_member())
    tag = Tag.objects.get(name="merger")
    for action in (f"/settings/following/tags/{tag.pk}/", "/settings/following/tags/999999/"):
        assert client.post(action, {"level": "muted"}).status_code == 404
    assert not TagLevel.objects.exists()


@pytest.mark.parametrize("level", ["watching", "tracking", "normal", "muted"])
def test_a_choice_that_has_ended_does_not_keep_a_reply_from_being_tracked(level):
    thread, member = make_thread(), make_member()
    ended, holds = timezone.now() - timedelta(minutes=1), timezone.now() + timedelta(days=1)
    services.set_watch(member=member, thread=thread, level=level, until=holds)
    make_post(thread=thread, author=member)
    assert watch_of(member, thread) == (level, True, holds)
    ThreadWatch.objects.update(until=ended)
    make_post(thread=thread, author=member)
    assert watch_of(member, thread) == ("tracking", False, None)
    assert Following.of(Member.objects.get(pk=member.pk)).level(thread) == "tracking"
    services.set_watch(member=member, thread=thread, level=level)
    make_post(thread=thread, author=member)
    assert watch_of(member, thread) == (level, True, None)


def watch_of(member, thread):
    return ThreadWatch.objects.values_list("level", "chosen", "until").get(member=member, thread=thread)


def test_a_choice_that_has_ended_makes_room_where_threads_are_merged():
    space, member = make_space(), make_member()
    thread, into = make_thread(space=space), make_thread(space=space)
    services.set_watch(member=member, thread=thread, level="watching")
    ended = timezone.now() - timedelta(minutes=1)
    services.set_watch(member=member, thread=into, level="muted", until=ended)
    services.merge_thread(actor=make_member(is_moderator=True), thread=thread, into=into, reason="The same.")
    assert watch_of(member, into) == ("watching", True, None)


@pytest.mark.parametrize(
    ("chosen", "level"), [(None, "watching"), ("replied", "watching"), ("muted", "muted")]
)
def test_whoever_began_a_thread_that_was_merged_hears_of_replies_in_the_other(chosen, level):
    space = make_space()
    thread, into = make_thread(space=space), make_thread(space=space)
    if chosen == "replied":
        make_post(thread=into, author=thread.author)
    elif chosen:
        services.set_watch(member=thread.author, thread=into, level=chosen)
    services.merge_thread(actor=make_member(is_moderator=True), thread=thread, into=into, reason="The same.")
    assert watch_of(thread.author, into) == (level, chosen == "muted", None)
    assert not ThreadWatch.objects.filter(member=into.author).exists()
    tell()
    Notification.objects.all().delete()
    make_post(thread=into)
    expected = {into.author_id} | ({thread.author_id} if level == "watching" else set())
    assert {member for member, _verb in told()} == expected


# --- the first unread post, or every post ----------------------------------------------------------------------------
def test_of_a_followed_thread_the_first_unread_post_is_told_and_after_reading_the_next(client):
    thread, follower = make_thread(), make_member()
    services.set_watch(member=follower, thread=thread, level="watching")
    for _number in range(3):
        make_post(thread=thread)
        tell()
    of_follower = Notification.objects.filter(recipient=follower)
    assert [deed.activity.target.number for deed in of_follower] == [2]
    assert mails().count((follower.pk, "discussions.watched")) == 1
    assert mails().count((thread.author_id, "discussions.reply")) == 3  # answers to oneself are told each

    client.force_login(follower)
    client.get(thread.get_absolute_url())
    make_post(thread=thread)
    make_post(thread=thread)
    tell()
    assert [deed.activity.target.number for deed in of_follower.order_by("pk")] == [2, 5]


def test_who_wants_nothing_on_the_site_is_mailed_of_the_first_unread_post_too(client):
    thread, follower = make_thread(), make_member()
    services.set_watch(member=follower, thread=thread, level="watching")
    MailChoice.objects.create(member=follower, category="watched", site=False)
    for _number in range(3):
        make_post(thread=thread)
        tell()
    assert not Notification.objects.filter(recipient=follower).exists()
    assert mails().count((follower.pk, "discussions.watched")) == 1

    client.force_login(follower)
    client.get(thread.get_absolute_url())
    make_post(thread=thread)
    tell()
    assert mails().count((follower.pk, "discussions.watched")) == 2


def test_of_a_followed_space_or_tag_every_post_is_told():
    space, of_space, of_tag, of_both = make_space(), make_member(), make_member(), make_member()
    thread = make_thread(space=space, tags=["boards"])
    tell()
    services.set_space_level(member=of_space, space=space, level="watching")
    services.set_tag_level(member=of_tag, tag=Tag.objects.get(name="boards"), level="watching")
    services.set_space_level(member=of_both, space=space, level="watching")
    services.set_watch(member=of_both, thread=thread, level="watching")
    for _number in range(2):
        make_post(thread=thread)
        tell()
    assert Counter(mails()) == {
        (thread.author_id, "discussions.reply"): 2,
        (of_space.pk, "discussions.post"): 2,
        (of_tag.pk, "discussions.post"): 2,
        (of_both.pk, "discussions.watched"): 1,  # the thread itself goes before its space
    }


def test_telling_takes_as_many_queries_for_fifty_followers_as_for_one():
    space = make_space()
    followers = [make_member() for _number in range(50)]
    services.set_space_level(member=followers[0], space=space, level="watching")
    counted = []
    for some in ([], followers[1:]):
        for member in some:
            services.set_space_level(member=member, space=space, level="watching")
        make_post(thread=make_thread(space=space))
        *_before, deed = Activity.objects.waiting().order_by("pk")
        with CaptureQueriesContext(connection) as queries:
            activity.fan_out(activity_id=deed.pk)
        counted.append(len(queries))
        tell()
    assert counted[0] == counted[1]
    assert OutgoingMail.objects.filter(kind="discussions.post").count() == 51
    assert set(OutgoingMail.objects.filter(kind="discussions.post").values_list("lead__kind", flat=True)) == {
        BUNDLE
    }
