"""Home says what needs the member, in a fixed number of queries; the landing page shows public things only."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from taggit.models import Tag

from discussions import services as discussions
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.events import make_event, make_registration
from tests.factories.resources import make_resource
from tests.hub.conftest import signed_in

HOME = reverse("hub:home")


def text_of(response):
    return " ".join(response.content.decode().split())


def test_home_with_nothing_to_do_says_so(member_client):
    page = text_of(member_client.get(HOME))
    assert "Nothing waits for you today." in page
    assert "That is everything for today." in page
    assert "Could you answer?" not in page


def test_home_offers_questions_that_match_what_the_member_can_help_with_first(member, member_client):
    tag = Tag.objects.create(name="boards and reporting")
    member.profile.can_help.add(tag)
    other = make_thread(title="What is a knowledge café?")
    match = make_thread(title="What does a board want to read?", tags=["boards and reporting"])
    response = member_client.get(HOME)
    assert response.context["agenda"].questions == [match, other]
    assert response.context["agenda"].matched == 1
    assert "Two questions wait for an answer." in text_of(response)


def test_home_counts_people_where_every_question_matches(member, member_client):
    member.profile.can_help.add(Tag.objects.create(name="boards"))
    make_thread(tags=["boards"])
    assert "One person could use what you know." in text_of(member_client.get(HOME))


def test_home_never_offers_own_answered_muted_or_unseen_questions(member, member_client):
    make_thread(author=member)
    make_thread(replies=1)
    muted = make_thread()
    discussions.set_watch(member=member, thread=muted, level="muted")
    hidden = make_thread()
    discussions.hide_post(
        post=hidden.posts.get(), actor=make_member(is_moderator=True), reason="Names a patient."
    )
    assert member_client.get(HOME).context["agenda"].questions == []


def test_home_of_somebody_who_waits_for_approval_shows_public_things_only(client):
    def make_one_of_each(*, public):
        space = make_space(readable_by="public" if public else "members")
        return (
            make_thread(space=space),
            make_event(visibility=0 if public else 1),
            make_resource(visibility="public" if public else "members"),
        )

    reader = make_member()
    make_registration(member=reader, event=make_event(visibility=1))
    make_event(published=False)
    question, event, resource = make_one_of_each(public=True)
    make_one_of_each(public=False)
    type(reader).objects.filter(pk=reader.pk).update(status="pending")
    client.force_login(reader)
    agenda = client.get(HOME).context["agenda"]
    assert (agenda.questions, agenda.places, agenda.coming, agenda.resources) == (
        [question],
        [],
        [event],
        [resource],
    )


def test_home_shows_replies_to_the_member_until_they_are_read(member, member_client):
    thread = make_thread(author=member)
    reply = make_post(thread=thread)
    assert member_client.get(HOME).context["agenda"].replies == [thread]
    discussions.mark_posts_read(member=member, thread=thread, posts=[reply])
    assert member_client.get(HOME).context["agenda"].replies == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("confirmed", "You have a place"),
        ("waiting", "You are on the waiting list"),
        ("offered", "A place is held for you until"),
    ],
)
def test_home_shows_own_events_with_their_state(member, member_client, status, words):
    place = make_registration(member=member, status=status)
    response = member_client.get(HOME)
    assert response.context["agenda"].places == [place]
    assert words in text_of(response)


def test_an_offer_that_runs_out_is_the_first_thing_said(member, member_client):
    make_thread()
    make_registration(member=member, status="offered")
    assert "A place is held for you." in text_of(member_client.get(HOME))


def test_home_leaves_out_events_called_off_and_places_given_up(member, member_client):
    make_registration(member=member, status="cancelled")
    make_registration(member=member, event=make_event(cancelled_at=timezone.now()))
    assert member_client.get(HOME).context["agenda"].places == []


def test_new_resources_are_shown_for_a_fortnight(member_client):
    new = make_resource(title="Contribution ledger")
    make_resource(published_at=timezone.now() - timedelta(days=20))
    assert member_client.get(HOME).context["agenda"].resources == [new]


def test_only_hosts_are_asked_to_greet_newcomers(member, member_client):
    newcomer = make_member(name="Iris Vandermeulen")
    host = make_member(is_host=True, joined_at=timezone.now() - timedelta(days=90))
    type(member).objects.filter(pk=member.pk).update(joined_at=timezone.now() - timedelta(days=90))
    assert member_client.get(HOME).context["agenda"].newcomers == []
    assert signed_in(host).get(HOME).context["agenda"].newcomers == [newcomer]


def fill(member, count):
    space = make_space(readable_by="members")
    for _number in range(count):
        make_thread(space=space, tags=["boards"])
        make_post(thread=make_thread(author=member, space=space))
        make_registration(member=member)
        make_event()
        make_resource()
        make_member()


@pytest.mark.parametrize("count", [1, 20])
def test_home_costs_the_same_however_much_there_is(count, django_assert_num_queries):
    member = make_member(is_host=True, is_moderator=True)
    member.profile.can_help.add(Tag.objects.create(name="boards"))
    fill(member, count)
    client = signed_in(member)
    client.get(HOME)
    with django_assert_num_queries(12):
        client.get(HOME)


def test_guests_get_the_landing_page_and_only_public_things(client):
    members_only = make_space(readable_by="members")
    asker = make_member()
    secret = make_thread(space=members_only, author=asker, title="Canary question in a members' space")
    discussions.accept_answer(actor=asker, post=make_post(thread=secret))
    public = make_thread(author=asker, title="A question that anybody may read")
    discussions.accept_answer(actor=asker, post=make_post(thread=public))
    make_event(title="Canary event for members", visibility=1)
    make_event(title="Canary draft", published=False)
    make_resource(title="Canary resource", visibility="members")
    event, resource = make_event(title="Open webinar"), make_resource(title="Open guide")
    response = client.get(HOME)
    assert response.templates[0].name == "hub/landing.html"
    assert [event] == response.context["events"]
    assert [public] == response.context["answered"]
    assert [resource] == response.context["resources"]
    assert "anary" not in text_of(response)


def test_landing_may_be_kept_by_a_shared_cache_but_not_by_a_browser(client, db):
    response = client.get(HOME)
    assert response["Cache-Control"] == "public, max-age=0, s-maxage=60"
    assert {"Cookie", "Accept-Language"} <= {part.strip() for part in response["Vary"].split(",")}
    assert not response.cookies


def test_home_is_kept_by_no_cache(member_client):
    assert "private" in member_client.get(HOME)["Cache-Control"]
