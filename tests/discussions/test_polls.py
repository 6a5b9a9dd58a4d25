"""Polls: starting, voting, what shows when, closing."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from discussions import personal, services
from discussions.models import Poll, Thread, Vote
from discussions.polls import shown_to
from kmnet.core.models import AuditEntry
from kmnet.demo.clock import at
from members.models import Group, GroupMember, Standing
from members.services import set_boundary
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def make_poll(options=("Monday", "Tuesday", "Wednesday"), *, author=None, space=None, **wanted) -> Poll:
    wanted = services.PollWanted(options=options, **wanted)
    return make_thread(kind="poll", author=author, space=space, poll=wanted).poll


def ids(poll):
    return list(poll.options.order_by("position").values_list("pk", flat=True))


def vote(poll, *places, member=None):
    """For the options at these places, counted from 0."""
    member = member or make_member()
    services.vote(member=member, poll=poll, choices=[ids(poll)[place] for place in places])
    return member


def numbers(poll, viewer=None):
    """(people, percent, place) of each answer, as shown."""
    shown = shown_to(viewer or make_member(), Thread.objects.select_related("space").get(pk=poll.thread_id))
    return [(row.count, row.percent, row.place) for row in shown.rows]


def page_of(client, poll, viewer=None):
    if viewer:
        client.force_login(viewer)
    return client.get(poll.thread.get_absolute_url()).content.decode()


# --- starting ------------------------------------------------------------------------------------------------------------
def ask(client, **data):
    space = make_space()
    form = {
        "kind": "poll",
        "title": "When shall we meet?",
        "body": "For the first learning set.",
        "poll_options": "Monday \n\n  Tuesday\nWednesday evening",
        **data,
    }
    return client.post(reverse("discussions:ask_in", args=[space.slug]), form)


def test_poll_is_started_in_the_form_that_asks(client):
    client.force_login(make_member(time_zone="Europe/Amsterdam"))
    with at(NOON):
        response = ask(
            client,
            poll_way="ranked",
            poll_results="closed",
            poll_names="named",
            poll_closes="2026-11-27T18:00",
        )
    assert response.status_code == 302
    poll = Poll.objects.get()
    assert [option.text for option in poll.options.all()] == ["Monday", "Tuesday", "Wednesday evening"]
    assert (poll.way, poll.results, poll.is_anonymous) == ("ranked", "closed", False)
    assert poll.closes_at == datetime(2026, 11, 27, 17, tzinfo=UTC)
    assert poll.thread.kind == "poll"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("poll_options", "", "A poll needs two answers at least, one a line."),
        ("poll_options", "Only one", "A poll needs two answers at least, one a line."),
        ("poll_options", "\n".join("abcdefghijk"), "Ten answers at most; there are 11."),
        ("poll_options", "Yes\nNo\nyes", "“yes” stands there twice."),
        ("poll_options", f"Yes\n{'n' * 201}", "is too long for an answer: 200 characters at most."),
        ("poll_closes", "2026-11-25T11:59", "That is over already. Choose a time that is to come."),
        ("poll_closes", "2027-03-28T02:30", "The clocks go forward then"),
    ],
)
def test_form_says_what_a_poll_lacks_and_keeps_the_text(client, field, value, said):
    client.force_login(make_member(time_zone="Europe/Amsterdam"))
    with at(datetime(2026, 11, 25, 11, tzinfo=UTC)):
        response = ask(client, **{field: value})
    assert response.status_code == 422
    page = response.content.decode()
    assert page.count(said) == 2  # in the summary and at the field
    assert "For the first learning set." in page
    assert not Thread.objects.exists()


def test_draft_and_preview_keep_what_belongs_to_the_poll(client):
    member = make_member()
    client.force_login(member)
    typed = {
        "kind": "poll",
        "poll_options": "Tea\nCoffee",
        "poll_way": "ranked",
        "poll_closes": "2099-01-01T09:00",
    }
    services.save_draft(member=member, sent=services.Sent(key="ask"), fields=typed)
    preview = client.post(reverse("discussions:ask"), {**typed, "body": "Words", "view": "preview"})
    for response in (client.get(reverse("discussions:ask"), {"draft": "0"}), preview):
        page = response.content.decode()
        assert "Tea\nCoffee</textarea>" in page
        assert 'value="2099-01-01T09:00"' in page
        for chosen in ("poll", "ranked"):
            assert re.search(rf'value="{chosen}"[^>]*checked', page), chosen


def test_other_kinds_do_not_mind_what_stands_in_the_fields_of_a_poll(client):
    client.force_login(make_member())
    assert (
        ask(client, kind="discussion", poll_options="Only one", poll_closes="2000-01-01T00:00").status_code
        == 302
    )
    assert Thread.objects.get().kind == "discussion"
    assert not Poll.objects.exists()


def test_poll_and_answers_come_together():
    with pytest.raises(ValueError):
        make_thread(kind="poll")
    with pytest.raises(ValueError):
        make_thread(kind="question", poll=services.PollWanted(options=["Yes", "No"]))
    with pytest.raises(ValueError):
        make_poll(options=["Yes"])
    assert not Thread.objects.exists()


# --- voting --------------------------------------------------------------------------------------------------------------
def test_votes_count_and_may_change_until_the_end():
    poll = make_poll()
    first, second = vote(poll, 0), vote(poll, 1)
    assert numbers(poll) == [(1, 50, 1), (1, 50, 1), (0, 0, 3)]
    vote(poll, 1, member=first)
    assert numbers(poll) == [(0, 0, 2), (2, 100, 1), (0, 0, 2)]
    vote(poll, member=second)  # taken back
    assert numbers(poll) == [(0, 0, 2), (1, 100, 1), (0, 0, 2)]


def test_ranked_votes_are_counted_by_schulze():
    poll = make_poll(way="ranked")
    for ballot in ((0, 1, 2), (0, 1, 2), (1, 2, 0), (2, 1, 0), (2, 1)):
        vote(poll, *ballot)
    assert numbers(poll) == [(2, 40, 3), (1, 60, 1), (2, 50, 2)]


@pytest.mark.parametrize(
    ("way", "places"), [("single", (0, 1)), ("multiple", (0, 0)), ("ranked", (1, 1)), ("single", (5,))]
)
def test_what_is_no_ballot_is_refused_and_the_earlier_one_stands(way, places):
    poll, other = make_poll(way=way), make_poll(options=list("abcdef"))
    member = vote(poll, 2)
    choices = [(ids(poll) + ids(other))[place] for place in places]
    with pytest.raises(ValueError):
        services.vote(member=member, poll=poll, choices=choices)
    assert list(Vote.objects.filter(member=member).values_list("option", flat=True)) == [ids(poll)[2]]


def test_who_may_not_write_there_does_not_vote():
    group = Group.objects.create(slug="inside", name="Inside")
    insider = make_member()
    GroupMember.objects.create(group=group, member=insider, standing=Standing.CONVENOR)
    inside = make_poll(space=make_space(readable_by="group", group=group), author=insider)
    outside = make_poll()
    hidden = make_poll()
    Thread.objects.filter(pk=hidden.thread_id).update(state="hidden")
    for poll, member in (
        (inside, make_member()),
        (outside, make_member(status="silenced")),
        (hidden, make_member()),
    ):
        with pytest.raises(PermissionDenied):
            vote(poll, 0, member=member)
    vote(inside, 0, member=insider)
    vote(outside, 0, member=outside.thread.author)
    assert Vote.objects.count() == 2


def send(client, poll, **data):
    return client.post(reverse("discussions:vote", args=[poll.thread_id]), data)


def test_voting_is_a_plain_form(client):
    poll, member = make_poll(), make_member()
    monday, tuesday, _wednesday = ids(poll)
    client.force_login(member)
    assert 'type="radio"' in page_of(client, poll)
    response = send(client, poll, choice=tuesday)
    assert (response.status_code, response["Location"]) == (302, poll.thread.get_absolute_url())
    assert Vote.objects.get(member=member).option_id == tuesday
    page = page_of(client, poll)
    assert "Your choice" in page
    assert "Change my vote" in page
    send(client, poll, choice=monday)
    assert Vote.objects.get(member=member).option_id == monday
    send(client, poll, take_back="1")
    assert not Vote.objects.exists()


def test_multiple_choices_by_form(client):
    poll, member = make_poll(way="multiple"), make_member()
    client.force_login(member)
    send(client, poll, choice=ids(poll)[1:])
    assert set(Vote.objects.values_list("option", flat=True)) == set(ids(poll)[1:])
    page = page_of(client, poll).partition('id="poll"')[2].partition("</section>")[0]
    assert page.count("checked") == 2


def test_ranks_are_numbers_to_choose_and_gaps_do_not_matter(client):
    poll, member = make_poll(way="ranked"), make_member()
    monday, tuesday, wednesday = ids(poll)
    client.force_login(member)
    send(client, poll, **{f"rank_{wednesday}": "1", f"rank_{monday}": "3", f"rank_{tuesday}": ""})
    assert set(Vote.objects.values_list("option", "rank")) == {(wednesday, 1), (monday, 2)}


def test_faults_of_a_ballot_are_said_beside_the_field(client):
    poll = make_poll(way="ranked")
    monday, tuesday, wednesday = ids(poll)
    client.force_login(make_member())
    response = send(client, poll, **{f"rank_{monday}": "2", f"rank_{tuesday}": "2", f"rank_{wednesday}": "1"})
    assert response.status_code == 422
    assert response.context["form"].errors == {
        f"rank_{tuesday}": ["Another answer is your number 2 already. Give each its own number."]
    }
    assert response.content.decode().count("selected") >= 3  # what was chosen is kept
    response = send(client, poll)
    assert response.context["form"].errors == {f"rank_{monday}": ["Give a number to one answer at least."]}
    single = make_poll()
    assert send(client, single).context["form"].errors == {"choice": ["Choose an answer."]}
    assert send(client, single, choice=monday).status_code == 422  # of another poll
    assert not Vote.objects.exists()


def test_closed_poll_refuses_with_a_sentence(client):
    poll = make_poll()
    member = vote(poll, 0)
    Poll.objects.filter(pk=poll.pk).update(closes_at=timezone.now() - timedelta(seconds=1))  # not counted yet
    client.force_login(member)
    for _counted in range(2):
        response = send(client, poll, choice=ids(poll)[1])
        assert response.status_code == 409
        assert "This poll has closed; your vote came too late" in response.content.decode()
        assert send(client, poll, take_back="1").status_code == 409
        assert numbers(poll) == [(1, 100, 1), (0, 0, 2), (0, 0, 2)]
        services.close_due_polls()
    assert reverse("discussions:vote", args=[poll.thread_id]) not in page_of(client, poll)


def test_silenced_member_sees_the_poll_and_no_form(client):
    poll = make_poll()
    vote(poll, 0)
    silenced = make_member(status="silenced")
    page = page_of(client, poll, silenced)
    assert "1 person has voted" in page
    assert reverse("discussions:vote", args=[poll.thread_id]) not in page
    assert send(client, poll, choice=ids(poll)[0]).status_code == 403


# --- what shows ----------------------------------------------------------------------------------------------------------
def test_hidden_results_are_nowhere_until_the_end(client):
    poll = make_poll(options=["Rare answer", "Common answer"], results="closed")
    for place in (0, 1, 1, 1):
        voter = vote(poll, place)
    for viewer in (
        voter,
        poll.thread.author,
        make_member(is_moderator=True),
        make_member(is_superuser=True, is_staff=True),
    ):
        assert numbers(poll, viewer) == [(None, None, None)] * 2
        page = page_of(client, poll, viewer)
        section = page.partition('id="poll"')[2].partition("</section>")[0]
        assert re.findall(r">\s*(\d+)", section) == ["4"]  # how many have voted, and no other number
        assert "<table" not in page
        assert "The results are shown when the poll has closed." in page
        assert client.get(reverse("discussions:votes", args=[poll.thread_id])).status_code == 404
    services.close_poll(actor=poll.thread.author, poll=poll)
    page = page_of(client, poll, voter)
    assert "75 %" in page
    assert numbers(poll) == [(1, 25, 2), (3, 75, 1)]


def test_results_are_a_table_with_numbers_and_words(client):
    poll = make_poll(options=["Yes & no", "No"])
    vote(poll, 0)
    vote(poll, 0)
    vote(poll, 1)
    page = page_of(client, poll, make_member())
    assert "3 people have voted" in page
    assert '<th scope="row"><bdi>Yes &amp; no</bdi>' in page
    assert '<td class="num">2</td><td class="num">67 %</td>' in page
    assert '<rect class="fill" width="67" height="8"/>' in page


def names(client, poll, viewer):
    client.force_login(viewer)
    response = client.get(reverse("discussions:votes", args=[poll.thread_id]))
    if response.status_code != 200:
        return response.status_code
    return [(row.option.text, row.member) for row in response.context["page"]]


def test_named_poll_tells_who_chose_what_to_those_who_have_voted(client):
    poll = make_poll(is_anonymous=False)
    ada, ben = vote(poll, 1), vote(poll, 0)
    assert names(client, poll, make_member()) == 404
    assert names(client, poll, ada) == [("Monday", ben), ("Tuesday", ada)]
    set_boundary(owner=ada, other=ben, distance="ignore")
    assert names(client, poll, ada) == [("Tuesday", ada)]
    services.close_poll(actor=poll.thread.author, poll=poll)
    assert names(client, poll, make_member()) == [("Monday", ben), ("Tuesday", ada)]
    client.logout()
    assert client.get(reverse("discussions:votes", args=[poll.thread_id])).status_code == 302


def test_anonymous_poll_tells_nobody_and_forgets_at_the_end(client):
    poll = make_poll()
    voter = vote(poll, 1)
    everybody = (voter, poll.thread.author, make_member(is_superuser=True, is_staff=True, is_moderator=True))
    for viewer in everybody:
        assert names(client, poll, viewer) == 404
    exports = [
        json.dumps(list(part(other)))
        for other in everybody[1:]
        for part in (personal.votes, personal.threads, personal.polls)
    ]
    assert [export.count("Tuesday") for export in exports if "Tuesday" in export] == [
        1
    ]  # as an answer offered
    assert [row["answer"] for row in personal.votes(voter)] == ["Tuesday"]  # one's own copy
    services.close_poll(actor=poll.thread.author, poll=poll)
    assert not Vote.objects.filter(poll=poll).exists()
    assert numbers(poll) == [(0, 0, 2), (1, 100, 1), (0, 0, 2)]
    for viewer in everybody:
        assert names(client, poll, viewer) == 404


def test_no_admin_page_shows_votes():
    assert not {model for model in admin.site._registry if model.__name__ in ("Vote", "Poll", "PollOption")}


@pytest.mark.parametrize("count", [1, 50])
def test_who_chose_what_costs_the_same_for_one_and_for_fifty(client, django_assert_num_queries, count):
    poll = make_poll(is_anonymous=False)
    voters = [vote(poll, 0) for _voter in range(count)]
    client.force_login(voters[0])
    address = reverse("discussions:votes", args=[poll.thread_id])
    client.get(address)
    with django_assert_num_queries(7):
        response = client.get(address)
    assert [row.member for row in response.context["page"]] == voters


def test_page_of_a_poll_costs_the_same_for_one_vote_and_for_fifty(client):
    poll = make_poll(way="ranked", is_anonymous=False)
    voter, counted = vote(poll, 0, 2), []
    for more in (0, 49):
        for _voter in range(more):
            vote(poll, 0, 2)
        page_of(client, poll, voter)
        with CaptureQueriesContext(connection) as queries:
            assert "Your number 2" in client.get(poll.thread.get_absolute_url()).content.decode()
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 12


# --- closing -------------------------------------------------------------------------------------------------------------
def test_author_closes_early_and_a_moderator_with_a_reason(client):
    poll, stranger = make_poll(), make_member()
    close = reverse("discussions:close_poll", args=[poll.thread_id])
    client.force_login(stranger)
    assert client.post(close).status_code == 404
    with pytest.raises(PermissionDenied):
        services.close_poll(actor=stranger, poll=poll)
    moderator = make_member(is_moderator=True)
    client.force_login(moderator)
    assert client.post(close, {"reason": ""}).status_code == 422
    with pytest.raises(services.ReasonMissing):
        services.close_poll(actor=moderator, poll=poll)
    assert client.post(close, {"reason": "It names a patient."}).status_code == 302
    entry = AuditEntry.objects.get(verb="discussions.poll_closed")
    assert (entry.actor, entry.reason, entry.target_id) == (moderator, "It names a patient.", poll.thread_id)
    own = make_poll()
    client.force_login(own.thread.author)
    assert client.post(reverse("discussions:close_poll", args=[own.thread_id])).status_code == 302
    own.refresh_from_db()
    assert own.closed_at is not None
    assert AuditEntry.objects.filter(verb="discussions.poll_closed").count() == 1
    with pytest.raises(services.PollClosed):
        vote(own, 0)


def test_polls_whose_time_is_over_are_counted_once():
    due, later, never = make_poll(closes_at=NOON), make_poll(closes_at=NOON + timedelta(hours=1)), make_poll()
    with at(NOON - timedelta(minutes=1)):
        vote(due, 2)
    assert [services.close_due_polls(now=NOON) for _beat in range(2)] == [1, 0]
    for poll in (due, later, never):
        poll.refresh_from_db()
    assert (due.closed_at, later.closed_at, never.closed_at) == (NOON, None, None)
    assert numbers(due) == [(0, 0, 2), (0, 0, 2), (1, 100, 1)]


def test_outcome_of_a_closed_named_poll_outlives_a_deleted_account():
    poll = make_poll(is_anonymous=False)
    voter = vote(poll, 0)
    services.close_poll(actor=poll.thread.author, poll=poll)
    Vote.objects.filter(member=voter).delete()
    assert numbers(poll) == [(1, 100, 1), (0, 0, 2), (0, 0, 2)]


# --- other answers -------------------------------------------------------------------------------------------------------
def change(client, poll, options):
    return client.post(reverse("discussions:change_poll", args=[poll.thread_id]), {"options": options})


def test_answers_change_until_the_first_vote(client):
    poll = make_poll()
    client.force_login(make_member())
    assert change(client, poll, "Yes\nNo").status_code == 404
    client.force_login(poll.thread.author)
    assert change(client, poll, "Yes").status_code == 422
    assert change(client, poll, "Yes\nNo").status_code == 302
    assert [option.text for option in poll.options.all()] == ["Yes", "No"]
    vote(poll, 0)
    response = change(client, poll, "Never\nAlways")
    assert response.status_code == 409
    assert "the answers stay as they are" in response.content.decode()
    assert "Never\nAlways" in response.content.decode()
    assert [option.text for option in poll.options.all()] == ["Yes", "No"]


def test_the_answers_of_a_poll_go_with_its_first_post(client):
    """They are words of whoever asked."""
    asker, other = make_member(), make_member()
    poll = make_poll(("By a show of cards", "By hand"), author=asker)  # no day: dates stand on the page
    thread = poll.thread
    make_post(thread=thread)
    option = poll.options.first().text
    client.force_login(other)
    assert option in client.get(thread.get_absolute_url()).content.decode()
    services.delete_post(actor=asker, post=thread.posts.get(number=1))
    thread.refresh_from_db()
    assert option not in client.get(thread.get_absolute_url()).content.decode()
    assert client.get(reverse("discussions:vote", args=[thread.pk])).status_code == 404
    services.wipe_taken_back(now=timezone.now() + timedelta(minutes=11))
    assert not Poll.objects.filter(thread=thread).exists()
