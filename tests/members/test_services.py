import pytest
from django.core.exceptions import ValidationError

from members.models import Member
from members.permissions import is_full_member
from members.services import HandleTaken, create_member
from tests.factories import make_member

pytestmark = pytest.mark.django_db


def test_factory_makes_a_full_member():
    member = make_member(name="Étienne Gagnon-Roy")
    assert member.handle == "etienne-gagnon-roy"
    assert is_full_member(member)
    assert list(Member.objects.full()) == [member]
    assert member.profile.digest == "weekly"


def test_member_without_a_proven_address_is_not_full():
    member = make_member(address_proven=False)
    assert not is_full_member(member)
    assert list(Member.objects.full()) == []


def test_people_of_one_name_get_different_handles():
    assert [make_member(name="Ana Silva").handle for _ in range(3)] == [
        "ana-silva",
        "ana-silva-2",
        "ana-silva-3",
    ]


def test_name_in_another_script_gets_a_handle():
    assert make_member(name="王小明").handle.startswith("member-")


def test_a_taken_handle_is_refused_whatever_its_case():
    make_member(handle="ana-silva")
    with pytest.raises(HandleTaken):
        make_member(handle="Ana-Silva")


def test_name_of_control_characters_is_refused():
    with pytest.raises(ValidationError):
        create_member(email="a@example.org", name="Ana\x00")
