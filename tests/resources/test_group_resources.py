"""A resource for a group: seen, found, counted and downloaded by those in the group alone."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.urls import reverse

from kmnet.core.search import SearchText
from members.services import groups
from resources import permissions, services
from resources.collection_permissions import can_view_collection
from resources.duplicates import find_duplicates
from resources.finding import Finder
from resources.forms import ResourceForm
from resources.hooks import search
from resources.models import Collection, HandOver, Resource
from resources.services import handing_on
from tests.factories.groups import make_group, put_in
from tests.factories.members import make_member
from tests.factories.resources import make_collection, make_file, make_resource, make_term

pytestmark = pytest.mark.django_db
DOI = "10.1234/zwischenraum"


@pytest.fixture
def adder():
    return make_member()


@pytest.fixture
def group(adder):
    return make_group(adder, is_listed=False)


def add(adder, group, title="Zwischenraum", **csl):
    item = {"type": "report", "title": title, **csl}
    details = services.Details(csl=item, visibility="group", group=group, terms=[make_term()])
    return services.add_resource(actor=adder, details=details)


@pytest.fixture
def resource(adder, group):
    return add(adder, group, DOI=DOI)


def test_predicate_and_filter_agree_for_everybody_around_a_group(group, adder, resource):
    hidden = add(adder, group, "Hidden")
    Resource.objects.filter(pk=hidden.pk).update(state="hidden")
    left = make_member()
    put_in(group, left)
    groups.leave_group(member=left, group=group)
    people = {
        "guest": AnonymousUser(),
        "pending": make_member(status="pending"),
        "member": make_member(),
        "moderator": make_member(is_moderator=True),
        "admin": make_member(is_superuser=True, is_staff=True),
        "left": left,
        "silenced": make_member(status="silenced"),
        "moderator inside": make_member(is_moderator=True),
        "adder": adder,
    }
    for name in ("silenced", "moderator inside"):
        put_in(group, people[name])
    may = {}
    for name, user in people.items():
        readable = set(Resource.objects.readable_by(user).values_list("title", flat=True))
        listed = set(Resource.objects.visible_to(user).values_list("title", flat=True))
        for one in Resource.objects.all():
            assert permissions.can_view_resource(user, one) is (one.title in readable), (name, one)
        may[name] = (readable, listed)
    one, both = {"Zwischenraum"}, {"Zwischenraum", "Hidden"}
    nothing = (set(), set())
    assert may == {
        "guest": nothing,
        "pending": nothing,
        "member": nothing,
        "moderator": nothing,
        "admin": nothing,
        "left": nothing,
        "silenced": (one, one),
        "moderator inside": (both, one),
        "adder": (both, one),
    }


def test_outsiders_find_nothing_of_it(client, resource, adder):
    file = make_file(resource=resource)
    outsider = make_member(is_moderator=True, is_superuser=True, is_staff=True)
    client.force_login(outsider)
    export = reverse("resources:export", args=[resource.pk, "ris"])
    for address in (resource.get_absolute_url(), file.get_absolute_url(), export):
        assert client.get(address).status_code == 404, address
    for address in ("/library/", "/library/?q=zwischenraum", "/", "/admin/resources/resource/"):
        page = client.get(address)
        assert page.status_code == 200
        assert "Zwischenraum" not in page.content.decode(), address
    assert search(SearchText("zwischenraum"), outsider, 5).total == 0
    finder = Finder(QueryDict(), outsider)
    assert (finder.total, finder.facets) == (0, [])
    assert find_duplicates(viewer=outsider, item={"title": "Zwischenraum", "DOI": DOI}) == []
    assert Finder(QueryDict(), adder).total == 1


def test_insiders_read_and_download_it(client, resource, group):
    file = make_file(resource=resource)
    inside = make_member()
    put_in(group, inside)
    client.force_login(inside)
    for address in (resource.get_absolute_url(), file.get_absolute_url()):
        response = client.get(address)
        response.getvalue()  # a file is read to its end, which closes it
        assert response.status_code == 200, address
    groups.leave_group(member=inside, group=group)
    assert client.get(file.get_absolute_url()).status_code == 404


def test_its_page_costs_no_more_than_others(client, adder, resource, django_assert_max_num_queries):
    client.force_login(adder)
    client.get(resource.get_absolute_url())
    with django_assert_max_num_queries(12):
        client.get(resource.get_absolute_url())


def test_whoever_left_reads_nothing_of_it_that_they_brought_or_began(client, adder, resource, group):
    stays, left = make_member(), make_member()
    for one in (stays, left):
        put_in(group, one)
    mine, handed_on = add(left, group, "Mine"), add(left, group, "Handed on")
    for asker, one, asked in ((left, handed_on, stays), (adder, resource, left)):
        handing_on.offer_resource(actor=asker, resource=one, member=asked)
    handing_on.answer_offer(actor=stays, resource=handed_on, accept=True)
    collection = make_collection(owner=left, visibility="group", group=group, items=[mine])
    client.force_login(left)
    addresses = [one.get_absolute_url() for one in (mine, handed_on, collection)]
    addresses.append(f"/library/{mine.pk}-{mine.slug}/stories/")
    assert [client.get(address).status_code for address in addresses] == [200] * 4

    groups.leave_group(member=left, group=group)

    assert [client.get(address).status_code for address in addresses] == [404] * 4
    for rows in (Resource.objects, Collection.objects):
        assert not rows.readable_by(left).exists()
        assert not rows.visible_to(left).exists()
    assert not permissions.can_view_resource(left, mine)
    assert not can_view_collection(left, collection)
    assert not HandOver.objects.filter(answered_at__isnull=True).exists()
    keepers = Resource.objects.order_by("pk").values_list("keeper", flat=True)
    assert list(keepers) == [adder.pk, None, stays.pk]
    handing_on.take_on(actor=stays, resource=mine)


def test_what_nobody_took_on_in_a_group_goes_with_the_words_of_who_left(adder, group):
    left = make_member()
    put_in(group, left)
    mine = add(left, group, "Mine")
    groups.leave_group(member=left, group=group)
    services.forget_adder(member=left, keep_words=True)
    mine.refresh_from_db()
    assert (mine.title, mine.added_by, mine.keeper) == ("Mine", None, None)
    Resource.objects.filter(pk=mine.pk).update(added_by=left)
    services.forget_adder(member=left, keep_words=False)
    assert not Resource.objects.filter(pk=mine.pk).exists()


def test_it_claims_no_doi_that_others_would_miss(resource):
    assert (resource.doi, resource.cited_doi) == ("", DOI)
    assert make_resource(doi=DOI).doi == DOI
    with pytest.raises(IntegrityError), transaction.atomic():
        Resource.objects.filter(pk=resource.pk).update(doi="10.1234/other")


def test_members_add_for_groups_they_are_in_only(adder, group):
    elsewhere = make_group()
    with pytest.raises(PermissionDenied):
        add(adder, elsewhere)
    values = [value for value, _label in ResourceForm(member=adder).fields["visibility"].choices]
    assert values == ["public", "members", f"group-{group.pk}"]


def test_the_form_adds_and_changes_for_whom_it_is(client, adder, group):
    client.force_login(adder)
    address = f"{reverse('resources:add')}?by=hand&group={group.pk}"
    term = make_term()
    form = client.get(address).context["form"]
    assert form["visibility"].value() == f"group-{group.pk}"
    answers = {
        "title": "Questions that open things up", "description": "Two pages for the set.", "kind": term.pk,
        "language": "en", "url": "https://example.org/questions", "licence": "unknown",
        "visibility": f"group-{group.pk}",
    }  # fmt: skip
    assert client.post(address, answers).status_code == 302
    resource = Resource.objects.get()
    assert (resource.visibility, resource.group) == ("group", group)
    edit = reverse("resources:edit", args=[resource.pk])
    assert client.get(edit).context["form"]["visibility"].value() == f"group-{group.pk}"
    assert client.post(edit, {**answers, "visibility": "members"}).status_code == 302
    resource.refresh_from_db()
    assert (resource.visibility, resource.group) == ("members", None)


def test_a_resource_of_a_group_names_it_and_only_then(resource, group):
    for fields in ({"visibility": "group", "group": None}, {"visibility": "members", "group": group}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Resource.objects.filter(pk=resource.pk).update(**fields)


@pytest.mark.parametrize("count", [1, 50])
def test_the_library_costs_the_same_in_however_many_groups(adder, count, django_assert_num_queries):
    for number in range(count):
        add(adder, make_group(adder), f"Report {number}")
    with django_assert_num_queries(3):  # the records, their terms, their tags
        rows = list(Resource.objects.visible_to(adder).with_card()[:50])
        assert [bool(row.terms.all()) for row in rows] == [True] * count
