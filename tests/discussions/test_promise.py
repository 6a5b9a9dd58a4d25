"""The reply promise: when the clock rings, who is asked, and what stops it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from taggit.models import Tag

from discussions import answering, services
from discussions.models import AskedToAnswer, DiscussionSettings, Level, OwedReply, ThreadWatch
from discussions.services import promise
from kmnet.core import activity
from kmnet.core.models import Activity, MailChoice, Notification, OutgoingMail
from kmnet.core.moments import after_weekday_hours
from kmnet.core.vocabulary import load_vocabulary
from members.models import Boundary, Group, GroupMember, SeenBy, Standing
from members.services import index_profile
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.mailbox import send_due, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("start", "hours", "zone", "end"),
    [
        # a Wednesday morning: a plain day later
        ("2026-11-18T09:00+00:00", 24, "UTC", "2026-11-19T09:00+00:00"),
        # Friday noon: twelve hours are left of Friday, twelve more on Monday
        ("2026-11-20T12:00+00:00", 24, "UTC", "2026-11-23T12:00+00:00"),
        # on a Saturday nothing passes until Monday
        ("2026-11-21T15:00+00:00", 24, "UTC", "2026-11-24T00:00+00:00"),
        ("2026-11-21T15:00+00:00", 48, "UTC", "2026-11-25T00:00+00:00"),
        # Friday 20:00 in London is Saturday 05:00 in Tokyo
        ("2026-11-20T20:00+00:00", 1, "Asia/Tokyo", "2026-11-22T16:00+00:00"),
        # the clocks go forward on Sunday 29 March 2026: Monday begins at 23:00 UTC
        ("2026-03-27T23:00+00:00", 24, "Europe/London", "2026-03-30T22:00+00:00"),
        ("2026-11-18T09:00+00:00", 1, "No/Where", "2026-11-18T10:00+00:00"),
    ],
)
def test_hours_of_weekdays_in_the_askers_zone(start, hours, zone, end):
    found = after_weekday_hours(datetime.fromisoformat(start), hours, zone)
    assert found == datetime.fromisoformat(end).astimezone(UTC)


def helper(*tags, **fields):
    """A member who says that they can help with these."""
    member = make_member(last_seen_on=timezone.now().date())
    for name, value in {"can_help_seen_by": SeenBy.MEMBERS, **fields}.items():
        setattr(member.profile, name, value)
    member.profile.save()
    member.profile.can_help.set(promise_tags(tags))
    index_profile(member.profile)
    return member


def promise_tags(names):
    return [Tag.objects.get_or_create(name=name)[0] for name in names]


def ask(**fields):
    fields.setdefault("tags", ["boards"])
    return make_thread(**fields)


def ring(thread, *, hours=25):
    """So much later; everything is a weekday."""
    OwedReply.objects.filter(thread=thread, post=None).update(
        ask_at=timezone.now() - timedelta(hours=1), host_at=timezone.now() + timedelta(hours=48 - hours)
    )
    return promise.serve_due()


def tell():
    for pk in Activity.objects.waiting().values_list("pk", flat=True):
        activity.fan_out(activity_id=pk)


def asked(thread):
    return set(AskedToAnswer.objects.filter(thread=thread).values_list("member_id", flat=True))


def test_questions_and_first_posts_have_a_clock_and_nothing_else():
    host = make_member(is_host=True)
    make_thread(author=host)  # their first post is behind them
    assert ask(author=host).clocks.count() == 1
    assert make_thread(author=host, kind="discussion").clocks.count() == 0
    assert make_thread(author=host, kind="announcement").clocks.count() == 0
    assert make_thread(kind="discussion").clocks.count() == 1


def test_the_clock_rings_when_the_settings_say():
    DiscussionSettings(promise_ask_hours=6, promise_host_hours=30).save()
    thread = ask(author=make_member(time_zone="Africa/Nairobi"))
    clock = thread.clocks.get()
    assert clock.ask_at == after_weekday_hours(clock.started_at, 6, "Africa/Nairobi")
    assert clock.host_at == after_weekday_hours(clock.started_at, 30, "Africa/Nairobi")


def test_three_whose_words_fit_are_asked_once():
    fits = [helper("boards") for _ in range(4)]
    best = helper("boards", "showing impact")
    other = helper("gardening")
    thread = ask(tags=["boards", "showing impact"])
    assert promise.serve_due() == 0  # not yet
    assert ring(thread) == 3
    assert best.pk in asked(thread)
    assert asked(thread) <= {member.pk for member in [*fits, best]}
    assert other.pk not in asked(thread)
    assert ring(thread) == 0
    tell()
    assert Notification.objects.filter(activity__verb="discussions.could_answer").count() == 3
    assert OutgoingMail.objects.filter(kind="discussions.could_answer").count() == 3


def test_the_mail_says_why_and_what():
    member = helper("boards")
    thread = ask(title="How do you report to boards?")
    ring(thread)
    tell()
    message = next(m for m in send_due() if m["To"] == member.email)
    text = text_of(message)
    assert message["Subject"] == "Could you answer this? How do you report to boards?"
    assert "your profile says that you can help with boards" in text
    assert f"{thread.get_absolute_url()}#reply" in text
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_synonyms_fit_too_and_words_of_the_title():
    load_vocabulary()
    member = helper("knowledge translation")
    assert ring(ask(tags=["knowledge transfer"])) + ring(ask(tags=["KT"])) >= 1
    assert AskedToAnswer.objects.filter(member=member).count() == 1  # the second time they rest
    AskedToAnswer.objects.all().delete()
    assert ring(ask(tags=[], title="Where would you begin with knowledge translation?")) == 1


@pytest.mark.parametrize(
    "unwilling",
    [
        {"can_help_seen_by": SeenBy.ME},
        {"languages_work": ["fr"]},
        {"paused_until": timezone.now().date() + timedelta(days=2)},
    ],
)
def test_who_is_not_asked(unwilling):
    helper("boards", **unwilling)
    assert ring(ask()) == 0
    helper("boards")
    assert ring(ask()) == 1


def test_nobody_is_asked_who_keeps_away_mutes_switched_it_off_or_was_not_here_for_long():
    asker = make_member()
    blocks, blocked, mutes, off, gone, silent, took_part, resting = (helper("boards") for _ in range(8))
    Boundary.objects.create(owner=blocks, other=asker, distance="block")
    Boundary.objects.create(owner=asker, other=blocked, distance="block")
    MailChoice.objects.create(member=off, category="could_answer", how=MailChoice.How.NEVER)
    type(gone).objects.filter(pk=gone.pk).update(last_seen_on=timezone.now().date() - timedelta(days=181))
    type(silent).objects.filter(pk=silent.pk).update(status="silenced")
    AskedToAnswer.objects.create(member=resting, thread=make_thread(), at=timezone.now() - timedelta(days=13))
    thread = ask(author=asker)
    ThreadWatch.objects.create(member=mutes, thread=thread, level=Level.MUTED)
    held = services.add_reply(author=took_part, thread=thread, source="Held", hold=True)
    assert held.number is None
    assert ring(thread) == 0
    AskedToAnswer.objects.update(at=timezone.now() - timedelta(days=15))
    OwedReply.objects.filter(thread=thread).update(asked_at=None)
    assert ring(thread) == 1
    assert asked(thread) == {resting.pk}


def test_in_a_group_only_those_inside_are_asked():
    group = Group.objects.create(slug="circle", name="Circle")
    asker, inside, outside = make_member(), helper("boards"), helper("boards")
    for member in (asker, inside):
        GroupMember.objects.create(group=group, member=member, standing=Standing.MEMBER)
    thread = ask(author=asker, space=make_space(readable_by="group", group=group))
    assert ring(thread) == 1
    assert asked(thread) == {inside.pk}
    assert outside.pk not in asked(thread)


def test_a_reply_by_somebody_else_stops_the_clock_and_one_by_the_asker_does_not():
    helper("boards")
    thread = ask()
    make_post(thread=thread, author=thread.author)
    assert OwedReply.objects.get(thread=thread, post=None).kept_at is None
    reply = make_post(thread=thread)
    assert OwedReply.objects.get(thread=thread, post=None).kept_at == reply.published_at
    assert ring(thread) == 0
    services.hide_post(post=reply, actor=make_member(is_moderator=True), reason="Not kind.")
    assert OwedReply.objects.get(thread=thread, post=None).kept_at is None
    assert ring(thread) == 1


def test_a_closed_or_hidden_thread_owes_nothing():
    moderator = make_member(is_moderator=True)
    helper("boards")
    thread = ask()
    services.close_thread(thread=thread, actor=moderator, reason="Twice.")
    assert ring(thread) == 0
    services.reopen_thread(thread=thread, actor=moderator, reason="Not twice.")
    services.hide_post(post=thread.posts.get(), actor=moderator, reason="A name.")
    assert ring(thread) == 0
    services.restore_post(post=thread.posts.get(), actor=moderator, reason="No name.")
    assert ring(thread) == 1


def test_after_two_days_a_host_is_asked_each_in_turn():
    first, second = make_member(is_host=True), make_member(is_host=True)
    threads = [ask(tags=[]) for _ in range(3)]
    for thread in threads:
        assert ring(thread, hours=49) == 1
    turns = list(AskedToAnswer.objects.order_by("at", "pk").values_list("member_id", "as_host"))
    assert turns == [(first.pk, True), (second.pk, True), (first.pk, True)]
    tell()
    subjects = sorted(
        message["Subject"] for message in send_due() if "Nobody has replied" in message["Subject"]
    )
    assert subjects == sorted(f"Nobody has replied yet: {thread.title}" for thread in threads)


def test_where_there_is_no_host_a_moderator_is_asked():
    moderator = make_member(is_moderator=True)
    thread = ask(tags=[])
    assert ring(thread, hours=49) == 1
    assert asked(thread) == {moderator.pk}


def test_a_clock_that_nobody_served_for_weeks_asks_nobody():
    helper("boards")
    make_member(is_host=True)
    thread = ask()
    OwedReply.objects.update(
        ask_at=timezone.now() - timedelta(days=15), host_at=timezone.now() - timedelta(days=15)
    )
    assert promise.serve_due() == 0
    assert OwedReply.objects.filter(thread=thread, asked_at=None).count() == 0


def test_a_mail_is_withheld_where_somebody_replied_before_it_went():
    helper("boards")
    thread = ask()
    ring(thread)
    tell()
    make_post(thread=thread)
    OutgoingMail.objects.exclude(kind="discussions.could_answer").delete()
    assert send_due() == []
    assert (
        OutgoingMail.objects.get(kind="discussions.could_answer").reason == "somebody has replied meanwhile"
    )


# --- the numbers -----------------------------------------------------------------------------------------------------
def test_the_numbers():
    now = timezone.now()
    for waited in (1, 5, 47, 49, None, None):
        thread = make_thread()
        started = now - timedelta(days=10)
        OwedReply.objects.filter(thread=thread).update(
            started_at=started, kept_at=started + timedelta(hours=waited) if waited else None
        )
    young = make_thread()  # its 48 hours are not over
    hidden = make_thread()
    services.hide_post(post=hidden.posts.get(), actor=make_member(is_moderator=True), reason="x")
    assert young.clocks.get().kept_at is None
    found = answering.numbers(now - timedelta(days=30), timezone.now(), now=timezone.now())
    assert found == answering.Numbers(asked=7, replied=4, median_hours=26.0, share=50)
    nothing = answering.numbers(now - timedelta(days=90), now - timedelta(days=60), now=now)
    assert nothing == answering.Numbers(asked=0, replied=0, median_hours=None, share=None)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"is_host": True}, 200),
        ({"is_organiser": True}, 200),
        ({"is_moderator": True}, 200),
        ({}, 404),
    ],
)
def test_who_sees_what_is_owed(client, fields, status):
    client.force_login(make_member(**fields))
    assert client.get(reverse("hub:replies")).status_code == status


def test_the_page_costs_the_same_for_one_and_for_thirty(client):
    client.force_login(make_member(is_host=True))
    make_thread()
    client.get(reverse("hub:replies"))
    with CaptureQueriesContext(connection) as one:
        page = client.get(reverse("hub:replies"))
    assert page.content.decode().count("waiting since") == 1
    for _ in range(29):
        make_thread()
    with CaptureQueriesContext(connection) as many:
        page = client.get(reverse("hub:replies"))
    assert page.content.decode().count("waiting since") == 30
    assert len(many) == len(one)
    assert len(many) <= 12
