from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from kmnet.core import moderation
from kmnet.core.models import AuditEntry
from kmnet.core.search import SearchText, sources
from resources import services
from resources.models import Resource
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term

pytestmark = pytest.mark.django_db


def search(text, viewer, limit=10):
    (source,) = [source for source in sources() if source.key == "library"]
    return source.search(SearchText(text), viewer, limit)


def test_search_tells_each_viewer_only_what_they_may_see():
    make_resource(title="Brokering for all", terms=[make_term("type", "guide")])
    make_resource(title="Brokering for members", visibility="members")
    make_resource(title="Brokering hidden", state="hidden")
    guest = search("brokering", AnonymousUser())
    assert ([hit.title for hit in guest.hits], guest.total) == (["Brokering for all"], 1)
    assert guest.hits[0].meta == "guide · Roman Kislov · 2017"
    for viewer in (make_member(), make_member(is_moderator=True)):
        found = search("brokering", viewer)
        assert {hit.title for hit in found.hits} == {"Brokering for all", "Brokering for members"}
    page = search("brokering", make_member(), limit=1)
    assert (len(page.hits), page.total) == (1, 2)


def test_digest_has_what_others_added_in_its_window():
    member, now = make_member(), timezone.now()
    inside = make_resource(published_at=now - timedelta(days=2), visibility="members")
    make_resource(published_at=now - timedelta(days=9))
    make_resource(published_at=now - timedelta(days=2), added_by=member)
    make_resource(published_at=now - timedelta(days=2), state="hidden")
    window = {"since": now - timedelta(days=7), "until": now}
    assert list(Resource.objects.for_digest(member, **window)) == [inside]
    pending = make_member(status="pending")
    assert list(Resource.objects.for_digest(pending, **window).filter(visibility="members")) == []


def test_moderators_hide_and_restore_with_a_reason_in_the_log():
    moderator, adder = make_member(is_moderator=True), make_member()
    resource = make_resource(added_by=adder, doi="10.1000/abc")
    kind = moderation.kind_of(resource)
    kind.hide(target=resource, actor=moderator, reason="It names a patient.")
    kind.hide(target=resource, actor=moderator, reason="Again.")
    resource.refresh_from_db()
    assert (resource.state, resource.hidden_reason, resource.hidden_by) == (
        "hidden",
        "It names a patient.",
        moderator,
    )
    successor = make_resource(doi="10.1000/ABC")
    kind.restore(target=resource, actor=moderator, reason="The name is gone.")
    resource.refresh_from_db()
    assert (resource.state, resource.hidden_by, resource.doi, resource.cited_doi) == (
        "visible",
        None,
        "",
        "10.1000/abc",
    )
    assert successor.doi == "10.1000/ABC"
    assert Resource.objects.filter(search=SearchText(resource.title).query).count() >= 1
    log = AuditEntry.objects.order_by("pk").values_list("verb", "actor", "reason", "target_id")
    assert list(log) == [
        ("resources.hidden", moderator.pk, "It names a patient.", resource.pk),
        ("resources.restored", moderator.pk, "The name is gone.", resource.pk),
    ]


@pytest.mark.parametrize("status", [{}, {"status": "silenced", "is_moderator": True}])
def test_nobody_else_hides(status):
    resource = make_resource(added_by=make_member())
    with pytest.raises(PermissionDenied):
        services.hide_resource(target=resource, actor=make_member(**status), reason="Because")
    with pytest.raises(ValidationError):
        services.hide_resource(target=resource, actor=make_member(is_moderator=True), reason=" ")
    resource.refresh_from_db()
    assert resource.state == "visible"
    assert AuditEntry.objects.count() == 0


def test_admin_lists_hides_and_restores(client):
    admin = make_member(is_staff=True, is_superuser=True)
    client.force_login(admin)
    resource = make_resource(added_by=make_member(), terms=[make_term()])
    address = reverse("admin:resources_resource_changelist")
    page = client.get(address)
    assert page.status_code == 200
    assert resource.title in page.content.decode()
    change = client.get(reverse("admin:resources_resource_change", args=[resource.pk]))
    assert change.status_code == 200
    for action, state in (("hide", "hidden"), ("restore", "visible")):
        client.post(address, {"action": action, "_selected_action": [resource.pk], "reason": "Rights"})
        resource.refresh_from_db()
        assert resource.state == state
    client.post(address, {"action": "hide", "_selected_action": [resource.pk], "reason": ""})
    resource.refresh_from_db()
    assert resource.state == "visible"
    assert AuditEntry.objects.filter(target_id=resource.pk).count() == 2
    assert client.get(reverse("admin:resources_resource_add")).status_code == 403
    client.force_login(make_member(is_staff=True))
    assert client.get(address).status_code == 403
