"""Splitting, merging, moving: what goes where, under which number, and that nothing gets lost or shows too much."""

import random
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q
from django.utils import timezone

from discussions import permissions, services
from discussions.models import (
    DiscussionSettings,
    Draft,
    MovedPost,
    OwedReply,
    Post,
    ReadState,
    Thread,
    ThreadWatch,
)
from kmnet.core.models import AuditEntry
from members.models import Member
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.groups import make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator():
    return make_member(is_moderator=True)


def split(thread, numbers, moderator, **fields):
    fields.setdefault("title", "About something else")
    return services.split_thread(
        actor=moderator, thread=thread, numbers=numbers, reason="Two subjects.", **fields
    )


def merge(thread, into, moderator):
    return services.merge_thread(actor=moderator, thread=thread, into=into, reason="The same question.")


def tree(thread):
    """[(number, number of the post it answers, path)] in branch order."""
    rows = Post.objects.filter(thread=thread).in_branches()
    return [
        (post.number, post.parent and post.parent.number, post.path) for post in rows.select_related("parent")
    ]


def talk():
    """1, 2 and 3 to it, 4 to 2, 5 to 4, 6 to 3."""
    thread = make_thread(replies=2)
    two, three = thread.posts.get(number=2), thread.posts.get(number=3)
    four = make_post(thread=thread, parent=two)
    make_post(thread=thread, parent=four)
    make_post(thread=thread, parent=three)
    thread.refresh_from_db()
    return thread


# --- split -------------------------------------------------------------------------------------------------------------
def test_branch_becomes_a_thread_of_its_own(moderator):
    thread = talk()
    root = thread.posts.get(number=2)
    new = split(thread, [2], moderator, kind="question")

    assert tree(new) == [(1, None, [1]), (2, None, [2]), (3, 2, [2, 3])]
    assert tree(thread) == [(1, None, [1]), (3, None, [3]), (6, 3, [3, 6])]
    assert (new.title, new.author, new.kind, new.space) == (
        "About something else",
        root.author,
        "question",
        thread.space,
    )
    assert (new.last_number, new.reply_count, new.created_at) == (3, 2, root.published_at)
    assert (new.excerpt, new.state) == (root.source, "visible")
    thread.refresh_from_db()
    assert (thread.last_number, thread.reply_count, thread.gone_numbers) == (6, 2, [(2, 3), (4, 6)])
    thread.space.refresh_from_db()
    assert thread.space.thread_count == 2
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor) == ("discussions.posts_split", moderator)
    assert (entry.target_id, entry.reason) == (thread.pk, "Two subjects.")
    assert entry.data == {"into": new.pk, "posts": 3, "numbers": [[2, 1], [4, 2], [5, 3]]}


def test_search_finds_the_new_title_and_no_longer_by_the_old_one(client, moderator):
    thread = make_thread(title="Payroll in three hospitals", tags=["boards"])
    make_post(thread=thread, source="What about the journal club?")
    split(thread, [2], moderator, title="Journal club with nurses")
    post = Post.objects.get(source__startswith="What about")
    assert post.heading == "Journal club with nurses boards"


def test_posts_alone_leave_their_replies_behind(moderator):
    thread = talk()
    new = split(thread, [2], moderator, with_replies=False)
    assert tree(new) == [(1, None, [1])]
    assert tree(thread) == [(1, None, [1]), (3, None, [3]), (6, 3, [3, 6]), (4, None, [4]), (5, 4, [4, 5])]


def test_posts_go_to_an_existing_thread_behind_what_stands_there(moderator):
    thread, other = talk(), make_thread(replies=1)
    assert split(thread, [3], moderator, into=other) == other
    assert tree(other) == [(1, None, [1]), (2, None, [2]), (3, None, [3]), (4, 3, [3, 4])]


@pytest.mark.parametrize(
    ("numbers", "words"), [([], "Choose"), ([1, 2], "first post stays"), ([77], "Choose")]
)
def test_what_cannot_be_split(moderator, numbers, words):
    with pytest.raises(services.CannotMove, match=words):
        split(talk(), numbers, moderator)


def test_thread_does_not_begin_with_what_nobody_may_read(moderator):
    thread = talk()
    services.hide_post(post=thread.posts.get(number=2), actor=moderator, reason="Names.")
    with pytest.raises(services.CannotMove, match="begins with"):
        split(thread, [2], moderator)


def test_answer_that_goes_leaves_the_question_open(moderator):
    thread = talk()
    services.accept_answer(actor=thread.author, post=thread.posts.get(number=4))
    split(thread, [2], moderator)
    thread.refresh_from_db()
    assert (thread.accepted_post, thread.accepted_at) == (None, None)
    assert thread.first_reply_at is not None
    split(thread, [3], moderator)
    thread.refresh_from_db()
    assert (thread.first_reply_at, thread.reply_count, thread.last_post) == (None, 0, thread.posts.get())
    assert list(Thread.objects.unanswered()) == [thread]


def test_held_reply_goes_with_what_it_answers_and_gets_its_number_there(moderator):
    thread = talk()
    held = make_post(thread=thread, parent=thread.posts.get(number=2), hold=True)
    stays = make_post(thread=thread, hold=True)
    new = split(thread, [2], moderator)
    held.refresh_from_db()
    stays.refresh_from_db()
    assert (held.thread, held.number, stays.thread) == (new, None, thread)
    assert services.release_post(post=held, actor=moderator, reason="Kind.").number == 4


# --- merge and move ----------------------------------------------------------------------------------------------------
def test_merged_thread_is_one_branch_in_the_other(moderator, client):
    thread, into = talk(), make_thread(replies=1)
    address = thread.get_absolute_url()
    assert merge(thread, into, moderator) == into

    into.refresh_from_db()
    assert tree(into) == [
        (1, None, [1]), (2, None, [2]), (3, None, [3]), (4, 3, [3, 4]), (6, 4, [3, 4, 6]), (7, 6, [3, 4, 6, 7]),
        (5, 3, [3, 5]), (8, 5, [3, 5, 8]),
    ]  # fmt: skip
    assert (into.last_number, into.reply_count) == (8, 7)
    assert Post.objects.get(thread=into, number=3).heading == ""
    for space in (thread.space, into.space):
        space.refresh_from_db()
    assert (thread.space.thread_count, into.space.thread_count) == (0, 1)
    for user in (None, thread.author, moderator):
        assert thread not in Thread.objects.visible_to(user or client.get("/").wsgi_request.user)
        client.logout()
        if user:
            client.force_login(user)
        for query, number in (("", 3), ("?post=1", 3), ("?post=5", 7), ("?post=99", 3)):
            response = client.get(address + query)
            assert (response.status_code, response["Location"]) == (301, into.url_of(number))
    assert AuditEntry.objects.get().verb == "discussions.thread_merged"


def test_nobody_sees_a_thread_that_was_merged_by_predicate_nor_by_filter(moderator):
    thread, into = talk(), make_thread()
    merge(thread, into, moderator)
    thread.refresh_from_db()
    for viewer in (moderator, thread.author, make_member()):
        assert not permissions.can_view_thread(viewer, thread)
        assert not Thread.objects.visible_to(viewer).filter(pk=thread.pk).exists()


def test_poll_and_what_has_not_appeared_cannot_be_merged(moderator):
    from discussions.models import Poll

    polled, other = make_thread(), make_thread()
    Poll.objects.create(thread=polled)
    with pytest.raises(services.CannotMove, match="poll"):
        merge(polled, other, moderator)
    with pytest.raises(services.CannotMove, match="do not see"):
        merge(make_thread(hold=True), other, moderator)
    with pytest.raises(services.CannotMove, match="this very"):
        merge(other, other, moderator)


def test_answer_is_kept_where_the_same_person_asked(moderator):
    asker = make_member()
    thread, same, another = make_thread(author=asker, replies=1), make_thread(author=asker), make_thread()
    services.accept_answer(actor=asker, post=thread.posts.get(number=2))
    merge(thread, same, moderator)
    same.refresh_from_db()
    assert same.accepted_post.number == 3
    merge(same, another, moderator)
    another.refresh_from_db()
    assert another.accepted_post is None


def test_moved_thread_keeps_its_numbers_and_its_old_address_leads_on(moderator, client):
    thread, space = make_thread(replies=1), make_space()
    old_space, address = thread.space, thread.get_absolute_url()
    services.move_thread(actor=moderator, thread=thread, space=space, reason="It fits there.")
    thread = Thread.objects.get(pk=thread.pk)
    assert (thread.space, thread.last_number) == (space, 2)
    for one, count in ((old_space, 0), (space, 1)):
        one.refresh_from_db()
        assert one.thread_count == count
    response = client.get(f"{address}?post=2")
    assert (response.status_code, response["Location"]) == (301, f"{thread.get_absolute_url()}?post=2")
    assert AuditEntry.objects.get().data == {"from": old_space.pk, "to": space.pk}


def test_by_a_move_nothing_becomes_read_or_unread(moderator):
    long_ago = timezone.now() - timedelta(days=100)
    here, there, neither = (make_member(joined_at=long_ago) for _number in range(3))
    thread, space = make_thread(replies=1), make_space()
    services.mark_all_read(member=here, space=thread.space)
    services.mark_all_read(member=there, space=space)
    services.move_thread(actor=moderator, thread=thread, space=space, reason="It fits there.")
    found = {
        name: Thread.objects.with_card(Member.objects.get(pk=member.pk)).get(pk=thread.pk).unread_count
        for name, member in (("here", here), ("there", there), ("neither", neither))
    }
    assert found == {"here": 0, "there": 2, "neither": 2}


# --- redirects ---------------------------------------------------------------------------------------------------------
def test_links_to_posts_that_moved_twice_lead_on(moderator, client):
    thread = talk()
    post, address = thread.posts.get(number=4), thread.get_absolute_url()
    second = split(thread, [2], moderator)
    third = split(second, [2], moderator)
    assert merge(third, thread, moderator) == thread
    post.refresh_from_db()
    assert (post.thread, post.number) == (thread, 7)
    for old in (
        f"{address}?post=4",
        f"{second.get_absolute_url()}?post=2",
        f"{third.get_absolute_url()}?post=1",
    ):
        response = client.get(old)
        assert (response.status_code, response["Location"]) == (301, thread.url_of(7))
    assert client.get(f"{address}?post=7").status_code == 200
    assert client.get(f"{address}?after=4").status_code == 200


def test_redirect_tells_nothing_about_where_the_reader_may_not_look(moderator, client):
    closed = make_space(readable_by="members")
    thread = talk()
    new = split(thread, [2], moderator, into=make_thread(space=closed))
    response = client.get(f"{thread.get_absolute_url()}?post=4")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
    assert new.slug not in response["Location"]
    client.force_login(make_member(status="pending"))
    assert client.get(f"{thread.get_absolute_url()}?post=4").status_code == 404
    client.force_login(make_member())
    assert client.get(f"{thread.get_absolute_url()}?post=4").status_code == 301


# --- what hangs on numbers ---------------------------------------------------------------------------------------------
def test_what_was_read_stays_read(moderator):
    thread, reader, other = talk(), make_member(), make_member()
    posts = {post.number: post for post in thread.posts.all()}
    services.mark_posts_read(member=reader, thread=thread, posts=[posts[1], posts[2], posts[5]])
    into = make_thread(replies=1)
    services.mark_posts_read(member=reader, thread=into, posts=[into.posts.get(number=2)])
    split(thread, [2], moderator, into=into)

    assert ReadState.objects.get(member=reader, thread=into).numbers == [
        (2, 4),
        (5, 6),
    ]  # 2; 3 was 2, 5 was 5
    found = Thread.objects.with_card(reader).get(pk=into.pk)
    assert (found.unread_count, found.first_unread) == (2, 1)
    assert Thread.objects.with_card(reader).get(pk=thread.pk).unread_count == 2  # 3 and 6
    assert not ReadState.objects.filter(member=other).exists()


def test_who_follows_or_muted_goes_along_and_choices_there_hold(moderator):
    thread, into = make_thread(), make_thread()
    watcher, muted, chose = make_member(), make_member(), make_member()
    services.set_watch(member=watcher, thread=thread, level="watching")
    services.set_watch(member=muted, thread=thread, level="muted")
    services.set_watch(member=chose, thread=thread, level="watching")
    services.set_watch(member=chose, thread=into, level="muted")
    merge(thread, into, moderator)
    rows = ThreadWatch.objects.filter(member__in=[watcher, muted, chose]).order_by("member_id")
    assert list(rows.values_list("thread", "level")) == [
        (into.pk, "watching"), (into.pk, "muted"), (into.pk, "muted"),
    ]  # fmt: skip


def begin_reply(member, thread, to: str, body: str, tab="one"):
    sent = services.Sent(key=f"reply:{thread.pk}", tab=tab)
    services.save_draft(member=member, sent=sent, fields={"body": body, "to": to}, thread=thread)


def drafts_in(thread):
    """(writer, whom it answers, text), of each draft the newest first."""
    return [
        (draft.member, fields.get("to"), fields["body"])
        for draft in Draft.objects.filter(thread=thread, key=f"reply:{thread.pk}").order_by("pk")
        for fields in services.texts_of(draft)
    ]


def test_reply_that_is_being_written_goes_along_and_none_is_lost(moderator):
    thread, into = talk(), make_thread()
    writer, busy, elsewhere = make_member(), make_member(), make_member()
    begin_reply(writer, thread, "4", "Half a")
    begin_reply(busy, thread, "2", "For you")
    begin_reply(busy, thread, "2", "From the phone", tab="two")
    begin_reply(elsewhere, thread, "3", "Stays")
    begin_reply(busy, into, "", "Begun")
    split(thread, [2], moderator, into=into)
    assert drafts_in(into) == [
        (writer, "3", "Half a"),
        (busy, None, "Begun"), (busy, "2", "From the phone"), (busy, "2", "For you"),
    ]  # fmt: skip
    assert drafts_in(thread) == [(elsewhere, "3", "Stays")]


def test_reply_that_is_being_written_is_there_after_a_merge(moderator):
    thread, into = talk(), make_thread(replies=1)
    writer, to_all = make_member(), make_member()
    begin_reply(writer, thread, "2", "Half a")
    begin_reply(to_all, thread, "", "To all")
    merge(thread, into, moderator)
    assert drafts_in(into) == [(writer, "4", "Half a"), (to_all, "3", "To all")]
    assert list(Draft.objects.filter(thread=thread)) == []


def test_reply_sent_to_what_moved_meanwhile_goes_there(moderator):
    thread, author = talk(), make_member()
    four = thread.posts.get(number=4)
    new = split(thread, [2], moderator)
    post = services.add_reply(author=author, thread=thread, source="To 4.", parent=four)
    assert (post.thread, post.number, post.parent_id, post.path) == (new, 4, four.pk, [2, 4])
    merge(new, thread, moderator)
    post = services.add_reply(author=author, thread=new, source="To all.")
    assert (post.thread, post.parent) == (thread, None)


def test_post_that_moved_meanwhile_is_edited_and_hidden_where_it_is(moderator):
    thread = talk()
    stale = thread.posts.get(number=4)
    new = split(thread, [2], moderator)
    services.edit_post(editor=stale.author, post=stale, source="Changed.")
    stale.thread = thread
    services.hide_post(post=stale, actor=moderator, reason="Names.")
    new.refresh_from_db()
    assert (new.reply_count, new.gone_numbers) == (1, [(2, 3)])


# --- who may, and where to ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("roles", [{}, {"is_host": True}, {"is_organiser": True}])
def test_others_than_moderators_may_not(roles):
    thread, into, who = talk(), make_thread(), make_member(**roles)
    for act in (
        lambda: split(thread, [2], who),
        lambda: merge(thread, into, who),
        lambda: services.move_thread(actor=who, thread=thread, space=make_space(), reason="Mine."),
        lambda: services.move_thread(actor=thread.author, thread=thread, space=make_space(), reason="Mine."),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert not MovedPost.objects.exists()


def test_without_a_reason_nothing_moves(moderator):
    thread = talk()
    with pytest.raises(services.ReasonMissing):
        services.split_thread(actor=moderator, thread=thread, numbers=[2], reason=" ", title="New")
    with pytest.raises(services.ReasonMissing):
        services.merge_thread(actor=moderator, thread=thread, into=make_thread(), reason="")
    with pytest.raises(services.ReasonMissing):
        services.move_thread(actor=moderator, thread=thread, space=make_space(), reason="")


def test_in_a_group_its_convenors_keep_order_and_outside_moderators_do_not(moderator):
    convenor = make_member()
    group = make_group(convenor=convenor)
    space, second = (make_space(readable_by="group", group=group) for _number in range(2))
    thread = make_thread(author=convenor, space=space)
    make_post(thread=thread, author=convenor)
    with pytest.raises(PermissionDenied):
        split(thread, [2], moderator)
    new = split(thread, [2], convenor)
    assert new.space == space
    services.move_thread(actor=convenor, thread=new, space=second, reason="There.")
    with pytest.raises(services.CannotMove, match="others would read"):
        services.move_thread(actor=convenor, thread=thread, space=make_space(), reason="Out.")
    with pytest.raises(PermissionDenied):
        services.merge_thread(actor=convenor, thread=thread, into=make_thread(), reason="Out.")
    with pytest.raises(PermissionDenied):  # outside of their group they are members like others
        split(talk(), [2], convenor)


@pytest.mark.parametrize(
    ("source", "target", "goes"),
    [
        ("public", "members", True),
        ("members", "members", True),
        ("public", "public", True),
        ("members", "public", False),
    ],
)
def test_words_go_only_where_nobody_reads_them_who_could_not_before(moderator, source, target, goes):
    thread, into = (
        make_thread(space=make_space(readable_by=source)),
        make_thread(space=make_space(readable_by=target)),
    )
    if goes:
        merge(thread, into, moderator)
    else:
        with pytest.raises(services.CannotMove, match="others would read"):
            merge(thread, into, moderator)
        with pytest.raises(services.CannotMove, match="others would read"):
            services.move_thread(actor=moderator, thread=thread, space=into.space, reason="There.")


# --- against a simple model --------------------------------------------------------------------------------------------
class Model:
    """Threads as plain lists, moved about by the book."""

    def __init__(self):
        self.posts = {}  # pk: [thread, number, parent pk]
        self.last = {}
        self.old = {}  # (thread, number): pk

    def add(self, post):
        self.posts[post.pk] = [post.thread_id, post.number, post.parent_id]
        self.last[post.thread_id] = post.number

    def of(self, thread):
        return sorted(
            (pk for pk, row in self.posts.items() if row[0] == thread), key=lambda pk: self.posts[pk][1]
        )

    def below(self, pk):
        found = {pk}
        for child, row in self.posts.items():
            if row[2] == pk:
                found |= self.below(child)
        return found

    def carry(self, pks, source, target, whole=False):
        pks = sorted(pks, key=lambda pk: self.posts[pk][1])
        head = pks[0] if whole else None
        start = self.last.setdefault(target, 0)
        for place, pk in enumerate(pks, 1):
            self.old[source, self.posts[pk][1]] = pk
            parent = self.posts[pk][2]
            parent = parent if parent in pks else (head if pk != head else None)
            self.posts[pk] = [target, start + place, parent]
        for row in self.posts.values():
            if row[0] == source and row[2] in pks:
                row[2] = None
            if row[0] == target and row[2] and self.posts[row[2]][1] == 1:
                row[2] = None
        self.last[target] = start + len(pks)

    def order(self, thread):
        def walk(parent):
            for pk in self.of(thread):
                if self.posts[pk][2] == parent:
                    yield pk
                    yield from walk(pk)

        return list(walk(None))


@pytest.mark.parametrize("seed", range(6))
def test_after_any_splits_and_merges_the_tree_is_that_of_the_model(seed, moderator):
    chance, model = random.Random(seed), Model()
    author, space = make_member(), make_space()
    threads = [make_thread(author=author, space=space) for _number in range(2)]
    for thread in threads:
        model.add(thread.posts.get())

    def reply(thread):
        parent = chance.choice([None, *thread.posts.all()])
        model.add(make_post(thread=thread, author=author, parent=parent))

    for _number in range(12):
        reply(chance.choice(threads))
    for _step in range(10):
        act, source = chance.choice(["split", "into", "merge", "reply"]), chance.choice(threads)
        others = [thread for thread in threads if thread != source]
        numbers = list(source.posts.exclude(number=1).values_list("number", flat=True))
        chosen = chance.sample(numbers, chance.randint(1, min(3, len(numbers)))) if numbers else []
        whole = chance.random() < 0.7
        if act == "merge" and others:
            target = chance.choice(others)
            model.carry(model.of(source.pk), source.pk, target.pk, whole=True)
            merge(source, target, moderator)
            threads.remove(source)
        elif act in ("split", "into") and chosen and (act == "split" or others):
            pks = set(source.posts.filter(number__in=chosen).values_list("pk", flat=True))
            pks = set().union(*(model.below(pk) for pk in pks)) if whole else pks
            into = chance.choice(others) if act == "into" else None
            target = split(source, chosen, moderator, into=into, with_replies=whole)
            model.carry(pks, source.pk, target.pk)
            if into is None:
                threads.append(target)
        else:
            reply(source)
        for thread in threads:
            rows = list(Post.objects.filter(thread=thread).in_branches())
            assert [post.pk for post in rows] == model.order(thread.pk)
            places = [[post.thread_id, post.number, post.parent_id] for post in rows]
            assert places == [model.posts[post.pk] for post in rows]
            fresh = Thread.objects.get(pk=thread.pk)
            assert (fresh.last_number, fresh.reply_count) == (model.last[thread.pk], len(rows) - 1)
    assert {(row.thread_id, row.number): row.post_id for row in MovedPost.objects.all()} == model.old
    assert not Post.objects.filter(Q(parent__isnull=False) & ~Q(parent__thread=F("thread"))).exists()


# --- what its author took back -----------------------------------------------------------------------------------------
def test_stub_goes_when_all_that_answered_it_has_moved_and_stays_with_it_where_both_move(moderator):
    thread = talk()
    two = thread.posts.get(number=2)
    services.delete_post(actor=two.author, post=two)
    assert not Post.objects.get(pk=two.pk).gone  # 4 answers it
    split(thread, [4], moderator)
    assert Post.objects.get(pk=two.pk).gone
    other = talk()
    two = other.posts.get(number=2)
    services.delete_post(actor=two.author, post=two)
    into = make_thread()
    split(other, [2], moderator, into=into)
    two.refresh_from_db()
    assert (two.thread, two.number, two.gone, two.state) == (into, 2, False, "deleted")
    services.undelete_post(actor=two.author, post=two)
    into.refresh_from_db()
    assert into.reply_count == 3


def test_who_wrote_without_their_name_stays_without_it_where_their_words_go(moderator):
    settings = DiscussionSettings.load()
    settings.save()
    settings.unmaskers.set([moderator, make_member(is_moderator=True)])
    try:
        asker = make_member()
        thread = make_thread(author=asker, masked=True)
        reply = make_post(thread=thread, author=asker)
        new = split(thread, [reply.number], moderator)
        later = services.add_reply(author=asker, thread=new, source="More of me.")
        for one in (new, later):
            assert (one.author_id, one.mask, one.mask_name) == (
                thread.author_id,
                thread.mask,
                thread.mask_name,
            )
        asked_too = make_thread(author=make_member(), masked=True, replies=1)
        services.accept_answer(actor=moderator, post=asked_too.posts.get(number=2))
        merge(asked_too, thread, moderator)
        thread.refresh_from_db()
        assert thread.accepted_post is None  # not the same person, though both look like nobody
    finally:
        DiscussionSettings().save()


def test_question_that_was_split_off_is_owed_a_reply(moderator):
    thread = make_thread(replies=1)
    new = split(thread, [2], moderator, kind="question")
    assert new.clocks.get(post=None).kept_at is None
    into = make_thread()
    merge(new, into, moderator)
    assert not OwedReply.objects.filter(thread=new).exists()
    into.refresh_from_db()
    assert into.clocks.get(post=None).kept_at == into.first_reply_at
