"""Who stands in for a reader is taken for the reader by every rule."""

import inspect

import pytest
from django.contrib.auth.models import AnonymousUser

from members import permissions
from members.models import Member, Status
from members.readers import kind_of, stand_in
from tests.factories import make_member

RULES = [
    rule
    for name, rule in vars(permissions).items()
    if inspect.isfunction(rule) and list(inspect.signature(rule).parameters) == ["user"]
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status": Status.PENDING},
        {"status": Status.SILENCED},
        {"status": Status.SUSPENDED, "is_active": False},
        {"address_proven": False},
        {"is_moderator": True},
        {"is_organiser": True},
        {"is_host": True},
        {"is_staff": True, "is_superuser": True},
    ],
)
def test_every_rule_says_the_same_of_both(fields):
    fields = dict(fields)
    unproven = fields.pop("address_proven", True) is False
    member = make_member(**fields)
    if unproven:
        member.address_proven_at = None
    other = stand_in(kind_of(member), member.pk, member.email)
    assert len(RULES) > 5
    assert [rule(other) for rule in RULES] == [rule(member) for rule in RULES]
    assert (other.pk, other.email, other == member) == (member.pk, member.email, True)


def test_a_guest_stays_a_guest():
    assert isinstance(stand_in(kind_of(AnonymousUser()), 0), AnonymousUser)


def test_no_flag_of_a_member_is_forgotten():
    flags = {field.name for field in Member._meta.fields if field.get_internal_type() == "BooleanField"}
    assert flags - set(kind_of(Member())._fields) == {"keeps_away"}
