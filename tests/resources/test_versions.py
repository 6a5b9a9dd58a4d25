"""New versions: the newest is the record, the old ones stay as they were."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from kmnet.core import activity
from kmnet.core.models import Activity, Notification
from resources import services
from resources.models import Resource, ResourceFile, ResourceVersion, SavedResource, UsedMark
from tests.factories.members import make_member
from tests.factories.resources import RECORD_PAGE, make_file, make_resource, make_upload

pytestmark = pytest.mark.django_db


def make_version(resource, **fields):
    known = {"begun_from": resource.version, "changes": "More of it", "issued": [2026, 5, 2]}
    return services.make_version(actor=resource.keeper, resource=resource, **{**known, **fields})


def address(resource, number):
    return reverse("resources:version", args=[resource.pk, resource.slug, number])


def test_the_old_one_stays_as_it_was_and_leads_to_the_new_one(client):
    resource = make_resource(title="The ledger", added_by=make_member(), url="https://example.org/one")
    old = make_file(resource=resource, name="one.pdf")
    make_version(resource, url="https://example.org/two", changes="A confirmer")
    resource = Resource.objects.get()
    assert (resource.version, resource.year, resource.url) == (2, 2026, "https://example.org/two")
    assert resource.csl["version"] == "2"
    assert list(resource.versions.values_list("number", "changes")) == [(2, "A confirmer"), (1, "")]
    page = client.get(address(resource, 1))
    text = page.content.decode()
    assert page.status_code == 200
    assert "A newer version exists" in text
    assert "A confirmer" in text
    assert page.context["link"] == "https://example.org/one"
    assert page.context["files"] == [old]
    assert page["X-Robots-Tag"] == "noindex"
    newest = client.get(resource.get_absolute_url())
    assert newest.context["files"] == []
    assert "A confirmer" in newest.content.decode()
    assert client.get(address(resource, 2)).status_code == 302
    client.force_login(make_member())
    assert client.get(address(resource, 3)).status_code == 404


def test_a_file_that_stays_belongs_to_both(client):
    resource = make_resource(added_by=make_member())
    stays, goes = (
        make_file(resource=resource, name="stays.pdf"),
        make_file(resource=resource, name="goes.pdf"),
    )
    new = services.keep_upload(actor=resource.keeper, upload=make_upload("new.pdf"))
    make_version(resource, files=[new], staying=[stays])
    resource.refresh_from_db()
    third = services.keep_upload(actor=resource.keeper, upload=make_upload("third.pdf"))
    make_version(resource, files=[third], staying=[stays])

    def names(number):
        return {file.name for file in ResourceFile.objects.filter(resource=resource).of_version(number)}

    assert names(1) == {stays.name, goes.name}
    assert names(2) == {stays.name, new.name}
    assert names(3) == {stays.name, third.name}


def test_files_of_another_record_do_not_come_along():
    resource, other = make_resource(added_by=make_member()), make_resource(added_by=make_member())
    theirs = make_file(resource=other)
    make_version(resource, staying=[theirs], files=[theirs])
    theirs.refresh_from_db()
    assert (theirs.resource, theirs.version) == (other, 1)


def test_only_who_looks_after_it_makes_one(client):
    resource = make_resource(added_by=make_member())
    form = reverse("resources:new_version", args=[resource.pk])
    for other in (make_member(), make_member(is_moderator=True)):
        client.force_login(other)
        assert client.post(form, {"changes": "x", "begun_from": 1}).status_code == 404
        with pytest.raises(PermissionDenied):
            services.make_version(actor=other, resource=resource, begun_from=1, changes="x", issued=[])
    assert ResourceVersion.objects.count() == 0


def test_the_form_pressed_twice_makes_one_and_a_late_one_is_told(client):
    resource = make_resource(added_by=make_member())
    client.force_login(resource.keeper)
    form = reverse("resources:new_version", args=[resource.pk])
    for _press in range(2):
        assert client.post(form, {"changes": "A confirmer", "begun_from": 1}).status_code == 302
    assert list(resource.versions.values_list("number", flat=True)) == [2, 1]
    late = client.post(form, {"changes": "Something else", "begun_from": 1})
    assert late.status_code == 409
    assert "Something else" in late.content.decode()
    assert late.context["form"]["begun_from"].value() == 2
    assert client.post(form, {"changes": "Something else", "begun_from": 2}).status_code == 302


def test_what_is_wrong_is_told_at_the_field_and_files_are_kept(client):
    resource = make_resource(added_by=make_member())
    client.force_login(resource.keeper)
    form = reverse("resources:new_version", args=[resource.pk])
    sent = {"changes": "", "begun_from": 1, "issued": "0999-01-01", "files": make_upload("good.pdf")}
    page = client.post(form, sent)
    assert page.status_code == 422
    assert set(page.context["form"].errors) == {"changes", "issued", "may_share"}
    kept = page.context["form"].data["kept"]
    assert (
        client.post(form, {"changes": "x", "begun_from": 1, "kept": kept, "may_share": "on"}).status_code
        == 302
    )
    assert list(resource.files.values_list("name", "version")) == [("good.pdf", 2)]


def test_who_saved_or_uses_it_is_told_if_they_may_still_see_it():
    keeper, saver, user, gone = (make_member() for _number in range(4))
    resource = make_resource(added_by=keeper)
    SavedResource.objects.create(member=saver, resource=resource)
    UsedMark.objects.create(member=user, resource=resource)
    UsedMark.objects.create(member=gone, resource=resource)
    type(gone).objects.filter(pk=gone.pk).update(status="pending")
    make_version(resource)
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    assert set(Notification.objects.values_list("recipient", flat=True)) == {saver.pk, user.pk}


def test_versions_follow_the_rights_of_their_record(client):
    resource = make_resource(added_by=make_member(), visibility="members")
    make_version(resource)
    assert client.get(address(resource, 1)).status_code == 302  # to sign in
    client.force_login(make_member())
    assert client.get(address(resource, 1)).status_code == 200
    Resource.objects.update(state="hidden")
    assert client.get(address(resource, 1)).status_code == 404


@pytest.mark.parametrize("count", [1, 50])
def test_a_record_costs_the_same_at_any_number_of_versions(client, count, django_assert_num_queries):
    resource = make_resource(added_by=make_member())
    for _number in range(count):
        make_version(resource)
        resource.refresh_from_db()
    client.get(resource.get_absolute_url())
    with django_assert_num_queries(RECORD_PAGE + 1):  # as ever, and its versions
        client.get(resource.get_absolute_url())


def test_a_record_with_all_that_it_can_have_costs_no_more_than_twelve(client, django_assert_max_num_queries):
    keeper, reader = make_member(), make_member()
    resource = make_resource(added_by=keeper, tags=["one"], url="https://example.org/one")
    other = make_resource(added_by=keeper, tags=["one"])
    make_file(resource=resource)
    make_version(resource)
    services.make_derivative(
        actor=keeper,
        parent=resource,
        making=services.Making("plain-language"),
        details=services.Details(csl={"type": "document", "title": "Plain"}, description="Short."),
    )
    services.tell_story(
        actor=reader, resource=resource, telling=services.Telling(place="Here", happened="Much", unnamed=True)
    )
    services.relate(actor=keeper, resource=resource, kind="newer", other=other)
    for someone in (reader, keeper):
        client.force_login(someone)
        client.get(resource.get_absolute_url())
        with django_assert_max_num_queries(12):
            client.get(resource.get_absolute_url())
