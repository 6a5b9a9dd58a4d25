"""First words that are a reply are owed one, too: their clock, what stops it, and where it goes."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from discussions import answering, services
from discussions.models import AskedToAnswer, DiscussionSettings, OwedReply
from discussions.services import promise
from kmnet.core.models import Notification, OutgoingMail
from kmnet.core.moments import after_weekday_hours
from members.models import Boundary, Group, GroupMember, Standing
from tests.factories import make_member
from tests.factories.discussions import make_message, make_post, make_space, make_thread
from tests.mailbox import send_due, text_of

from .test_promise import asked, helper, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def old_hand():
    """Somebody whose first words were long ago."""
    return written_before(make_member())


@pytest.fixture
def thread(old_hand):
    """A discussion that is owed nothing."""
    return make_thread(author=old_hand, kind="discussion", tags=["boards"])


@pytest.fixture
def moderator():
    return written_before(make_member(is_moderator=True))


def written_before(member):
    first = make_thread(author=member)
    OwedReply.objects.filter(thread=first).delete()
    return member


def clock_of(post):
    return OwedReply.objects.filter(post=post).first()


def owed():
    return set(OwedReply.objects.owed().values_list("thread", "post"))


def ring(post, *, host=False):
    past = timezone.now() - timedelta(hours=1)
    OwedReply.objects.filter(post=post).update(ask_at=past, **({"host_at": past} if host else {}))
    return promise.serve_due()


def numbers(**which):
    now = timezone.now()
    return answering.numbers(now - timedelta(days=1), now, now=now, **which)


# --- the clock -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["discussion", "question", "introduction", "announcement"])
def test_a_first_reply_starts_a_clock_in_its_writers_zone_and_the_second_does_not(kind):
    host = written_before(make_member(is_host=True, is_moderator=True))
    thread = make_thread(author=host, kind=kind)
    newcomer = make_member(time_zone="Africa/Nairobi")
    first = make_post(thread=thread, author=newcomer)
    clock = clock_of(first)
    assert (clock.thread, clock.started_at, clock.kept_at) == (thread, first.published_at, None)
    assert clock.ask_at == after_weekday_hours(first.published_at, 24, "Africa/Nairobi")
    assert clock.host_at == after_weekday_hours(first.published_at, 48, "Africa/Nairobi")
    assert (thread.pk, first.pk) in owed()
    assert clock_of(make_post(thread=thread, author=newcomer)) is None
    assert clock_of(make_post(author=newcomer)) is None
    assert clock_of(make_post(thread=thread, author=host)) is None


def test_words_in_private_are_no_first_words(old_hand, thread):
    newcomer = make_member()
    assert clock_of(make_message(newcomer, old_hand)) is None
    assert clock_of(make_post(thread=thread, author=newcomer)) is not None


def test_the_next_post_by_somebody_else_stops_it_and_own_ones_and_earlier_ones_do_not(thread, old_hand):
    earlier = make_post(thread=thread, author=old_hand)
    newcomer = make_member()
    first = make_post(thread=thread, author=newcomer, parent=earlier)
    make_post(thread=thread, author=newcomer)
    make_post(thread=make_thread(author=old_hand), author=old_hand)  # elsewhere
    assert owed() >= {(thread.pk, first.pk)}
    answer = make_post(thread=thread, author=old_hand)
    assert clock_of(first).kept_at == answer.published_at
    assert (thread.pk, first.pk) not in owed()


def test_two_newcomers_answer_each_other(thread):
    first, second = make_post(thread=thread), make_post(thread=thread)
    assert clock_of(first).kept_at == second.published_at
    assert owed() == {(thread.pk, second.pk)}


def test_a_question_and_the_first_words_that_answer_it_have_a_clock_each(old_hand):
    question = make_thread(author=old_hand)
    assert owed() == {(question.pk, None)}
    first = make_post(thread=question)
    assert owed() == {(question.pk, first.pk)}
    services.accept_answer(actor=old_hand, post=first)  # without a word
    assert owed() == {(question.pk, first.pk)}
    make_post(thread=question, author=old_hand)
    assert owed() == set()
    assert numbers().asked == numbers().replied == 2


def test_of_a_held_post_it_starts_when_that_is_released(thread, moderator):
    held = services.add_reply(author=make_member(), thread=thread, source="Hello.", hold=True)
    assert clock_of(held) is None
    released = services.release_post(post=held, actor=moderator, reason="Fine.")
    assert clock_of(held).started_at == released.published_at
    assert owed() == {(thread.pk, held.pk)}


def test_a_held_answer_stops_it_when_it_is_released(thread, moderator, old_hand):
    first = make_post(thread=thread)
    held = services.add_reply(author=old_hand, thread=thread, source="Welcome.", hold=True)
    assert clock_of(first).kept_at is None
    released = services.release_post(post=held, actor=moderator, reason="Fine.")
    assert clock_of(first).kept_at == released.published_at


def test_an_answer_that_goes_lets_it_run_again(thread, moderator, old_hand):
    first = make_post(thread=thread)
    answer, later = make_post(thread=thread, author=old_hand), make_post(thread=thread, author=moderator)
    services.hide_post(post=answer, actor=moderator, reason="Not kind.")
    assert clock_of(first).kept_at == later.published_at
    services.delete_post(actor=moderator, post=later)
    assert owed() == {(thread.pk, first.pk)}
    services.restore_post(post=answer, actor=moderator, reason="Kind after all.")
    assert clock_of(first).kept_at == answer.published_at


def test_what_is_hidden_or_taken_back_or_closed_waits_for_nothing_meanwhile(thread, moderator):
    first = make_post(thread=thread)
    services.hide_post(post=first, actor=moderator, reason="A name.")
    assert (owed(), numbers(first_posts=True).asked) == (set(), 0)
    services.restore_post(post=first, actor=moderator, reason="No name.")
    assert (owed(), numbers(first_posts=True).asked) == ({(thread.pk, first.pk)}, 1)
    services.delete_post(actor=first.author, post=first)
    assert owed() == set()
    services.undelete_post(actor=first.author, post=first)
    services.close_thread(thread=thread, actor=moderator, reason="Twice.")
    assert owed() == set()
    services.reopen_thread(thread=thread, actor=moderator, reason="Not twice.")
    assert owed() == {(thread.pk, first.pk)}


@pytest.mark.parametrize("keep_words", [True, False])
def test_with_the_account_of_its_writer_it_goes(thread, old_hand, keep_words):
    first = make_post(thread=thread)
    make_post(thread=thread, author=old_hand, parent=first)  # so that a stub stays
    services.forget_author(member=first.author, keep_words=keep_words)
    assert OwedReply.objects.filter(post=first).count() == 0


# --- splitting, merging, moving -------------------------------------------------------------------------------------------
def test_first_words_with_which_a_thread_begins_take_their_clock_along(thread, moderator, old_hand):
    first = make_post(thread=thread)
    started = clock_of(first).started_at
    answer = make_post(thread=thread, author=old_hand, parent=first)
    make_post(thread=thread, author=moderator)
    fields = {"actor": moderator, "thread": thread, "reason": "Two subjects."}
    new = services.split_thread(**fields, numbers=[first.number], title="Another")
    clock = OwedReply.objects.get()
    assert (clock.thread, clock.post, clock.started_at) == (new, None, started)
    assert clock.kept_at == new.first_reply_at == answer.published_at
    assert numbers(first_posts=True).asked == 1
    services.merge_thread(actor=moderator, thread=new, into=thread, reason="One subject.")
    clock = OwedReply.objects.get()
    assert (clock.thread, clock.post, clock.started_at) == (thread, first, started)
    assert clock.kept_at == answer.published_at
    assert numbers(first_posts=True).asked == 1


def test_moved_on_into_another_thread_it_waits_there(thread, moderator, old_hand):
    first = make_post(thread=thread)
    make_post(thread=thread, author=old_hand)
    into = make_thread(author=old_hand, kind="discussion")
    services.split_thread(actor=moderator, thread=thread, numbers=[first.number], into=into, reason="There.")
    assert owed() == {(into.pk, first.pk)}
    answer = make_post(thread=into, author=old_hand)
    assert clock_of(first).kept_at == answer.published_at


def test_a_thread_of_first_words_that_is_merged_is_owed_an_answer_as_a_reply(thread, moderator):
    newcomers = make_thread(kind="discussion")
    first = newcomers.posts.get()
    services.merge_thread(actor=moderator, thread=newcomers, into=thread, reason="The same.")
    assert owed() == {(thread.pk, first.pk)}


# --- asking ------------------------------------------------------------------------------------------------------------
def test_willing_members_are_asked_once_then_a_host(thread, old_hand):
    willing, host = helper("boards"), make_member(is_host=True)
    first = make_post(thread=thread, source="We do it **yearly**.")
    assert ring(first) == 1
    assert asked(thread) == {willing.pk}
    assert ring(first, host=True) == 1
    assert asked(thread) == {willing.pk, host.pk}
    assert ring(first, host=True) == 0
    tell()
    link = f"{thread.get_absolute_url()}?post={first.number}#post-{first.number}"
    mails = {mail["To"]: mail for mail in send_due() if mail["To"] in (willing.email, host.email)}
    for person, subject in (
        (willing, f"Could you answer somebody new? {thread.title}"),
        (host, f"Nobody has replied to their first words: {thread.title}"),
    ):
        mail = mails[person.email]
        assert mail["Subject"] == subject
        assert "These are their first words here." in text_of(mail)
        assert "We do it **yearly**." in text_of(mail)
        assert link in text_of(mail)


def test_the_notification_leads_to_the_words(client, thread):
    host = make_member(is_host=True)
    first = make_post(thread=thread)
    ring(first, host=True)
    tell()
    client.force_login(host)
    page = client.get(reverse("hub:notifications")).content.decode()
    assert page.count("Nobody has replied to somebody’s first words, and it is your turn as a host:") == 1
    assert f"{thread.get_absolute_url()}?post={first.number}#post-{first.number}" in page


def test_nobody_is_told_once_somebody_has_replied(thread, old_hand):
    host = make_member(is_host=True)
    first = make_post(thread=thread)
    ring(first, host=True)
    tell()
    make_post(thread=thread, author=old_hand)
    send_due()
    assert OutgoingMail.objects.get(kind="discussions.owed").reason == "somebody has replied meanwhile"
    other = make_post(thread=make_thread(author=old_hand, kind="discussion"))
    assert ring(other, host=True) == 1
    make_post(thread=other.thread, author=old_hand)
    tell()  # only now
    assert Notification.objects.filter(recipient=host, activity__verb="discussions.owed").count() == 1


@pytest.mark.parametrize("who", ["newcomer", "asker"])
def test_who_keeps_away_is_not_asked_neither_as_a_host(thread, old_hand, who):
    willing, host, other = helper("boards"), make_member(is_host=True), make_member(is_host=True)
    first = make_post(thread=thread)
    waits = {"newcomer": first.author, "asker": old_hand}[who]
    for owner, kept_away in ((willing, waits), (waits, host)):
        Boundary.objects.create(owner=owner, other=kept_away, distance="block")
    assert ring(first, host=True) == 1
    assert set(AskedToAnswer.objects.values_list("member", "as_host")) == {(other.pk, True)}


def test_in_a_group_only_those_inside_are_asked(old_hand):
    group = Group.objects.create(slug="circle", name="Circle")
    newcomer, inside, _outside = make_member(), helper("boards"), helper("boards")
    for member in (old_hand, newcomer, inside):
        GroupMember.objects.create(group=group, member=member, standing=Standing.MEMBER)
    space = make_space(readable_by="group", group=group)
    thread = make_thread(author=old_hand, space=space, kind="discussion", tags=["boards"])
    first = make_post(thread=thread, author=newcomer)
    assert ring(first) == 1
    assert asked(thread) == {inside.pk}
    assert numbers(first_posts=True).asked == 0  # a group's are not counted


def test_under_a_mask_nobody_has_first_words(old_hand, moderator):
    settings = DiscussionSettings()
    settings.save()
    settings.unmaskers.set([moderator, make_member(is_moderator=True)])
    try:
        asker = make_member()
        thread = make_thread(author=asker, masked=True)
        assert clock_of(make_post(thread=thread, author=asker)) is None
        first = make_post(thread=thread)
        assert clock_of(first).kept_at is None
        answer = make_post(thread=thread, author=asker)
        assert clock_of(first).kept_at == answer.published_at
    finally:
        settings.unmaskers.clear()


# --- the pages ---------------------------------------------------------------------------------------------------------
def test_hosts_see_it_wait_at_the_same_price(client, thread, old_hand):
    client.force_login(make_member(is_host=True))
    first = make_post(thread=thread)
    client.get(reverse("hub:replies"))
    with CaptureQueriesContext(connection) as one:
        page = client.get(reverse("hub:replies")).content.decode()
    assert page.count("waiting since") == page.count("their first post, a reply") == 1
    assert page.count(first.author.name) == 1
    assert old_hand.name not in page
    assert f"{thread.get_absolute_url()}?post=2#post-2" in page
    for _ in range(29):
        make_post(thread=make_thread(author=old_hand, kind="discussion"))
    with CaptureQueriesContext(connection) as many:
        page = client.get(reverse("hub:replies")).content.decode()
    assert page.count("their first post, a reply") == 30
    assert len(many) == len(one)


@pytest.mark.parametrize("days", [0, 60])
def test_first_words_and_the_answer_to_them_cost_at_most_twelve_queries(
    client, thread, old_hand, days, django_assert_max_num_queries
):
    """The savepoint that stands for the transaction here is not among the twelve."""
    newcomer = make_member(joined_at=timezone.now() - timedelta(days=days))
    for member in (newcomer, old_hand):
        client.force_login(member)
        client.get(thread.get_absolute_url())  # the session is on its member's list from now on
        form = {"body": "It worked.", "submit_key": str(uuid.uuid4())}
        with django_assert_max_num_queries(12 + 2):
            url = reverse("discussions:reply", args=[thread.space.slug, thread.pk, thread.slug])
            assert client.post(url, form).status_code == 302
    assert clock_of(thread.posts.get(number=2)).kept_at == thread.posts.get(number=3).published_at
