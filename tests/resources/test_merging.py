"""Two records of one thing become one, and nothing that people hung on either is lost."""

from functools import partial

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied

from kmnet.core.models import AuditEntry, DoomedFile, RelatedItem
from resources.duplicates import find_duplicates
from resources.models import (
    Collection,
    CollectionItem,
    Derivative,
    HandOver,
    Relation,
    Resource,
    ResourceEdit,
    ResourceUse,
    SavedResource,
    Story,
    UsageDay,
    UsedMark,
)
from resources.services import merging
from tests.factories.members import make_member
from tests.factories.resources import make_file, make_resource, make_term
from tests.together import at_once, meet_before

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator():
    return make_member(is_moderator=True)


def merge(kept, gone, actor):
    return merging.merge_resources(actor=actor, kept=kept, gone=gone, reason="The same report.")


def test_every_table_that_leads_to_a_record_is_spoken_for():
    found = {f"{one.related_model.__name__}.{one.field.name}" for one in Resource._meta.related_objects}
    assert found - {"UsageEvent.resource"} == (merging.CARRIED | merging.LEFT) - {"UsageEvent.resource"}
    assert not merging.CARRIED & merging.LEFT


def test_what_people_hung_on_both_hangs_on_the_one_that_stays(client, moderator):
    keeper, one, other = (make_member() for _number in range(3))
    kept = make_resource(
        title="Kept",
        added_by=make_member(),
        tags=["a"],
        terms=[make_term("type", "guide"), make_term("stage", "spread")],
    )
    gone = make_resource(
        title="Gone", added_by=keeper, tags=["a", "b"], doi="10.1000/x", description="What it is.",
        terms=[make_term("type", "report"), make_term("stage", "sustain")],
    )  # fmt: skip
    Resource.objects.filter(pk=gone.pk).update(
        created_at="2020-01-01T00:00Z", published_at="2020-01-01T00:00Z"
    )
    same, mine = (
        make_file(resource=gone),
        make_file(resource=gone, name="more.pdf", content=b"%PDF-1.7\n% more\n%%EOF\n"),
    )
    make_file(resource=kept)
    Story.objects.create(resource=gone, author=one, place="Here", changed="All")
    for resource, member, day in ((gone, one, 1), (gone, other, 2), (kept, other, 9)):
        SavedResource.objects.create(resource=resource, member=member, created_at=f"2026-01-0{day}T00:00Z")
        UsedMark.objects.create(resource=resource, member=member)
    lists = [Collection.objects.create(title=f"List {number}", owner=one) for number in range(2)]
    CollectionItem.objects.create(collection=lists[0], resource=gone, position=1, note="Why")
    CollectionItem.objects.create(collection=lists[0], resource=kept, position=2)
    CollectionItem.objects.create(collection=lists[1], resource=gone, position=4, note="Why here")
    for resource in (kept, gone):
        UsageDay.objects.create(resource=resource, kind="read", day="2026-11-01", people=2, times=3)
    UsageDay.objects.create(resource=gone, kind="download", day="2026-11-01", people=1, times=1)
    child, friend = make_resource(), make_resource()
    Derivative.objects.create(parent=gone, child=child, kind="plain-language")
    Relation.objects.create(resource=gone, kind="related", other=friend)
    Relation.objects.create(resource=friend, kind="related", other=kept)
    Relation.objects.create(resource=gone, kind="newer", other=kept)
    about = ContentType.objects.get_for_model(Resource)
    RelatedItem.objects.create(source=one, target=gone, relation="asks")
    HandOver.objects.create(resource=gone, asked_by=keeper, asked=one)

    merge(kept, gone, moderator)
    assert merge(kept, gone, moderator) == kept  # twice is once
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert (kept.doi, kept.description, kept.created_at.year, kept.published_at.year) == (
        "10.1000/x",
        "What it is.",
        2020,
        2020,
    )
    assert sorted(kept.tags.names()) == ["a", "b"]
    assert sorted(kept.terms.values_list("name", flat=True)) == ["guide", "spread", "sustain"]
    assert sorted(kept.files.values_list("name", flat=True)) == ["guide.pdf", "more.pdf"]
    assert not type(same).objects.filter(pk=same.pk).exists()
    assert (Story.objects.get().resource, mine.pk in kept.files.values_list("pk", flat=True)) == (kept, True)
    saves = SavedResource.objects.order_by("created_at").values_list("resource", "member", "created_at__day")
    assert list(saves) == [(kept.pk, one.pk, 1), (kept.pk, other.pk, 2)]
    assert UsedMark.objects.filter(resource=kept).count() == UsedMark.objects.count() == 2
    items = CollectionItem.objects.order_by("collection").values_list(
        "collection", "resource", "position", "note"
    )
    assert list(items) == [(lists[0].pk, kept.pk, 2, "Why"), (lists[1].pk, kept.pk, 4, "Why here")]
    days = UsageDay.objects.order_by("kind").values_list("resource", "kind", "people", "times")
    assert list(days) == [(kept.pk, "download", 1, 1), (kept.pk, "read", 4, 6)]
    use = ResourceUse.objects.get(resource=kept)
    assert (use.read, use.downloaded, use.used, use.saved) == (4, 1, 2, 2)
    assert Derivative.objects.get().parent == kept
    assert list(Relation.objects.values_list("resource", "kind", "other")) == [
        (friend.pk, "related", kept.pk)
    ]
    assert (RelatedItem.objects.get().target_type, RelatedItem.objects.get().target_id) == (about, kept.pk)
    assert not HandOver.objects.exists()
    assert AuditEntry.objects.get().data == {"into": kept.pk}
    assert "Gone" in ResourceEdit.objects.get().note
    answer = client.get(gone.get_absolute_url())
    assert (answer.status_code, answer.url) == (301, kept.get_absolute_url())
    assert DoomedFile.objects.filter(name=same.file.name).exists()


def test_who_may_not_see_the_one_that_stays_is_told_nothing(client, moderator):
    kept, gone = (make_resource(visibility="members") for _number in range(2))
    merge(kept, gone, moderator)
    assert client.get(gone.get_absolute_url()).status_code == 302  # to sign in
    client.force_login(make_member())
    assert client.get(gone.get_absolute_url()).url == kept.get_absolute_url()
    Resource.objects.filter(pk=kept.pk).update(state="hidden")
    assert client.get(gone.get_absolute_url()).status_code == 404


def test_addresses_of_several_mergers_lead_to_the_last(client, moderator):
    one, two, three = (make_resource() for _number in range(3))
    merge(two, one, moderator)
    merge(three, two, moderator)
    assert client.get(one.get_absolute_url()).url == three.get_absolute_url()
    assert set(Resource.objects.filter(state="hidden").values_list("merged_into", flat=True)) == {three.pk}


def test_who_may_and_which_may(moderator):
    keeper = make_member()
    mine, too = make_resource(added_by=keeper), make_resource(added_by=keeper)
    theirs, inside = (
        make_resource(added_by=make_member()),
        make_resource(added_by=keeper, visibility="members"),
    )
    held = make_resource(added_by=keeper, state="held")
    for kept, gone, actor in (
        (mine, theirs, keeper),
        (mine, held, keeper),
        (held, mine, moderator),
        (mine, mine, keeper),
    ):
        with pytest.raises(PermissionDenied):
            merge(kept, gone, actor)
    with pytest.raises(merging.ForOthers):
        merge(mine, inside, keeper)
    assert merge(mine, too, keeper) == mine
    assert merge(mine, held, moderator) == mine


def test_a_derivative_never_becomes_a_parent(moderator):
    parent, child, twin, grandchild = (make_resource() for _number in range(4))
    Derivative.objects.create(parent=parent, child=child, kind="audio")
    Derivative.objects.create(parent=twin, child=grandchild, kind="audio")
    merge(child, twin, moderator)
    assert sorted(Derivative.objects.values_list("parent", "child")) == sorted(
        [(parent.pk, child.pk), (parent.pk, grandchild.pk)]
    )
    merge(parent, child, moderator)  # the one that was made from it, too
    assert list(Derivative.objects.values_list("parent", "child")) == [(parent.pk, grandchild.pk)]


@pytest.mark.django_db(transaction=True)
def test_each_into_the_other_at_once_leaves_one(monkeypatch):
    moderator, one, two = make_member(is_moderator=True), make_resource(), make_resource()
    meet_before(monkeypatch, merging, "carry_over")
    deeds = [partial(merge, one, two, moderator), partial(merge, two, one, moderator)]
    results = at_once(*deeds, errors=type)
    assert PermissionDenied in results
    assert Resource.objects.filter(state="hidden").count() == 1


def test_what_came_while_it_was_merged_is_carried_over(moderator):
    kept, gone, member = make_resource(), make_resource(), make_member()
    merge(kept, gone, moderator)
    Story.objects.create(resource=gone, author=member, place="Here", changed="All")
    SavedResource.objects.create(resource=gone, member=member)
    assert (merging.sweep_merged(), merging.sweep_merged()) == (1, 0)
    assert (Story.objects.get().resource, SavedResource.objects.get().resource) == (kept, kept)


def test_the_page_offers_look_alikes_and_compares(client, moderator):
    keeper = make_member()
    one = make_resource(title="Knowledge brokers at work", doi="10.1000/x", added_by=keeper)
    two = make_resource(title="Knowledge brokers at work", added_by=keeper)
    address = f"/library/{one.pk}/merge/"
    client.force_login(make_member())
    assert client.get(address).status_code == 404
    client.force_login(keeper)
    assert [like.resource for like in client.get(address).context["alike"]] == [two]
    assert client.get(f"{address}?other=nonsense").status_code == 422
    assert client.get(f"{address}?with=999999").status_code == 422
    assert client.get(f"{address}?other={two.get_absolute_url()}").context["both"] == [one, two]
    refused = client.post(f"{address}?with={two.pk}", {"kept": "0"})
    assert (refused.status_code, refused.content.decode().count('class="error-summary"')) == (422, 1)
    answer = client.post(f"{address}?with={two.pk}", {"kept": two.pk})
    assert (answer.status_code, answer.url) == (302, two.get_absolute_url())
    two.refresh_from_db()
    assert two.doi == "10.1000/x"
    client.force_login(moderator)
    three = make_resource()
    address = f"/library/{two.pk}/merge/?with={three.pk}"
    assert list(client.post(address, {"kept": two.pk}).context["form"].errors) == ["reason"]
    assert client.post(address, {"kept": two.pk, "reason": "Twice."}).status_code == 302
    assert (
        client.post(address, {"kept": two.pk, "reason": "Twice."}).url == two.get_absolute_url()
    )  # once more
    assert client.post(f"/library/{three.pk}/merge/?with={two.pk}").url == three.get_absolute_url()


# --- look-alikes -----------------------------------------------------------------------------------------------------
def alike(viewer, **item):
    return [like.resource for like in find_duplicates(viewer=viewer, item=item)]


def test_a_name_without_an_initial_is_no_veto_and_another_one_is():
    member = make_member()
    record = make_resource(title="Between two worlds of knowledge", creators=["Kislov, Roman"])
    title = "Between two worlds of knowledge"
    assert alike(member, title=title, author=[{"family": "Kislov"}]) == [record]
    assert alike(member, title=title, author=[{"family": "Kislov", "given": "R."}]) == [record]
    assert alike(member, title=title, author=[{"family": "Kislov", "given": "Anna"}]) == []


def test_one_s_own_that_is_held_is_found_and_another_s_is_not():
    member = make_member()
    mine = make_resource(doi="10.1000/ABC", added_by=member, state="held")
    make_resource(doi="10.1000/def", added_by=make_member(), state="held")
    assert alike(member, DOI="10.1000/abc") == [mine]
    assert alike(member, DOI="10.1000/def") == []


def test_a_file_that_waits_for_the_scanner_tells_nothing():
    resource = make_resource(added_by=make_member())
    file = make_file(resource=resource)
    found = partial(find_duplicates, viewer=make_member(), item={}, hashes=[file.sha256])
    assert [like.resource for like in found()] == [resource]
    type(file).objects.update(state="pending", scan_due_at=file.created_at)
    assert found() == []
