"""Typed links between records: said by who looks after them, read from both ends, met by whom both are for."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from kmnet.core.models import AuditEntry
from resources import company, services
from resources.models import Relation, Resource
from tests.factories.members import make_member
from tests.factories.resources import make_resource

pytestmark = pytest.mark.django_db


def relate(actor, resource, kind, other):
    return services.relate(actor=actor, resource=resource, kind=kind, other=other)


def read(resource, viewer):
    return [(link.words, link.other) for link in company.links_of(resource, viewer).all]


def test_a_link_reads_from_both_ends(client):
    keeper = make_member()
    one, other = make_resource(added_by=keeper), make_resource(title="The whole")
    relate(keeper, one, "part", other)
    relate(keeper, one, "related", other)
    assert read(one, keeper) == [("is part of", other), ("goes well with", other)]
    assert read(other, keeper) == [("has the part", one), ("goes well with", one)]
    page = client.get(one.get_absolute_url()).content.decode()
    assert page.count("The whole") >= 2


def test_said_twice_it_is_one_link():
    keeper = make_member()
    one, other = make_resource(added_by=keeper), make_resource(added_by=keeper)
    first = relate(keeper, one, "related", other)
    assert relate(keeper, one, "related", other) == relate(keeper, other, "related", one) == first
    assert relate(keeper, one, "part", other) != relate(keeper, other, "part", one)


def test_newer_is_said_by_who_looks_after_both_or_by_a_moderator(client):
    keeper, moderator = make_member(), make_member(is_moderator=True)
    new, old, theirs = (
        make_resource(title="New", added_by=keeper),
        make_resource(added_by=keeper),
        make_resource(),
    )
    with pytest.raises(PermissionDenied):
        relate(keeper, new, "newer", theirs)
    relate(moderator, new, "newer", theirs)
    assert AuditEntry.objects.filter(verb="resources.linked", actor=moderator).count() == 1
    relate(keeper, new, "newer", old)
    for page in (old, theirs):
        text = client.get(page.get_absolute_url()).content.decode()
        assert "A newer version exists" in text
        assert new.get_absolute_url() in text
    assert "A newer version exists" not in client.get(new.get_absolute_url()).content.decode()


def test_nothing_is_newer_than_what_is_newer_than_it():
    keeper = make_member()
    one, two, three = (make_resource(added_by=keeper) for _number in range(3))
    relate(keeper, two, "newer", one)
    relate(keeper, three, "newer", two)
    for older, newer in ((one, two), (one, three), (two, three)):
        with pytest.raises(services.InCircles):
            relate(keeper, older, "newer", newer)
    with pytest.raises(PermissionDenied):
        relate(keeper, one, "newer", one)
    relate(keeper, three, "newer", one)


def test_who_looks_after_neither_says_nothing(client):
    one, other = make_resource(added_by=make_member()), make_resource()
    stranger = make_member()
    with pytest.raises(PermissionDenied):
        relate(stranger, one, "related", other)
    client.force_login(stranger)
    assert client.get(reverse("resources:links", args=[one.pk])).status_code == 404
    made = relate(one.keeper, one, "related", other)
    assert client.post(reverse("resources:unlink", args=[made.pk])).status_code == 404
    assert Relation.objects.count() == 1


def test_the_page_finds_the_other_one_and_links_it(client):
    keeper = make_member()
    one, other = make_resource(added_by=keeper), make_resource(title="Mindlines in primary care")
    secret = make_resource(title="Mindlines, the secret part", visibility="members", state="hidden")
    client.force_login(keeper)
    address = reverse("resources:links", args=[one.pk])
    for asked in ("mindlines", "Mindlnes in primary care", str(other.pk), other.get_absolute_url()):
        assert client.get(address, {"q": asked}).context["found"] == [other], asked
    for wrong in (
        {"other": secret.pk, "kind": "part"},
        {"other": one.pk, "kind": "part"},
        {"other": "x", "kind": "part"},
    ):
        assert client.post(address, {"q": "mindlines", **wrong}).status_code == 422
    assert client.post(address, {"other": other.pk, "kind": "opera"}).status_code == 422
    assert client.post(address, {"q": "mindlines", "other": other.pk, "kind": "newer"}).status_code == 422
    assert client.post(address, {"q": "mindlines", "other": other.pk, "kind": "part"}).status_code == 302
    made = Relation.objects.get()
    assert client.post(reverse("resources:unlink", args=[made.pk])).status_code == 302
    assert Relation.objects.count() == 0


def test_a_moderator_takes_a_link_away_and_says_why(client):
    keeper, moderator = make_member(), make_member(is_moderator=True)
    made = relate(keeper, make_resource(added_by=keeper), "response", make_resource())
    client.force_login(moderator)
    for nothing in ("", " ", "\x00"):
        client.post(reverse("resources:unlink", args=[made.pk]), {"reason": nothing})
    assert Relation.objects.count() == 1
    client.post(reverse("resources:unlink", args=[made.pk]), {"reason": "It does not respond to it."})
    assert Relation.objects.count() == 0
    assert AuditEntry.objects.filter(verb="resources.unlinked").count() == 1


def test_the_other_end_is_met_or_not_there_at_all(client):
    keeper = make_member()
    one, other = make_resource(added_by=keeper), make_resource(title="Behind the door")
    relate(keeper, one, "part", other)
    Resource.objects.filter(pk=other.pk).update(visibility="members")
    assert "Behind the door" not in client.get(one.get_absolute_url()).content.decode()
    client.force_login(make_member())
    assert "Behind the door" in client.get(one.get_absolute_url()).content.decode()
    Resource.objects.filter(pk=other.pk).update(state="hidden")
    assert "Behind the door" not in client.get(one.get_absolute_url()).content.decode()


def test_a_record_has_room_for_forty_links():
    keeper = make_member()
    one = make_resource(added_by=keeper)
    others = [make_resource() for _number in range(41)]
    for other in others[:40]:
        relate(keeper, one, "related", other)
    with pytest.raises(services.TooManyRelations):
        relate(keeper, one, "related", others[40])
