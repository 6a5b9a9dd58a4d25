"""Adding by a link: what a page says of itself, and a network that misbehaves."""

from datetime import timedelta
from html import escape

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from resources import tasks
from resources.models import DoiRecord, LinkRecord, Resource
from resources.page_facts import doi_in_address, facts_of
from resources.services import links
from tests.factories.members import make_member
from tests.factories.resources import make_term

from .network import drips, hangs, in_turn, resets, sends

URL = "https://guides.example/plain?utm_source=mail"
HIGHWIRE = """<!doctype html><html lang="en-GB"><head><title>Old words | The Journal</title>
<meta name="citation_title" content="The &lt;i&gt;dark side&lt;/i&gt; of brokering">
<meta name="citation_author" content="Kislov, Roman"><meta name="citation_author" content="le May, Andrée">
<meta name="citation_publication_date" content="2017/04/01"><meta name="citation_journal_title" content="JHSRP">
<meta name="citation_volume" content="22"><meta name="citation_issue" content="2">
<meta name="citation_firstpage" content="107"><meta name="citation_lastpage" content="112">
<meta name="citation_doi" content="doi:10.1177/1355819616653981">
<meta name="description" content="Words of the page that are not ours">
<link rel="license" href="https://creativecommons.org/licenses/by/4.0/"></head><body>10.9999/cited-by-it</body>"""
JSON_LD = """<html lang="fr"><head><meta charset="utf-8"><title>x</title>
<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
 {"@type": "WebSite", "name": "Not this"},
 {"@type": ["BlogPosting"], "headline": "Écrire simplement", "datePublished": "2021-03-05T10:00:00Z",
  "author": [{"@type": "Person", "name": "Ana Silva"}, {"@type": "Person", "givenName": "Ben", "familyName": "Oak"}],
  "publisher": {"@type": "Organization", "name": "La Clinique"}, "license": "CC BY-SA 4.0"}]}</script>
<script type="application/ld+json">{broken</script></head>"""
PLAIN = """<head><title>
   A plain guide – Our Hospital </title><meta property="og:site_name" content="Our Hospital">
<meta property="article:published_time" content="2020-01-31T00:00:00+00:00"></head><p>Hello"""


def facts(page, url="https://guides.example/x", charset=""):
    return facts_of(page.encode() if isinstance(page, str) else page, url=url, charset=charset)


def test_what_scholarly_pages_say_is_read_first():
    found = facts(HIGHWIRE)
    assert found.item == {
        "type": "article-journal",
        "title": "The dark side of brokering",
        "author": [
            {"family": "Kislov", "given": "Roman"},
            {"family": "May", "given": "Andrée", "non-dropping-particle": "le"},
        ],
        "issued": {"date-parts": [[2017, 4, 1]]},
        "container-title": "JHSRP",
        "volume": "22",
        "issue": "2",
        "page": "107-112",
        "DOI": "10.1177/1355819616653981",
    }
    assert (found.licence, found.language) == ("cc-by-4.0", "en")


def test_json_ld_and_plain_pages_are_read():
    found = facts(JSON_LD)
    assert found.item == {
        "type": "post-weblog",
        "title": "Écrire simplement",
        "author": [{"literal": "Ana Silva"}, {"family": "Oak", "given": "Ben"}],
        "issued": {"date-parts": [[2021, 3, 5]]},
        "publisher": "La Clinique",
    }
    assert (found.licence, found.language) == ("cc-by-sa-4.0", "fr")
    assert facts(PLAIN).item == {
        "type": "webpage",
        "title": "A plain guide",
        "issued": {"date-parts": [[2020, 1, 31]]},
        "publisher": "Our Hospital",
    }


@pytest.mark.parametrize(
    ("sent", "charset", "title"),
    [
        ("<title>Café</title>".encode(), "", "Café"),
        ("<title>Café</title>".encode("latin-1"), "", "Café"),
        ("<title>Café</title>".encode("latin-1"), "iso-8859-1", "Café"),
        ("<meta charset=windows-1252><title>“Café”</title>".encode("cp1252"), "", "“Café”"),
        ("<title>Café</title>".encode(), "no-such-charset", "Café"),
        (b"\xef\xbb\xbf" + "<title>Café</title>".encode(), "utf-8", "Café"),
    ],
)
def test_pages_are_read_in_their_own_letters(sent, charset, title):
    assert facts(sent, charset=charset).item["title"] == title


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00\xff\xfe\x01" * 1000,
        b"<html></html>",
        b"<title> </title>",
        b"<" * 200_000,
        b"<div>" * 200_000,
        b"<title>" + b"&amp;" * 100_000,
        b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><title>&a;</title>",
        b'<script type="application/ld+json">' + b"[" * 100_000 + b"</script><title></title>",
        b'<script type="application/ld+json">{"@type": "Article", "headline": {"a": [1]}, "author": 7}</script>',
        b"<meta name=x content=y>" * 40_000,
    ],
    ids=[
        *(
            "empty",
            "bytes",
            "bare",
            "blank",
            "brackets",
            "deep",
            "entities",
            "external",
            "deep json",
            "odd json",
        ),
        "many tags",
    ],
)
def test_pages_that_are_none_break_nothing(sent):
    title = facts(sent).item.get("title", "")
    assert "root:" not in title
    assert len(title) <= 1000


def test_a_page_cannot_put_markup_or_another_scheme_into_the_form():
    found = facts(
        f"<title>{escape('<script>alert(1)</script>')}Guide</title><meta name=author content='<b>Ana</b>'>"
    )
    assert found.item["title"] == "alert(1)Guide"
    assert found.item["author"] == [{"literal": "Ana"}]


@pytest.mark.parametrize(
    ("url", "doi"),
    [
        ("https://doi.org/10.1177/1355819616653981", "10.1177/1355819616653981"),
        ("https://journals.sagepub.com/doi/full/10.1177/1355819616653981?x=1", "10.1177/1355819616653981"),
        ("https://www.frontiersin.org/articles/10.3389/fpubh.2020.00001/full", "10.3389/fpubh.2020.00001"),
        ("https://onlinelibrary.wiley.com/doi/10.1002/chp.47/pdf", "10.1002/chp.47"),
        ("https://example.org/10.pdf", ""),
        ("https://example.org/?doi=10.1000/abc", ""),
        ("https://[", ""),
    ],
)
def test_publishers_addresses_carry_the_doi(url, doi):
    assert doi_in_address(url) == doi


# --- asking --------------------------------------------------------------------------------------------------------------
@pytest.fixture
def member(db):
    return make_member()


@pytest.fixture
def record(member):
    return links.ask_link(actor=member, url=URL)


def look_up(record):
    tasks.look_up_link(record_id=record.pk)
    record.refresh_from_db()
    return record


def test_what_the_page_says_is_kept_and_offered(network, record):
    with network.answering(in_turn(sends(301, Location="/new"), sends(body=PLAIN))):
        look_up(record)
    assert network.asked == [
        ("GET", "guides.example", "/plain?utm_source=mail"),
        ("GET", "guides.example", "/new"),
    ]
    assert record.state == "found"
    known = links.known_page("http://www.guides.example/plain")
    assert known.item["title"] == "A plain guide"
    assert "URL" not in known.item


def test_a_page_that_names_its_doi_leads_to_the_agencies(network, record, monkeypatch):
    woken = []
    monkeypatch.setattr("resources.services.doi.enqueue", lambda task, **ids: woken.append(task.name))
    with network.answering(sends(body=HIGHWIRE)):
        look_up(record)
    assert DoiRecord.objects.get().doi == "10.1177/1355819616653981"
    assert woken == ["resources.tasks.look_up_doi"]
    known = links.known_page(URL)
    assert (known.item["DOI"], known.licence, known.language) == (
        "10.1177/1355819616653981",
        "cc-by-4.0",
        "en",
    )


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (sends(404), "failed", "status 404"),
        (sends(403), "failed", "status 403"),
        (sends(302, Location="http://169.254.169.254/latest"), "refused", ""),
        (sends(302, Location="http://127.0.0.1:6379/"), "refused", ""),
        (sends(302, Location="/again"), "failed", "guides.example: too many redirects"),
        (sends(body=b"%PDF-1.7", content_type="application/pdf"), "failed", "sent application/pdf"),
        (sends(body="<p>no title"), "failed", "a page without a title"),
        (hangs, "failed", "guides.example: too slow"),
        (drips, "failed", "guides.example: too slow"),
        (resets, "failed", "guides.example: ConnectionResetError"),
    ],
    ids=["404", "403", "metadata", "redis", "loop", "pdf", "no title", "hangs", "drips", "resets"],
)
def test_a_bad_answer_is_kept_out(network, record, monkeypatch, answer, state, reason):
    monkeypatch.setattr("resources.fetching.SECONDS", 0.3)
    with network.answering(answer):
        look_up(record)
    assert (record.state, record.item) == (state, None)
    assert not reason or record.reason == reason


def test_a_huge_page_is_read_at_its_beginning(network, record):
    with network.answering(sends(body=PLAIN + "x" * 3_000_000)):
        look_up(record)
    assert (record.state, record.item["title"]) == ("found", "A plain guide")


def test_a_private_address_is_asked_by_nobody(network, member):
    for url in ("http://127.0.0.1/", "http://[::1]/", "http://localhost/", "http://10.0.0.1/x"):
        network.names["localhost"] = ["127.0.0.1"]
        record = look_up(links.ask_link(actor=member, url=url))
        assert (record.state, network.dialled) == ("refused", [])


def test_a_link_is_asked_once_in_a_while(record, member, monkeypatch):
    woken = []
    monkeypatch.setattr(links, "enqueue", lambda task, **ids: woken.append(ids))
    links.ask_link(actor=member, url="http://guides.example/plain")
    assert woken == []
    LinkRecord.objects.update(asked_at=timezone.now() - timedelta(days=1), state="failed")
    assert links.ask_link(actor=member, url=URL).state == "asked"
    assert woken == [{"record_id": record.pk}]
    assert links.ask_link(actor=member, url="mailto:a@b.c") is None
    with pytest.raises(PermissionDenied):
        links.ask_link(actor=make_member(status="silenced"), url=URL)


def test_addresses_that_were_pasted_are_not_kept_for_ever(record, member):
    LinkRecord.objects.update(asked_at=timezone.now() - timedelta(days=91))
    fresh = links.ask_link(actor=member, url="https://other.example/")
    assert links.forget_old_answers() == 1
    assert list(LinkRecord.objects.all()) == [fresh]


def test_a_doi_in_the_address_is_asked_for_at_once(member):
    links.ask_link(actor=member, url="https://journals.sagepub.com/doi/10.1177/1355819616653981")
    assert DoiRecord.objects.get().doi == "10.1177/1355819616653981"


# --- on the pages --------------------------------------------------------------------------------------------------------
def test_from_a_pasted_link_to_a_record(client, member, network):
    client.force_login(member)
    make_term("type", "guide")
    started = client.post("/library/add/look-up/", {"pasted": "guides.example/plain"})
    assert (started.status_code, started["Location"]) == (
        302,
        "/library/add/?by=link&url=https%3A%2F%2Fguides.example%2Fplain",
    )
    page = client.get(started["Location"])
    assert page.context["look"].state == "asked"
    status = client.get(f"/library/add/look-up/status/?{page.context['look'].query}")
    assert 'hx-trigger="load delay:1s"' in status.content.decode()
    with network.answering(sends(body=PLAIN)):
        look_up(LinkRecord.objects.get())
    status = client.get(f"/library/add/look-up/status/?{page.context['look'].query}").content.decode()
    assert "The page calls itself <bdi>A plain guide</bdi>." in status
    assert "hx-trigger" not in status
    filled = client.post(
        started["Location"],
        {"fill": "1", "url": "guides.example/plain", "description": "Mine", "language": "en"},
    )
    form = filled.context["form"]
    assert {name: form[name].value() for name in ("title", "year", "source", "description", "url")} == {
        "title": "A plain guide",
        "year": 2020,
        "source": "Our Hospital",
        "description": "Mine",
        "url": "guides.example/plain",
    }
    assert Resource.objects.count() == 0


def test_what_is_neither_doi_nor_link_is_said_at_the_field_and_kept(client, member):
    client.force_login(member)
    for pasted, words in (
        ("no idea", "This is neither a DOI"),
        ("javascript:alert(1)", "This is neither a DOI"),
    ):
        response = client.post("/library/add/look-up/", {"pasted": pasted})
        assert response.status_code == 422
        assert words in response.context["form"].errors["pasted"][0]
        assert f'value="{pasted}"' in response.content.decode()
    response = client.post("/library/add/look-up/", {})
    assert response.context["form"].errors["pasted"] == ["Paste a DOI or a link, or choose a file."]


def test_nobody_learns_from_the_page_what_is_inside_our_network(client, member):
    client.force_login(member)
    pages = []
    for state, host in (("refused", "inside.example"), ("failed", "nowhere.example")):
        links.ask_link(actor=member, url=f"https://{host}/")
        LinkRecord.objects.filter(url=f"https://{host}/").update(state=state)
        pages.append(client.get(f"/library/add/look-up/status/?url=https://{host}/").content)
    assert pages[0] == pages[1]
