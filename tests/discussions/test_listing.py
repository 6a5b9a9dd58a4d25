"""Filters of a list that hold together, stand in the address, and tell nothing of what is not for its reader."""

import re
from datetime import timedelta
from itertools import product

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from discussions import listing, services
from discussions.models import Following, Level, ReadState, Thread
from kmnet.core.models import Synonym, SynonymGroup
from kmnet.core.vocabulary import load_vocabulary
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.groups import make_group, put_in

pytestmark = pytest.mark.django_db


def replied_in(member, thread):
    """As far as levels know."""
    ReadState.objects.mark(member=member, thread_id=thread.pk, numbers=[], tracks=True)
    Following.forget(member)


INDEX = "/discussions/"


def listed(client, url=INDEX, **query):
    return list(client.get(url, query).context["threads"])


def labels(client, **query):
    return [choice["label"] for choice in client.get(INDEX, query).context["chosen"]]


@pytest.fixture
def vocabulary():
    load_vocabulary()
    cache.delete(listing.FACETS_CACHED)
    yield
    cache.delete(listing.FACETS_CACHED)


def test_filters_hold_together(client):
    ada = make_member(handle="ada")
    space = make_space()
    both = make_thread(author=ada, space=space, tags=["boards", "stories"], kind="discussion")
    make_thread(author=ada, tags=["boards"])
    make_thread(tags=["boards", "stories"])
    client.force_login(make_member())
    query = {"tag": ["boards", "stories"], "person": "ada", "kind": "discussion"}
    assert listed(client, **query) == [both]
    assert listed(client, space.get_absolute_url(), **query) == [both]
    assert listed(client, **{**query, "kind": "question"}) == []
    response = client.get(space.get_absolute_url(), query)
    assert [choice["label"] for choice in response.context["chosen"]] == [
        space.name, "boards", "stories", "Discussions", f"started by {ada.name}",
    ]  # fmt: skip


def test_each_chosen_filter_has_the_address_without_it(client):
    make_thread(author=make_member(handle="ada"), tags=["boards", "stories"])
    query = {"tag": ["boards", "stories"], "kind": "question", "person": "ada", "sort": "newest"}
    chosen = client.get(INDEX, query).context["chosen"]
    assert [choice["href"] for choice in chosen] == [
        "?tag=stories&kind=question&person=ada&sort=newest",
        "?tag=boards&kind=question&person=ada&sort=newest",
        "?tag=boards&tag=stories&person=ada&sort=newest",
        "?tag=boards&tag=stories&kind=question&sort=newest",
    ]


def test_terms_of_a_facet_are_alternatives_and_facets_hold_together(client, vocabulary):
    implement = make_thread(tags=["implement", "storytelling"])
    sustain = make_thread(tags=["sustain"])
    make_thread(tags=["storytelling"])
    assert listed(client, stage=["implement", "sustain"]) == [sustain, implement]
    assert listed(client, stage=["implement", "sustain"], method="storytelling") == [implement]
    assert listed(client, stage="implement", show="unanswered", tag="storytelling") == [implement]
    assert labels(client, stage=["implement", "no-such"]) == ["implement"]
    assert listed(client, stage="stop-doing") == []  # a term that nothing has: nothing fits


def test_new_synonym_counts_at_once(client, vocabulary):
    thread = make_thread(tags=["keeping it going"])
    assert listed(client, stage="sustain") == []
    group = SynonymGroup.objects.create()
    for word in ("sustain", "keeping it going"):
        Synonym.objects.create(group=group, word=word)
    assert listed(client, stage="sustain") == [thread]


def test_two_meanings_of_unanswered(client):
    asker = make_member()
    waiting = make_thread(author=asker)
    replied = make_thread(author=asker, replies=1)
    still_open = make_thread(author=asker, replies=1)
    Thread.objects.filter(pk=still_open.pk).update(still_open_at=timezone.now())
    answered = make_thread(author=asker, replies=1)
    services.accept_answer(actor=asker, post=answered.posts.get(number=2))
    closed = make_thread(author=asker)
    services.close_thread(thread=closed, actor=make_member(is_moderator=True), reason="Said elsewhere.")
    make_thread(kind="discussion")
    assert listed(client, show="unanswered") == [still_open, waiting]
    assert listed(client, show="open") == [still_open, replied, waiting]
    html = client.get(INDEX, {"show": "open"}).content.decode()
    assert (html.count(">Still open<"), html.count(">No answer yet<")) == (1, 1)


def test_pinned_threads_stand_on_top_of_their_space_only(client):
    space = make_space()
    old, new = make_thread(space=space), make_thread(space=space)
    now = timezone.now()
    Thread.objects.filter(pk=old.pk).update(pinned_at=now, pinned_until=now + timedelta(days=1))
    assert listed(client) == [new, old]
    assert listed(client, space.get_absolute_url()) == [old, new]
    assert listed(client, space.get_absolute_url(), sort="newest") == [new, old]
    Thread.objects.filter(pk=old.pk).update(pinned_until=timezone.now())
    assert listed(client, space.get_absolute_url()) == [new, old]


@pytest.mark.parametrize("hidden", ["space", "thread", "group"])
def test_person_and_tag_of_what_one_may_not_see_are_unknown(client, hidden):
    ada = make_member(handle="ada")
    group = make_group()
    put_in(group, ada)
    space = {
        "space": lambda: make_space(readable_by="members"),
        "thread": make_space,
        "group": lambda: make_space(readable_by="group", group=group),
    }[hidden]()
    thread = make_thread(space=space, author=ada, tags=["merger"])
    if hidden == "thread":
        services.hide_post(post=thread.posts.get(), actor=make_member(is_moderator=True), reason="Names one.")
    other = make_thread()
    if hidden != "space":
        client.force_login(make_member())
    for query in ({"person": "ada"}, {"tag": "merger"}, {"person": "nobody"}, {"tag": "never"}):
        response = client.get(INDEX, query)
        assert (list(response.context["threads"]), response.context["chosen"]) == ([other], [])
    client.force_login(ada)
    assert labels(client, tag="merger") == ["merger"]


def test_in_spaces_is_the_same_rule_as_visible_to():
    group = make_group()
    inside = make_member()
    put_in(group, inside)
    spaces = [
        make_space(),
        make_space(readable_by="members"),
        make_space(readable_by="group", group=group),
    ]
    author = make_member()
    put_in(group, author)
    for space in spaces:
        make_thread(space=space, author=author)
        services.start_thread(author=author, space=space, title="Held one", source="x", hold=True)
        hidden = make_thread(space=space, author=author)
        Thread.objects.filter(pk=hidden.pk).update(state="hidden")
    moderator = make_member(is_moderator=True)
    from django.contrib.auth.models import AnonymousUser

    for viewer in (AnonymousUser(), make_member(), make_member(status="pending"), author, inside, moderator):
        look = listing.Listing({}, viewer)
        assert set(look.seen) == set(Thread.objects.visible_to(viewer))


def test_level_and_filter_agree_for_every_combination():
    """What is chosen for the thread, its tags, its space, by a reply, by the space: 4 x 4 x 4 x 2 x 2 ways."""
    member, author = make_member(), make_member()
    levels = [None, *Level]
    spaces = {usual: [make_space(default_level=usual) for _ in levels] for usual in ("normal", "watching")}
    for several in spaces.values():
        for space, level in zip(several, levels, strict=True):
            if level:
                services.set_space_level(member=member, space=space, level=level)
    tagging = [[], ["watched"], ["quiet"], ["watched", "quiet"], ["plain"]]
    threads = []
    for usual, place, tags, chosen, replied in product(
        spaces, (0, 1, 4), tagging, (None, "watching", "muted"), (False, True)
    ):
        thread = make_thread(space=spaces[usual][place], tags=tags, author=author)
        threads.append(thread)
        if replied:
            replied_in(member, thread)
        if chosen:
            services.set_watch(member=member, thread=thread, level=chosen)
    threads.append(make_thread(author=member))
    from taggit.models import Tag

    for name, level in (("watched", "watching"), ("quiet", "muted"), ("plain", "normal")):
        services.set_tag_level(member=member, tag=Tag.objects.get(name=name), level=level)
    following = Following.of(member)
    known = {thread.pk: following.level(thread) for thread in Thread.objects.all()}
    everything = set(known)
    followed = {pk for pk, level in known.items() if level in ("watching", "tracking")}
    muted = {pk for pk, level in known.items() if level == "muted"}
    assert set(Thread.objects.watched_by(member).values_list("pk", flat=True)) == followed
    assert set(Thread.objects.not_muted_by(member).values_list("pk", flat=True)) == everything - muted
    assert len(followed) > 30 < len(muted)


def test_closest_choice_decides():
    member = make_member()
    thread = make_thread(tags=["jobs"])

    def level():
        thread.refresh_from_db()
        return Following.of(member).level(thread)

    assert level() == "normal"
    replied_in(member, thread)
    assert level() == "tracking"
    services.set_space_level(member=member, space=thread.space, level="watching")
    assert level() == "watching"
    services.set_tag_level(member=member, tag=thread.tags.get(), level="muted")
    assert level() == "muted"  # a choice goes before what a reply made
    services.set_watch(member=member, thread=thread, level="normal")
    assert level() == "normal"
    replied_in(member, thread)
    assert member.thread_watches.get().level == "normal"  # never instead of what they chose
    past = timezone.now()
    services.set_watch(member=member, thread=thread, level="normal", until=past)
    services.set_tag_level(member=member, tag=thread.tags.get(), level="muted", until=past)
    assert level() == "watching"


@pytest.mark.parametrize("count", [1, 50])
def test_a_list_with_every_filter_costs_the_same(client, django_assert_num_queries, count, vocabulary):
    author, space = make_member(handle="ada"), make_space()
    threads = [
        make_thread(author=author, space=space, tags=["implement", "boards"], kind="question")
        for _number in range(count)
    ]
    client.force_login(make_member())
    query = {"tag": "boards", "stage": "implement", "person": "ada", "kind": "question", "show": "unread"}
    client.get(space.get_absolute_url(), query)
    with django_assert_num_queries(11):
        response = client.get(space.get_absolute_url(), query)
    assert list(response.context["threads"]) == threads[::-1][:20]
    assert client.get(space.get_absolute_url()).status_code == 200


def test_mark_all_of_these_marks_these(client):
    member, author = make_member(), make_member()
    inside, other = make_thread(author=author, tags=["boards"]), make_thread(author=author)
    client.force_login(member)
    client.post("/discussions/read/", {"query": "tag=boards", "next": INDEX})
    assert list(Thread.objects.unread_by(member)) == [other]
    make_post(thread=inside)
    client.post("/discussions/read/", {"space": other.space.slug})
    assert [thread.pk for thread in Thread.objects.unread_by(make_member_again(member))] == [inside.pk]
    assert client.post("/discussions/read/", {"space": "never-made"}).status_code == 404


def make_member_again(member):
    return type(member).objects.get(pk=member.pk)


def test_no_offset_anywhere(client, django_assert_max_num_queries):
    for _number in range(25):
        make_thread(author=make_member())
    with django_assert_max_num_queries(12) as captured:
        response = client.get(INDEX)
        client.get(INDEX + response.context["page"].next_query)
    assert not any("OFFSET" in query["sql"] for query in captured.captured_queries)


@pytest.mark.parametrize("where", ["everywhere", "in a space"])
@pytest.mark.parametrize(
    "query",
    [
        *("", "sort=newest", "show=unanswered", "show=open", "show=unread", "show=watching", "show=mine"),
        *("tag=boards", "stage=implement", "kind=question", "person=ada", "show=unread&tag=boards"),
    ],
)
def test_an_index_answers_each_list(query, where, vocabulary):
    """Small tables are read whole, so sequential scans are forbidden: what then still has one has no index."""
    viewer, ada = make_member(), make_member(handle="ada")
    thread = make_thread(author=ada, tags=["boards", "implement"])
    services.set_watch(member=viewer, thread=thread, level="watching")
    look = listing.Listing(QueryDict(query), viewer, space=thread.space if where == "in a space" else None)
    rows = look.shows[look.show]().with_row(viewer).order_by(*listing.ORDERS[look.sort])[:21]
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("SET LOCAL enable_seqscan = on")
    assert not re.search(r"Seq Scan on discussions_(thread|post)\b", plan), plan
