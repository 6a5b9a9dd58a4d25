import json
import re

import pytest
from django.urls import reverse
from django.utils.html import escape

from kmnet.core.models import Synonym, SynonymGroup
from resources import services
from resources.models import DoiRecord, Resource
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    member = make_member()
    client.force_login(member)
    return member


def titles(response):
    return [resource.title for resource in response.context["resources"]]


def shown_facets(response):
    return {
        facet.key: [(option.value, option.count, option.chosen) for option in facet.options]
        for facet in response.context["facets"]
    }


def test_guests_see_public_records_and_members_all(client):
    make_resource(title="For all")
    make_resource(title="For members", visibility="members")
    make_resource(title="Hidden", state="hidden")
    make_resource(title="Held", state="held")
    assert titles(client.get("/library/")) == ["For all"]
    client.force_login(make_member(status="pending"))
    assert titles(client.get("/library/")) == ["For all"]
    client.force_login(make_member())
    assert titles(client.get("/library/")) == ["For members", "For all"]
    client.force_login(make_member(is_moderator=True))
    assert titles(client.get("/library/")) == ["For members", "For all"]


@pytest.mark.parametrize("count", [1, 50])
def test_list_costs_the_same_at_any_length(client, count, django_assert_num_queries):
    member = make_member()
    guide, carers = make_term("type", "guide"), make_term("audience", "carers")
    for _number in range(count):
        make_resource(terms=[guide, carers], tags=["one", "two"], added_by=member)
    client.get("/library/")  # content types and the vocabulary are cached
    # the vocabulary, what there is to be counted, the records, how many used them
    with django_assert_num_queries(4):
        response = client.get("/library/?type=guide")
    assert len(titles(response)) == min(count, 20)


@pytest.mark.parametrize("count", [1, 50])
def test_record_costs_the_same_with_any_company(client, count, django_assert_num_queries):
    resource = make_resource(tags=["one", "two"], added_by=make_member())
    for _number in range(count):
        make_resource(tags=["one", "two"])
    client.get(resource.get_absolute_url())
    # the record with its terms and tags, its files, stories, what was made from it, its links, talk about it, what goes
    # well with it, the collections that hold it
    with django_assert_num_queries(9):
        client.get(resource.get_absolute_url())


def test_words_find_titles_tags_names_and_descriptions_without_accents_and_with_synonyms(client):
    title = make_resource(title="Knowledge brokering in towns", creators=["Else, Somebody"])
    name = make_resource(title="A", creators=["le May, Andrée"])
    tag = make_resource(title="B", tags=["brokering"])
    words = make_resource(title="C", description="All about *brokering* and more.")
    group = SynonymGroup.objects.create()
    for word in ("knowledge broker", "boundary spanner"):
        Synonym.objects.create(group=group, word=word)
    spanner = make_resource(title="The boundary spanner")
    assert titles(client.get("/library/?q=brokering"))[0] == title.title
    assert set(titles(client.get("/library/?q=brokering"))) == {title.title, tag.title, words.title}
    assert titles(client.get("/library/?q=andree+le+MAY")) == [name.title]
    response = client.get("/library/?q=knowledge+broker")
    assert set(titles(response)) == {spanner.title, title.title}
    assert "Also searched for: boundary spanner" in response.content.decode()


def test_a_typo_still_finds_and_says_that_it_only_came_close(client):
    make_resource(title="The ‘dark side’ of knowledge brokering", creators=["Kislov, Roman"])
    make_resource(title="Something else", creators=["Nobody, N."])
    for typed in ("knowlege brokring", "Kisloff", "darc side brokering"):
        response = client.get("/library/", {"q": typed})
        assert titles(response) == ["The ‘dark side’ of knowledge brokering"], typed
        assert "These come close." in response.content.decode()
    assert titles(client.get("/library/?q=zzzzqqq")) == []


def test_a_doi_finds_its_record(client):
    make_resource(title="One", doi="10.1177/1355819616653981")
    make_resource(title="Two", doi="10.1177/2")
    for typed in ("10.1177/1355819616653981", "https://doi.org/10.1177/1355819616653981", "doi:10.1177/2 "):
        assert len(titles(client.get("/library/", {"q": typed}))) == 1


def test_facets_count_exactly_and_combine(client):
    guide, review = make_term("type", "guide"), make_term("type", "review")
    carers, public = make_term("audience", "carers"), make_term("audience", "public")
    make_resource(title="1", terms=[guide, carers])
    make_resource(title="2", terms=[guide, public, carers])
    make_resource(title="3", terms=[review, public])
    make_resource(title="4", terms=[review], language="fr")
    make_resource(title="hidden", terms=[guide, carers], state="hidden")
    make_resource(title="members", terms=[guide, carers], visibility="members")

    response = client.get("/library/")
    assert shown_facets(response) == {
        "type": [("guide", 2, False), ("review", 2, False)],
        "audience": [("carers", 2, False), ("public", 2, False)],
        "language": [("en", 3, False), ("fr", 1, False)],
    }
    response = client.get("/library/?type=guide")
    assert titles(response) == ["2", "1"]
    # within the own facet the other value still tells what it would give; elsewhere the choice counts
    assert shown_facets(response) == {
        "type": [("guide", 2, True), ("review", 2, False)],
        "audience": [("carers", 2, False), ("public", 1, False)],
    }
    response = client.get("/library/?type=guide&type=review&audience=public")
    assert titles(response) == ["3", "2"]
    assert shown_facets(response) == {
        "type": [("guide", 1, True), ("review", 1, True)],
        "audience": [("public", 2, True), ("carers", 2, False)],
    }
    response = client.get("/library/?language=fr&type=guide")
    assert titles(response) == []
    assert shown_facets(response) == {
        "type": [("guide", 0, True), ("review", 1, False)],
        "language": [("fr", 0, True), ("en", 2, False)],
    }
    choices = response.context["finder"].choices
    assert [(choice.label, choice.href) for choice in choices] == [
        ("Guide", "?language=fr"),
        ("Français", "?type=guide"),
    ]


def test_unknown_filters_are_as_if_not_there(client):
    make_resource(title="One", terms=[make_term()])
    response = client.get(
        "/library/?type=nonsense&language=xx&sort=worst&after=forged&audience=%00&tag=%00&q=%00%27"
    )
    assert (response.status_code, titles(response)) == (200, ["One"])


@pytest.mark.parametrize("query", ["", "sort=title", "q=brokering", "q=brokring"])
def test_pages_follow_without_gap_or_double_and_keep_what_was_asked(client, query):
    for number in range(45):
        make_resource(title=f"Brokering {number % 7}" if number % 2 else f"Brokering well {number}")
    seen, href = [], f"?{query}"
    while href:
        response = client.get(f"/library/{href}")
        seen += [resource.pk for resource in response.context["resources"]]
        href = response.context["page"].next_query
        assert not href or query in href
    assert len(seen) == 45 == len(set(seen))
    back = client.get(f"/library/{response.context['page'].previous_query}")
    assert [resource.pk for resource in back.context["resources"]] == seen[20:40]


def test_sorting(client):
    make_resource(title="beta")
    make_resource(title="Alpha")
    make_resource(title="Éclair")
    assert titles(client.get("/library/?sort=newest")) == ["Éclair", "Alpha", "beta"]
    assert titles(client.get("/library/?sort=title")) == ["Alpha", "beta", "Éclair"]


def test_record_tells_all_and_old_slugs_lead_to_it(client):
    resource = make_resource(
        title="The ‘dark side’ of brokering",
        creators=["Kislov, Roman", "Wilson, Paul"],
        doi="10.1177/1355819616653981",
        url="https://example.org/paper",
        description="Three **families** of tension.",
        licence="cc-by-4.0",
        tags=["isolation"],
        terms=[make_term("type", "research paper"), make_term("audience", "carers")],
        csl={"container-title": "Evidence & Policy", "volume": "22", "issue": "2", "page": "107-112"},
    )
    response = client.get(resource.get_absolute_url())
    page = response.content.decode()
    assert "<strong>families</strong>" in page
    assert 'href="https://doi.org/10.1177/1355819616653981"' in page
    assert 'href="https://example.org/paper"' in page
    assert "Use it, change it, translate it; say where it came from." in page
    assert 'href="/library/?tag=isolation"' in page
    assert 'href="/library/?audience=carers"' in page
    moved = client.get(f"/library/{resource.pk}-old-title/?x=1")
    assert (moved.status_code, moved["Location"]) == (301, resource.get_absolute_url() + "?x=1")


def test_highwire_tags_are_for_public_records_only(client, member):
    fields = {
        "creators": ["Kislov, Roman"],
        "csl": {"page": "107-112", "container-title": "Evidence & Policy"},
    }
    resource = make_resource(title="A <b> title", doi="10.1/x" + "1" * 3, **fields)
    page = client.get(resource.get_absolute_url()).content.decode()
    found = dict(re.findall(r'<meta name="(citation_[a-z_]+)" content="([^"]*)">', page))
    assert found == {
        "citation_title": "A &lt;b&gt; title",
        "citation_author": "Kislov, Roman",
        "citation_publication_date": "2017",
        "citation_journal_title": "Evidence &amp; Policy",
        "citation_firstpage": "107",
        "citation_lastpage": "112",
        "citation_language": "en",
        "citation_abstract_html_url": f"http://testserver{resource.get_absolute_url()}",
    } | ({"citation_doi": resource.cited_doi} if resource.cited_doi else {})
    private = make_resource(visibility="members", **fields)
    response = client.get(private.get_absolute_url())
    assert "citation_" not in response.content.decode()
    assert response["X-Robots-Tag"] == "noindex"


def test_who_may_not_see_a_record_learns_nothing(client):
    resource = make_resource(visibility="members")
    addresses = [
        resource.get_absolute_url(),
        reverse("resources:export", args=[resource.pk, "bib"]),
        "/library/999999-nothing/",
        "/library/99999999999999999999999-x/",
    ]
    for address in addresses:  # a guest is sent to sign in, whether it exists or not
        response = client.get(address)
        assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/accounts/login/")
    client.force_login(make_member(status="pending"))
    for address in addresses:
        assert client.get(address).status_code == 404
    client.force_login(make_member())
    assert [client.get(address).status_code for address in addresses] == [200, 200, 404, 404]


def test_hidden_record_is_gone_for_members_and_explained_to_its_adder(client, member):
    moderator = make_member(is_moderator=True)
    resource = make_resource(added_by=make_member())
    services.hide_resource(target=resource, actor=moderator, reason="It names a patient.")
    assert client.get(resource.get_absolute_url()).status_code == 404
    client.force_login(resource.added_by)
    page = client.get(resource.get_absolute_url()).content.decode()
    assert "It names a patient." in page
    assert reverse("resources:edit", args=[resource.pk]) not in page
    client.force_login(moderator)
    assert "It names a patient." in client.get(resource.get_absolute_url()).content.decode()


def test_hostile_metadata_is_only_text(client):
    evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    resource = make_resource(
        title=f"T {evil}",
        creators=[f"{evil}, A"],
        description=f"D {evil} [x](javascript:alert(3))",
        tags=[f"tag {evil}"[:60]],
        csl={"container-title": evil, "publisher": evil, "volume": evil},
    )
    for address in (resource.get_absolute_url(), "/library/", f"/library/?q={escape('T')}"):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'href="javascript:' not in page


@pytest.mark.parametrize("address", ["/library/", "/library/?q=x&type=guide"])
def test_pages_need_no_inline_script_or_style(client, address):
    resource = make_resource(title="x", terms=[make_term()])
    for place in (address, resource.get_absolute_url()):
        page = client.get(place).content.decode()
        assert not re.search(
            r"\sstyle=|\son[a-z]+=|<style|<script(?! type=\"application/ld)(?![^>]*src=)", page
        )


def test_get_changes_nothing(client, member):
    resource = make_resource(added_by=member)
    before = list(Resource.objects.values())
    form = "/library/add/?by=doi&doi=10.1000/x"
    for address in ("/library/", resource.get_absolute_url(), form, "/library/add/look-up/?pasted=10.1000/x"):
        assert client.get(address).status_code == 200
    assert list(Resource.objects.values()) == before
    assert not DoiRecord.objects.exists()  # nobody is asked either


def test_exports(client):
    resource = make_resource(
        title="50% of R&D {braces} _x_",
        creators=["le May, Andrée", "Health Research Authority"],
        doi="10.1136/bmj.329.7473.1013",
        description="In our words.",
        tags=["mindlines"],
        csl={"container-title": "BMJ", "volume": "329", "issue": "7473", "page": "1013-1017"},
    )

    def get(form):
        return client.get(reverse("resources:export", args=[resource.pk, form]))

    bib = get("bib")
    assert bib["Content-Disposition"] == f'attachment; filename="may2017-{resource.pk}.bib"'
    assert bib.content.decode() == (
        f"@article{{may2017-{resource.pk},\n"
        "  title = {{50\\% of R\\&D \\textbraceleft{}braces\\textbraceright{} \\_x\\_}},\n"
        "  author = {le May, Andrée and {Health Research Authority}},\n"
        "  year = {2017},\n"
        "  journal = {BMJ},\n"
        "  volume = {329},\n"
        "  number = {7473},\n"
        "  pages = {1013--1017},\n"
        "  language = {en},\n"
        "  keywords = {mindlines},\n"
        "  abstract = {In our words.},\n"
        "  doi = {10.1136/bmj.329.7473.1013},\n"
        "}\n"
    )
    assert get("ris").content.decode().splitlines()[:6] == [
        "TY  - JOUR",
        "TI  - 50% of R&D {braces} _x_",
        "AU  - le May, Andrée",
        "AU  - Health Research Authority",
        "PY  - 2017",
        "T2  - BMJ",
    ]
    item = json.loads(get("json").content)[0]
    assert item["author"] == [
        {"family": "May", "given": "Andrée", "non-dropping-particle": "le"},
        {"literal": "Health Research Authority"},
    ]
    assert get("exe").status_code == 302  # a guest is asked to sign in, as at all that is not there
