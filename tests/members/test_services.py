from functools import partial
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from kmnet.core.models import Term
from kmnet.core.search import SearchText
from kmnet.core.vocabulary import load_vocabulary
from members.models import DirectoryEntry, Member, Profile
from members.permissions import can_administer, is_full_member
from members.services import HandleTaken, create_member, index_profile, joining, update_profile
from tests.factories import make_member
from tests.together import at_once, meet_after

pytestmark = pytest.mark.django_db


def test_factory_makes_a_full_member():
    member = make_member(name="Étienne Gagnon-Roy")
    assert member.handle == "etienne-gagnon-roy"
    assert is_full_member(member)
    assert list(Member.objects.full()) == [member]
    assert member.profile.digest == "weekly"


@pytest.mark.parametrize(
    "fields", [{}, {"address_proven": False, "is_host": True, "time_zone": "Asia/Kolkata"}]
)
def test_factory_leaves_the_rows_that_the_service_leaves(fields):
    def rows(make, email):
        before = [set(model.objects.values_list("pk", flat=True)) for model in models]
        member = make(name="Ana Silva", email=email, password="between-worlds", **moments, **fields)
        told = []
        for model, old in zip(models, before, strict=True):
            (row,) = model.objects.exclude(pk__in=old).values()
            told += [(model.__name__, key, value) for key, value in row.items() if key not in OF_EACH]
        return [*told, *sorted(vars(member))]

    models = [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]
    moments = {name: timezone.now() for name in ("agreed_at", "onboarded_at", "joined_at")}
    fields = {"address_proven": True, **fields}
    counted = {model: model.objects.count() for model in models}
    make_member(name="Ben", email="ben@example.org")
    models = [model for model in models if model.objects.count() != counted[model]]
    assert {EmailAddress, Member, Profile, DirectoryEntry} <= set(models)
    with transaction.atomic():
        factory = rows(make_member, "ana@example.org")
        transaction.set_rollback(True)
    service = rows(create_member, "ana@example.org")
    assert [pair for pair in zip(factory, service, strict=True) if pair[0] != pair[1]] == []


OF_EACH = {"id", "member_id", "user_id", "password", "address_proven_at", "updated_at"}


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


def test_createsuperuser_makes_an_admin():
    call_command("createsuperuser", interactive=False, email="Root@example.org", name="Ngozi Adeyemi")
    admin = Member.objects.get()
    assert (admin.is_superuser, admin.is_staff, admin.handle) == (True, True, "ngozi-adeyemi")
    assert can_administer(admin)


def test_reindexing_finds_people_by_the_new_word_of_the_vocabulary():
    load_vocabulary()
    term = Term.objects.get(name="knowledge broker")
    member = make_member()
    update_profile(member=member, roles=[term])
    term.name = "pontifex"
    term.save()
    assert list(Member.objects.matching(SearchText("pontifex"), make_member())) == []
    call_command("reindex_profiles", stdout=StringIO())
    assert list(Member.objects.matching(SearchText("pontifex"), make_member())) == [member]


def test_unknown_part_of_a_profile_is_a_mistake():
    with pytest.raises(TypeError):
        update_profile(member=make_member(), headlin="x")


@pytest.mark.django_db(transaction=True)
def test_people_of_one_name_may_join_at_the_same_moment(monkeypatch):
    """Both read "ana-silva is free" before either is stored: the second gets the next handle, not an error."""
    meet_after(monkeypatch, joining, "make_handle")

    def join(number):
        return create_member(email=f"ana{number}@example.org", name="Ana Silva").handle

    assert sorted(at_once(partial(join, 1), partial(join, 2))) == ["ana-silva", "ana-silva-2"]


def test_a_new_member_is_found_by_the_same_words_as_if_indexed_in_the_usual_way():
    member = make_member(name="Zoë Ångström")
    profile, entry = (model.objects.filter(member=member).values() for model in (Profile, DirectoryEntry))
    blank = [*profile, *entry]
    assert "'angstrom':2A" in blank[0]["search_vector"]
    index_profile(member.profile)
    assert [*profile.all(), *entry.all()] == blank
