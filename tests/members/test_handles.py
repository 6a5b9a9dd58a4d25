"""Handles change seldom, are mistaken for no other, and lead to their owner for ever."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from members import names, services
from members.models import Member, OldHandle
from members.services import handles
from tests.factories.groups import make_group
from tests.factories.members import make_member

pytestmark = pytest.mark.django_db


def change(member, handle):
    member.refresh_from_db()
    return services.change_account(
        member=member, name=member.name, handle=handle, time_zone=member.time_zone, language=member.language
    )


@pytest.fixture
def ana():
    return make_member(name="Ana Silva")


@pytest.mark.parametrize(
    "handle", ["anas1lva", "ana-si-lva", "anasilva", "an-a-silva", "ana-5ilva", "adm1n", "m-oderator"]
)
def test_what_could_be_mistaken_for_another_is_refused(handle, ana):
    other = make_member(name="Somebody Else")
    with pytest.raises(handles.HandleTooLike):
        change(other, handle)
    other.refresh_from_db()
    assert other.handle == "somebody-else"


def test_former_handles_of_others_are_guarded_in_the_same_way(ana):
    change(ana, "ana-of-recife")
    other = make_member(name="Somebody Else")
    with pytest.raises(handles.HandleTaken):
        change(other, "ana-silva")
    with pytest.raises(handles.HandleTooLike):
        change(other, "anasilva")
    assert change(other, "anabel-silva").handle == "anabel-silva"


def test_one_may_come_close_to_ones_own(ana):
    assert change(ana, "anasilva").handle == "anasilva"


@pytest.mark.parametrize(("first", "second"), [("rnaria", "maria"), ("vvim", "w1m"), ("bi-ll", "b1ii")])
def test_lookalikes_have_one_skeleton(first, second):
    assert names.skeleton(first) == names.skeleton(second)


def test_two_changes_in_thirty_days_and_no_more(client, ana):
    client.force_login(ana)
    page = reverse("members:settings")
    answers = {"name": ana.name, "time_zone": "UTC", "language": "en"}
    for handle in ("ana-one", "ana-two"):
        assert client.post(page, {**answers, "handle": handle}).status_code == 302
    response = client.post(page, {**answers, "handle": "ana-three"})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["handle"])
    assert "twice in the last 30 days" in response.content.decode()
    assert client.post(page, {**answers, "name": "Ana S.", "handle": "ana-two"}).status_code == 302
    OldHandle.objects.filter(handle="ana-silva").update(left_at=timezone.now() - timedelta(days=31))
    assert client.post(page, {**answers, "handle": "ana-three"}).status_code == 302


def test_going_to_and_fro_counts(ana):
    change(ana, "ana-one")
    change(ana, "ana-silva")
    with pytest.raises(handles.TooManyHandles):
        change(ana, "ana-one")


def test_every_old_address_leads_to_the_present_one(client, ana):
    change(ana, "ana-one")
    change(ana, "ana-two")
    client.force_login(make_member())
    for old in ("ana-silva", "ana-one", "ANA-one"):
        for page in ("members:profile", "members:contributions"):
            response = client.get(reverse(page, args=[old]))
            assert (response.status_code, response["Location"]) == (301, reverse(page, args=["ana-two"]))
    change(Member.objects.get(pk=ana.pk), "ana-two")
    assert client.get("/members/ana-two/").status_code == 200


def test_an_old_handle_of_somebody_else_is_found_where_people_are_named(client, ana):
    change(ana, "ana-one")
    convenor = make_member()
    group = make_group(convenor=convenor)
    client.force_login(convenor)
    client.post(reverse("groups:invite", args=[group.slug]), {"handle": "ana-silva"})
    assert group.standings.filter(member=ana, standing="invited").exists()
