"""Who looks after a record: asked, answered, taken on, given back; and what becomes of it when somebody leaves."""

from functools import partial

import pytest
from django.core.exceptions import PermissionDenied

from kmnet.core import activity
from kmnet.core.models import Activity, AuditEntry, Notification, OutgoingMail
from members.models import Boundary, Distance
from members.services import erase_member
from resources.models import HandOver, Resource, ResourceFile, Story, Tombstone
from resources.services import handing_on, merging
from tests.factories.groups import make_group, put_in
from tests.factories.members import make_member
from tests.factories.resources import make_file, make_resource
from tests.together import at_once, meet_after

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper():
    return make_member(name="Ida Keeper", handle="ida")


@pytest.fixture
def other():
    return make_member(name="Otto Other", handle="otto")


def offer(resource, keeper, other):
    return handing_on.offer_resource(actor=keeper, resource=resource, member=other)


def fan_out():
    for deed in Activity.objects.waiting().order_by("pk"):
        activity.fan_out(activity_id=deed.pk)


def test_asked_and_accepted(client, keeper, other):
    resource = make_resource(added_by=keeper)
    client.force_login(keeper)
    address = f"/library/{resource.pk}/keeper/"
    assert client.post(address, {"handle": "@Otto"}).status_code == 302
    fan_out()
    assert OutgoingMail.objects.get(kind="resources.offered").member == other
    client.force_login(other)
    assert b"Ida Keeper" in client.get(address).content
    assert client.post(address, {"act": "accept"}).status_code == 302
    resource.refresh_from_db()
    assert (resource.keeper, resource.added_by, HandOver.objects.get().accepted) == (other, keeper, True)
    fan_out()
    assert Notification.objects.filter(recipient=keeper).count() == 1
    assert client.get(f"/library/{resource.pk}/edit/").status_code == 200
    client.force_login(keeper)
    assert client.get(f"/library/{resource.pk}/edit/").status_code == 404


def test_declined_and_taken_back(client, keeper, other):
    resource = make_resource(added_by=keeper)
    offer(resource, keeper, other)
    handing_on.answer_offer(actor=other, resource=resource, accept=False)
    with pytest.raises(handing_on.TooLate):
        handing_on.answer_offer(actor=other, resource=resource, accept=True)
    offer(resource, keeper, other)
    with pytest.raises(handing_on.AskedAlready):
        offer(resource, keeper, make_member())
    handing_on.withdraw_offer(actor=keeper, resource=resource)
    with pytest.raises(handing_on.TooLate):
        handing_on.answer_offer(actor=other, resource=resource, accept=True)
    resource.refresh_from_db()
    assert resource.keeper == keeper
    fan_out()
    assert not OutgoingMail.objects.filter(kind="resources.offered").exists()  # nobody is asked any more


def test_whoever_cannot_be_asked_is_told_of_in_the_same_words(client, keeper, other):
    resource, group = make_resource(added_by=keeper), make_group()
    Boundary.objects.create(owner=other, other=keeper, distance=Distance.BLOCK)
    put_in(group, keeper)
    inside = make_resource(added_by=keeper)
    Resource.objects.filter(pk=inside.pk).update(visibility="group", group=group)
    stranger = make_member(handle="stranger")
    client.force_login(keeper)
    said = []
    for one, handle in (
        (resource, "otto"),
        (resource, "nobody-here"),
        (resource, "ida"),
        (inside, stranger.handle),
    ):
        answer = client.post(f"/library/{one.pk}/keeper/", {"handle": handle})
        said.append((answer.status_code, answer.context["form"].errors["handle"]))
    assert said == [(422, ["There is nobody of this handle whom you can ask about it."])] * 4
    client.force_login(stranger)
    assert client.post(f"/library/{resource.pk}/keeper/", {"handle": "ida"}).status_code == 404


def test_what_nobody_looks_after_is_taken_on(client, keeper, other):
    resource, held = make_resource(added_by=keeper), make_resource(added_by=keeper, state="held")
    for one in (resource, held):
        handing_on.give_up(actor=keeper, resource=one)
    client.force_login(other)
    assert b"Take it on" in client.get(resource.get_absolute_url()).content
    assert client.post(f"/library/{resource.pk}/keeper/", {"act": "take_on"}).status_code == 302
    resource.refresh_from_db()
    assert (resource.keeper, AuditEntry.objects.get().verb) == (other, "resources.taken_on")
    with pytest.raises(handing_on.TooLate):
        handing_on.take_on(actor=keeper, resource=resource)
    with pytest.raises(PermissionDenied):
        handing_on.take_on(actor=other, resource=held)
    with pytest.raises(PermissionDenied):
        handing_on.give_up(actor=keeper, resource=resource)


@pytest.mark.usefixtures("first_looks")
def test_a_newcomer_takes_on_nothing_before_a_first_record_of_theirs_appeared(other):
    resource = make_resource()
    with pytest.raises(PermissionDenied):
        handing_on.take_on(actor=other, resource=resource)
    make_resource(added_by=other)
    assert handing_on.take_on(actor=other, resource=resource).keeper == other


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_it_on_at_once_one_does(monkeypatch):
    resource, one, two = make_resource(), make_member(), make_member()
    meet_after(monkeypatch, handing_on, "_locked")
    deeds = [partial(handing_on.take_on, actor=who, resource=resource) for who in (one, two)]
    results = at_once(*deeds, errors=type)
    assert sorted(type(result).__name__ for result in results) == ["Resource", "type"]
    resource.refresh_from_db()
    assert resource.keeper in (one, two)


def test_all_of_it_is_handed_on_with_one_question(client, keeper, other):
    mine = [make_resource(added_by=keeper) for _number in range(3)]
    offer(mine[0], keeper, make_member())
    make_resource(added_by=keeper, state="hidden")
    client.force_login(keeper)
    page = client.get("/library/kept/")
    assert [one.pk for one in page.context["page"]] == [one.pk for one in mine[::-1]]
    assert client.post("/library/kept/", {"handle": "otto"}).status_code == 302
    assert Activity.objects.filter(data__count=2).count() == 1
    client.force_login(other)
    assert len(client.get("/library/kept/").context["offers"]) == 2
    assert client.post("/library/kept/answer/", {"answer": "accept"}).status_code == 302
    assert set(Resource.objects.filter(keeper=other)) == set(mine[1:])


@pytest.mark.parametrize("count", [1, 50])
def test_what_i_look_after_costs_the_same_at_any_length(client, keeper, count, django_assert_max_num_queries):
    for _row in range(count):
        offer(make_resource(added_by=keeper), keeper, make_member())
        offer(make_resource(added_by=make_member()), Resource.objects.latest("pk").keeper, keeper)
    client.force_login(keeper)
    client.get("/library/kept/")
    with django_assert_max_num_queries(7):
        client.get("/library/kept/")


# --- leaving -------------------------------------------------------------------------------------------------------------
def test_whoever_leaves_is_told_what_they_look_after(client, keeper):
    from members.duties import advice_for

    assert advice_for(keeper) == []
    make_resource(added_by=keeper)
    [advice] = advice_for(keeper)
    assert (advice.url, "1 resource" in advice.label) == ("/library/kept/", True)


def test_who_was_asked_may_still_say_yes_after_the_other_has_left(keeper, other):
    resource = make_resource(added_by=keeper)
    offer(resource, keeper, other)
    erase_member(member=keeper, keep_words=True)
    resource.refresh_from_db()
    assert (resource.keeper, resource.added_by) == (None, None)
    assert handing_on.answer_offer(actor=other, resource=resource, accept=True).keeper == other


def test_with_the_words_go_what_one_looks_after_and_not_what_was_handed_on(keeper, other):
    mine, handed_on, given, told, into = (make_resource(added_by=keeper, title="Zqx") for _number in range(5))
    Resource.objects.filter(pk=handed_on.pk).update(keeper=other)
    Resource.objects.filter(pk=given.pk).update(keeper=None)
    files = [make_file(resource=one) for one in (mine, handed_on)]
    Story.objects.create(resource=told, author=other, place="Here", changed="All")
    merging.merge_resources(
        actor=make_member(is_moderator=True), kept=into, gone=make_resource(added_by=other), reason="Twice."
    )
    erase_member(member=keeper, keep_words=False)
    left = {
        one.pk: one
        for one in Resource.objects.filter(pk__in=[mine.pk, handed_on.pk, given.pk, told.pk, into.pk])
    }
    assert set(left) == {handed_on.pk, given.pk, told.pk, into.pk}
    assert [(one.added_by, one.title == "Zqx") for one in (left[handed_on.pk], left[given.pk])] == [
        (None, True)
    ] * 2
    assert [(left[pk].state, "Zqx" in left[pk].title) for pk in (told.pk, into.pk)] == [("hidden", False)] * 2
    assert set(Tombstone.objects.values_list("resource", "reason", "by")) == {
        (told.pk, "wish", None),
        (into.pk, "wish", None),
    }
    assert Story.objects.get().author == other
    assert [ResourceFile.objects.filter(pk=file.pk).exists() for file in files] == [False, True]
