"""What is gathered for many members at once is what the rules of the pages allow each of them, and each letter is the
same whether it was made with others or by itself."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from taggit.models import Tag

from discussions import services as discussions
from discussions.models import (
    DiscussionSettings,
    Following,
    Mention,
    Owed,
    Post,
    ReadState,
    SpaceLevel,
    TagLevel,
    Thread,
    ThreadWatch,
    written_by,
)
from events.models import Event, EventInvitation, Status
from kmnet.core import activity
from kmnet.core.mail.message import build_message
from kmnet.core.models import MailChoice, OutgoingMail
from kmnet.hub import home
from kmnet.hub.digest import letters, others, press, readers, slices, talks
from kmnet.hub.models import DigestRun
from members.models import Member
from members.services import lift_boundary, set_boundary
from members.visibility import level_between
from resources.models import Resource
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.events import make_event, make_registration
from tests.factories.groups import make_group
from tests.factories.resources import make_resource

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TAGS = ["boards", "journals", "ethics", "videos"]


class World:
    """People of every kind, in groups and out of them, who follow, mute, read, block and ignore at random."""

    def __init__(self, seed: int):
        self.dice, self.now = random.Random(seed), timezone.now()
        self.people = [
            make_member(name=f"Person {number}", joined_at=self.now - timedelta(days=2 + number), **kind)
            for number, kind in enumerate(
                [
                    {}, {}, {}, {}, {}, {}, {"is_host": True}, {"is_moderator": True}, {"is_organiser": True},
                    {"is_staff": True, "is_superuser": True}, {"status": "pending"}, {"status": "silenced"},
                ]
            )
        ]  # fmt: skip
        self.writers = [*self.people[:6], make_member(), make_member()]
        self.groups = [make_group(*self.some(self.people[:9], 3)) for _ in range(3)]
        self.spaces = [
            make_space(readable_by="public"),
            make_space(readable_by="members"),
            make_space(readable_by="public", default_level="watching"),
            *(make_space(readable_by="group", group=group) for group in self.groups),
        ]
        self.talk()
        self.take_sides()
        self.read()
        self.gather()
        type(self.groups[2]).objects.filter(pk=self.groups[2].pk).update(closed_at=self.now)
        self.runs = [
            self.run(member) for member in Member.objects.filter(pk__in=[one.pk for one in self.people])
        ]

    def some(self, things, most):
        return self.dice.sample(list(things), self.dice.randrange(most + 1))

    def run(self, member) -> DigestRun:
        since = self.now - self.dice.choice([DAY, 3 * DAY, 7 * DAY])
        run = DigestRun.objects.create(
            member=member,
            period="2026-11-24",
            since=since,
            until=self.now - timedelta(hours=self.dice.randrange(6)),
            due_at=self.now,
            ahead_from=self.now,
            ahead_until=self.now + DAY,
        )
        return DigestRun.objects.select_related("member__profile").get(pk=run.pk)

    def talk(self):
        settings = DiscussionSettings()
        settings.save()
        settings.unmaskers.set([make_member(is_moderator=True), make_member(is_moderator=True)])
        self.threads = []
        for _number in range(18):
            space = self.dice.choice(self.spaces)
            author = self.dice.choice(self.writers)
            if space.group_id:
                author = self.dice.choice(
                    Member.objects.filter(standings__group=space.group_id, status="active").order_by("pk")
                )
            thread = make_thread(
                space=space,
                author=author,
                tags=self.some(TAGS, 2),
                kind=self.dice.choice(["question", "discussion"]),
                masked=space.group_id is None and self.dice.random() < 0.2,
            )
            self.threads.append(thread)
            for _reply in range(self.dice.randrange(4)):
                last = thread.posts.order_by("number").last()
                parent = last if last.number > 1 and self.dice.random() < 0.5 else None
                post = make_post(
                    thread=thread,
                    author=author if space.group_id else self.dice.choice(self.writers),
                    parent=parent,
                )
                for member in self.some(self.people, 1):
                    Mention.objects.get_or_create(post=post, member=member)
        for post in Post.objects.all():
            at = self.now - timedelta(minutes=self.dice.randrange(8 * 24 * 60))
            state = self.dice.choices(["visible", "hidden"], [9, 1])[0]
            gone = self.now if self.dice.random() < 0.05 else None
            Post.objects.filter(pk=post.pk).update(published_at=at, state=state, withdrawn_at=gone)
        for thread in self.threads:
            moments = thread.posts.values_list("published_at", flat=True)
            Thread.objects.filter(pk=thread.pk).update(
                last_post_at=max(moments), state=self.dice.choices(["visible", "hidden"], [9, 1])[0]
            )
        gone, kept = self.threads[:2]
        Thread.objects.filter(pk=gone.pk).update(merged_into=kept)

    def take_sides(self):
        for member in self.people:
            for other in self.some([one for one in self.writers if one != member], 2):
                set_boundary(owner=member, other=other, distance=self.dice.choice(["block", "ignore"]))
            for level in self.some(["watching", "tracking", "normal", "muted"], 3):
                until = self.dice.choice([None, self.now + DAY, self.now - DAY])
                what = {"level": level, "until": until}
                by_themselves = self.dice.random() < 0.3
                ThreadWatch.objects.update_or_create(
                    member=member,
                    thread=self.dice.choice(self.threads),
                    defaults={**what, "chosen": not by_themselves},
                )
                SpaceLevel.objects.update_or_create(
                    member=member, space=self.dice.choice(self.spaces), defaults=what
                )
                name = self.dice.choice(TAGS)
                tag = Tag.objects.get_or_create(name=name, defaults={"slug": name})[0]
                TagLevel.objects.update_or_create(member=member, tag=tag, defaults=what)
            member.profile.can_help.set(Tag.objects.filter(name__in=self.some(TAGS, 2)))
            for category in self.some(["reply", "watched", "could_answer", "new_resources"], 1):
                MailChoice.objects.create(member=member, category=category, how="never")

    def read(self):
        for member in self.people:
            for thread in self.some(self.threads, 6):
                numbers = self.some(range(1, 5), 4)
                ReadState.objects.mark(member=member, thread_id=thread.pk, numbers=numbers)
            if self.dice.random() < 0.5:
                space = self.dice.choice([None, *self.spaces])
                at = self.now - timedelta(hours=self.dice.randrange(60))
                member.caught_up.create(space=space, at=at)
            for post in self.some(Post.objects.order_by("pk"), 3):
                target = self.dice.choice([post, post.thread])
                deed = activity.record("discussions.replied", actor=None, target=target)
                state = self.dice.choice(["sent", "waiting", "withheld"])
                OutgoingMail.objects.create(
                    kind="discussions.reply",
                    member=member,
                    dedupe_key=f"{member.pk}:{deed.pk}",
                    refs={"activity": deed.pk},
                    due_at=self.now,
                    next_try_at=self.now,
                    state=state,
                    sent_at=self.now if state == "sent" else None,
                    reason="left to the digest: watched" if state == "withheld" else "",
                )
        OutgoingMail.objects.update(created_at=self.now - timedelta(minutes=1))

    def gather(self):
        for number in range(12):
            group = self.dice.choice([None, None, *self.groups])
            at = self.now - timedelta(hours=self.dice.randrange(190))
            resource = make_resource(tags=self.some(TAGS, 2))
            Resource.objects.filter(pk=resource.pk).update(
                added_by=self.dice.choice(self.people),
                published_at=at,
                group=group,
                visibility="group" if group else self.dice.choice(["public", "members"]),
                state=self.dice.choices(["visible", "hidden"], [9, 1])[0],
            )
            event = make_event(
                published_at=at,
                starts_in=timedelta(hours=self.dice.randrange(1, 48)),
                group=group,
                visibility=2 if group else self.dice.choice([0, 1, 3]),
                organisers=self.some(self.people, 1),
                cancelled_at=self.now if number == 3 else None,
            )
            for member in self.some(self.people, 2):
                status = self.dice.choice([Status.CONFIRMED, Status.WAITING, Status.CANCELLED])
                make_registration(event=event, member=member, status=status)
            for member in self.some(self.people, 2):
                EventInvitation.objects.get_or_create(event=event, member=member)


def met(runs):
    found = talks.Talks(min(run.since for run in runs))
    return found, readers.meet(runs, list(found.by_id))


def by_the_pages(run) -> set[int]:
    """The posts of the window that are news to its member, asked of the querysets, one member at a time."""
    member = Member.objects.get(pk=run.member_id)
    seen = Thread.objects.visible_to(member).shown().not_muted_by(member)
    posts = (
        Post.objects.visible_to(member)
        .shown()
        .filter(thread__in=seen, withdrawn_at__isnull=True)
        .filter(published_at__gt=run.since, published_at__lte=run.until)
        .exclude(written_by(member))
        .exclude(author__in=member.unwanted)
        .exclude(mask__member__in=member.unwanted)
        .exclude(thread__author__in=member.unwanted)
        .exclude(thread__mask__member__in=member.unwanted)
        .select_related("thread")
    )
    mails = OutgoingMail.objects.filter(member=member, state__in=["sent", "waiting"])
    deeds = activity.Activity.objects.filter(
        pk__in=[mail.refs["activity"] for mail in mails if "activity" in mail.refs]
    )
    targets = [deed.target for deed in deeds]
    mailed = {one.pk for one in targets if isinstance(one, Post)}
    mailed |= {one.posts.get(number=1).pk for one in targets if isinstance(one, Thread)}
    markers = {marker.thread_id: marker for marker in ReadState.objects.filter(member=member)}
    owed = Owed.to(member)

    def is_read(post):
        marker = markers.get(post.thread_id)
        if marker is not None:
            return marker.has(post.number)
        return post.published_at <= owed.since_in(post.thread.space_id)

    return {post.pk for post in posts if post.pk not in mailed and not is_read(post)}


@pytest.mark.parametrize("seed", [1, 2])
def test_many_at_once_are_told_what_the_pages_would_show_each_of_them(seed):
    world = World(seed)
    found, met_readers = met(world.runs)
    told_of = set()
    for run in world.runs:
        reader = met_readers[run.pk]
        bulk = {
            post.pk
            for talk in found.by_id.values()
            if (news := talks.news_to(reader, talk))
            for post in news.posts
        }
        assert bulk == by_the_pages(run), (seed, run.member)
        told_of |= bulk
    assert len(told_of) > 2  # there was something to decide, whatever was made before this test
    assert told_of < {post for post in found.of_post}

    # How closely they follow, and how much they see of one another.
    members = [run.member for run in world.runs]
    for run in world.runs:
        one_by_one, reader = Following.of(run.member), met_readers[run.pk]
        for talk in found.by_id.values():
            assert reader.following.level(talk) == one_by_one.level(talk)
    groups = readers.groups_of_others(member.pk for member in members)
    for run in world.runs:
        reader = Member.objects.get(pk=run.member_id)
        for member in members:
            shown = met_readers[run.pk].level_to(member.pk, groups[member.pk])
            assert shown == level_between(reader, member), (reader, member)

    # Events and resources.
    gathered = others.gather(met_readers.values(), world.now)
    for run in world.runs:
        member, here = run.member, gathered[run.pk]
        places = home.places_of(member, world.now).filter(
            event__starts_at__gt=max(world.now, run.ahead_from), event__starts_at__lte=run.ahead_until
        )[: others.PLACES]
        assert here.places == list(places)
        events = Event.objects.for_digest(member, run.since, run.until).filter(starts_at__gt=world.now)
        events = events.exclude(pk__in=[place.event_id for place in here.places])
        assert here.events == list(events[: others.EVENTS])
        resources = set(Resource.objects.for_digest(member, run.since, run.until))
        if "new_resources" in met_readers[run.pk].refused:
            resources = set()
        assert {one.resource for one in here.resources} == resources
        arrived = home.newcomers_for(member, world.now).exclude(pk__in=member.unwanted)
        arrived = arrived.filter(onboarded_at__gt=run.since, onboarded_at__lte=run.until)
        if member.is_host:
            assert [one.pk for one, _shown in here.newcomers] == [
                one.pk for one in arrived[: others.NEWCOMERS]
            ]
        assert {one.pk for one, _shown in here.newcomers} <= {one.pk for one in arrived}

    # And each letter is what it would be by itself, within the minutes, and nothing in it twice.
    made = slices.Slice(world.runs)
    for run in world.runs:
        here, alone = made.plans[run.pk], slices.Slice([run]).plans[run.pk]
        assert contents(here) == contents(alone)
        assert here.minutes <= run.member.profile.digest_minutes + 1e-6
        told = [news.talk.pk for news in here.choice.talks] + [one.thread.pk for one in here.others.outcomes]
        assert len(told) == len(set(told))


def contents(plan):
    choice, rest = plan.choice, plan.others
    return (
        [
            [(news.talk.pk, [post.pk for post in news.posts]) for news in section]
            for section in sections_of(choice)
        ],
        choice.more,
        [place.pk for place in rest.places],
        [event.pk for event in rest.events],
        [(found.resource.pk, found.because) for found in rest.resources],
        [member.pk for member, _shown in rest.newcomers],
        [outcome.thread.pk for outcome in rest.outcomes],
    )


def sections_of(choice):
    return choice.questions, choice.replies, choice.followed, choice.rest


# --- the same number of questions ------------------------------------------------------------------------------------
def make_runs(count=0, members=(), **window):
    now = timezone.now()
    window = {
        "since": now - DAY,
        "until": now,
        "due_at": now,
        "ahead_from": now,
        "ahead_until": now + DAY,
    } | window
    members = [*members, *(make_member(joined_at=now - 30 * DAY) for _ in range(count))]
    return DigestRun.objects.bulk_create(
        DigestRun(member=member, period="2026-11-24", **window) for member in members
    )


def test_a_slice_costs_the_same_number_of_statements_for_2_readers_and_2_things_or_30():
    counts = []
    for number in (2, 30):
        space, author = make_space(), make_member()
        for _ in range(number):
            make_thread(space=space, author=author, tags=["boards"])
            make_resource(tags=["boards"])
            make_event(published_at=timezone.now() - timedelta(minutes=30))
        runs = make_runs(number)
        mails = [OutgoingMail(pk=run.pk, refs={"run": run.pk}) for run in runs]
        Tag.objects.get_or_create(name="warm", slug="warm")
        letters.prepare(mails)  # the SQL of each kind of reader is made at its first use
        with CaptureQueriesContext(
            connection,
        ) as asked:
            made = letters.prepare(mails)
        assert all(made[run.pk].plans[run.pk].choice.rest for run in runs)
        counts.append(len([query for query in asked if "CHECK" not in query["sql"]]))
    assert counts[0] == counts[1] <= 40, counts


def hide(post):
    discussions.hide_post(post=post, actor=make_member(is_moderator=True), reason="Names a patient.")


def leave_group(post):
    post.thread.space.group.standings.filter(member__name="Rosalind").delete()


def take_back(post):
    Post.objects.filter(pk=post.pk).update(withdrawn_at=timezone.now())


def merge(post):
    Thread.objects.filter(pk=post.thread_id).update(merged_into=make_thread())


def ignore(post):
    for reader in Member.objects.filter(name="Rosalind"):
        set_boundary(owner=reader, other=post.author, distance="ignore")


def suspend(post):
    Member.objects.filter(name="Rosalind").update(status="pending")


@pytest.mark.parametrize("act", [hide, leave_group, take_back, merge, ignore, suspend])
def test_what_changes_after_it_was_prepared_is_not_sent(act, monkeypatch):
    reader = make_member(name="Rosalind", joined_at=timezone.now() - 30 * DAY)
    author = make_member()
    group = make_group(reader, convenor=author)
    space = make_space(readable_by="group", group=group)
    stays = make_thread(title="Names nobody")
    gone = make_thread(title="Names a patient", author=author, space=space)
    [run] = make_runs(members=[reader], until=timezone.now() + timedelta(minutes=1))
    mail = OutgoingMail(pk=1, kind="hub.digest", member=reader, refs={"run": run.pk})
    mail.prepared = letters.prepare([mail])[mail.pk]
    assert {news.talk.pk for news in mail.prepared.plans[run.pk].choice.talks} == {gone.pk, stays.pk}
    assert "Names a patient" in str(build_message(mail).body)
    act(gone.posts.get())
    monkeypatch.setattr(slices, "FRESH_FOR", -1)  # some seconds go by
    mail.member = Member.objects.get(pk=reader.pk)
    words = str(build_message(mail).body)
    assert "Names nobody" in words
    assert "Names a patient" not in words


def test_an_item_that_cannot_be_put_into_words_keeps_only_its_own_readers_waiting(monkeypatch, caplog):
    """The one sees a thread of their group, which breaks; the other gets a letter all the same."""
    one, other = make_member(), make_member()
    space = make_space(readable_by="group", group=make_group(one, other))
    GroupMember = space.group.standings.model
    GroupMember.objects.filter(member=other).delete()
    make_thread(title="Breaks", space=space, author=one)
    make_post(
        thread=Thread.objects.get(title="Breaks"),
        author=space.group.standings.get(standing="convenor").member,
    )
    make_thread(title="Is told")
    Member.objects.filter(pk__in=[one.pk, other.pk]).update(joined_at=timezone.now() - 30 * DAY)
    runs = make_runs(members=[one, other], until=timezone.now() + timedelta(minutes=1))
    raw = press.Press.raw

    def breaks(self, order):
        if order.context().get("thread") and order.context()["thread"].title == "Breaks":
            raise ValueError("no words for it")
        return raw(self, order)

    monkeypatch.setattr(press.Press, "raw", breaks)
    mails = [
        OutgoingMail(pk=run.pk, kind="hub.digest", member=run.member, refs={"run": run.pk}) for run in runs
    ]
    prepared = letters.prepare(mails)
    for mail in mails:
        mail.prepared = prepared[mail.pk]
    with pytest.raises(ValueError, match="no words"):
        build_message(mails[0])
    assert "Is told" in build_message(mails[1]).body


def test_slices_that_follow_one_another_share_what_was_read_of_the_threads(
    settings, django_assert_num_queries
):
    settings.DIGEST_SHARED_FOR = 60
    make_thread(title="Told to all")
    runs = make_runs(4, until=timezone.now() + timedelta(minutes=1))
    try:
        talks.Talks._kept = None
        first = slices.Slice(runs[:2])
        with django_assert_num_queries(0):
            assert talks.Talks.covering(runs[2].since).by_id
        for made, some in ((first, runs[:2]), (slices.Slice(runs[2:]), runs[2:])):
            assert all(len(told(made.plans[run.pk].choice.rest)) == 1 for run in some)
    finally:
        talks.Talks._kept = None


# --- the order and the minutes ---------------------------------------------------------------------------------------
def plan_for(reader, **window):
    now = timezone.now() + timedelta(minutes=1)
    run = DigestRun.objects.create(
        member=reader,
        period=f"{reader.digest_runs.count()}",
        **{
            "since": now - DAY,
            "until": now,
            "due_at": now,
            "ahead_from": now,
            "ahead_until": now + DAY,
            **window,
        },
    )
    run = DigestRun.objects.select_related("member__profile").get(pk=run.pk)
    return slices.Slice([run]).plans[run.pk]


def make_reader(**profile):
    return make_member(profile=profile, joined_at=timezone.now() - 30 * DAY)


def told(section):
    return [news.talk.pk for news in section]


def test_each_thread_stands_in_the_first_section_that_it_fits():
    reader, other = make_reader(digest_minutes=10), make_member()
    reader.profile.can_help.add(Tag.objects.create(name="boards", slug="boards"))
    question = make_thread(tags=["boards"])
    own = make_thread(author=reader, kind="discussion", replies=1)
    elsewhere = make_thread(kind="discussion")
    mine = make_post(thread=elsewhere, author=reader)
    make_post(thread=elsewhere, author=other, source="Not to you.")
    answer = make_post(thread=elsewhere, author=other, parent=mine, source="To you.")
    followed, muted, rest = (make_thread(kind="discussion") for _ in range(3))
    discussions.set_watch(member=reader, thread=followed, level="watching")
    discussions.set_watch(member=reader, thread=muted, level="muted")
    choice = plan_for(reader).choice
    assert told(choice.questions) == [question.pk]
    assert set(told(choice.replies)) == {own.pk, elsewhere.pk}
    assert next(news for news in choice.replies if news.talk.pk == elsewhere.pk).first.pk == answer.pk
    assert told(choice.followed) == [followed.pk]
    assert told(choice.rest) == [rest.pk]
    assert not choice.more


def test_what_shares_the_readers_interests_goes_before_what_is_newer_or_livelier():
    reader = make_reader()
    reader.profile.looking_for.add(Tag.objects.create(name="ethics", slug="ethics"))
    close = make_thread(kind="discussion", tags=["ethics"])
    lively = make_thread(kind="discussion", replies=3)
    assert told(plan_for(reader).choice.rest) == [close.pk, lively.pk]


@pytest.mark.parametrize(("minutes", "questions"), [(2, 1), (5, 2), (10, 3)])
def test_a_letter_takes_the_minutes_that_the_reader_has(minutes, questions):
    reader = make_reader(digest_minutes=minutes)
    reader.profile.can_help.add(Tag.objects.create(name="boards", slug="boards"))
    for _ in range(6):
        make_thread(tags=["boards"])
        make_thread(kind="discussion", source="word " * 150)
    plan = plan_for(reader)
    assert len(plan.choice.questions) == questions
    assert plan.choice.rest
    assert plan.choice.more
    assert minutes - 1 < plan.minutes <= minutes


def test_lines_get_their_share_of_a_full_letter():
    reader = make_reader(digest_minutes=5)
    for _ in range(9):
        make_thread(kind="discussion", source="word " * 230)
        make_resource()
    plan = plan_for(reader)
    assert len(plan.others.resources) == 5
    assert plan.more_resources == 4
    assert 4 <= plan.minutes <= 5


def test_of_a_long_thread_as_much_is_looked_at_as_a_letter_needs():
    reader, thread = make_reader(), make_thread(kind="discussion")
    author, now = make_member(), timezone.now()
    Post.objects.bulk_create(
        Post(thread=thread, number=n, path=[n], author=author, source="x", html="x", published_at=now)
        for n in range(2, 200)
    )
    Thread.objects.filter(pk=thread.pk).update(last_number=199)
    ReadState.objects.mark(member=reader, thread_id=thread.pk, numbers=range(1, 150))
    [news] = plan_for(reader).choice.rest
    assert [post.number for post in news.posts] == list(range(150, 150 + talks.MOST))


def test_being_caught_up_counts_as_having_read():
    reader, here, there = make_reader(), make_space(), make_space()
    before, after, elsewhere = make_thread(space=here), make_thread(space=here), make_thread(space=there)
    now = timezone.now()
    for thread, minutes in ((before, 60), (after, 10), (elsewhere, 60)):
        at = now - timedelta(minutes=minutes)
        thread.posts.update(published_at=at)
        Thread.objects.filter(pk=thread.pk).update(last_post_at=at)
    reader.caught_up.create(space=here, at=now - timedelta(minutes=30))
    assert set(told(plan_for(reader).choice.rest)) == {after.pk, elsewhere.pk}
    reader.caught_up.create(space=None, at=now - timedelta(minutes=30))
    assert told(plan_for(reader).choice.rest) == [after.pk]


# --- what became of it, and because of what --------------------------------------------------------------------------
def test_who_asked_hears_what_became_of_it():
    reader, host = make_reader(), make_member(is_moderator=True)
    answered, closed = make_thread(author=reader, replies=1), make_thread(author=reader)
    discussions.accept_answer(post=answered.posts.get(number=2), actor=host)
    discussions.close_thread(thread=closed, actor=host, reason="Asked twice.")
    discussions.mark_posts_read(member=reader, thread=answered, posts=answered.posts.all())
    outcomes = plan_for(reader).others.outcomes
    assert {(one.thread.pk, one.accepted) for one in outcomes} == {(answered.pk, True), (closed.pk, False)}


def test_a_resource_says_because_of_what_it_is_shown():
    reader = make_reader()
    reader.profile.looking_for.add(Tag.objects.create(name="ethics", slug="ethics"))
    make_thread(author=reader, tags=["boards"])
    newest = make_resource(title="Newest", published_at=timezone.now())
    asked, liked = make_resource(tags=["boards"]), make_resource(tags=["ethics"])
    found = plan_for(reader).others.resources
    assert [(one.resource.pk, one.because, one.asked) for one in found] == [
        (asked.pk, "boards", True),
        (liked.pk, "ethics", False),
        (newest.pk, "", False),
    ]


def test_newcomers_are_shown_to_whoever_has_something_in_common_and_may_see_it():
    ethics = Tag.objects.create(name="ethics", slug="ethics")
    reader, host = make_reader(), make_member(is_host=True, joined_at=timezone.now() - 30 * DAY)
    reader.profile.looking_for.add(ethics)
    close, hidden, far = make_member(), make_member(profile={"can_help_seen_by": 40}), make_member()
    for newcomer in (close, hidden):
        newcomer.profile.can_help.add(ethics)
    assert [member.pk for member, _shown in plan_for(reader).others.newcomers] == [close.pk]
    assert {member.pk for member, _shown in plan_for(host).others.newcomers} == {close.pk, hidden.pk, far.pk}
    set_boundary(owner=reader, other=close, distance="ignore")
    assert plan_for(Member.objects.get(pk=reader.pk), since=timezone.now() - 2 * DAY).others.newcomers == []
    lift_boundary(owner=reader, other=close)
