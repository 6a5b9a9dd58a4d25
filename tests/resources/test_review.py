"""A moderator looks at a new member's first records before others see them."""

import pytest
from django.core.exceptions import PermissionDenied

from kmnet.core import activity
from kmnet.core.models import Activity, AuditEntry, Notification, OutgoingMail
from members.models import GroupMember, Standing
from resources import services
from resources.models import LibrarySettings, Resource
from tests.factories.groups import make_group
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("first_looks")]


def add(member, title="A guide", **details):
    item = {"type": "document", "title": title, "URL": "https://example.org/a"}
    return services.add_resource(actor=member, details=services.Details(csl=item, **details))


@pytest.fixture
def moderator():
    return make_member(is_moderator=True)


@pytest.fixture
def newcomer():
    return make_member()


def test_the_first_record_of_a_newcomer_is_seen_by_them_and_moderators_alone(client, newcomer, moderator):
    record = add(newcomer)
    assert record.state == Resource.State.HELD
    assert not Activity.objects.exists()
    for user, status in ((newcomer, 200), (moderator, 200), (make_member(), 404)):
        client.force_login(user)
        assert client.get(record.get_absolute_url()).status_code == status
        assert list(client.get("/library/").context["resources"]) == []
    client.logout()
    assert client.get(record.get_absolute_url()).status_code == 302  # to sign in, as for anything


def test_what_was_released_is_new_from_then_on_and_its_keeper_is_told(newcomer, moderator):
    record = add(newcomer)
    added_at = record.published_at
    services.release_resource(target=record, actor=moderator, reason="Good.")
    services.release_resource(target=record, actor=moderator, reason="Good.")
    record.refresh_from_db()
    assert (record.state, record.published_at > added_at) == (Resource.State.VISIBLE, True)
    assert list(Activity.objects.order_by("verb").values_list("verb", "actor")) == [
        ("resources.added", newcomer.pk),
        ("resources.released", moderator.pk),
    ]
    assert AuditEntry.objects.get().verb == "resources.released"
    activity.fan_out(activity_id=Activity.objects.get(verb="resources.released").pk)
    assert Notification.objects.get().recipient == newcomer
    assert OutgoingMail.objects.get(kind="resources.released").member == newcomer
    assert add(newcomer, "Another").state == Resource.State.VISIBLE


def test_nobody_else_releases(newcomer):
    record = add(newcomer)
    for user in (newcomer, make_member(is_host=True)):
        with pytest.raises(PermissionDenied):
            services.release_resource(target=record, actor=user)
    record.refresh_from_db()
    assert record.state == Resource.State.HELD


@pytest.mark.parametrize("task", ["is_host", "is_organiser", "is_moderator"])
def test_whoever_is_trusted_with_a_task_is_not_held(task):
    assert add(make_member(**{task: True})).state == Resource.State.VISIBLE


def test_the_settings_say_how_many(newcomer):
    LibrarySettings(reviewed_first=0).save()
    assert add(newcomer).state == Resource.State.VISIBLE
    LibrarySettings(reviewed_first=2).save()
    assert add(newcomer).state == Resource.State.HELD
    make_resource(added_by=newcomer)
    assert add(newcomer).state == Resource.State.VISIBLE
    LibrarySettings.objects.all().delete()
    LibrarySettings(reviewed_first=1).save()


def test_a_group_sees_it_at_once_and_others_after_a_look(newcomer):
    group = make_group()
    GroupMember.objects.create(group=group, member=newcomer, standing=Standing.MEMBER)
    record = add(newcomer, visibility="group", group=group)
    assert record.state == Resource.State.VISIBLE
    details = services.Details(csl=record.csl, visibility="public")
    assert services.edit_resource(actor=newcomer, resource=record, details=details).state == "held"


def test_the_desk_shows_it_and_lets_it_appear(client, newcomer, moderator):
    record = add(newcomer)
    client.force_login(moderator)
    assert [case.target for case in client.get("/moderation/").context["cases"]] == [record]
    answer = client.post(
        f"/moderation/resources.resource/{record.pk}/decide/",
        {"decision": "release", "reason": "Good.", "seen_state": "held", "seen_flags": ""},
    )
    assert answer.status_code == 302
    assert client.get("/moderation/").context["cases"] == []


def test_a_newcomer_is_not_told_that_all_see_it(client, newcomer):
    client.force_login(newcomer)
    typed = {"title": "A guide", "description": "For a first week.", "kind": make_term("type", "guide").pk}
    typed |= {
        "url": "https://example.org/a",
        "language": "en",
        "licence": "cc-by-4.0",
        "visibility": "public",
    }
    typed["submit_key"] = "9d0b5a0e-0c4c-4a3c-8f0e-5a2e6cf3a111"
    page = client.post("/library/add/?by=link", typed, follow=True).content.decode()
    assert "It is saved. Thank you." in page
    assert "It is in the library" not in page
