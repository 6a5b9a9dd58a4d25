"""The admin's pages of the library, judged by axe."""

import pytest

from kmnet.core.models import Synonym, SynonymGroup
from resources import services
from tests.factories import make_member
from tests.factories.resources import make_collection, make_resource, make_term

from .people import Site
from .test_keeping_order import at_home

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_the_library_in_the_admin(site: Site):
    admin = make_member(name="Ngozi Adeyemi", is_staff=True, is_superuser=True)
    words = SynonymGroup.objects.create(note="one thing")
    Synonym.objects.create(group=words, word="workshop")
    term = make_term("method", "workshop")
    resource = make_resource(title="Reading together " * 9, terms=[term], tags=["mindlines"])
    telling = services.Telling(place="In Leeds", happened="They read it to the end")
    services.tell_story(actor=make_member(), resource=resource, telling=telling)
    make_collection(owner=admin, items=[resource], visibility="public")
    who = at_home(site, admin, scripts=True)
    for path in (
        "resources/resource/",
        f"resources/resource/{resource.pk}/change/",
        "resources/librarysettings/",
        f"core/facet/{term.facet_id}/change/",
        f"core/synonymgroup/{words.pk}/change/",
        "taggit/tag/",
    ):
        who.go(f"/admin/{path}")
        who.look(path)
    assert {where: faults for where, faults in site.looked_at.items() if faults} == {}
    assert who.faults == []
