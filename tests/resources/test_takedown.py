"""Taken down: its files are gone, its address says why to whoever might have seen it, and nothing to others."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from kmnet.core import activity, moderation
from kmnet.core.models import Activity, AuditEntry, DoomedFile, Flag, Notification, OutgoingMail
from resources import citing, services
from resources.models import (
    DoiRecord,
    HandOver,
    ImportBatch,
    LinkRecord,
    Resource,
    ResourceCreator,
    ResourceFile,
    Tombstone,
    UsageDay,
)
from resources.services import merging
from tests.factories.members import make_member
from tests.factories.resources import make_file, make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator():
    return make_member(is_moderator=True)


@pytest.fixture
def keeper():
    return make_member()


def take_down(resource, moderator, **fields):
    fields = {"reason": "copyright", "note": "Its publisher asked.", "why": "A letter came."} | fields
    return services.take_down(resource=resource, actor=moderator, **fields)


def status(client, resource, user=None):
    client.logout()
    if user:
        client.force_login(user)
    return client.get(resource.get_absolute_url()).status_code


def test_files_go_the_numbers_and_the_citation_stay(moderator, keeper, django_capture_on_commit_callbacks):
    resource = make_resource(title="Walking the boundary", added_by=keeper)
    file = make_file(resource=resource)
    UsageDay.objects.create(resource=resource, kind="read", day="2026-11-01", people=3, times=4)
    HandOver.objects.create(resource=resource, asked_by=keeper, asked=make_member())
    with django_capture_on_commit_callbacks(execute=True):
        tombstone = take_down(resource, moderator)
        assert take_down(resource, moderator, reason="spam") == tombstone  # twice is once
    assert not ResourceFile.objects.exists()
    assert not DoomedFile.objects.exists()
    assert not file.file.storage.exists(file.file.name)
    assert (tombstone.reason, tombstone.by, UsageDay.objects.count(), HandOver.objects.count()) == (
        "copyright", moderator, 1, 0,
    )  # fmt: skip
    assert "Walking the boundary" in tombstone.citation
    assert AuditEntry.objects.get().verb == "resources.taken_down"
    activity.fan_out(activity_id=Activity.objects.get().pk)
    assert OutgoingMail.objects.get().member == keeper


def test_its_address_answers_410_to_whoever_might_have_seen_it(client, moderator, keeper):
    public = make_resource(added_by=keeper)
    inside = make_resource(added_by=keeper, visibility="members")
    for resource in (public, inside):
        take_down(resource, moderator)
    assert [status(client, public, user) for user in (None, keeper, make_member(), moderator)] == [410] * 4
    assert [status(client, inside, user) for user in (None, keeper, make_member(), moderator)] == [302] + [
        410
    ] * 3
    client.logout()
    page = client.get(public.get_absolute_url())
    assert b"Its publisher asked." in page.content
    assert "no-store" in page["Cache-Control"]  # a browser keeps a 410 for ever, and this one may be undone
    assert page["X-Robots-Tag"] == "noindex"
    assert b"A letter came." not in page.content  # that is for the log
    assert list(client.get("/library/").context["resources"]) == []


def test_a_group_s_record_is_gone_for_its_people_and_unknown_to_others(client, moderator):
    from tests.factories.groups import make_group, put_in

    group, inside = make_group(), make_member()
    put_in(group, inside)
    resource = make_resource(title="Among us")
    Resource.objects.update(visibility="group", group=group)
    resource.refresh_from_db()
    with pytest.raises(PermissionDenied):  # what no moderator sees and nobody told them of
        take_down(resource, moderator)
    services.hide_resource(target=resource, actor=moderator, reason="Reported.")
    take_down(resource, moderator)
    assert [status(client, resource, user) for user in (inside, make_member())] == [410, 404]


def test_where_the_words_must_go_none_is_left(client, moderator, keeper):
    resource = make_resource(
        title="Zqxpatient and their ward", description="About Zqxpatient.", tags=["zqxpatient"], creators=["Zqxpatient, A"],
        url="https://zqxpatient.example.org/", doi="10.1000/zqxpatient", added_by=keeper, import_key="of a list",
    )  # fmt: skip
    LinkRecord.objects.create(url_key=resource.url_key, url=resource.url, item={"title": resource.title})
    DoiRecord.objects.create(doi=resource.doi, raw={"title": resource.title})
    kept = make_resource(url="https://example.org/kept", doi="10.1000/kept")
    LinkRecord.objects.create(url_key=kept.url_key, url=kept.url)
    DoiRecord.objects.create(doi=kept.doi)
    ImportBatch.objects.create(
        member=keeper, state="saved", rows=[{"item": resource.csl}], file_name="zqxpatient.bib"
    )
    ResourceCreator.objects.create(resource=resource, member=make_member(), position=0)
    twin = make_resource(title="Zqxpatient, twice", added_by=keeper)
    merging.merge_resources(actor=keeper, kept=resource, gone=twin)
    item = {**resource.csl, "title": "Zqxpatient again"}
    services.edit_resource(actor=keeper, resource=resource, details=services.Details(csl=item))
    tombstone = take_down(resource, moderator, reason="personal-data", note="", words_go=True)
    assert tombstone.citation == ""
    with connection.cursor() as cursor:
        for model in (
            Resource,
            Tombstone,
            LinkRecord,
            DoiRecord,
            ImportBatch,
            *(r.related_model for r in Resource._meta.related_objects),
        ):
            cursor.execute(
                f'SELECT count(*) FROM "{model._meta.db_table}" t WHERE t::text ILIKE %s', ["%zqxpatient%"]
            )
            assert (model, cursor.fetchone()[0]) == (model, 0)
    assert (LinkRecord.objects.get().url, DoiRecord.objects.get().doi) == (kept.url, kept.doi)
    assert not ResourceCreator.objects.exists()
    resource.refresh_from_db()
    assert status(client, resource) == 410
    with pytest.raises(ValidationError):
        services.undo_take_down(resource=resource, actor=moderator, reason="Sorry.")


def test_what_was_cited_of_it_is_not_kept_anywhere(moderator, keeper, django_capture_on_commit_callbacks):
    gone, edited, merged, into = (make_resource(added_by=keeper) for _ in range(4))
    details = services.Details(csl={**edited.csl, "title": "Anew"})
    for resource in (gone, edited, merged, into):
        citing.citations(resource)
    with django_capture_on_commit_callbacks(execute=True):
        take_down(gone, moderator, reason="personal-data", words_go=True)
        services.edit_resource(actor=keeper, resource=edited, details=details)
        merging.merge_resources(actor=keeper, kept=into, gone=merged)
    assert [cache.get(f"cite:{one.pk}") for one in (gone, edited, merged, into)] == [None] * 4
    # And one that was written in that very moment is not taken for what the record says now.
    citing.citations(edited)
    edited.refresh_from_db()
    assert "Anew" in citing.citations(edited)[0]["text"]


def test_undone_within_thirty_days_and_without_its_files(client, moderator, keeper):
    resource = make_resource(added_by=keeper, doi="10.1000/x")
    make_file(resource=resource)
    take_down(resource, moderator)
    with pytest.raises(ValidationError):  # the desk's button is for what was hidden
        services.restore_resource(target=resource, actor=moderator, reason="No.")
    with pytest.raises(PermissionDenied):
        services.undo_take_down(resource=resource, actor=keeper, reason="Mine.")
    client.force_login(moderator)
    address = f"/library/{resource.pk}/take-down/undo/"
    asked = client.post(address, {"reason": " "})
    assert (asked.status_code, list(asked.context["form"].errors)) == (422, ["reason"])
    assert client.get(resource.get_absolute_url()).context["may_undo"] is True
    assert client.post(address, {"reason": "They agreed after all."}, follow=True).status_code == 200
    activity.fan_out(activity_id=Activity.objects.get(verb="resources.put_back").pk)
    assert Notification.objects.get().recipient == keeper  # told that it is gone, and that it is back
    resource.refresh_from_db()
    assert (resource.state, resource.doi, resource.files.count()) == ("visible", "10.1000/x", 0)
    take_down(resource, moderator)
    Tombstone.objects.update(at=timezone.now() - timedelta(days=31))
    with pytest.raises(ValidationError):
        services.undo_take_down(resource=resource, actor=moderator, reason="Too late.")
    assert client.get(resource.get_absolute_url()).context["may_undo"] is False


def test_open_reports_are_settled_with_it(moderator):
    resource = make_resource()
    moderation.report(reporter=make_member(), target=resource, reason="rights")
    take_down(resource, moderator)
    assert Flag.objects.get().state == Flag.State.UPHELD


def test_the_form_says_what_is_missing_and_keeps_what_was_typed(client, moderator):
    resource = make_resource()
    client.force_login(moderator)
    address = f"/library/{resource.pk}/take-down/"
    answer = client.post(address, {"reason": "other", "note": "", "why": "Because of a letter."})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["note"])
    assert b"Because of a letter." in answer.content
    assert client.post(address, {"reason": "spam", "why": "It sells."}).status_code == 302
    assert status(client, resource) == 410
    client.force_login(moderator)
    assert client.get(address).status_code == 302
    client.force_login(make_member())
    assert client.get(address).status_code == 404


def test_one_s_own_goes_at_once_while_it_is_new_and_later_the_moderators_are_asked(client, keeper):
    young, old, another = (make_resource(added_by=keeper) for _number in range(3))
    Resource.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    Resource.objects.filter(pk=another.pk).update(keeper=make_member())
    client.force_login(keeper)
    answers = [
        client.post(f"/library/{one.pk}/delete/", {"note": "Outdated."}) for one in (young, old, another)
    ]
    assert [answer.status_code for answer in answers] == [302, 302, 404]
    assert [status(client, one) for one in (young, old, another)] == [410, 200, 200]
    assert Tombstone.objects.get().reason == "wish"
    assert (Flag.objects.get().target, Flag.objects.get().note) == (old, "Outdated.")
