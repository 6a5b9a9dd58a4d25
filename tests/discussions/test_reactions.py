"""Reactions: who may, what shows, and what the writer hears of them."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from discussions import services
from discussions.models import DiscussionSettings, Post, Reaction
from kmnet.core import activity
from kmnet.core.models import Activity, Notification, OutgoingMail
from members.models import Group, GroupMember, Standing
from members.services import set_boundary
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db


def react(post, member=None, kind="thanks", on=True):
    member = member or make_member()
    services.set_reaction(member=member, post=post, kind=kind, on=on)
    return member


def tell():
    for deed in Activity.objects.waiting().order_by("pk"):
        activity.fan_out(activity_id=deed.pk)


def lines(member):
    """(people, read) of each notification about reactions."""
    rows = Notification.objects.filter(recipient=member, activity__verb="discussions.reacted").order_by("pk")
    return [(row.activity.data["people"], row.read_at is not None) for row in rows]


def standing():
    return set(Reaction.objects.values_list("post", "member", "kind"))


# --- the service ---------------------------------------------------------------------------------------------------------
def test_reacting_twice_is_once_and_taking_back_twice_too():
    post, member = make_post(), make_member()
    for _press in range(2):
        react(post, member)
    react(post, member, "tried")
    assert standing() == {(post.pk, member.pk, "thanks"), (post.pk, member.pk, "tried")}
    for _press in range(2):
        react(post, member, on=False)
    assert standing() == {(post.pk, member.pk, "tried")}


def test_there_are_three_reactions():
    with pytest.raises(ValueError):
        react(make_post(), kind="boring")
    assert standing() == set()


@pytest.mark.parametrize(
    "spoil",
    [
        {"state": "hidden"},
        {"state": "held"},
        {"deleted_at": "2026-01-01T00:00Z"},
        {"withdrawn_at": "2026-01-01T00:00Z"},
    ],
)
def test_words_that_do_not_stand_take_no_reaction(spoil):
    post = make_post()
    Post.objects.filter(pk=post.pk).update(**spoil)
    for member in (make_member(), make_member(is_moderator=True), post.author):
        with pytest.raises(PermissionDenied):
            react(post, member)
    assert standing() == set()


def test_nobody_reacts_to_themselves_nor_where_they_may_not_write():
    group = Group.objects.create(slug="inside", name="Inside")
    insider, silenced, outsider = make_member(), make_member(status="silenced"), make_member()
    GroupMember.objects.create(group=group, member=insider, standing=Standing.CONVENOR)
    space = make_space(readable_by="group", group=group)
    inside = make_thread(space=space, author=insider).posts.get()
    outside = make_post()
    for post, member in (
        (inside, outsider),
        (inside, insider),
        (outside, silenced),
        (outside, outside.author),
    ):
        with pytest.raises(PermissionDenied):
            react(post, member)
    assert standing() == set()
    GroupMember.objects.create(group=group, member=outsider, standing=Standing.MEMBER)
    react(inside, outsider)
    assert standing() == {(inside.pk, outsider.pk, "thanks")}


# --- what the writer hears -----------------------------------------------------------------------------------------------
def test_writer_hears_in_one_line_that_counts_until_it_is_read():
    post = make_post()
    first, second = react(post), make_member()
    react(post, first, "tried")
    tell()
    assert lines(post.author) == [(1, False)]
    react(post, second)
    tell()
    assert lines(post.author) == [(2, False)]
    assert Activity.objects.get(verb="discussions.reacted").actor == second
    activity.mark_read(member=post.author, targets=[post])
    react(post)
    tell()
    assert lines(post.author) == [(2, True), (1, False)]
    assert not OutgoingMail.objects.filter(member=post.author).exists()


def test_what_is_taken_back_before_it_was_read_is_not_told():
    post = make_post()
    first, second = react(post), react(post)
    tell()
    react(post, second, on=False)
    deed = Activity.objects.get(verb="discussions.reacted")
    assert (deed.actor, deed.data) == (first, {"people": 1})
    react(post, first, on=False)
    assert lines(post.author) == []


def test_whom_the_writer_keeps_away_is_not_told_of_and_not_told():
    post, away = make_post(), make_member()
    set_boundary(owner=post.author, other=away, distance="block")
    react(post, away)
    assert standing() == {(post.pk, away.pk, "thanks")}  # it looks as ever to the one who is blocked
    tell()
    assert lines(post.author) == []
    react(post)
    tell()
    assert lines(post.author) == [(1, False)]


def test_writer_who_muted_the_thread_hears_nothing():
    post = make_post()
    services.set_watch(member=post.author, thread=post.thread, level="muted")
    react(post)
    tell()
    assert lines(post.author) == []
    assert not Activity.objects.filter(verb="discussions.reacted").exists()


def test_line_names_the_one_and_counts_the_many(client):
    post = make_post()
    react(post, make_member(name="Ada Alone"))
    tell()
    client.force_login(post.author)
    assert "Ada Alone reacted to what you wrote in" in client.get("/notifications/").content.decode()
    react(post, make_member(name="Ben Both"))
    assert "Ben Both and one other person reacted" in client.get("/notifications/").content.decode()
    react(post)
    assert "3 people reacted to what you wrote in" in client.get("/notifications/").content.decode()


# --- the pages -----------------------------------------------------------------------------------------------------------
def press(client, post, value, **extra):
    return client.post(reverse("discussions:react", args=[post.pk]), {"set": value}, **extra)


def test_button_without_scripts_leads_back_to_the_post(client):
    post = make_post()
    client.force_login(make_member())
    response = press(client, post, "me_too:on")
    assert (response.status_code, response["Location"]) == (302, post.get_absolute_url())
    page = client.get(post.get_absolute_url()).content.decode()
    assert f'id="me_too-{post.pk}" type="submit" name="set" value="me_too:off" aria-pressed="true"' in page
    assert f'id="thanks-{post.pk}" type="submit" name="set" value="thanks:on" aria-pressed="false"' in page


def test_button_with_scripts_gets_the_bar_alone(client):
    post = make_post()
    react(post)
    client.force_login(make_member())
    for _double in range(2):
        html = press(client, post, "thanks:on", headers={"HX-Request": "true"}).content.decode()
        assert html.startswith('<form class="reactions__all"')
        assert html.endswith("</form>")
        assert 'value="thanks:off" aria-pressed="true"' in html
        assert "<b>2</b>" in html
    html = press(client, post, "thanks:off", headers={"HX-Request": "true"}).content.decode()
    assert 'value="thanks:on" aria-pressed="false"' in html
    assert "<b>1</b>" in html


def test_refusals_of_the_button(client):
    own, held = make_post(), make_post()
    Post.objects.filter(pk=held.pk).update(state="hidden")
    client.force_login(own.author)
    assert press(client, own, "thanks:on").status_code == 403
    assert press(client, held, "thanks:on").status_code == 404
    assert press(client, make_post(), "thanks").status_code == 404
    assert press(client, make_post(), "boring:on").status_code == 404
    assert standing() == set()


def test_author_and_guest_see_numbers_and_no_buttons(client):
    post = make_post()
    react(post)
    for viewer in (None, post.author):
        if viewer:
            client.force_login(viewer)
        page = client.get(post.get_absolute_url()).content.decode()
        assert '<span class="react"><svg' in page
        assert "<b>1</b>" in page
        assert f'id="thanks-{post.pk}"' not in page
        assert (reverse("discussions:reactions", args=[post.pk]) in page) == bool(viewer)


def test_zero_is_not_shown(client):
    post = make_post()
    client.force_login(post.author)
    assert '<span class="react">' not in client.get(post.get_absolute_url()).content.decode()


@pytest.mark.parametrize("replies", [1, 19])
def test_thread_page_with_reactions_costs_the_same_at_any_length(client, django_assert_num_queries, replies):
    thread = make_thread(replies=replies)
    fans = [make_member(), make_member()]
    for post in thread.posts.all():
        for fan in fans:
            react(post, fan)
            react(post, fan, "tried")
    client.force_login(fans[0])
    client.get(thread.get_absolute_url())
    with django_assert_num_queries(8):
        page = client.get(thread.get_absolute_url()).content.decode()
    assert page.count("<b>2</b>") == 2 * (replies + 1)


def who(client, post):
    return client.get(reverse("discussions:reactions", args=[post.pk]))


@pytest.mark.parametrize("count", [1, 50])
def test_who_reacted_costs_the_same_for_one_and_for_fifty(client, django_assert_num_queries, count):
    post, reader = make_post(), make_member()
    people = [react(post) for _person in range(count)]
    client.force_login(reader)
    who(client, post)
    with django_assert_num_queries(4):
        response = who(client, post)
    assert [row.member for row in response.context["page"]] == people


def test_who_reacted_stands_by_kind_without_those_whom_the_reader_ignores(client):
    post, reader, ignored = make_post(), make_member(), make_member()
    tried, thanked = react(post, kind="tried"), react(post)
    react(post, ignored)
    set_boundary(owner=reader, other=ignored, distance="ignore")
    client.force_login(reader)
    assert [(row.kind, row.member) for row in who(client, post).context["page"]] == [
        ("thanks", thanked),
        ("tried", tried),
    ]


def test_who_reacted_is_for_those_who_see_the_post(client):
    post = make_post(thread=make_thread(space=make_space(readable_by="members")))
    react(post)
    assert who(client, post).status_code == 302
    client.force_login(make_member(status="pending"))
    assert who(client, post).status_code in (302, 404)
    client.force_login(make_member())
    assert who(client, post).status_code == 200
    Post.objects.filter(pk=post.pk).update(state="hidden")
    assert who(client, post).status_code == 404
    client.force_login(make_member(is_moderator=True))
    assert who(client, post).status_code == 404


# --- words without a name ------------------------------------------------------------------------------------------------
def test_who_wrote_without_their_name_is_told_and_cannot_react_to_themselves(client):
    asker = make_member()
    named = make_member(is_moderator=True), make_member(is_moderator=True)
    DiscussionSettings.load().save()
    DiscussionSettings.objects.get().unmaskers.set(named)
    post = make_thread(author=asker, masked=True).posts.get()
    with pytest.raises(PermissionDenied):
        react(post, asker)
    client.force_login(asker)
    assert f'id="thanks-{post.pk}"' not in client.get(post.get_absolute_url()).content.decode()
    other = react(post)
    services.set_quiet_thanks(member=other, post=post, on=True)
    tell()
    assert lines(asker) == [(1, False)]
    assert Notification.objects.filter(activity__verb="discussions.reacted").count() == 1
    client.force_login(other)
    assert f'id="thanks-{post.pk}"' in client.get(post.get_absolute_url()).content.decode()
