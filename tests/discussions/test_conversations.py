"""Private conversations: who reads, who writes to whom, and what nobody else ever hears of them."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discussions import permissions, services
from discussions.models import Participant, Post, ReadState, Space, Thread
from kmnet.core import moderation
from members import services as members
from members.models import Member
from tests.factories import make_member
from tests.factories.discussions import make_message, make_post, make_space, make_thread

pytestmark = pytest.mark.django_db


def block(owner, other):
    members.set_boundary(owner=owner, other=other, distance="block")
    owner.refresh_from_db()


# --- one rule, twice -------------------------------------------------------------------------------------------------
ROLES = {
    "guest": None,
    "stranger": {},
    "host": {"is_host": True},
    "organiser": {"is_organiser": True},
    "moderator": {"is_moderator": True},
    "admin": {"is_superuser": True, "is_staff": True},
    "pending": {"status": "pending"},
    "leaving": {"status": "leaving"},
    "suspended": {"status": "suspended", "is_active": False},
    "silenced": {"status": "silenced"},
}
SEATS = ("none", "there", "left", "brought in", "brought in and left")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    role=st.sampled_from(sorted(ROLES)),
    seat=st.sampled_from(SEATS),
    blocked=st.booleans(),
    hidden=st.sets(st.integers(1, 6)),
    own=st.integers(1, 6),
)
def test_predicate_and_filter_agree_and_nobody_else_reads(role, seat, blocked, hidden, own):
    one, other = make_member(), make_member()
    person = make_member(**ROLES[role]) if ROLES[role] is not None else AnonymousUser()
    thread = make_message(one, other).thread
    for _number in range(5):
        make_message(one, thread=thread)
    first, last = (3 if seat.startswith("brought") else 1), (4 if seat.endswith("left") else None)
    if seat != "none" and ROLES[role] is not None:
        left = {"left_at": timezone.now(), "left_number": last} if last else {}
        Participant.objects.create(thread=thread, member=person, first_number=first, **left)
        Post.objects.filter(thread=thread, number=own).update(author=person)
        if blocked:
            block(person, one)
    Post.objects.filter(thread=thread, number__in=hidden).update(state="hidden")
    full = role not in ("guest", "pending", "leaving", "suspended")
    expected = {
        number
        for number in range(first, (last or 6) + 1)
        if full and seat != "none" and (number not in hidden or number == own)
    }
    posts = list(thread.posts.select_related("thread__space"))
    assert {post.number for post in posts if permissions.can_view_post(person, post)} == expected
    assert (
        set(Post.objects.readable_by(person).filter(thread=thread).values_list("number", flat=True))
        == expected
    )
    opens = full and seat != "none"
    assert permissions.can_view_thread(person, thread) is opens
    assert Thread.objects.readable_by(person).filter(pk=thread.pk).exists() is opens
    assert not Thread.objects.visible_to(person).filter(pk=thread.pk).exists()
    assert not Post.objects.visible_to(person).filter(thread=thread).exists()


def test_what_is_readable_elsewhere_is_what_is_visible():
    hidden, group_like = make_thread(), make_thread(space=make_space(readable_by="members"))
    services.hide_post(
        post=hidden.posts.get(), actor=make_member(is_moderator=True), reason="It names a patient."
    )
    for person in (AnonymousUser(), make_member(), make_member(is_moderator=True), hidden.author):
        for objects in (Thread.objects, Post.objects):
            assert set(objects.readable_by(person)) == set(objects.visible_to(person))
    assert group_like in Thread.objects.readable_by(make_member())


# --- beginning -------------------------------------------------------------------------------------------------------
def test_first_message_makes_a_conversation_of_these_people():
    author, one, other = make_member(), make_member(), make_member()
    post = make_message(author, one, other, source="Shall we **meet**?")
    thread = post.thread
    assert (thread.kind, thread.title, post.number, thread.space.readable_by) == (
        "conversation",
        "",
        1,
        "people",
    )
    assert set(thread.participants.values_list("member", flat=True)) == {author.pk, one.pk, other.pk}
    assert "<strong>meet</strong>" in post.html
    assert thread.get_absolute_url() == f"/messages/{thread.pk}/"
    assert post.get_absolute_url() == f"/messages/{thread.pk}/?post=1#post-1"


def test_there_is_one_space_of_conversations_which_nobody_sees():
    make_message(make_member(), make_member())
    make_message(make_member(), make_member())
    space = Space.objects.get(readable_by="people")
    assert (
        space.thread_count,
        Space.objects.visible_to(make_member(is_superuser=True, is_staff=True)).filter(pk=space.pk).exists(),
    ) == (0, False)
    with pytest.raises(IntegrityError, match="one_space_of_conversations"), transaction.atomic():
        Space.objects.create(slug="another", name="Another", readable_by="people")


def test_the_same_people_go_on_where_they_were():
    one, other, third = make_member(), make_member(), make_member()
    first = make_message(one, other)
    assert make_message(other, one).thread == first.thread
    wider = make_message(one, other, third)
    assert wider.thread != first.thread
    assert make_message(third, other, one).thread == wider.thread
    services.leave_conversation(member=other, thread=first.thread)
    assert make_message(one, other).thread != first.thread


def test_two_to_eight_people_talk():
    author, others = make_member(), [make_member() for _number in range(8)]
    with pytest.raises(services.WrongNumber):
        make_message(author)
    with pytest.raises(services.WrongNumber):
        make_message(author, author)
    with pytest.raises(services.WrongNumber):
        make_message(author, *others)
    assert make_message(author, *others[:7]).thread.participants.count() == 8


def test_pressed_twice_is_one_message():
    author, other, key = make_member(), make_member(), uuid.uuid4()
    first = make_message(author, other, submit_key=key)
    assert make_message(author, other, submit_key=key) == first
    again = uuid.uuid4()
    second = make_message(author, thread=first.thread, submit_key=again)
    assert make_message(author, thread=first.thread, submit_key=again) == second
    assert first.thread.posts.count() == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "pending"},
        {"status": "leaving"},
        {"status": "suspended", "is_active": False},
        {"address_proven": False},
    ],
)
def test_who_is_no_full_member_cannot_be_written_to(fields):
    away = make_member(**fields)
    with pytest.raises(services.CannotReach) as refusal:
        make_message(make_member(), make_member(), away)
    assert refusal.value.people == [away]
    assert not Thread.objects.filter(kind="conversation").exists()


def test_a_silenced_member_reads_and_may_leave_but_does_not_write():
    talker, silenced = make_member(), make_member(status="silenced")
    thread = make_message(talker, silenced).thread
    with pytest.raises(services.CannotWrite) as refusal:
        make_message(silenced, thread=thread)
    assert refusal.value.why == permissions.Silence.READER
    with pytest.raises(PermissionDenied):
        make_message(silenced, make_member())
    services.leave_conversation(member=silenced, thread=thread)
    assert thread.participants.get(member=silenced).left_number == 1


def test_a_stranger_does_nothing_there():
    thread, stranger = make_message(make_member(), make_member()).thread, make_member(is_moderator=True)
    for act in (
        lambda: make_message(stranger, thread=thread),
        lambda: make_post(author=stranger, thread=thread),
        lambda: services.add_person(actor=stranger, thread=thread, member=make_member()),
        lambda: services.leave_conversation(member=stranger, thread=thread),
        lambda: services.mute_conversation(member=stranger, thread=thread),
        lambda: services.set_watch(member=stranger, thread=thread, level="watching"),
        lambda: services.close_thread(thread=thread, actor=stranger, reason="Enough."),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert thread.posts.count() == 1


def test_a_message_is_no_post_of_a_thread():
    thread = make_thread()
    with pytest.raises(PermissionDenied):
        services.send_message(author=thread.author, thread=thread, source="Sneaked in.")
    one, other = make_member(), make_member()
    talk = make_message(one, other).thread
    with pytest.raises(PermissionDenied):
        make_post(author=one, thread=talk)


def test_a_private_message_is_nobodys_first_post():
    newcomer = make_member()
    message = make_message(newcomer, make_member())
    assert message.is_authors_first is False
    assert make_thread(author=newcomer).is_authors_first is True


# --- blocks ----------------------------------------------------------------------------------------------------------
def test_between_two_a_block_ends_it_both_ways_and_does_not_say_who():
    one, other = make_member(), make_member()
    thread = make_message(one, other).thread
    block(one, other)
    for writer in (one, other):
        with pytest.raises(services.CannotWrite) as refusal:
            make_message(writer, thread=thread)
        assert refusal.value.why == permissions.Silence.APART
    assert permissions.can_view_thread(other, thread)
    members.lift_boundary(owner=one, other=other)
    assert make_message(other, thread=thread).number == 2


def test_who_blocks_me_cannot_be_written_to_and_looks_like_anybody_away():
    author, blocker = make_member(), make_member()
    block(blocker, author)
    with pytest.raises(services.CannotReach) as refusal:
        make_message(author, blocker)
    assert refusal.value.people == [blocker]
    thread = make_message(author, make_member()).thread
    with pytest.raises(services.CannotReach):
        services.add_person(actor=author, thread=thread, member=blocker)


def test_among_more_a_block_ends_nothing():
    one, other, third = make_member(), make_member(), make_member()
    thread = make_message(one, other, third).thread
    block(one, other)
    assert [make_message(writer, thread=thread).number for writer in (one, other)] == [2, 3]


# --- coming and going ------------------------------------------------------------------------------------------------
def test_who_is_brought_in_reads_from_then_on():
    one, other, third = make_member(), make_member(), make_member()
    thread = make_message(one, other).thread
    make_message(other, thread=thread)
    seat = services.add_person(actor=other, thread=thread, member=third)
    make_message(one, thread=thread)
    assert (seat.first_number, seat.added_by) == (3, other)
    assert list(Post.objects.readable_by(third).values_list("number", flat=True)) == [3]
    unread = Thread.objects.readable_by(third).with_reading(third).get(pk=thread.pk)
    assert (unread.unread_count, unread.first_unread) == (1, 3)
    assert services.add_person(actor=one, thread=thread, member=third) == seat
    assert thread.participants.count() == 3


def test_no_ninth_person():
    author, others = make_member(), [make_member() for _number in range(7)]
    thread = make_message(author, *others).thread
    with pytest.raises(services.WrongNumber):
        services.add_person(actor=author, thread=thread, member=make_member())
    services.leave_conversation(member=others[0], thread=thread)
    services.add_person(actor=author, thread=thread, member=make_member())


def test_who_left_reads_what_was_and_is_not_brought_back():
    one, other, third = make_member(), make_member(), make_member()
    thread = make_message(one, other, third).thread
    services.leave_conversation(member=third, thread=thread)
    services.leave_conversation(member=third, thread=thread)
    make_message(one, thread=thread)
    assert list(Post.objects.readable_by(third).values_list("number", flat=True)) == [1]
    with pytest.raises(services.CannotReach):
        services.add_person(actor=one, thread=thread, member=third)
    with pytest.raises(services.CannotWrite) as refusal:
        make_message(third, thread=thread)
    assert refusal.value.why == permissions.Silence.LEFT
    with pytest.raises(PermissionDenied):
        services.mute_conversation(member=third, thread=thread)


def test_the_last_one_writes_to_nobody():
    one, other = make_member(), make_member()
    thread = make_message(one, other).thread
    services.leave_conversation(member=other, thread=thread)
    with pytest.raises(services.CannotWrite) as refusal:
        make_message(one, thread=thread)
    assert refusal.value.why == permissions.Silence.ALONE


def test_a_seat_says_up_to_where_it_reads():
    thread = make_message(make_member(), make_member()).thread
    with pytest.raises(IntegrityError, match="who_left_reads_up_to_a_number"), transaction.atomic():
        Participant.objects.filter(thread=thread).update(left_at=timezone.now())


# --- one's own words -------------------------------------------------------------------------------------------------
def test_only_the_author_edits_and_only_where_they_may_write():
    one, other = make_member(), make_member()
    post = make_message(one, other, source="Old words.")
    with pytest.raises(PermissionDenied):
        services.edit_post(editor=other, post=post, source="Mine now.")
    edited = services.edit_post(editor=one, post=post, source="New words.")
    assert (edited.source, edited.heading, edited.thread.title) == ("New words.", "", "")
    block(other, one)
    with pytest.raises(PermissionDenied):
        services.edit_post(editor=one, post=post, source="Still there?")


def test_hiding_takes_the_words_and_not_the_conversation():
    one, other, moderator = make_member(), make_member(), make_member(is_moderator=True)
    post = make_message(one, other)
    services.hide_post(post=post, actor=moderator, reason="A threat.")
    assert make_message(other, thread=post.thread).number == 2
    assert list(Post.objects.readable_by(other).values_list("number", flat=True)) == [2]
    services.restore_post(post=post, actor=moderator, reason="It was none.")
    assert Post.objects.readable_by(other).count() == 2
    assert Space.objects.get(readable_by="people").thread_count == 0


# --- limits ----------------------------------------------------------------------------------------------------------
def newcomer():
    return make_member(joined_at=timezone.now() - timedelta(hours=1))


def veteran():
    return make_member(joined_at=timezone.now() - timedelta(days=90))


def test_a_new_member_begins_few_conversations_a_day(daily_limits, ruled):
    ruled(new_conversations_per_day=2)
    new, old = newcomer(), veteran()
    for author in (new, old):
        for _number in range(2):
            make_message(author, make_member())
    make_message(old, make_member())
    with pytest.raises(services.LimitReached, match="2 conversations within 24 hours"):
        make_message(new, make_member())
    thread = Thread.objects.filter(kind="conversation", author=new).first()
    assert make_message(new, thread=thread).number == 2


def test_bringing_people_in_is_limited_alike(daily_limits, ruled):
    ruled(new_conversations_per_day=1)
    new = newcomer()
    thread = make_message(new, make_member()).thread
    services.add_person(actor=new, thread=thread, member=make_member())
    with pytest.raises(services.LimitReached, match="1 person within 24 hours"):
        services.add_person(actor=new, thread=thread, member=make_member())


def test_messages_in_an_hour_are_limited_and_the_sentence_says_until_when(ruled):
    ruled(messages_per_hour=2)
    author, other = veteran(), veteran()
    thread = make_message(author, other).thread
    make_message(author, thread=thread)
    with pytest.raises(services.LimitReached, match=r"2 messages within an hour.*You can go on from"):
        make_message(author, thread=thread)
    assert make_message(other, thread=thread).number == 3
    Post.objects.filter(thread=thread, number=1).update(published_at=timezone.now() - timedelta(minutes=61))
    assert make_message(author, thread=thread).number == 4


# --- the end ---------------------------------------------------------------------------------------------------------
def test_a_conversation_that_all_have_left_is_deleted():
    one, other = make_member(), make_member()
    gone, stays = make_message(one, other).thread, make_message(one, make_member()).thread
    services.leave_conversation(member=one, thread=gone)
    assert services.delete_deserted() == 0
    services.leave_conversation(member=other, thread=gone)
    assert services.delete_deserted() == 1
    assert list(Thread.objects.filter(kind="conversation")) == [stays]
    assert services.delete_deserted() == 0


def test_what_was_reported_there_is_judged_first():
    one, other, moderator = make_member(), make_member(), make_member(is_moderator=True)
    post = make_message(one, other)
    moderation.report(reporter=other, target=post, reason="unkind")
    for person in (one, other):
        services.leave_conversation(member=person, thread=post.thread)
    assert services.delete_deserted() == 0
    moderation.resolve(target=post, actor=moderator, hide=False, reason="Nothing in it.")
    assert services.delete_deserted() == 1


@pytest.mark.parametrize("keep_words", [True, False])
def test_who_is_erased_is_no_longer_there(keep_words):
    one, other = make_member(), make_member()
    post = make_message(one, other, source="What I said.")
    make_message(other, thread=post.thread, source="What they said.")
    members.erase_member(member=one, keep_words=keep_words)
    words = list(post.thread.posts.order_by("number").values_list("source", flat=True))
    assert words == (["What I said.", "What they said."] if keep_words else ["", "What they said."])
    assert list(post.thread.participants.values_list("member", flat=True)) == [other.pk]
    with pytest.raises(services.CannotWrite):
        make_message(other, thread=post.thread)
    members.erase_member(member=other, keep_words=keep_words)
    assert services.delete_deserted() == 1
    assert not Thread.objects.filter(pk=post.thread_id).exists()


def test_what_was_read_is_counted_from_where_one_came_in():
    one, other = make_member(), make_member()
    thread = make_message(one, other).thread
    third = make_member()
    services.add_person(actor=one, thread=thread, member=third)
    assert ReadState.objects.get(member=third, thread=thread).numbers == [(1, 2)]
    assert Member.objects.filter(conversations__thread=thread).count() == 3
