"""Lists taken along, feeds, the map of the site, and what pages tell machines."""

import json
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from lxml import etree

from kmnet.core import sitemap
from members.models import Profile, SeenBy
from resources import citing, describing, formats, services
from resources.models import Resource, ResourceTerm
from resources.views import out
from tests.factories.discussions import make_space, make_thread
from tests.factories.events import make_event
from tests.factories.members import make_member
from tests.factories.resources import make_collection, make_file, make_resource, make_term

pytestmark = pytest.mark.django_db
ATOM = {"a": "http://www.w3.org/2005/Atom"}
MAP = {"s": sitemap.NAMESPACE}


@pytest.fixture
def member():
    return make_member()


def titles(response, form="json") -> list[str]:
    assert response.status_code == 200
    return [row.item["title"] for row in formats.read(form, formats.text_of(response.content))]


# --- lists -----------------------------------------------------------------------------------------------------------
def test_a_search_goes_out_as_its_page_shows_it_with_what_the_reader_may_see(client):
    make_resource(title="Guide to brokering", terms=[make_term("type", "guide")], tags=["care"])
    make_resource(title="Brokering for members", visibility="members", tags=["care"])
    make_resource(title="Something else")
    for form in formats.FORMATS:
        response = client.get(f"/library/export.{form}?q=brokering&sort=title")
        assert titles(response, form) == ["Guide to brokering"]
        assert response["Content-Disposition"] == f'attachment; filename="kmnet-library.{form}"'
        assert response["X-Robots-Tag"] == "noindex"
    client.force_login(make_member())
    assert titles(client.get("/library/export.json?q=brokering&sort=title")) == [
        "Brokering for members",
        "Guide to brokering",
    ]
    assert titles(client.get("/library/export.json?type=guide")) == ["Guide to brokering"]
    assert client.get("/library/export.doc").status_code == 404


def test_collections_and_saves_go_out_in_their_order_for_those_who_see_them(client):
    owner = make_member()
    public = [make_resource(title=title) for title in ("B", "A")]
    hers = make_resource(title="C", visibility="members")
    collection = make_collection(owner=owner, items=[*public, hers], visibility="public", title="To read")
    own = make_collection(owner=owner, items=public)
    for resource in (*public, hers):
        services.set_saved(member=owner, resource=resource, on=True)
    address = reverse("resources:collection_export", args=[collection.pk, "json"])
    private = reverse("resources:collection_export", args=[own.pk, "json"])
    response = client.get(address)
    assert titles(response) == ["B", "A"]
    assert 'filename="kmnet-to-read.json"' in response["Content-Disposition"]
    assert client.get(private).status_code == 302
    assert client.get("/library/saved/export.json").status_code == 302
    client.force_login(make_member())
    assert titles(client.get(address)) == ["B", "A", "C"]
    assert client.get(private).status_code == 404
    assert client.get("/library/saved/export.csv").content.decode().count("\n") == 1
    client.force_login(owner)
    assert titles(client.get(private)) == ["B", "A"]
    assert titles(client.get("/library/saved/export.json")) == ["C", "A", "B"]


def test_what_was_hidden_is_in_no_list(client):
    moderator = make_member(is_moderator=True)
    hidden = make_resource(title="Gone")
    make_resource(title="There")
    services.hide_resource(target=hidden, actor=moderator, reason="x")
    client.force_login(moderator)
    assert titles(client.get("/library/export.json")) == ["There"]


def test_a_list_that_is_too_long_says_so_and_one_who_takes_too_many_waits(client, monkeypatch):
    for _number in range(3):
        make_resource()
    monkeypatch.setattr(out, "MAX_ROWS", 2)
    response = client.get("/library/export.bib")
    assert response.status_code == 422
    assert "Your list holds 3 resources; a file takes 2 at most." in response.content.decode()
    monkeypatch.setattr(out, "MAX_ROWS", 3)
    assert client.get("/library/export.bib").status_code == 200
    monkeypatch.setattr(out, "PER_HOUR", 0)
    assert client.get("/library/export.bib").status_code == 429
    assert client.get("/library/references/").status_code == 429


def test_a_list_costs_the_same_questions_at_one_row_and_at_fifty(client, django_assert_max_num_queries):
    tags = ["a", "b"]
    make_resource(tags=tags, terms=[make_term()])
    client.get("/library/export.json")
    with django_assert_max_num_queries(12) as one:
        client.get("/library/export.json")
    term = make_term()
    rows = Resource.objects.bulk_create(
        Resource(
            title=f"T{number}", slug="t", csl={"type": "book", "title": "T"}, published_at=timezone.now()
        )
        for number in range(49)
    )
    ResourceTerm.objects.bulk_create(ResourceTerm(resource=row, term=term) for row in rows)
    with django_assert_max_num_queries(12) as fifty:
        client.get("/library/export.json")
    assert len(one) == len(fifty)


# --- references ------------------------------------------------------------------------------------------------------
def references(response) -> list[str]:
    found = re.search(r'id="references"[^>]*>(.*?)</[ou]l>', response.content.decode(), re.DOTALL)
    return [re.sub(r"<[^>]*>", "", line).strip() for line in found.group(1).strip().split("</li>")[:-1]]


def test_a_list_as_references_in_each_style(client):
    make_resource(title="Zebras", creators=["Zander, Zoe"], year=2001, csl={"container-title": "BMJ"})
    make_resource(title="Ants", creators=["Adams, Ann"], year=2002, csl={"container-title": "BMJ"})
    apa = client.get("/library/references/?style=apa")
    assert [line.split(" (")[0] for line in references(apa)] == ["Adams, A.", "Zander, Z."]
    vancouver = client.get("/library/references/?style=vancouver&sort=title")
    assert [line.split(".")[0] for line in references(vancouver)] == ["Adams A", "Zander Z"]
    assert '<ol class="references' in vancouver.content.decode()
    assert client.get("/library/references/?style=nonsense&q=zebras").content.decode().count("<li dir") == 1
    assert apa["X-Robots-Tag"] == "noindex"
    assert "style=harvard" in apa.content.decode()


def test_of_a_long_list_of_references_the_beginning_is_shown(client, monkeypatch):
    for _number in range(3):
        make_resource()
    monkeypatch.setattr(out, "MOST_REFERENCES", 2)
    page = client.get("/library/references/")
    assert len(references(page)) == 2
    assert "These are the first 2 of 3." in page.content.decode()


def test_references_of_collections_and_saves_follow_their_rights(client, member):
    resource = make_resource(title="Mine", visibility="members")
    collection = make_collection(owner=member, items=[resource], visibility="public")
    services.set_saved(member=member, resource=resource, on=True)
    address = reverse("resources:collection_references", args=[collection.pk])
    assert "Nothing here to cite." in client.get(address).content.decode()
    client.force_login(member)
    assert "Mine" in references(client.get(address))[0]
    assert "Mine" in references(client.get("/library/saved/references/"))[0]
    assert client.get(reverse("resources:collection_references", args=[10**6])).status_code == 404


def test_lists_offer_to_be_taken_along(client, member):
    resource = make_resource(tags=["care"])
    collection = make_collection(owner=member, items=[resource], visibility="public")
    services.set_saved(member=member, resource=resource, on=True)
    client.force_login(member)
    for address, files, feed in (
        ("/library/?tag=care", "/library/export.bib?tag=care", "/feeds/library.atom?tag=care"),
        ("/library/saved/", "/library/saved/export.bib", None),
        (
            collection.get_absolute_url(),
            f"/library/collections/{collection.pk}/export.bib",
            f"/feeds/library/collections/{collection.pk}.atom",
        ),
    ):
        page = client.get(address).content.decode()
        assert f'href="{files}"' in page
        assert bool(feed) == ("Atom feed" in page)
        assert feed is None or f'href="{feed}"' in page


# --- feeds -----------------------------------------------------------------------------------------------------------
def feed(response):
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    return etree.fromstring(response.content)


def test_the_feed_tells_what_is_new_to_everybody_alike(client, member):
    old = make_resource(title="First & <best>", creators=["le May, Andrée"], tags=["care"], licence="cc0")
    new = make_resource(title="Second", doi="10.1000/x", description="In *our* words.")
    make_resource(title="Secret", visibility="members")
    client.force_login(member)  # a program that has a session hears no more than others
    response = client.get("/feeds/library.atom")
    root = feed(response)
    assert root.xpath("a:entry/a:title/text()", namespaces=ATOM) == ["Second", "First & <best>"]
    assert root.xpath("a:entry/a:id/text()", namespaces=ATOM) == [
        f"http://testserver/library/{new.pk}",
        f"http://testserver/library/{old.pk}",
    ]
    assert root.xpath("a:entry[2]/a:author/a:name/text()", namespaces=ATOM) == ["Andrée le May"]
    assert root.xpath("a:entry[2]/a:category/@term", namespaces=ATOM) == ["care"]
    assert root.xpath("a:entry[1]/a:summary/text()", namespaces=ATOM) == ["In our words."]
    assert root.xpath("a:link[@rel='self']/@href", namespaces=ATOM) == [
        "http://testserver/feeds/library.atom"
    ]
    moment = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
    assert all(map(moment.fullmatch, root.xpath("//a:updated/text()", namespaces=ATOM)))
    assert b"Secret" not in response.content


def test_a_search_has_a_feed_and_readers_who_have_it_get_no_bytes(client):
    make_resource(title="About care")
    other = make_resource(title="About lunch")
    response = client.get("/feeds/library.atom?q=care")
    assert feed(response).xpath("a:entry/a:title/text()", namespaces=ATOM) == ["About care"]
    again = {"HTTP_IF_NONE_MATCH": response["ETag"]}
    assert client.get("/feeds/library.atom?q=care", **again).status_code == 304
    Resource.objects.filter(pk=other.pk).update(title="About nothing")
    assert client.get("/feeds/library.atom?q=care", **again).status_code == 304
    newest = client.get("/feeds/library.atom")
    services.hide_resource(target=other, actor=make_member(is_moderator=True), reason="x")
    after = client.get("/feeds/library.atom", HTTP_IF_NONE_MATCH=newest["ETag"])
    assert (after.status_code, b"About nothing" in after.content) == (200, False)


def test_only_public_collections_have_a_feed(client):
    owner = make_member()
    resource = make_resource(title="There")
    public = make_collection(owner=owner, items=[resource], visibility="public", title="Open")
    shared = make_collection(owner=owner, items=[resource], visibility="members")
    root = feed(client.get(reverse("library_feeds:collection", args=[public.pk])))
    assert root.xpath("a:title/text() | a:entry/a:title/text()", namespaces=ATOM) == ["Open", "There"]
    client.force_login(owner)
    assert client.get(reverse("library_feeds:collection", args=[shared.pk])).status_code == 404


# --- the map of the site ---------------------------------------------------------------------------------------------
def test_the_map_names_what_guests_may_open_and_nothing_else(client):
    open_resource, closed = make_resource(), make_resource(visibility="members")
    shared = make_collection(owner=make_member(), visibility="public")
    own = make_collection(owner=make_member())
    event, members_event = make_event(), make_event(visibility=1)
    thread = make_thread(space=make_space(readable_by="public"))
    private = make_thread(space=make_space(readable_by="members"))
    parts = etree.fromstring(client.get("/sitemap.xml").content).xpath("//s:loc/text()", namespaces=MAP)
    assert parts == [
        f"http://testserver/sitemap-{key}-1.xml"
        for key in ("collections", "discussions", "events", "library")
    ]
    found = []
    for part in parts:
        response = client.get(part.removeprefix("http://testserver"))
        assert response["Content-Type"] == "application/xml; charset=utf-8"
        found += etree.fromstring(response.content).xpath("//s:loc/text()", namespaces=MAP)
    assert found == [
        f"http://testserver{one.get_absolute_url()}" for one in (shared, thread, event, open_resource)
    ]
    for one in (closed, members_event, private, own):
        assert one.get_absolute_url() not in "".join(found)
    assert client.get("/sitemap-nothing-1.xml").status_code == 404
    assert client.get("/sitemap-library-2.xml").content.count(b"<loc>") == 0


def test_a_large_map_has_several_parts(client, monkeypatch):
    rows = [make_resource() for _number in range(3)]
    monkeypatch.setattr(sitemap, "PER_PART", rows[-1].pk)
    parts = etree.fromstring(sitemap.index()).xpath("//s:loc/text()", namespaces=MAP)
    assert [part for part in parts if "library" in part] == [
        f"http://testserver/sitemap-library-{number}.xml" for number in (1, 2)
    ]
    mapped = sitemap.get("library")
    counts = [sitemap.part(mapped, number).count(b"<loc>") for number in (1, 2)]
    assert counts == [2, 1]


def test_robots_are_told_where_the_map_is(client):
    text = client.get("/robots.txt").content.decode()
    assert text.startswith("User-agent: *\nDisallow: /accounts/\n")
    assert text.endswith("\nSitemap: http://testserver/sitemap.xml\n")


# --- what a page tells machines --------------------------------------------------------------------------------------
def told(client, resource):
    """(Highwire tags, JSON-LD, Link header) of a page."""
    response = client.get(resource.get_absolute_url())
    page = response.content.decode()
    tags = re.findall(r'<meta name="(citation_\w+)" content="([^"]*)">', page)
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    return dict(tags), json.loads(found.group(1)) if found else None, response.get("Link", "")


def test_a_public_page_tells_zotero_scholar_and_robots_what_it_is(client):
    resource = make_resource(
        added_by=make_member(),
        title="</script><b>Brokers & bridges",
        creators=["Kislov, Roman", "NHS England"],
        doi="10.1000/x",
        licence="cc-by-4.0",
        tags=["care"],
        csl={"container-title": "BMJ", "volume": "3", "page": "1-9", "issued": {"date-parts": [[2017, 3]]}},
    )
    file = make_file(resource=resource)
    tags, linked, links = told(client, resource)
    assert tags["citation_title"] == "&lt;/script&gt;&lt;b&gt;Brokers &amp; bridges"
    assert tags["citation_publication_date"] == "2017/03"
    assert (tags["citation_firstpage"], tags["citation_lastpage"]) == ("1", "9")
    assert tags["citation_pdf_url"] == f"http://testserver{file.get_absolute_url()}"
    assert linked["name"] == "</script><b>Brokers & bridges"
    assert linked["@type"] == "ScholarlyArticle"
    assert linked["author"] == [
        {"@type": "Person", "name": "Roman Kislov", "familyName": "Kislov", "givenName": "Roman"},
        {"@type": "Organization", "name": "NHS England"},
    ]
    assert linked["isPartOf"] == {"@type": "Periodical", "name": "BMJ"}
    assert linked["encoding"][0]["contentUrl"] == tags["citation_pdf_url"]
    found = re.findall(r'<([^>]*)>; rel="([\w-]+)"', links)
    assert ("https://doi.org/10.1000/x", "cite-as") in found
    assert (f"http://testserver/library/{resource.pk}/cite.ris", "describedby") in found
    assert (tags["citation_pdf_url"], "item") in found
    assert ("https://creativecommons.org/licenses/by/4.0/", "license") in found
    assert ("https://schema.org/ScholarlyArticle", "type") in found
    own = next(href for href, rel in found if rel == "linkset")
    response = client.get(own.removeprefix("http://testserver"))
    assert response["Content-Type"] == "application/linkset+json"
    (context,) = response.json()["linkset"]
    assert context["anchor"] == f"http://testserver{resource.get_absolute_url()}"
    assert {rel for _href, rel in found} - {"linkset"} == set(context) - {"anchor"}


def test_a_members_page_tells_machines_nothing(client, member):
    resource = make_resource(title="Ours", visibility="members", doi="10.1000/x")
    assert client.get(f"/library/{resource.pk}/linkset.json").status_code == 302
    client.force_login(member)
    assert told(client, resource) == ({}, None, "")
    response = client.get(resource.get_absolute_url())
    assert response["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in response.content.decode()
    assert client.get(f"/library/{resource.pk}/linkset.json").status_code == 404


def test_files_that_guests_may_not_open_are_told_to_nobody(client, member):
    """Not to members either: what stands in the page is taken along by their programs."""
    keeper = make_member()
    for_members = make_resource(files_for="members", added_by=keeper)
    make_file(resource=for_members)
    waiting = make_resource(added_by=keeper)
    make_file(resource=waiting)
    waiting.files.update(state="pending", scan_due_at="2026-01-01T00:00Z", added_by=member)
    two = make_resource(added_by=keeper)
    make_file(resource=two)
    make_file(resource=two, name="second.pdf")
    client.force_login(member)
    for resource, count in ((for_members, 0), (waiting, 0), (two, 2)):
        tags, linked, links = told(client, resource)
        assert "citation_pdf_url" not in tags
        assert len(linked.get("encoding", [])) == count
        assert links.count('rel="item"') == count


def test_authors_who_show_their_orcid_to_everybody_are_linked(client):
    shown, private = make_member(), make_member()
    for member, orcid, seen_by in (
        (shown, "0000-0002-1825-0097", SeenBy.PUBLIC),
        (private, "0000-0001-5109-3700", SeenBy.MEMBERS),
    ):
        Profile.objects.update_or_create(member=member, defaults={"orcid": orcid, "orcid_seen_by": seen_by})
    resource = make_resource(creators=["One, A", "Two, B"])
    for place, member in enumerate((shown, private)):
        resource.creator_links.create(member=member, position=place)
    _tags, _linked, links = told(client, resource)
    authors = re.findall(r'<([^>]*)>; rel="author"', links)
    assert authors == ["https://orcid.org/0000-0002-1825-0097"]
    (context,) = client.get(f"/library/{resource.pk}/linkset.json").json()["linkset"]
    assert context["author"] == [{"href": authors[0]}]


def test_no_more_than_ten_files_stand_in_the_header(monkeypatch):
    resource = make_resource(added_by=make_member())
    monkeypatch.setattr(describing, "MOST_ITEMS", 1)
    make_file(resource=resource)
    make_file(resource=resource, name="second.pdf")
    assert describing.link_header(resource).count('rel="item"') == 1


def test_the_export_of_one_record_names_us_where_there_is_no_other_address(client):
    resource = make_resource(title="A sheet", csl={"type": "document"})
    item = citing.export_item(resource)
    assert item["URL"] == f"http://testserver{resource.get_absolute_url()}"
    (row,) = formats.csljson.read(client.get(f"/library/{resource.pk}/cite.json").content.decode())
    assert "URL" not in row.item  # our own page is no source, if it comes back to us
