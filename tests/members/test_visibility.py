"""The one rule: predicate and query agree, and a canary in a hidden part is found on no page."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kmnet.core import search
from kmnet.core.models import Term
from members import services
from members.models import Member, Profile, SeenBy
from members.permissions import can_view_profile
from members.visibility import PARTS, Shown, can_see, has_something_public, seen, something_public
from tests.factories import make_member

pytestmark = pytest.mark.django_db

today = timezone.now().date()


def everybody_else():
    """One of each kind of viewer."""
    pending = make_member(status="pending")
    return [
        AnonymousUser(),
        pending,
        make_member(address_proven=False),
        make_member(),
        make_member(is_moderator=True),
    ]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    levels=st.fixed_dictionaries({part: st.sampled_from(SeenBy.values) for part in PARTS}),
    state=st.sampled_from(Profile.State.values),
    until=st.sampled_from([None, today - timedelta(days=1), today, today + timedelta(days=1)]),
    status=st.sampled_from(["pending", "active", "silenced", "suspended", "erased"]),
)
def test_predicate_and_query_agree(levels, state, until, status):
    owner = make_member()
    viewers = [*everybody_else(), owner]
    columns = {f"{part}_seen_by": level for part, level in levels.items()}
    Profile.objects.filter(member=owner).update(state=state, looking_until=until, **columns)
    Member.objects.filter(pk=owner.pk).update(status=status, is_active=status not in ("suspended", "erased"))
    owner = Member.objects.select_related("profile").get(pk=owner.pk)

    for viewer in viewers:
        if viewer.pk == owner.pk:
            viewer = owner
        for part in PARTS:
            in_query = Profile.objects.filter(seen(viewer, part), member=owner).exists()
            assert can_see(viewer, owner.profile, part) == in_query, (viewer, part)
        page = Member.objects.profile_visible_to(viewer).filter(pk=owner.pk).exists()
        assert can_view_profile(viewer, owner) == page, viewer
    public = Profile.objects.filter(something_public(), member=owner).exists()
    assert has_something_public(owner.profile) == public


def test_every_audience_column_belongs_to_a_part():
    columns = {field.name for field in Profile._meta.get_fields() if field.name.endswith("_seen_by")}
    assert columns == {f"{part}_seen_by" for part in PARTS}


def test_defaults_are_those_of_the_study():
    profile = make_member().profile
    hidden = {part for part in PARTS if getattr(profile, f"{part}_seen_by") == SeenBy.ME}
    assert hidden == {"clock", "email"}
    assert not has_something_public(profile)


def canary_values(part: str) -> dict:
    """Something to find, in every attribute of a part."""
    word = f"canary{part.replace('_', '')}"
    term = {"roles": "role", "work_settings": "setting", "interests": "method"}
    if part in term:
        facet = Term.objects.filter(facet__key=term[part]).first().facet
        return {part: [Term.objects.create(facet=facet, name=word)]}
    return {
        "headline": {"headline": word},
        "pronouns": {"pronouns": word},
        "job_title": {"job_title": word},
        "organisation": {"organisation": word},
        "place": {"region": word, "country": "FO"},
        "can_help": {"can_help": [word], "can_help_text": f"{word} in a sentence"},
        "looking_for": {"looking_for": [word], "looking_for_text": f"{word} in a sentence"},
        "about": {"about": word},
        "links": {"links": [f"https://{word}.example/"]},
        "team_size": {"team_size": "solo"},
        "years": {"years": "10+"},
        "languages": {"languages_work": ["mi"]},
        "clock": {},
        "email": {},
    }[part]


def traces(part: str, owner: Member) -> list[str]:
    """What a page would hold if it showed the part."""
    return {
        "team_size": ["Only one in the team", "I am the only one here"],
        "years": ["more than ten years"],
        "languages": ["Maori", "Māori"],
        "clock": ["Local time", " there</p>", " there<span"],
        "email": [owner.email],
        "place": ["canaryplace", "Faroe"],
    }.get(part, [f"canary{part.replace('_', '')}"])


LEVELS = {
    SeenBy.PUBLIC: {"guest", "member", "owner"},
    SeenBy.MEMBERS: {"member", "owner"},
    SeenBy.ME: {"owner"},
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("part", PARTS)
def test_canary_is_seen_only_by_its_audience(part, level, signed_in, client, vocabulary):
    owner = make_member(name="Zuzanna Q", email="zuzanna.canary@example.org")
    services.update_profile(member=owner, **canary_values(part), **{f"{part}_seen_by": level})
    if level != SeenBy.PUBLIC:  # the page is open to guests by another part
        other = "pronouns" if part != "pronouns" else "years"
        services.update_profile(member=owner, **{f"{other}_seen_by": SeenBy.PUBLIC})
    viewer = make_member(profile={"is_listed": False})  # not in the list: they see their own clock there
    browsers = {"guest": client, "member": signed_in(viewer), "owner": signed_in(owner)}

    for who, browser in browsers.items():
        pages = [browser.get(owner.get_absolute_url())]
        assert pages[0].status_code == 200
        if who != "guest":
            pages.append(browser.get(reverse("members:directory")))
        shown = any(trace in page.content.decode() for page in pages for trace in traces(part, owner))
        assert shown == (who in LEVELS[level]), (who, part, level)


@pytest.mark.parametrize(
    "part",
    [
        "headline",
        "job_title",
        "organisation",
        "place",
        "can_help",
        "looking_for",
        "about",
        "roles",
        "interests",
    ],
)
@pytest.mark.parametrize("level", LEVELS)
def test_canary_is_found_only_where_it_is_shown(part, level, signed_in, vocabulary):
    owner, viewer = make_member(name="Zuzanna Q"), make_member()
    services.update_profile(member=owner, **canary_values(part), **{f"{part}_seen_by": level})
    word = f"canary{part.replace('_', '')}"
    expected = [owner] if level <= SeenBy.MEMBERS else []

    browser = signed_in(viewer)
    page = browser.get(reverse("members:directory"), {"q": word})
    [source] = [one for one in search.sources() if one.key == "people"]
    assert [shown.member for shown in page.context["finding"].people] == expected
    assert [hit.person for hit in source.search(search.SearchText(word), viewer, 10).hits] == expected
    assert source.search(search.SearchText(word), viewer, 10).total == len(expected)
    assert source.search(search.SearchText(word), AnonymousUser(), 10).hits == []


@pytest.mark.parametrize(
    ("part", "query"),
    [
        ("can_help", {"help": "canarycanhelp"}),
        ("roles", {"role": "canaryroles"}),
        ("place", {"country": "FO"}),
        ("team_size", {"team": "solo"}),
    ],
)
def test_hidden_part_is_neither_filtered_by_nor_counted(part, query, signed_in, vocabulary):
    owner, browser = make_member(name="Zuzanna Q"), signed_in(make_member())
    for level, expected in ((SeenBy.MEMBERS, [owner]), (SeenBy.ME, [])):
        values = canary_values(part) if level == SeenBy.MEMBERS else {}
        services.update_profile(member=owner, **values, **{f"{part}_seen_by": level})
        finding = browser.get(reverse("members:directory"), query).context["finding"]
        assert [shown.member for shown in finding.people] == expected
        options = [option.value for facet in finding.facets for option in facet.options if facet.key in query]
        assert options == ([next(iter(query.values()))] if expected else [])


def test_wish_for_help_ends_by_its_date(signed_in, vocabulary):
    owner, viewer = make_member(name="Zuzanna Q"), make_member()
    services.update_profile(member=owner, looking_for=["canarywish"], looking_for_text="canarywish please")
    owner.profile.refresh_from_db()
    assert owner.profile.looking_until == today + timedelta(days=90)

    for until, found in ((today, [owner]), (today - timedelta(days=1), [])):
        Profile.objects.filter(member=owner).update(looking_until=until)
        page = signed_in(viewer).get(reverse("members:directory"), {"q": "canarywish"})
        assert [shown.member for shown in page.context["finding"].people] == found
        assert ("canarywish" in signed_in(viewer).get(owner.get_absolute_url()).content.decode()) == bool(
            found
        )
    assert "canarywish" in signed_in(owner).get(owner.get_absolute_url()).content.decode()


def test_hidden_profile_shows_and_finds_only_the_name(signed_in, vocabulary):
    owner, moderator, viewer = make_member(name="Zuzanna Q"), make_member(is_moderator=True), make_member()
    services.update_profile(member=owner, headline="canaryheadline", headline_seen_by=SeenBy.PUBLIC)
    browser = signed_in(viewer)

    services.hide_profile(target=owner.profile, actor=moderator, reason="names a patient")
    assert "canaryheadline" not in browser.get(owner.get_absolute_url()).content.decode()
    assert list(Member.objects.listed_for(viewer).matching(search.SearchText("canaryheadline"))) == []
    assert list(Member.objects.listed_for(viewer).matching(search.SearchText("zuzanna"))) == [owner]
    assert list(Member.objects.profile_visible_to(AnonymousUser())) == []
    own_page = signed_in(owner).get(owner.get_absolute_url()).content.decode()
    assert "canaryheadline" in own_page
    assert "names a patient" in own_page

    services.restore_profile(target=owner.profile, actor=moderator, reason="it does not")
    assert "canaryheadline" in browser.get(owner.get_absolute_url()).content.decode()
    assert list(Member.objects.listed_for(viewer).matching(search.SearchText("canaryheadline"))) == [owner]


def test_shown_holds_empty_values_where_hidden():
    owner = make_member(
        profile={"organisation": "A", "organisation_seen_by": SeenBy.ME, "links": ["https://a.example"]}
    )
    assert (owner.profile.for_members.organisation, owner.profile.for_members.links) == (
        "",
        ["https://a.example"],
    )
    assert (owner.profile.for_guests.links, owner.profile.for_guests.can_help) == ([], [])
    assert Shown.to(owner, owner.profile).organisation == "A"
    with pytest.raises(AttributeError):
        _ = owner.profile.for_members.search_vector


def test_unlisted_member_is_in_no_list_but_has_a_page(signed_in):
    owner, viewer = make_member(profile={"is_listed": False}), make_member()
    assert list(Member.objects.listed_for(viewer).filter(~Q(pk=viewer.pk))) == []
    assert signed_in(viewer).get(owner.get_absolute_url()).status_code == 200
