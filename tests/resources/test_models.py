import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from resources import permissions, services
from resources.models import Resource
from tests.factories.members import make_member
from tests.factories.resources import make_resource

pytestmark = pytest.mark.django_db


def test_two_live_records_cannot_hold_one_doi_whatever_its_case():
    make_resource(doi="10.1234/AbC")
    other = make_resource()
    with pytest.raises(IntegrityError), transaction.atomic():
        Resource.objects.filter(pk=other.pk).update(doi="10.1234/aBc")


def test_page_and_list_rule_agree_with_the_predicate():
    adder, moderator = make_member(), make_member(is_moderator=True)
    silenced, pending = make_member(status="silenced"), make_member(status="pending")
    resources = {
        "public": make_resource(added_by=adder),
        "members": make_resource(added_by=adder, visibility="members"),
        "held": make_resource(added_by=adder, state="held"),
        "unpublished": make_resource(added_by=adder),
        "hidden": make_resource(added_by=adder),
    }
    Resource.objects.filter(pk=resources["unpublished"].pk).update(published_at=None)
    resources["unpublished"].refresh_from_db()
    services.hide_resource(target=resources["hidden"], actor=moderator, reason="Names a patient.")
    resources["hidden"].refresh_from_db()
    may = {}
    for name, user in {
        "guest": AnonymousUser(),
        "pending": pending,
        "silenced": silenced,
        "member": make_member(),
        "adder": adder,
        "moderator": moderator,
    }.items():
        readable = set(Resource.objects.readable_by(user).values_list("pk", flat=True))
        listed = set(Resource.objects.visible_to(user).values_list("pk", flat=True))
        for key, resource in resources.items():
            assert permissions.can_view_resource(user, resource) == (resource.pk in readable), (name, key)
        may[name] = (
            {key for key, resource in resources.items() if resource.pk in readable},
            {key for key, resource in resources.items() if resource.pk in listed},
        )
    both = {"public", "members"}
    assert may == {
        "guest": ({"public"}, {"public"}),
        "pending": ({"public"}, {"public"}),
        "silenced": (both, both),
        "member": (both, both),
        "adder": (set(resources), both),
        "moderator": (set(resources), both),
    }
