"""Creators who are members: named with a handle, told, shown on their profile, and gone when they say so."""

import pytest

from kmnet.core.activity import fan_out
from kmnet.core.models import Activity, Notification
from members.services.ties import set_boundary
from resources import citing, services
from resources.models import Resource, ResourceCreator
from tests.factories.members import make_member
from tests.factories.resources import make_term

from .test_adding import ADD, typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    member = make_member(name="Ada Adder")
    client.force_login(member)
    return member


@pytest.fixture
def guide():
    return make_term("type", "guide")


@pytest.fixture
def andree():
    return make_member(name="Andrée May", handle="andree")


def add(client, guide, creators, **changes):
    response = client.post(ADD, typed(guide, creators=creators, **changes))
    return Resource.objects.get() if response.status_code == 302 else response.context["form"].errors


def test_a_handle_links_a_creator_and_the_name_is_as_it_is_cited(client, member, guide, andree):
    resource = add(client, guide, "Health Research Authority\nle May, Andrée (@Andree)\n@" + member.handle)
    assert resource.csl["author"] == [
        {"literal": "Health Research Authority"},
        {"family": "May", "given": "Andrée", "non-dropping-particle": "le"},
        {"literal": "Ada Adder"},
    ]
    links = ResourceCreator.objects.values_list("position", "member", "by_account")
    assert list(links) == [(1, andree.pk, False), (2, member.pk, True)]
    deed = Activity.objects.get(verb="resources.named")
    assert fan_out(activity_id=deed.pk) == 1
    assert Notification.objects.get().recipient == andree
    page = client.get(resource.get_absolute_url()).content.decode()
    assert f'<a href="{andree.get_absolute_url()}"><bdi>Andrée le May</bdi></a>' in page
    assert "<bdi>Andrée le May</bdi>" in page
    client.logout()
    assert andree.get_absolute_url() not in client.get(resource.get_absolute_url()).content.decode()


def test_whoever_is_named_on_a_held_record_is_told_when_it_appears(client, guide, andree, first_looks):
    newcomer = make_member()
    client.force_login(newcomer)
    resource = add(client, guide, "le May, Andrée (@andree)")
    assert (resource.state, Activity.objects.filter(verb="resources.named").count()) == ("held", 0)
    services.release_resource(target=resource, actor=make_member(is_moderator=True))
    deed = Activity.objects.get(verb="resources.named")
    assert fan_out(activity_id=deed.pk) == 1
    assert Notification.objects.get(activity=deed).recipient == andree


def test_what_was_linked_can_be_edited_as_it_was_typed(client, member, guide, andree):
    resource = add(client, guide, "Authority\nle May, Andrée (@andree)\n@" + member.handle)
    address = f"/library/{resource.pk}/edit/"
    creators = client.get(address).context["form"]["creators"].value()
    assert creators == f"Authority\nle May, Andrée (@andree)\n@{member.handle}"
    client.post(address, typed(guide, creators="le May, Andrée (@andree)"))
    assert list(ResourceCreator.objects.values_list("position", "member")) == [(0, andree.pk)]
    assert Activity.objects.filter(verb="resources.named").count() == 1  # she knows


@pytest.mark.parametrize(
    ("creators", "words"),
    [
        ("May, A. (@nobody)", "No member has the handle @nobody."),
        ("@nobody", "No member has the handle @nobody."),
        ("May, A. (@andree)\n@andree", "@andree stands there twice."),
    ],
)
def test_a_handle_that_does_not_fit_is_told_at_the_field(client, member, guide, andree, creators, words):
    errors = add(client, guide, creators)
    assert list(errors) == ["creators"]
    assert words in errors["creators"][0]
    assert Resource.objects.count() == 0


def test_whoever_blocks_the_adder_is_nobody_to_them(client, member, guide, andree):
    set_boundary(owner=andree, other=member, distance="block")
    (words,) = add(client, guide, "@andree")["creators"]
    assert words == add(client, guide, "@nobody")["creators"][0].replace("nobody", "andree")


def test_an_at_within_a_name_is_no_handle(client, member, guide):
    resource = add(client, guide, "Me@Work Collective\nThe @ Group")
    assert resource.creator_names == ["Me@Work Collective", "The @ Group"]


def test_a_member_takes_the_link_off_for_good(client, member, guide, andree):
    resource = add(client, guide, "le May, Andrée (@andree)\nAuthority")
    address = f"/library/{resource.pk}/not-me/"
    assert client.post(address).status_code == 404  # whoever is not named
    client.force_login(andree)
    assert "names you as a creator" in client.get(resource.get_absolute_url()).content.decode()
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 404
    resource.refresh_from_db()
    assert resource.creator_names == ["Andrée le May", "Authority"]
    client.force_login(member)
    page = client.get(resource.get_absolute_url()).content.decode()
    assert andree.get_absolute_url() not in page
    response = client.post(f"/library/{resource.pk}/edit/", typed(guide, creators="le May, Andrée (@andree)"))
    assert "does not want to be linked here" in response.context["form"].errors["creators"][0]


def test_a_name_from_the_account_goes_with_the_link(client, member, guide, andree):
    resource = add(client, guide, f"@andree\nAuthority\nAdder, A. (@{member.handle})")
    assert "May" in citing.citations(resource)[0]["text"]
    services.take_link_off(actor=andree, resource=resource)
    resource.refresh_from_db()
    assert "May" not in citing.citations(resource)[0]["text"]
    assert (resource.creator_names, resource.creators) == (["Authority", "A. Adder"], "Authority; A. Adder")
    assert list(resource.creator_links.filter(declined=False).values_list("position", "member")) == [
        (1, member.pk)
    ]


def test_an_account_that_goes_takes_its_name_along(client, member, guide, andree):
    resource = add(client, guide, "@andree\nAuthority")
    resource.versions.create(number=1, csl=resource.csl)
    resource.edits.create(before={"creators": "Andrée May\nAuthority", "title": "Before"})
    services.forget_creator(member=andree)
    assert resource.versions.get().csl["author"] == [{"literal": "Authority"}]
    assert resource.edits.get().before == {"creators": "Authority", "title": "Before"}
    resource.refresh_from_db()
    assert resource.creator_names == ["Authority"]
    assert not ResourceCreator.objects.exists()


def test_their_profile_shows_what_they_made(client, member, guide, andree):
    from kmnet.core.contributions import kinds

    resource = add(client, guide, "le May, Andrée (@andree)")
    made = next(kind for kind in kinds() if kind.key == "made")
    assert made.latest(andree, member, 5)[0][0].title == resource.title
    Resource.objects.update(visibility="members")
    assert made.latest(andree, make_member(status="pending"), 5) == ([], 0)
