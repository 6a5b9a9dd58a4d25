"""Who may open the files of a record: one rule for one record, and the same for a list of them."""

import itertools

import pytest
from django.contrib.auth.models import AnonymousUser

from resources import permissions
from resources.models import Resource, ResourceFile, files_rule
from tests.factories.members import make_member
from tests.factories.resources import make_file, make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return {
        "guest": AnonymousUser(),
        "pending": make_member(status="pending"),
        "member": make_member(),
        "adder": make_member(),
        "moderator": make_member(is_moderator=True),
    }


def test_the_rule_for_one_record_is_the_rule_for_lists(people):
    for state, visibility, files_for in itertools.product(
        ("visible", "held", "hidden"), ("public", "members"), ("", "members")
    ):
        if files_for and visibility != "public":
            continue
        make_resource(
            title=f"{state} {visibility} {files_for}",
            visibility=visibility,
            state=state,
            files_for=files_for,
            added_by=people["adder"],
        )
    opened = {}
    for name, user in people.items():
        opened[name] = {one.title for one in Resource.objects.with_open_files_for(user)}
        asked = {one.title for one in Resource.objects.all() if permissions.can_open_files(user, one)}
        assert asked == opened[name], name
        listed = Resource.objects.visible_to(user).filter(files_rule(user))
        assert {one.title for one in listed} <= opened[name]
    assert opened["guest"] == opened["pending"] == {"visible public"}
    assert opened["member"] == {"visible public", "visible public members", "visible members"}
    assert len(opened["adder"]) == len(opened["moderator"]) == 9


def test_what_waits_for_the_scanner_is_known_to_its_sender_and_open_to_nobody(people):
    record = make_resource(added_by=people["adder"])
    files = {}
    for state in ResourceFile.State.values:
        files[state] = make_file(resource=record, name=f"{state}.pdf")
        ResourceFile.objects.filter(pk=files[state].pk).update(
            state=state, scan_due_at=record.created_at if state == "pending" else None
        )
        files[state].refresh_from_db()
    for name, user in people.items():
        seen = {file.state for file in record.files.listed_for(user)}
        assert seen == {state for state, file in files.items() if permissions.can_see_file(user, file)}, name
        assert seen == (set(files) if name == "adder" else {"clean", "unscanned"}), name
        opened = {state for state, file in files.items() if permissions.can_open_file(user, file)}
        assert opened == {"clean", "unscanned"}, name
