"""The one rule about who sees what: predicate and query agree, whoever looks."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.aggregates import BoolOr
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kmnet.core import search
from members import services
from members.models import Boundary, Group, GroupMember, Member, Profile, SeenBy, Standing
from members.permissions import can_view_profile
from members.visibility import (
    PARTS,
    Shown,
    can_see,
    has_something_public,
    level_between,
    level_to,
    seen,
    something_public,
)
from tests.factories import make_member

pytestmark = pytest.mark.django_db

today = timezone.now().date()


def make_mates(*members, closed=False, standing=Standing.MEMBER) -> Group:
    """Put these members into one group."""
    group = Group.objects.create(slug=f"g{Group.objects.count()}", name="Group")
    if closed:
        Group.objects.filter(pk=group.pk).update(closed_at=timezone.now())
    for member in members:
        GroupMember.objects.create(group=group, member=member, standing=standing)
    return group


@pytest.fixture
def crowd(db) -> dict:
    """The owner, and one of each kind of viewer."""
    owner = make_member()
    crowd = {
        "guest": AnonymousUser(),
        "pending": make_member(status="pending"),
        "unproven": make_member(address_proven=False),
        "member": make_member(),
        "moderator": make_member(is_moderator=True),
        "mate": make_member(),
        "mate who is pending": make_member(status="pending"),
        "asked to join": make_member(),
        "mate in a closed group": make_member(),
        "blocked": make_member(),
        "blocked mate": make_member(),
        "ignored": make_member(),
        "owner": owner,
    }
    make_mates(owner, crowd["mate"], crowd["mate who is pending"], crowd["blocked mate"])
    make_mates(owner, crowd["mate"])  # a second one together changes nothing
    make_mates(owner, crowd["mate in a closed group"], closed=True)
    asked = make_mates(owner)
    GroupMember.objects.create(group=asked, member=crowd["asked to join"], standing=Standing.REQUESTED)
    for who in ("blocked", "blocked mate"):
        Boundary.objects.create(owner=owner, other=crowd[who], distance="block")
    Boundary.objects.create(owner=owner, other=crowd["ignored"], distance="ignore")
    Boundary.objects.create(owner=crowd["member"], other=owner, distance="block")  # the other way round
    return crowd


LEVELS = {
    "guest": SeenBy.PUBLIC,
    "pending": SeenBy.PUBLIC,
    "unproven": SeenBy.PUBLIC,
    "member": SeenBy.MEMBERS,
    "moderator": SeenBy.MEMBERS,
    "mate": SeenBy.GROUPS,
    "mate who is pending": SeenBy.PUBLIC,
    "asked to join": SeenBy.MEMBERS,
    "mate in a closed group": SeenBy.MEMBERS,
    "blocked": SeenBy.PUBLIC,
    "blocked mate": SeenBy.PUBLIC,
    "ignored": SeenBy.MEMBERS,
    "owner": SeenBy.ME,
}


def test_level_is_that_of_the_pair_however_it_is_asked(crowd, django_assert_num_queries):
    owner = Member.objects.get(pk=crowd["owner"].pk)
    for who, viewer in crowd.items():
        expected = LEVELS[who]
        assert level_between(viewer, owner) == expected, who
        assert Member.objects.values_list(level_to(viewer)).get(pk=owner.pk) == (expected,), who
        card = Member.objects.with_card(viewer).get(pk=owner.pk)
        with django_assert_num_queries(0):
            assert Shown.to(viewer, card.profile)._level == expected, who


def test_level_that_a_card_brought_is_for_its_own_viewer_only(crowd):
    card = Member.objects.with_card(crowd["mate"]).get(pk=crowd["owner"].pk)
    assert level_between(crowd["mate"], card) == SeenBy.GROUPS
    assert level_between(crowd["blocked"], card) == SeenBy.PUBLIC


def check_agreement(owner_pk: int, who: str, viewer) -> None:
    """Each part, asked of the row and asked of the database."""
    owner = Member.objects.with_level(viewer).select_related("profile").get(pk=owner_pk)
    viewer = owner if who == "owner" else viewer
    in_query = Profile.objects.filter(member=owner_pk).aggregate(
        **{part: _any(seen(viewer, part)) for part in PARTS}
    )
    one_by_one = {part: can_see(viewer, owner.profile, part) for part in PARTS}
    assert in_query == one_by_one, who
    page = Member.objects.profile_visible_to(viewer).filter(pk=owner_pk).exists()
    assert can_view_profile(viewer, owner) == page, who
    services.profiles.show_picture(owner.profile)
    request = RequestFactory().get("/")
    request.user = viewer
    shown = one_by_one["avatar"] and owner.profile.state == Profile.State.VISIBLE
    assert bool(owner.picture_for(request, 96)) == shown, who


@pytest.mark.parametrize("turn", range(4))
def test_predicate_and_query_agree_for_every_part_level_and_viewer(turn, crowd):
    levels = {f"{part}_seen_by": SeenBy.values[(at + turn) % 4] for at, part in enumerate(PARTS)}
    pk = crowd["owner"].pk
    Profile.objects.filter(member=pk).update(avatar="avatars/abc-320.webp", **levels)
    for who, viewer in crowd.items():
        check_agreement(pk, who, viewer)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    who=st.sampled_from(list(LEVELS)),
    levels=st.fixed_dictionaries({part: st.sampled_from(SeenBy.values) for part in PARTS}),
    state=st.sampled_from(Profile.State.values),
    until=st.sampled_from([None, today - timedelta(days=1), today, today + timedelta(days=1)]),
    paused=st.sampled_from([None, today - timedelta(days=1), today, today + timedelta(days=1)]),
    status=st.sampled_from(["pending", "active", "silenced", "suspended", "erased"]),
)
def test_predicate_and_query_agree_whatever_else_is_the_case(
    crowd, who, levels, state, until, paused, status
):
    pk = crowd["owner"].pk
    columns = {f"{part}_seen_by": level for part, level in levels.items()}
    Profile.objects.filter(member=pk).update(
        state=state, looking_until=until, paused_until=paused, avatar="avatars/abc-320.webp", **columns
    )
    Member.objects.filter(pk=pk).update(status=status, is_active=status not in ("suspended", "erased"))
    check_agreement(pk, who, crowd[who])
    owner = Member.objects.select_related("profile").get(pk=pk)
    public = Profile.objects.filter(something_public(), member=pk).exists()
    assert has_something_public(owner.profile) == public


def _any(condition: Q):
    return BoolOr(ExpressionWrapper(condition, output_field=BooleanField()))


def test_every_audience_column_belongs_to_a_part():
    columns = {field.name for field in Profile._meta.get_fields() if field.name.endswith("_seen_by")}
    assert columns == {f"{part}_seen_by" for part in PARTS}


def test_defaults_are_those_of_the_study():
    profile = make_member().profile
    hidden = {part for part in PARTS if getattr(profile, f"{part}_seen_by") == SeenBy.ME}
    assert hidden == {"clock", "hours", "orcid", "email"}
    assert not has_something_public(profile)


# --- by which words somebody is found ---------------------------------------------------------------------------------
WORDED = {
    "headline": {"headline": "canaryword"},
    "job_title": {"job_title": "canaryword"},
    "organisation": {"organisation": "canaryword"},
    "place": {"region": "canaryword"},
    "can_help": {"can_help": ["canaryword"], "can_help_text": "canaryword too"},
    "looking_for": {"looking_for": ["canaryword"]},
    "about": {"about": "canaryword"},
}


@pytest.mark.parametrize("level", SeenBy)
@pytest.mark.parametrize("part", WORDED)
def test_words_find_somebody_only_for_those_who_see_them(part, level, crowd):
    owner = crowd["owner"]
    services.update_profile(member=owner, **WORDED[part], **{f"{part}_seen_by": level})
    [source] = [one for one in search.sources() if one.key == "people"]
    words = search.SearchText("canaryword")

    for who, viewer in crowd.items():
        may = who not in ("guest", "pending", "unproven", "mate who is pending", "owner")
        expected = [owner] if may and LEVELS[who] >= level else []
        if who == "owner" and level != SeenBy.ME:
            continue  # their own words find them, or not: nothing is told
        found = Member.objects.listed_for(viewer).matching(words, viewer)
        assert list(found) == expected, who
        page = source.search(words, viewer, 10)
        assert ([hit.person for hit in page.hits], page.total) == (expected, len(expected)), who


def test_words_of_two_parts_find_somebody_together(crowd):
    owner = crowd["owner"]
    services.update_profile(
        member=owner, headline="canaryone", organisation="canarytwo", organisation_seen_by=SeenBy.GROUPS
    )
    words = search.SearchText("canaryone canarytwo")
    for who, expected in {"mate": [owner], "member": [], "blocked mate": []}.items():
        assert list(Member.objects.listed_for(crowd[who]).matching(words, crowd[who])) == expected


def test_wish_for_help_ends_by_its_date(signed_in, vocabulary):
    owner, viewer = make_member(name="Zuzanna Q"), make_member()
    services.update_profile(member=owner, looking_for=["canarywish"], looking_for_text="canarywish please")
    owner.profile.refresh_from_db()
    today = owner.profile.looking_until - timedelta(days=90)
    assert today == timezone.now().date()

    for until, found in ((today, [owner]), (today - timedelta(days=1), [])):
        Profile.objects.filter(member=owner).update(looking_until=until)
        words = search.SearchText("canarywish")
        assert list(Member.objects.listed_for(viewer).matching(words, viewer)) == found
        page = signed_in(viewer).get(owner.get_absolute_url()).content.decode()
        assert ("canarywish" in page) == bool(found)
    assert "canarywish" in signed_in(owner).get(owner.get_absolute_url()).content.decode()


def test_hidden_profile_shows_and_finds_only_the_name(signed_in, vocabulary):
    owner, moderator, viewer = make_member(name="Zuzanna Q"), make_member(is_moderator=True), make_member()
    services.update_profile(member=owner, headline="canaryheadline", headline_seen_by=SeenBy.PUBLIC)
    browser = signed_in(viewer)

    def found(words):
        return list(Member.objects.listed_for(viewer).matching(search.SearchText(words), viewer))

    services.hide_profile(target=owner.profile, actor=moderator, reason="names a patient")
    assert "canaryheadline" not in browser.get(owner.get_absolute_url()).content.decode()
    assert (found("canaryheadline"), found("zuzanna")) == ([], [owner])
    assert list(Member.objects.profile_visible_to(AnonymousUser())) == []
    own_page = signed_in(owner).get(owner.get_absolute_url()).content.decode()
    assert "canaryheadline" in own_page
    assert "names a patient" in own_page

    services.restore_profile(target=owner.profile, actor=moderator, reason="it does not")
    assert "canaryheadline" in browser.get(owner.get_absolute_url()).content.decode()
    assert found("canaryheadline") == [owner]


# --- as somebody sees it ----------------------------------------------------------------------------------------------
def test_shown_holds_empty_values_where_hidden():
    owner = make_member(
        profile={"organisation": "A", "organisation_seen_by": SeenBy.ME, "links": ["https://a.example"]}
    )
    member, guest = (Shown.to(viewer, owner.profile) for viewer in (make_member(), AnonymousUser()))
    assert (member.organisation, member.links) == ("", ["https://a.example"])
    assert (guest.links, guest.can_help) == ([], [])
    assert Shown.to(owner, owner.profile).organisation == "A"
    with pytest.raises(AttributeError):
        _ = member.search_vector


def test_whoever_pauses_is_shown_as_not_available_and_not_found_by_it(crowd):
    owner, member = crowd["owner"], crowd["member"]
    services.update_profile(member=owner, availability=["coffee"], paused_until=today + timedelta(days=3))
    shown = Shown.to(member, owner.profile)
    assert (shown.availability, shown.pause_ends) == ([], today + timedelta(days=3))
    assert not Profile.objects.filter(seen(member, "availability"), member=owner).exists()
    assert Shown.to(crowd["blocked"], owner.profile).pause_ends is None
    assert Shown.to(owner, owner.profile).availability == ["coffee"]

    services.update_profile(member=owner, paused_until=today - timedelta(days=1))
    shown = Shown.to(member, owner.profile)
    assert (shown.available_for, shown.pause_ends) == (["A coffee by video"], None)


def test_place_that_has_the_name_of_its_country_is_said_once():
    owner = make_member(profile={"region": "singapore", "country": "SG"})
    assert Shown.to(owner, owner.profile).place == "Singapore"


def test_unlisted_member_is_in_no_list_but_has_a_page(signed_in):
    owner, viewer = make_member(profile={"is_listed": False}), make_member()
    assert list(Member.objects.listed_for(viewer).filter(~Q(pk=viewer.pk))) == []
    assert signed_in(viewer).get(owner.get_absolute_url()).status_code == 200
