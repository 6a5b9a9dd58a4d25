"""Groups: their pages and what each person finds there."""

import pytest
from django.urls import reverse

from members.models import Joining, Standing
from tests.factories.groups import make_group, put_in
from tests.factories.members import make_member

pytestmark = pytest.mark.django_db
PAGES = ("detail", "people", "edit", "close", "leave", "invite")


def url(name, *args):
    return reverse(f"groups:{name}", args=args)


@pytest.fixture
def convenor(client):
    member = make_member(name="Anneke Visser")
    client.force_login(member)
    return member


def test_convenor_opens_every_page_of_the_group(client, convenor):
    other, asking = make_member(name="Huda Al-Masri"), make_member(name="Owen Pritchard")
    group = make_group(
        other, convenor=convenor, joining=Joining.REQUEST, purpose="We read.", ways="- Twice a year"
    )
    put_in(group, asking, Standing.REQUESTED)
    for name in PAGES:
        assert client.get(url(name, group.slug)).status_code == 200, name
    assert client.get(url("remove", group.slug, other.handle)).status_code == 200
    assert client.get(url("index")).context["mine"] == [group]
    assert client.get(url("new")).status_code == 200
