"""The library in the admin: settings that open at once, what moderators look up and hide, and what they do not see."""

import pytest
from django.test import Client
from django.urls import reverse

from kmnet.core.models import AuditEntry
from resources import services
from resources.models import Collection, ImportBatch, LibrarySettings, LinkCheck, Resource, Story
from resources.services import Telling
from tests.factories import make_member
from tests.factories.groups import make_group
from tests.factories.resources import make_collection, make_file, make_resource, make_term

pytestmark = pytest.mark.django_db


def signed_in(**roles) -> Client:
    client = Client()
    client.force_login(make_member(is_staff=True, **roles))
    return client


@pytest.fixture
def moderator():
    return signed_in(is_moderator=True)


@pytest.fixture
def admin():
    return signed_in(is_superuser=True)


def rows_of(page) -> list:
    return [str(row) for row in page.context["cl"].result_list]


def test_the_settings_open_at_once_and_are_made_by_saving(admin, moderator):
    address = reverse("admin:resources_librarysettings_changelist")
    page = admin.get(address)
    assert page.status_code == 200
    assert page.context["adminform"].form["files_mb_per_member"].value() == 500
    assert LibrarySettings.objects.count() == 0  # looking makes nothing
    asked = {"reviewed_first": 2, "files_mb_per_member": 0, "files_gb_in_all": 5, "resources_per_day": 9}
    refused = admin.post(address, asked)
    assert list(refused.context["adminform"].form.errors) == ["files_mb_per_member"]
    for _again in range(2):  # made, then changed
        answer = admin.post(address, {**asked, "files_mb_per_member": 70})
        assert (answer.status_code, answer["Location"]) == (302, address)
    row = LibrarySettings.objects.get()
    assert (row.reviewed_first, row.files_mb_per_member, row.checks_links) == (2, 70, False)
    assert admin.get(address).context["adminform"].form["files_mb_per_member"].value() == 70
    assert admin.get(reverse("admin:resources_librarysettings_add")).status_code == 403
    assert moderator.get(address).status_code == 403
    assert moderator.post(address, asked).status_code == 403


def make_story(resource, *, author=None, masked=False) -> Story:
    telling = Telling(place="In Leeds", happened="Nobody read to the end", unnamed=masked)
    return services.tell_story(actor=author or make_member(), resource=resource, telling=telling)


def test_a_record_with_all_that_belongs_to_it_costs_the_same_however_much_it_is(
    moderator, django_assert_max_num_queries
):
    resource = make_resource(
        terms=[make_term(), make_term("method", "workshop")], added_by=make_member(), url="https://a.example"
    )
    address = reverse("admin:resources_resource_change", args=[resource.pk])
    make_file(resource=resource)
    make_story(resource)
    moderator.get(address)  # content types are known now
    with django_assert_max_num_queries(60) as one:
        moderator.get(address)
    for _number in range(5):
        make_file(resource=resource, content=b"%PDF-1.7 another %%EOF")
        make_story(resource)
    with django_assert_max_num_queries(len(one)):
        page = moderator.get(address)
    shown = {type(one.opts).__name__: len(one.formset.forms) for one in page.context["inline_admin_formsets"]}
    assert shown == {
        "TermInline": 2,
        "FileInline": 6,
        "VersionInline": 0,
        "StoryInline": 6,
        "EditInline": 0,
        "TombstoneInline": 0,
    }


def test_records_are_found_by_how_their_link_is_doing(moderator):
    broken, _fine = make_resource(url="https://a.example/gone"), make_resource(url="https://b.example/here")
    for resource in Resource.objects.all():
        state = "broken" if resource == broken else "ok"
        LinkCheck.objects.create(
            url_key=resource.url_key, url=resource.url, host="x", state=state, failures=3
        )
    address = reverse("admin:resources_resource_changelist")
    assert rows_of(moderator.get(address, {"link": "broken"})) == [str(broken)]
    assert len(rows_of(moderator.get(address))) == 2
    check = LinkCheck.objects.get(state="broken")
    page = moderator.get(reverse("admin:resources_linkcheck_change", args=[check.pk]))
    assert [one.pk for one in page.context["original"].records] == [broken.pk]


def test_a_moderator_hides_a_story_with_a_reason_and_shows_it_again(moderator):
    story = make_story(make_resource())
    address = reverse("admin:resources_story_changelist")
    deed = {"action": "hide", "_selected_action": story.pk}
    moderator.post(address, {**deed, "reason": " "})
    story.refresh_from_db()
    assert story.state == "visible"
    moderator.post(address, {**deed, "reason": "It names a ward."})
    story.refresh_from_db()
    assert (story.state, story.hidden_reason) == ("hidden", "It names a ward.")
    moderator.post(address, {**deed, "action": "restore", "reason": "It does not."})
    story.refresh_from_db()
    assert story.state == "visible"
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", "reason")) == [
        ("resources.story_hidden", "It names a ward."),
        ("resources.story_restored", "It does not."),
    ]


def test_who_told_a_story_without_their_name_stands_nowhere(moderator, admin):
    teller = make_member(name="Wilhelmina Quist")
    story = make_story(make_resource(), author=teller, masked=True)
    for client in (moderator, admin):
        for address in (
            reverse("admin:resources_story_changelist"),
            reverse("admin:resources_story_change", args=[story.pk]),
            reverse("admin:resources_resource_change", args=[story.resource_id]),
        ):
            page = client.get(address)
            assert page.status_code == 200
            assert "Quist" not in page.content.decode()


def test_a_moderator_sees_shared_collections_and_no_group_s_or_private_one(moderator):
    owner, group = make_member(), make_group()
    shared = make_collection(owner=owner, title="For all", visibility="members", items=[make_resource()])
    private = make_collection(owner=owner, title="Mine")
    grouped = make_collection(owner=owner, title="Ours")
    Collection.objects.filter(pk=grouped.pk).update(visibility="group", group=group)
    inside = make_story(make_resource())
    Resource.objects.filter(pk=inside.resource_id).update(visibility="group", group=group)
    outside = make_story(make_resource())
    assert rows_of(moderator.get(reverse("admin:resources_collection_changelist"))) == ["For all"]
    assert rows_of(moderator.get(reverse("admin:resources_story_changelist"))) == [str(outside)]
    for one, status in ((shared, 200), (private, 302), (grouped, 302)):
        page = moderator.get(reverse("admin:resources_collection_change", args=[one.pk]))
        assert page.status_code == status
    deed = {"action": "hide", "_selected_action": [private.pk, shared.pk], "reason": "Not kind."}
    moderator.post(reverse("admin:resources_collection_changelist"), deed)
    assert list(Collection.objects.filter(state="hidden")) == [shared]


def test_imports_are_told_without_what_is_in_them(admin, moderator):
    batch = ImportBatch.objects.create(
        member=make_member(), file_name="my-patients.bib", form="bib", source="@book{secret}", state="failed"
    )
    for address in (
        reverse("admin:resources_importbatch_changelist"),
        reverse("admin:resources_importbatch_change", args=[batch.pk]),
    ):
        page = admin.get(address)
        assert page.status_code == 200
        assert f"import {batch.pk}" in page.content.decode()
        assert "patients" not in page.content.decode()
        assert "secret" not in page.content.decode()
        assert moderator.get(address).status_code == 403


def test_tags_are_looked_at_and_become_terms(admin):
    make_resource(tags=["mindlines"])
    [tag] = Resource.tags.all()
    page = admin.get(reverse("admin:taggit_tag_changelist"))
    assert rows_of(page) == ["mindlines"]
    assert reverse("admin:core_term_free_tag", args=[tag.pk]) in page.content.decode()
    assert admin.get(reverse("admin:taggit_tag_add")).status_code == 403
    assert admin.post(reverse("admin:taggit_tag_delete", args=[tag.pk]), {"post": "yes"}).status_code == 403
    assert list(Resource.tags.all()) == [tag]
