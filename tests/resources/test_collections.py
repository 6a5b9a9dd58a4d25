"""Collections: who sees, fills and changes them; their order; and what of them everybody meets."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from kmnet.core.models import AuditEntry
from members.models import Group, GroupMember, Standing
from resources import collection_permissions as permissions
from resources import services
from resources.gathered import items_of, resources_of
from resources.models import Collection, CollectionItem
from resources.services.collections import CollectionFull
from resources.services.leaving import forget_adder
from tests.factories.members import make_member
from tests.factories.resources import make_collection, make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_member(name="Olive Owner")


@pytest.fixture
def group(owner):
    group = Group.objects.create(slug="set", name="Set")
    GroupMember.objects.create(group=group, member=owner, standing=Standing.MEMBER)
    return group


def titles(collection, viewer):
    return [item.resource.title for item in items_of(collection, viewer)]


def three(owner, **fields):
    resources = [make_resource(title=title) for title in ("One", "Two", "Three")]
    return make_collection(owner=owner, items=resources, **fields)


# --- who may what ------------------------------------------------------------------------------------------------------
def test_predicates_and_querysets_agree_for_everybody(owner, group):
    mate, convenor = make_member(), make_member()
    GroupMember.objects.create(group=group, member=mate, standing=Standing.MEMBER)
    GroupMember.objects.create(group=group, member=convenor, standing=Standing.CONVENOR)

    people = [
        owner,
        mate,
        convenor,
        make_member(),
        make_member(is_host=True),
        make_member(is_moderator=True),
        make_member(is_superuser=True, is_staff=True),
        make_member(status="pending"),
        make_member(status="silenced"),
        AnonymousUser(),
    ]
    host = next(one for one in people if getattr(one, "is_host", False))
    made = [
        make_collection(owner=owner),
        make_collection(owner=owner, visibility="members"),
        make_collection(owner=owner, visibility="public"),
        make_collection(owner=owner, visibility="group", group=group),
        make_collection(owner=host, visibility="public", is_curated=True),
    ]
    for collection in list(made):
        fields = {"owner": collection.owner, "visibility": collection.visibility, "group": collection.group}
        made.append(Collection.objects.create(title="Hidden", state="hidden", **fields))
    for person in people:
        seen = set(Collection.objects.readable_by(person))
        assert seen == {one for one in made if permissions.can_view_collection(person, one)}, person
        filled = set(Collection.objects.fillable_by(person))
        assert filled == {one for one in made if permissions.can_fill_collection(person, one)}, person
        assert set(Collection.objects.visible_to(person)) <= seen
    assert permissions.can_change_collection(convenor, made[3])
    assert not permissions.can_change_collection(mate, made[3])
    assert permissions.can_fill_collection(mate, made[3])


def test_only_hosts_recommend_and_any_of_them_looks_after_it(owner):
    host, other = make_member(is_host=True), make_member(is_host=True)
    with pytest.raises(PermissionDenied):
        make_collection(owner=owner, visibility="public", is_curated=True)
    with pytest.raises(PermissionDenied):
        make_collection(owner=host, is_curated=True)  # what nobody sees recommends nothing
    collection = make_collection(owner=host, visibility="public", is_curated=True)
    services.collect(actor=other, collection=collection, resource=make_resource(title="New"))
    assert titles(collection, owner) == ["New"]
    with pytest.raises(PermissionDenied):
        services.collect(actor=owner, collection=collection, resource=make_resource())


def test_what_a_group_put_together_stays_the_groups(owner, group):
    with pytest.raises(PermissionDenied):
        make_collection(owner=make_member(), visibility="group", group=group)
    collection = make_collection(owner=owner, visibility="group", group=group)
    with pytest.raises(PermissionDenied):
        services.change_collection(
            actor=owner, collection=collection, title="T", description="", visibility="public"
        )


def test_everybody_meets_of_a_collection_what_they_may_see_anyway(owner, client):
    shown, members = make_resource(title="Shown"), make_resource(title="Inside", visibility="members")
    hidden = make_resource(title="Gone")
    collection = make_collection(owner=owner, visibility="public", items=[members, hidden, shown])
    hidden.state = "hidden"
    hidden.save(update_fields=["state"])
    page = client.get(collection.get_absolute_url())
    assert [item.resource.title for item in page.context["page"]] == ["Shown"]
    assert page.context["total"] == 1
    assert b"Inside" not in page.content
    assert b"Gone" not in page.content
    assert [item.number for item in page.context["page"]] == [1]  # no gap tells that there is more
    [line] = client.get(reverse("resources:collections")).context["page"]
    assert line.held == 1
    assert b"Inside" not in client.get(reverse("resources:collection_print", args=[collection.pk])).content
    assert list(resources_of(collection, owner)) == [members, shown]
    assert titles(collection, owner) == ["Inside", "Shown"]


def test_nobody_puts_in_what_they_may_not_open(owner):
    resource = make_resource(state="hidden")
    with pytest.raises(PermissionDenied):
        make_collection(owner=owner, items=[resource])


# --- filling and ordering ----------------------------------------------------------------------------------------------
def test_once_is_enough_and_a_new_note_replaces_the_old(owner):
    resource = make_resource(title="One")
    collection = make_collection(owner=owner, items=[resource, resource], notes=["First", ""])
    [item] = collection.items.all()
    assert item.note == "First"
    services.collect(actor=owner, collection=collection, resource=resource, note="Better")
    item.refresh_from_db()
    assert item.note == "Better"


def test_a_move_says_past_which_one_so_that_a_second_press_changes_nothing(owner):
    collection = three(owner)
    one, two, three_ = collection.items.values_list("pk", flat=True)
    for _press in range(2):
        services.place_item(actor=owner, collection=collection, item=three_, beside=two, after=False)
        assert titles(collection, owner) == ["One", "Three", "Two"]
    services.place_item(actor=owner, collection=collection, item=one, beside=two, after=True)
    assert titles(collection, owner) == ["Three", "Two", "One"]
    services.place_item(actor=owner, collection=collection, item=one, beside=one, after=True)
    services.place_item(actor=owner, collection=collection, item=one, beside=2**31, after=True)
    assert titles(collection, owner) == ["Three", "Two", "One"]
    with pytest.raises(PermissionDenied):
        services.place_item(actor=make_member(), collection=collection, item=one, beside=two, after=False)


def test_a_move_goes_past_what_the_mover_cannot_see(owner, client):
    collection = three(owner)
    second = collection.items.all()[1]
    second.resource.state = "hidden"
    second.resource.save(update_fields=["state"])
    client.force_login(owner)
    arrange = reverse("resources:collection_arrange", args=[collection.pk])
    first, last = client.get(arrange).context["page"]
    assert (last.before, last.after, first.after) == (first.pk, None, last.pk)
    client.post(arrange, {"act": f"before {last.pk} {last.before}"})
    assert titles(collection, owner) == ["Three", "One"]


def test_a_full_collection_says_so(owner, monkeypatch):
    monkeypatch.setattr("resources.services.collections.MOST_ITEMS", 2)
    with pytest.raises(CollectionFull):
        three(owner)
    monkeypatch.setattr("resources.services.collections.MOST_COLLECTIONS", 1)
    with pytest.raises(CollectionFull):
        make_collection(owner=owner)


def test_hidden_and_shown_again_with_a_reason_in_the_log(owner, client):
    moderator = make_member(is_moderator=True)
    collection = three(owner, visibility="public")
    with pytest.raises(PermissionDenied):
        services.hide_collection(target=collection, actor=owner, reason="Mine")
    services.hide_collection(target=collection, actor=moderator, reason="Advertising")
    assert client.get(collection.get_absolute_url()).status_code == 302
    client.force_login(owner)
    assert b"Advertising" in client.get(collection.get_absolute_url()).content
    assert client.get(reverse("resources:collection_edit", args=[collection.pk])).status_code == 404
    services.restore_collection(target=collection, actor=moderator, reason="A mistake")
    verbs = AuditEntry.objects.order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["resources.collection_hidden", "resources.collection_restored"]


# --- the pages ---------------------------------------------------------------------------------------------------------
def test_one_is_made_from_the_page_of_a_record_and_put_in_order_without_scripts(owner, client):
    client.force_login(owner)
    resource, other = make_resource(title="One"), make_resource(title="Two")
    page = client.get(resource.get_absolute_url()).content.decode()
    collect = reverse("resources:collect", args=[resource.pk])
    assert f'href="{collect}"' in page
    assert b"Make a collection with this in it" in client.get(collect).content
    new = reverse("resources:collection_new") + f"?resource={resource.pk}"
    bad = client.post(new, {"title": "", "visibility": "public", "description": "Begin here."})
    assert bad.status_code == 422
    assert b"Begin here." in bad.content
    made = client.post(new, {"title": "To begin", "visibility": "members", "description": "*Begin* here."})
    collection = Collection.objects.get()
    assert made["Location"] == collection.get_absolute_url()
    answer = client.post(
        reverse("resources:collect", args=[other.pk]), {"collection": collection.pk, "note": "The second."}
    )
    assert answer["Location"] == other.get_absolute_url()
    assert titles(collection, owner) == ["One", "Two"]
    arrange = reverse("resources:collection_arrange", args=[collection.pk])
    first, second = client.get(arrange).context["page"]
    # whichever button is pressed, what was typed beside it is saved; what others wrote meanwhile stays
    services.say_why(actor=owner, collection=collection, item=second.pk, note="Written meanwhile")
    typed = {
        f"{first.pk}-note": "Why it is here",
        f"{second.pk}-note": "The second.",
        f"was-{second.pk}": "The second.",
    }
    client.post(arrange, {**typed, "act": f"before {second.pk} {second.before}"})
    assert titles(collection, owner) == ["Two", "One"]
    assert list(collection.items.values_list("note", flat=True)) == ["Written meanwhile", "Why it is here"]
    long = {f"{first.pk}-note": "x" * 301, f"{second.pk}-note": "Typed, too", "act": f"out {second.pk}"}
    wrong = client.post(arrange, long)
    assert wrong.status_code == 422
    assert b"x" * 301 in wrong.content
    assert b"Typed, too" in wrong.content
    assert titles(collection, owner) == ["Two", "One"]
    client.post(arrange, {"act": f"out {second.pk}"})
    assert client.post(arrange, {"act": "done"})["Location"] == collection.get_absolute_url()
    assert titles(collection, owner) == ["One"]
    assert b"To begin" in client.get(resource.get_absolute_url()).content
    client.post(reverse("resources:collection_delete", args=[collection.pk]))
    assert not Collection.objects.exists()
    assert not CollectionItem.objects.exists()


@pytest.mark.parametrize(
    "data", [{}, {"act": "up 1"}, {"act": "out x"}, {"act": "before 1"}, {"act": "save 1"}]
)
def test_what_no_button_sends_is_not_found(owner, client, data):
    client.force_login(owner)
    arrange = reverse("resources:collection_arrange", args=[three(owner).pk])
    assert client.post(arrange, data).status_code == 404


def test_the_button_pressed_twice_makes_one(owner, client):
    client.force_login(owner)
    new = reverse("resources:collection_new")
    key = client.get(new).context["form"]["submit_key"].value()
    for _press in range(2):
        client.post(new, {"title": "Once", "visibility": "own", "submit_key": key})
    assert Collection.objects.count() == 1


def test_a_slug_of_old_leads_on(owner, client):
    collection = three(owner, visibility="public", title="New words")
    answer = client.get(f"/library/collections/{collection.pk}-old-words/")
    assert (answer.status_code, answer["Location"]) == (301, collection.get_absolute_url())


@pytest.mark.parametrize("count", [1, 50])
def test_pages_cost_the_same_at_any_length(owner, client, count, django_assert_num_queries):
    resources = [make_resource(added_by=owner, tags=["a"]) for _number in range(count)]
    collection = make_collection(owner=owner, visibility="public", items=resources)
    for _number in range(count - 1):
        make_collection(owner=owner, visibility="public", items=resources[:2])
    client.get("/library/")
    # it, its order, what is in it with the records, their terms and tags
    with django_assert_num_queries(6):
        assert client.get(collection.get_absolute_url()).context["total"] == count
    with django_assert_num_queries(3):
        client.get(reverse("resources:collection_print", args=[collection.pk]))
    with django_assert_num_queries(1):
        assert len(client.get(reverse("resources:collections") + "?x=1").context["page"]) == min(count, 20)


# --- those who leave ---------------------------------------------------------------------------------------------------
def test_who_leaves_takes_their_own_and_their_words_along(owner, group):
    mate = make_member()
    GroupMember.objects.create(group=group, member=mate, standing=Standing.CONVENOR)
    own = three(owner)
    shared = three(owner, visibility="public", title="Shared")
    theirs = make_collection(owner=mate, visibility="group", group=group)
    services.collect(actor=owner, collection=theirs, resource=make_resource(), note="My own words")
    services.set_saved(member=owner, resource=make_resource(), on=True)

    forget_adder(member=owner, keep_words=False)
    assert not Collection.objects.filter(pk__in=[own.pk, shared.pk]).exists()
    assert [item.note for item in theirs.items.all()] == [""]
