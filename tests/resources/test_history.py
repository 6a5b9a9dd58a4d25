"""What a record said before: for those who see it, never more than what was written for them."""

import pytest
from django.core.exceptions import PermissionDenied

from kmnet.core.models import AuditEntry
from resources import services
from resources.models import ResourceEdit
from resources.services import history
from tests.factories.groups import make_group, put_in
from tests.factories.members import make_member
from tests.factories.resources import make_file, make_resource, make_term

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper():
    return make_member(name="Ida Keeper")


def edit(resource, keeper, **changes):
    item = {**resource.csl, **changes.pop("csl", {})}
    details = {"description": resource.description, "visibility": resource.visibility} | changes
    return services.edit_resource(
        actor=keeper, resource=resource, details=services.Details(csl=item, **details)
    )


def told(resource):
    return [
        (step.note, {str(one.label): [(c.kind, c.text) for c in one.changes] for one in step.fields})
        for step in history.steps(resource)
    ]


def test_each_change_keeps_what_was_there_and_no_more(keeper):
    resource = make_resource(title="One", added_by=keeper, description="As it was.", licence="unknown")
    edit(resource, keeper, csl={"title": "Two"}, description="As it was.", tags=["new"])
    resource = edit(
        resource, keeper, csl={"title": "Two"}, description="As it was.", tags=["new"]
    )  # changed nothing
    resource = edit(resource, keeper, csl={"title": "Three"}, tags=["new"], terms=[make_term()], minutes=5)
    assert list(ResourceEdit.objects.order_by("pk").values_list("before", flat=True)) == [
        {"title": "One", "tags": ""},
        {"title": "Two", "terms": "", "minutes": ""},
    ]
    assert told(resource) == [
        (
            "",
            {
                "Title": [("out", "Two"), ("in", "Three")],
                "Terms": [("in", "guide")],
                "Minutes it takes": [("in", "5")],
            },
        ),
        ("", {"Title": [("out", "One"), ("in", "Two")], "Tags": [("in", "new")]}),
    ]


def test_several_changes_within_minutes_are_one_and_one_s_first_minutes_leave_no_trace(keeper, settings):
    settings.POST_GRACE_MINUTES = 5
    resource = make_resource(title="One", added_by=keeper)
    resource = edit(resource, keeper, csl={"title": "Two"})
    assert not ResourceEdit.objects.exists()
    type(resource).objects.update(created_at="2026-01-01T00:00Z")
    resource.refresh_from_db()
    resource = edit(resource, keeper, csl={"title": "Three"})
    resource = edit(resource, keeper, csl={"title": "Four"}, minutes=3)
    assert [one.before for one in ResourceEdit.objects.all()] == [{"title": "Two", "minutes": ""}]


def test_what_was_written_for_fewer_is_not_told_to_more(client, keeper):
    group = make_group(name="Quiet Group")
    put_in(group, keeper)
    resource = make_resource(title="Among ourselves", added_by=keeper)
    type(resource).objects.update(visibility="group", group=group)
    resource.refresh_from_db()
    resource = edit(resource, keeper, csl={"title": "Still among ourselves"}, group=group)
    assert ResourceEdit.objects.count() == 1
    resource = edit(resource, keeper, csl={"title": "For all"}, visibility="public")
    assert not ResourceEdit.objects.exists()
    edit(resource, keeper, csl={"title": "For members"}, visibility="members")
    assert ResourceEdit.objects.count() == 1  # narrower: who sees it now saw it then


def test_who_sees_the_record_sees_its_history(client, keeper):
    resource = make_resource(title="One", added_by=keeper, visibility="members")
    edit(resource, keeper, csl={"title": "Two"})
    address = f"/library/{resource.pk}/history/"
    assert client.get(address).status_code == 302
    client.force_login(make_member())
    page = client.get(address)
    assert page.status_code == 200
    assert b"Ida Keeper" in page.content
    assert page["X-Robots-Tag"] == "noindex"
    type(resource).objects.update(state="hidden")
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("count", [1, 50])
def test_the_history_costs_the_same_at_any_length(client, keeper, count, django_assert_num_queries):
    resource = make_resource(added_by=keeper)
    for number in range(count):
        ResourceEdit.objects.create(resource=resource, editor=keeper, before={"title": f"Title {number}"})
    client.get(f"/library/{resource.pk}/history/")
    with django_assert_num_queries(5):  # the record, its files, terms and tags, the steps
        assert len(client.get(f"/library/{resource.pk}/history/").context["steps"]) == count


def test_words_that_a_moderator_took_out_are_gone_on_both_sides(client, keeper):
    resource = make_resource(title="One", added_by=keeper)
    for title in ("Names a patient", "Three", "Four"):
        resource = edit(resource, keeper, csl={"title": title})
    bad = ResourceEdit.objects.get(before={"title": "Names a patient"})
    moderator = make_member(is_moderator=True)
    with pytest.raises(PermissionDenied):
        services.redact_edit(edit=bad, actor=keeper, reason="Mine.")
    client.force_login(moderator)
    address = f"/library/{resource.pk}/history/{bad.pk}/redact/"
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "It names a patient."}).status_code == 302
    assert told(resource) == [
        ("", {"Title": [("out", "Three"), ("in", "Four")]}),
        ("", {"Title": []}),
        ("", {"Title": []}),
    ]
    assert b"patient" not in client.get(f"/library/{resource.pk}/history/").content
    assert AuditEntry.objects.get().verb == "resources.history_redacted"
    client.force_login(make_member())
    assert client.get(address).status_code == 404


def test_a_file_that_came_is_told_by_its_name(keeper):
    resource = make_resource(added_by=keeper)
    file = make_file(resource=resource, name="guide.pdf")
    file.resource = None
    file.save()
    services.edit_resource(
        actor=keeper, resource=resource, details=services.Details(csl=resource.csl), files=[file]
    )
    assert ResourceEdit.objects.get().before == {"files": ""}
