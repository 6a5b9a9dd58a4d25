"""What the directory filters and counts by is written in SQL once more: it says what the one rule says, in any case."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.aggregates import BoolOr
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import QueryDict
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kmnet.core.models import Term
from members import services
from members.finding import KINDS, Circle, Finding
from members.finding.sql import ALL, Sql, entry_of, fetch
from members.models import Boundary, Group, GroupMember, Member, Profile, SeenBy, Standing
from members.visibility import seen
from tests.factories import make_member

pytestmark = pytest.mark.django_db

KEYS = {
    "can_help": "help:boards", "availability": "free:coffee", "team_size": "team:solo", "place": "country:KE",
    "roles": "role:knowledge-broker", "work_settings": "setting:hospital", "languages": "language:sw",
    "interests": "interest:storytelling",
}  # fmt: skip
WISH = "help:equity"
VIEWERS = ("member", "mate", "asks", "mate of old", "blocked", "blocked mate")
today = timezone.now().date()
days = st.sampled_from([None, today - timedelta(days=1), today, today + timedelta(days=1)])


@pytest.fixture
def owner(vocabulary) -> Member:
    owner = make_member()
    services.update_profile(
        member=owner,
        roles=Term.objects.filter(name="knowledge broker"),
        work_settings=Term.objects.filter(name="hospital"),
        interests=Term.objects.filter(name="storytelling"),
        team_size="solo", country="KE", languages_work=["sw"], can_help=["boards"], looking_for=["equity"],
        availability=["coffee"],
    )  # fmt: skip
    return owner


@pytest.fixture
def viewers(owner) -> dict[str, Member]:
    viewers = {who: make_member() for who in VIEWERS}
    for closed_at, standing, names in (
        (None, Standing.MEMBER, ("mate", "blocked mate")),
        (None, Standing.REQUESTED, ("asks",)),
        (timezone.now(), Standing.MEMBER, ("mate of old",)),
    ):
        group = Group.objects.create(slug=f"of-{names[0].replace(' ', '-')}", name="Us", closed_at=closed_at)
        GroupMember.objects.create(group=group, member=owner)
        for name in names:
            GroupMember.objects.create(group=group, member=viewers[name], standing=standing)
    for who in ("blocked", "blocked mate"):
        Boundary.objects.create(owner=owner, other=viewers[who], distance="block")
    Boundary.objects.create(owner=viewers["member"], other=owner, distance="block")  # the other way round
    return viewers


def _asked(rows, conditions: dict[str, Q]) -> dict[str, bool]:
    return rows.aggregate(
        **{
            part: BoolOr(ExpressionWrapper(condition, output_field=BooleanField()))
            for part, condition in conditions.items()
        }
    )


def test_every_facet_has_its_key():
    assert {kind.part: kind.key for kind in KINDS} == {part: key.split(":")[0] for part, key in KEYS.items()}


def _of_entry(owner: Member, column: Sql, condition: Sql) -> list:
    """The column of the owner's entry; nothing where the condition does not hold."""
    rule = entry_of([owner.pk]) & condition
    text = f"SELECT {column.text} FROM members_directoryentry WHERE {rule.text}"
    return [value for [value] in fetch(text, column.params + rule.params)]


def check_agreement(owner: Member, viewer: Member, **columns) -> None:
    """The owner's entry, written anew with these columns, says to this viewer what the rule says."""
    Profile.objects.filter(member=owner).update(**columns)
    services.index_entries([owner.profile.pk])
    rule = _asked(
        Profile.objects.filter(member=owner), {part: seen(viewer, part) for part in (*KEYS, "looking_for")}
    )
    circle = Circle(viewer)
    filters = {part: circle.shows([key]) for part, key in KEYS.items()}
    for part, condition in {**filters, "looking_for": circle.seeks([WISH])}.items():
        assert bool(_of_entry(owner, ALL, condition)) is rule[part], part
        assert bool(_of_entry(owner, ALL, ~condition)) is not rule[part], part
    [counted] = _of_entry(owner, circle.keys(), ALL)
    assert sorted(counted) == sorted(["all:all", *(key for part, key in KEYS.items() if rule[part])])


@pytest.mark.parametrize("turn", range(4))
def test_filters_and_counts_agree_with_the_rule_for_every_part_level_and_viewer(turn, owner, viewers):
    levels = {
        f"{part}_seen_by": SeenBy.values[(at + turn) % 4] for at, part in enumerate((*KEYS, "looking_for"))
    }
    for viewer in viewers.values():
        check_agreement(owner, viewer, **levels)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    who=st.sampled_from(VIEWERS),
    levels=st.fixed_dictionaries({part: st.sampled_from(SeenBy.values) for part in (*KEYS, "looking_for")}),
    state=st.sampled_from(Profile.State.values),
    until=days,
    paused=days,
)
def test_filters_and_counts_agree_with_the_rule_whatever_else_is_the_case(
    owner, viewers, who, levels, state, until, paused
):
    columns = {f"{part}_seen_by": level for part, level in levels.items()}
    check_agreement(owner, viewers[who], state=state, looking_until=until, paused_until=paused, **columns)


@pytest.mark.parametrize("day", [-1, 0, 1])
def test_what_ends_on_a_day_ends_for_both(day, owner, viewers):
    end = timezone.now().date() + timedelta(days=day)
    check_agreement(owner, viewers["member"], looking_until=end, paused_until=end)


def test_who_is_no_full_member_finds_nobody(owner):
    outside = [AnonymousUser(), make_member(status="pending"), make_member(address_proven=False)]
    for viewer in outside:
        assert not Finding(QueryDict(), viewer).members().exists()
        assert Finding(QueryDict(), viewer).facets == []
