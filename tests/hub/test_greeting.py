"""Those who ask to join, those who wait for a hello, and what a newcomer could do next."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone
from taggit.models import Tag

from discussions.models import Kind, Thread
from discussions.services import start_thread
from kmnet.core.models import CommunitySettings, Synonym, SynonymGroup
from kmnet.hub import first_steps, joining
from members import services
from members.models import Boundary, Distance, Greeting, JoinRequest, Member, SeenBy
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.events import make_event
from tests.hub.conftest import signed_in
from tests.mailbox import send_due

pytestmark = pytest.mark.django_db
QUEUE, HELLO = reverse("hub:joining"), reverse("hub:hello")


def asks(name="Ana Silva", since=timedelta(hours=1), **answers) -> Member:
    member = make_member(name=name, address_proven=False, onboarded_at=None)
    CommunitySettings(join_policy="approval").save()
    services.settle_new_member(member=member, answers=answers.get("answers", [("What?", "This.")]))
    services.prove_address(member=member)
    JoinRequest.objects.filter(member=member).update(waits_since=timezone.now() - since)
    member.refresh_from_db()
    return member


def words(response) -> str:
    return " ".join(response.content.decode().split())


# --- to be let in ----------------------------------------------------------------------------------------------------
def test_the_queue_shows_who_waits_the_longest_first_and_who_waits_too_long():
    asks("Newer")
    asks("Older", since=timedelta(days=9), answers=[("Why?", "{{7*7}} <script>x</script>")])
    unproven = make_member(address_proven=False)
    services.settle_new_member(member=unproven)
    response = signed_in(make_member(is_moderator=True)).get(QUEUE)
    assert [(one.member.name, one.is_late) for one in response.context["asking"]] == [
        ("Older", True), ("Newer", False),
    ]  # fmt: skip
    page = words(response)
    assert "Two people wait to be let in" in page
    assert page.count("Longer than we promise") == 1
    assert "{{7*7}} &lt;script&gt;x" in page


@pytest.mark.parametrize(
    ("since", "days", "until"),
    [
        (
            datetime(2026, 11, 19, 9, tzinfo=UTC),
            2,
            datetime(2026, 11, 23, 9, tzinfo=UTC),
        ),  # Thursday to Monday
        (datetime(2026, 11, 21, 9, tzinfo=UTC), 1, datetime(2026, 11, 23, 9, tzinfo=UTC)),  # from a Saturday
        (datetime(2026, 11, 16, 9, tzinfo=UTC), 5, datetime(2026, 11, 23, 9, tzinfo=UTC)),
    ],
)
def test_the_promise_counts_working_days(since, days, until):
    assert joining.after_working_days(since, days) == until


@pytest.mark.parametrize("role", [{}, {"is_host": True}, {"is_organiser": True}])
def test_only_moderators_see_and_decide(role):
    member = asks()
    visitor = signed_in(make_member(**role))
    assert visitor.get(QUEUE).status_code == 404
    url = reverse("hub:joining_decide", args=[member.join_request.pk])
    assert visitor.post(url, {"decision": "approve"}).status_code == 404
    member.refresh_from_db()
    assert member.status == "pending"


def test_a_moderator_lets_in_and_a_second_one_is_told():
    member = asks()
    url = reverse("hub:joining_decide", args=[member.join_request.pk])
    assert signed_in(make_member(is_moderator=True)).get(url).status_code == 405
    page = signed_in(make_member(is_moderator=True)).post(url, {"decision": "approve"}, follow=True)
    assert "Ana Silva is in" in words(page)
    page = signed_in(make_member(is_moderator=True)).post(url, {"decision": "approve"}, follow=True)
    assert "has decided about Ana Silva already" in words(page)
    assert [letter["Subject"] for letter in send_due(to=member.email)].count("You are in, Ana") == 1


def test_declining_needs_a_reason_at_its_field_and_keeps_it_in_the_list():
    member, other = asks(), asks("Ben")
    url = reverse("hub:joining_decide", args=[member.join_request.pk])
    visitor = signed_in(make_member(is_moderator=True))
    response = visitor.post(url, {"decision": "decline", "reason": ""})
    assert response.status_code == 422
    assert f"id_{member.join_request.pk}_reason" in response.content.decode()
    assert [bool(one.form.errors) for one in response.context["asking"]].count(True) == 1
    visitor.post(url, {"decision": "decline", "reason": "You sell software."})
    page = visitor.get(QUEUE)
    assert [one.member for one in page.context["asking"]] == [other]
    assert "Let in after all" in words(page)
    visitor.post(url, {"decision": "approve"})
    member.refresh_from_db()
    assert member.status == "active"


@pytest.mark.parametrize("count", [1, 50])
def test_the_queue_costs_the_same_at_any_length(count, django_assert_max_num_queries):
    for _number in range(count):
        asks()
    visitor = signed_in(make_member(is_moderator=True))
    visitor.get(QUEUE)
    with django_assert_max_num_queries(9):
        response = visitor.get(QUEUE)
    assert len(response.context["asking"]) == count


def test_home_tells_moderators_who_waits():
    asks()
    assert "One person waits to be let in" in words(signed_in(make_member(is_moderator=True)).get("/"))
    assert "waits to be let in" not in words(signed_in(make_member()).get("/"))


# --- a hello ---------------------------------------------------------------------------------------------------------
def newcomer(name="Ana Silva", **fields) -> Member:
    return make_member(name=name, **fields)


@pytest.fixture
def host(db):
    return make_member(name="Rosalind", is_host=True, joined_at=timezone.now() - timedelta(days=90))


def test_hosts_see_who_is_new_with_what_they_show_and_nobody_else_does(host):
    ana = newcomer(profile={"country": "BR", "headline": "I link wards", "languages_work": ["pt"]})
    services.update_profile(member=ana, looking_for=["boards"], looking_for_seen_by=SeenBy.ME)
    newcomer("Old hand", joined_at=timezone.now() - timedelta(days=31))
    newcomer("Unproven", address_proven=False)
    response = signed_in(host).get(HELLO)
    assert [one.member for one in response.context["newcomers"]] == [ana]
    page = words(response)
    assert "I link wards" in page
    assert "Brazil" in page
    assert "boards" not in page
    for role in ({}, {"is_organiser": True}, {"is_moderator": True}):
        assert signed_in(make_member(**role)).get(HELLO).status_code == 404


@pytest.mark.parametrize("distance", [Distance.BLOCK, Distance.IGNORE])
def test_nobody_is_led_to_somebody_who_keeps_apart(host, distance):
    blocks, blocked = newcomer(), newcomer()
    Boundary.objects.create(owner=blocks, other=host, distance=Distance.BLOCK)
    Boundary.objects.create(owner=host, other=blocked, distance=distance)
    visitor = signed_in(host)
    assert visitor.get(HELLO).context["newcomers"] == []
    visitor.post(reverse("hub:said_hello", args=[blocks.pk]))
    assert not Greeting.objects.exists()


def test_said_hello_is_said_once_by_a_post(host):
    ana, url = newcomer(), HELLO
    act = reverse("hub:said_hello", args=[ana.pk])
    visitor = signed_in(host)
    assert visitor.get(act).status_code == 405
    assert "was greeted by you" in words(visitor.post(act, follow=True))
    other = make_member(is_host=True)
    assert "not waiting" in words(signed_in(other).post(act, follow=True))
    greeting = Greeting.objects.get()
    assert (greeting.newcomer, greeting.host, greeting.how) == (ana, host, "said")
    assert visitor.get(url).context["newcomers"] == []
    assert signed_in(make_member()).post(act).status_code == 404


def test_a_hello_is_noted_from_hosts_and_never_from_oneself(host):
    ana = newcomer()
    for who in (make_member(), make_member(is_moderator=True), make_member(is_host=True, status="silenced")):
        with pytest.raises(PermissionDenied):
            services.greet_newcomer(newcomer=ana, host=who)
    with pytest.raises(PermissionDenied):
        services.greet_newcomer(newcomer=host, host=host)
    assert services.greet_newcomer(newcomer=ana, host=host)


def test_a_host_who_answers_the_introduction_has_said_hello(host):
    ana = newcomer()
    thread = make_thread(author=ana, space=make_space(first_kind="introduction"), kind="introduction")
    assert signed_in(host).get(HELLO).context["newcomers"][0].introduction == thread
    make_post(thread=thread, author=make_member())
    assert not Greeting.objects.exists()
    make_post(thread=thread, author=host)
    make_post(thread=thread, author=make_member(is_host=True))
    assert (Greeting.objects.get().host, Greeting.objects.get().how) == (host, "replied")


def test_an_answer_to_a_question_is_no_greeting(host):
    make_post(thread=make_thread(author=newcomer()), author=host)
    assert not Greeting.objects.exists()


@pytest.mark.parametrize("count", [1, 30])
def test_the_hello_list_costs_the_same_at_any_length(host, count, django_assert_max_num_queries):
    for _number in range(count):
        newcomer()
    visitor = signed_in(host)
    visitor.get(HELLO)
    with django_assert_max_num_queries(10):
        response = visitor.get(HELLO)
    assert len(response.context["newcomers"]) == count


# --- the first post --------------------------------------------------------------------------------------------------
MARK = "First post – welcome them"


def test_the_first_post_is_marked_for_others_until_it_is_old(member, member_client):
    author = make_member()
    thread = make_thread(author=author)
    second = make_thread(author=author)
    assert (thread.is_authors_first, second.is_authors_first) == (True, False)
    for url in (thread.get_absolute_url(), reverse("discussions:index")):
        assert words(member_client.get(url)).count(MARK) == 1
        assert MARK not in words(signed_in(author).get(url))
    assert MARK not in words(member_client.get(second.get_absolute_url()))
    thread.posts.update(published_at=timezone.now() - timedelta(days=15))
    Thread.objects.filter(pk=thread.pk).update(created_at=timezone.now() - timedelta(days=15))
    for url in (thread.get_absolute_url(), reverse("discussions:index")):
        assert MARK not in words(member_client.get(url))


def test_a_reply_can_be_the_first_post_and_guests_are_not_asked_to_welcome(client, member_client):
    old_hand = make_member()
    make_thread(author=old_hand)
    thread = make_thread(author=old_hand)
    make_post(thread=thread)
    assert words(member_client.get(thread.get_absolute_url())).count(MARK) == 1
    assert MARK not in words(client.get(thread.get_absolute_url()))


def test_what_waits_for_a_moderator_is_the_first_post_once_it_is_released():
    author, space = make_member(), make_space()
    held = start_thread(author=author, space=space, title="A held one", source="Text", hold=True)
    assert not held.is_authors_first
    shown = make_thread(author=author, space=space)
    assert shown.is_authors_first


# --- what to do next -------------------------------------------------------------------------------------------------
def test_next_steps_fit_the_profile_synonyms_too():
    group = SynonymGroup.objects.create(note="")
    for word in ("knowledge brokering", "linking people"):
        Synonym.objects.create(group=group, word=word)
    me = make_member(name="Me")
    services.update_profile(member=me, can_help=["linking people"], looking_for=["boards"])
    make_thread(title="Something else entirely")
    match = make_thread(title="How do you start?", tags=["knowledge brokering"])
    helper = make_member(name="Helper")
    services.update_profile(member=helper, can_help=["boards"])
    make_member(name="Newest")
    event = make_event()
    steps = first_steps.next_steps(me)
    assert (steps.question, steps.meeting.member, steps.meeting.why, steps.event) == (
        match, helper, "helps", event,
    )  # fmt: skip
    assert steps.meeting.topics == ("boards",)
    page = words(signed_in(me).get(reverse("hub:welcome_done")))
    for text in ("How do you start?", "Helper", "Somebody who could help you", event.title):
        assert text in page


def test_somebody_who_hides_what_they_can_help_with_is_not_found_by_it():
    me, helper = make_member(), make_member(name="Helper", joined_at=timezone.now() - timedelta(days=5))
    services.update_profile(member=me, looking_for=["boards"])
    services.update_profile(member=helper, can_help=["boards"], can_help_seen_by=SeenBy.ME)
    newest = make_member(name="Newest")
    meeting = first_steps.somebody_to_meet(me)
    assert (meeting.member, meeting.why) == (newest, "")


def test_who_blocks_me_is_not_proposed():
    me, blocker = make_member(), make_member()
    Boundary.objects.create(owner=blocker, other=me, distance=Distance.BLOCK)
    assert first_steps.somebody_to_meet(me) is None


def test_a_young_community_has_something_to_do_too(member_client):
    page = words(member_client.get(reverse("hub:welcome_done")))
    for text in ("Ask one of your own", "Find people in the same shoes", "Look into the library"):
        assert text in page


def test_whoever_waits_for_approval_sees_what_comes_and_nothing_of_the_members():
    make_thread(title="A question of members")
    member = asks()
    Member.objects.filter(pk=member.pk).update(onboarded_at=timezone.now())
    page = words(signed_in(member).get(reverse("hub:welcome_done")))
    assert "A moderator lets you in soon" in page
    assert "A question of members" not in page


# --- the introduction ------------------------------------------------------------------------------------------------
@pytest.fixture
def introductions(db):
    return make_space(
        slug="hello-here", name="Introductions", first_kind="introduction", readable_by="members"
    )


def test_an_introduction_is_begun_from_what_its_readers_may_see(introductions, member, member_client):
    services.update_profile(
        member=member, headline="I link wards and papers", organisation="Secret place",
        organisation_seen_by=SeenBy.ME, team_size="solo", can_help=["boards"],
    )  # fmt: skip
    form = member_client.get(reverse("hub:introduce")).context["form"]
    text = form["body"].value()
    assert "I link wards and papers" in text
    assert "I could help with: boards" in text
    assert "Secret place" not in text
    introductions.readable_by = "public"
    assert "I link wards" not in first_steps.draft_introduction(member, introductions)["body"]


def test_it_is_posted_as_edited_and_once(introductions, member, member_client):
    url = reverse("hub:introduce")
    form = member_client.get(url).context["form"]
    assert not Thread.objects.exists()
    data = {
        "title": "Hello, I am new",
        "body": "My own words.",
        "submit_key": str(form["submit_key"].value()),
    }
    first = member_client.post(url, data)
    thread = Thread.objects.get()
    assert (thread.kind, thread.space, thread.author) == (Kind.INTRODUCTION, introductions, member)
    assert first["Location"] == thread.get_absolute_url()
    assert member_client.post(url, data)["Location"] == thread.get_absolute_url()
    assert member_client.get(url)["Location"] == thread.get_absolute_url()
    assert "Say hello, if you like" not in words(member_client.get(reverse("hub:welcome_done")))


def test_nothing_typed_is_lost_where_something_is_missing(introductions, member_client):
    response = member_client.post(reverse("hub:introduce"), {"title": "", "body": "My own words."})
    assert response.status_code == 422
    assert "My own words." in words(response)


def test_the_tags_of_a_wish_are_looked_up_by_every_spelling():
    tag = Tag.objects.create(name="boards")
    assert first_steps.spellings([tag]) == {"boards"}
