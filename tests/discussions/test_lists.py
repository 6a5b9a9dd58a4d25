import pytest
from django.urls import reverse

from discussions import services
from discussions.models import Space, Thread
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db
INDEX = "/discussions/"


def listed(client, url=INDEX, **query):
    return list(client.get(url, query).context["threads"])


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("signed_in", [False, True])
def test_list_costs_the_same_at_any_length(client, django_assert_num_queries, count, signed_in):
    space, author, helper = make_space(), make_member(), make_member()
    threads = [make_thread(space=space, author=author, tags=["boards"]) for _number in range(count)]
    for thread in threads[-20:]:
        make_post(thread=thread, author=helper)
    if signed_in:
        client.force_login(make_member())
    client.get(INDEX)  # warms the tags, which are cached
    with django_assert_num_queries(9 if signed_in else 5):
        response = client.get(INDEX)
    assert list(response.context["threads"]) == threads[::-1][:20]


def test_pages_of_a_list_hold_each_thread_once(client):
    space, author = make_space(), make_member()
    threads = [make_thread(space=space, author=author) for _number in range(45)]
    seen, url = [], INDEX
    for _page in range(3):
        response = client.get(url)
        seen += response.context["threads"]
        url = INDEX + response.context["page"].next_query
    assert seen == threads[::-1]
    assert response.context["page"].next_query == ""


def test_filters(client):
    member, other = make_member(), make_member()
    open_question = make_thread(title="Still open?", tags=["boards"])
    own_reply_only = make_thread(title="Only I wrote")
    make_post(thread=own_reply_only, author=own_reply_only.author)
    answered = make_thread(title="Answered", replies=1)
    talk = make_thread(title="Talk", kind="discussion", author=member)
    watched = make_thread(title="Watched", kind="discussion")
    services.set_watch(member=member, thread=watched, level="watching")
    services.mark_all_read(member=member, threads=Thread.objects.exclude(pk=answered.pk))
    client.force_login(member)

    assert listed(client) == [watched, talk, answered, own_reply_only, open_question]
    assert listed(client, show="unanswered") == [own_reply_only, open_question]
    assert listed(client, show="unread") == [answered]
    assert listed(client, show="watching") == [watched, talk]  # of what one began one is told
    assert listed(client, show="mine") == [talk]
    assert listed(client, tag="boards") == [open_question]
    assert listed(client, tag="Boards", show="unanswered") == [open_question]
    assert listed(client, tag="no such tag") == listed(client)
    assert listed(client, sort="waiting", show="unanswered") == [open_question, own_reply_only]
    assert listed(client, reverse("discussions:space", args=[answered.space.slug])) == [answered]
    client.force_login(other)
    assert listed(client, show="mine") == listed(client, show="watching") == []


def test_the_list_asks_for_people_only_where_one_is_needed(client):
    make_thread(title="Waiting")
    thread = make_thread(title="Answered", replies=1)
    services.accept_answer(actor=thread.author, post=thread.posts.get(number=2))
    closed = make_thread(title="Closed")
    services.close_thread(thread=closed, actor=make_member(is_moderator=True), reason="Said elsewhere.")
    make_thread(title="Talk", kind="discussion")
    html = client.get(INDEX).content.decode()
    assert html.count("badge--human") == 1
    assert "One is still waiting for a first answer." in html


def test_guests_and_newcomers_see_public_spaces_only(client):
    public, private = make_thread(), make_thread(space=make_space(readable_by="members"))
    assert listed(client) == [public]
    client.force_login(make_member(status="pending"))
    assert listed(client) == [public]
    client.force_login(make_member())
    assert listed(client) == [private, public]


@pytest.mark.parametrize("space_fields", [{"readable_by": "members"}, {}])
def test_a_tag_of_what_one_may_not_see_is_no_tag(client, space_fields):
    """Otherwise the line of filters told a guest that such a tag, spelled so, is in use somewhere."""
    thread = make_thread(space=make_space(**space_fields), tags=["Merger"])
    if not space_fields:
        services.hide_post(
            post=thread.posts.get(), actor=make_member(is_moderator=True), reason="Names a patient."
        )
    for name in ("merger", "never used"):
        assert client.get(INDEX, {"tag": name}).context["chosen"] == []
    client.force_login(make_member(is_moderator=True))
    assert [chosen["label"] for chosen in client.get(INDEX, {"tag": "merger"}).context["chosen"]] == [
        "Merger"
    ]


@pytest.mark.parametrize("slug", ["for-members", "never-made"])
def test_guest_at_a_members_space_signs_in_whether_it_is_there_or_not(client, slug):
    make_space(slug="for-members", readable_by="members")
    response = client.get(f"/discussions/{slug}/")
    assert (response.status_code, response["Location"]) == (
        302,
        f"/accounts/login/?next=/discussions/{slug}/",
    )


def test_member_finds_no_space_that_is_not_there(client):
    client.force_login(make_member())
    assert client.get("/discussions/never-made/").status_code == 404


def test_mark_all_read_is_a_post(client):
    member, thread = make_member(), make_thread(replies=1)
    client.force_login(member)
    client.get("/discussions/read/")
    assert list(Thread.objects.unread_by(member)) == [thread]
    response = client.post("/discussions/read/", {"next": "https://elsewhere.example/"})
    assert response["Location"] == INDEX
    assert list(Thread.objects.unread_by(member)) == []


@pytest.mark.parametrize(
    "back", ["NaN", "=1+1", "thread", "a:b", "?show=all", "//elsewhere.example/", "\x00"]
)
def test_mark_all_read_leads_back_to_no_odd_place(client, back):
    client.force_login(make_member())
    response = client.post("/discussions/read/", {"next": back})
    assert (response.status_code, "elsewhere" in response["Location"]) == (302, False)


def test_starting_spaces_are_there_and_seeding_repeats_safely():
    Space.objects.all().delete()
    assert services.seed_spaces() == 6
    Space.objects.filter(slug="events").update(name="Gatherings")
    assert services.seed_spaces() == 0
    assert list(Space.objects.values_list("name", flat=True)) == [
        "Ask for help",
        "Introductions",
        "Methods and tools",
        "Gatherings",
        "Jobs and opportunities",
        "About kmnet",
    ]


def test_space_may_not_take_an_address_of_ours():
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        Space(slug="ask", name="Ask").full_clean()


def test_digest_holds_what_others_wrote_in_the_window():
    from datetime import timedelta

    from django.utils import timezone

    member = make_member()
    since = timezone.now()
    theirs = make_thread(replies=1)
    own = make_thread(author=member)
    read, muted = make_thread(), make_thread()
    hidden_for_them = make_thread(space=make_space(readable_by="members"))
    services.mark_posts_read(member=member, thread=read, posts=read.posts.all())
    services.set_watch(member=member, thread=muted, level="muted")
    until = timezone.now()

    assert list(Thread.objects.for_digest(member, since, until)) == [hidden_for_them, theirs]
    assert list(Thread.objects.for_digest(make_member(status="pending"), since, until)) == [
        muted,
        read,
        own,
        theirs,
    ]
    assert list(Thread.objects.for_digest(member, until, until + timedelta(days=1))) == []
