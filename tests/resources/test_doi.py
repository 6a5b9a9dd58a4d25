import json
import time
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from resources import fetching, tasks
from resources.identifiers import canonical_url, normalise_doi, title_key
from resources.models import DoiRecord
from resources.services import doi as doi_service
from tests.factories.members import make_member

from .network import drips, in_turn, resets
from .network import resets as hangs_up
from .network import sends as sends_anything

CSL = doi_service.CSL_JSON
sends = partial(sends_anything, content_type=CSL)
AGENCIES = ["doi.org", "api.crossref.org", "api.datacite.org"]


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1177/1355819616653981", "10.1177/1355819616653981"),
        (" https://doi.org/10.1002/chp.47 ", "10.1002/chp.47"),
        ("http://dx.doi.org/10.1111%2Fj.0887-378X.2004.00325.x", "10.1111/j.0887-378X.2004.00325.x"),
        ("doi:10.2196/jmir.2966.", "10.2196/jmir.2966"),
        ("see (10.1016/0140-6736(95)91804-3)", "10.1016/0140-6736(95)91804-3"),
        ("10.1136/bmj.39038.593380.AE,", "10.1136/bmj.39038.593380.AE"),
        ("10.12/short-prefix", ""),
        ("10.1000/", ""),
        ("no doi", ""),
        ("", ""),
        ('10.1000/x"><script>', "10.1000/x"),
        ("10.1000/x" + ")" * 1_000_000, "10.1000/x"),  # at once: it is typed by whoever likes to
        ("10.1000." * 100_000, ""),
    ],
)
def test_dois_are_read_as_people_paste_them(text, doi):
    assert normalise_doi(text) == doi


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://www.Example.org/a/", "http://example.org/a#x", True),
        ("https://example.org/a?b=1&utm_source=x&c=2", "https://example.org/a?c=2&b=1", True),
        ("https://example.org/a?p=1", "https://example.org/a?p=2", False),
        ("https://example.org/A", "https://example.org/a", False),
        ("https://example.org:8443/", "https://example.org/", False),
    ],
)
def test_addresses_of_one_page_are_one(one, other, same):
    assert (canonical_url(one) == canonical_url(other)) is same


def test_what_is_no_web_address_has_no_canonical_form():
    for text in (
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "http://[::1",
        "https://x:99999/",
        "a b",
        "https://ana:secret@example.org/",
        "https://nhs.uk@example.org/",
        "https://example.org\\.nhs.uk/",
    ):
        assert canonical_url(text) == ""


def test_titles_compare_without_case_accents_and_punctuation():
    assert title_key("The “Dark-Side” of: Éclairs!") == "the dark side of eclairs"


# --- a network that misbehaves ---
@pytest.fixture
def record(db):
    return doi_service.ask_doi(actor=make_member(), doi="10.1000/ABC")


def look_up(record):
    tasks.look_up_doi(record_id=record.pk)
    record.refresh_from_db()
    return record


GOOD = b'{"type": "journal-article", "title": "A <i>title</i>", "DOI": "10.1000/ABC", "x": {"kept": [1]}}'


def test_an_answer_is_kept_as_it_came(network, record):
    with network.answering(sends(body=GOOD)):
        look_up(record)
    assert network.asked == [("GET", "doi.org", "/10.1000/abc")]
    assert (record.doi, record.state, record.raw["x"]) == ("10.1000/abc", "found", {"kept": [1]})
    assert doi_service.known_item("10.1000/ABC") == {
        "type": "article-journal",
        "title": "A title",
        "DOI": "10.1000/ABC",
    }


def by_host(**answers):
    def answer(handler):
        answers[handler.headers["Host"].split(".")[-2]](handler)

    return answer


CROSSREF = json.dumps(
    {
        "status": "ok",
        "message": {
            "type": "journal-article",
            "title": ["From <i>Crossref</i>"],
            "author": [{"family": "Kislov", "given": "Roman"}],
            "issued": {"date-parts": [[2017, 4]]},
            "container-title": ["JHSRP"],
            "DOI": "10.1000/ABC",
            "language": "en",
            "abstract": "<jats:p>Theirs</jats:p>",
            "license": [{"URL": "http://creativecommons.org/licenses/by-nc/4.0/"}],
        },
    }
).encode()
DATACITE = json.dumps(
    {
        "data": {
            "attributes": {
                "doi": "10.1000/abc",
                "titles": [{"title": "A toolkit"}],
                "creators": [
                    {"name": "May, Carl", "nameType": "Personal", "givenName": "Carl", "familyName": "May"},
                    {"name": "NHS England", "nameType": "Organizational"},
                ],
                "publisher": {"name": "Zenodo"},
                "publicationYear": 2020,
                "dates": [{"date": "2020-03-02", "dateType": "Issued"}],
                "types": {"resourceTypeGeneral": "Report", "citeproc": "report"},
                "language": "eng",
                "rightsList": [{"rightsUri": "https://creativecommons.org/licenses/by/4.0/legalcode"}],
                "descriptions": [{"description": "Theirs"}],
            }
        }
    }
).encode()


def test_where_doi_org_sends_a_page_the_agencies_themselves_are_asked(network, record):
    page = sends(body=b"<html>Welcome</html>", content_type="text/html")
    with network.answering(by_host(doi=page, crossref=sends(body=CROSSREF, content_type="application/json"))):
        look_up(record)
    assert network.asked[1] == ("GET", "api.crossref.org", "/works/10.1000%2Fabc")
    assert (record.state, record.raw) == ("found", json.loads(CROSSREF))  # as it came, in their envelope
    known = doi_service.known_doi("10.1000/abc")
    assert known.item == {
        "type": "article-journal",
        "title": "From Crossref",
        "author": [{"family": "Kislov", "given": "Roman"}],
        "issued": {"date-parts": [[2017, 4]]},
        "container-title": "JHSRP",
        "DOI": "10.1000/ABC",
    }
    assert (known.licence, known.language) == ("cc-by-nc-4.0", "en")


def test_datacite_is_the_last_to_be_asked(network, record):
    answers = by_host(
        doi=hangs_up, crossref=sends(404), datacite=sends(body=DATACITE, content_type="application/json")
    )
    with network.answering(answers):
        look_up(record)
    assert network.hosts == AGENCIES
    known = doi_service.known_doi("10.1000/abc")
    assert known.item == {
        "type": "report",
        "title": "A toolkit",
        "author": [{"family": "May", "given": "Carl"}, {"literal": "NHS England"}],
        "issued": {"date-parts": [[2020, 3, 2]]},
        "publisher": "Zenodo",
        "DOI": "10.1000/abc",
    }
    assert (known.licence, known.language) == ("cc-by-4.0", "en")


def test_five_seconds_are_all_there_is_for_all_of_them(network, record, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.9)
    monkeypatch.setattr(doi_service, "EACH", 0.25)
    with network.answering(drips):
        began = time.monotonic()
        look_up(record)
        took = time.monotonic() - began
    assert network.hosts == AGENCIES
    assert record.state == "failed"
    assert took < 2


def test_no_transaction_is_open_while_the_network_is_spoken_to(network, record, monkeypatch):
    depths = []

    def get(*args, **kwargs):
        depths.append(len(connection.savepoint_ids))
        raise fetching.NoAnswer("nobody")

    before = len(connection.savepoint_ids)
    monkeypatch.setattr(fetching, "get", get)
    look_up(record)
    assert depths == [before] * 3


def test_a_redirect_to_an_agency_is_followed(network, record):
    answers = [
        sends(302, Location="https://api.crossref.org/v1/works/10.1000%2Fabc/transform"),
        sends(body=GOOD),
    ]
    with network.answering(in_turn(*answers)):
        look_up(record)
    assert network.hosts == ["doi.org", "api.crossref.org"]
    assert record.state == "found"


@pytest.mark.parametrize(
    "location",
    [
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://[::1]/",
        "http://doi.org/10.1000/abc",
        "https://doi.org:8443/x",
        "https://user:pw@doi.org/x",
        "https://doi.org.evil.example/",
        "https://evil.example/#doi.org",
        "file:///etc/passwd",
        "gopher://doi.org/",
        "//evil.example/",
        "https://doi.org\\@evil.example/",
    ],
)
def test_a_redirect_elsewhere_is_refused(network, record, location):
    with network.answering(sends(302, Location=location)):
        look_up(record)
    assert network.hosts == AGENCIES  # each was asked once, and nobody else
    assert (record.state, record.raw) == ("failed", None)


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (sends(404), "unknown", "404"),
        (sends(500), "failed", "status 500"),
        (sends(body=b"<html>Welcome</html>", content_type="text/html"), "failed", "sent text/html"),
        (sends(body=b"{not json"), "failed", "sent something else than JSON"),
        (sends(body=b"\xff\xfe"), "failed", "sent something else than JSON"),
        (sends(body=b"[" * 100_000), "failed", "sent something else than JSON"),
        (sends(body=b'["a list"]'), "failed", "sent a record without a title"),
        (sends(body=b'{"title": []}'), "failed", "sent a record without a title"),
        (sends(body=b"0" * (fetching.MAX_BYTES + 1)), "failed", "doi.org: sent too much"),
        (sends(302, Location="https://doi.org/again"), "failed", "doi.org: too many redirects"),
        (resets, "failed", "doi.org: ConnectionResetError"),
    ],
    ids=[
        "404",
        "500",
        "html",
        "json",
        "bytes",
        "deep",
        "list",
        "no title",
        "much",
        "loop",
        "closed",
    ],
)
def test_a_bad_answer_is_told_apart_and_kept_out(network, record, answer, state, reason):
    with network.answering(answer):
        look_up(record)
    assert (record.state, record.reason, record.raw) == (state, reason, None)


def test_a_server_that_drips_is_left_in_time(network, record, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.2)
    with network.answering(drips):
        look_up(record)
    assert (record.state, record.raw, record.reason) == ("failed", None, "doi.org: too slow")


def test_what_is_known_outlives_a_failure_later(network, record):
    with network.answering(sends(body=GOOD)):
        look_up(record)
    with network.answering(sends(500)):
        look_up(record)
    assert (record.state, record.raw["title"]) == ("found", "A <i>title</i>")


def test_no_network_is_no_error(network, record):
    network.names["doi.org"] = OSError("Temporary failure in name resolution")
    look_up(record)
    assert (record.state, record.reason) == ("failed", "doi.org: the name was not found")


def test_a_doi_is_asked_for_once_in_a_while(record, monkeypatch):
    member, woken = make_member(), []
    monkeypatch.setattr(doi_service, "enqueue", lambda task, **ids: woken.append(ids))
    doi_service.ask_doi(actor=member, doi="doi:10.1000/abc")
    assert woken == []
    DoiRecord.objects.update(asked_at="2026-01-01T00:00Z", state="failed")
    assert doi_service.ask_doi(actor=member, doi="10.1000/abc").state == "asked"
    assert woken == [{"record_id": record.pk}]
    assert doi_service.ask_doi(actor=member, doi="nothing") is None
    with pytest.raises(PermissionDenied):
        doi_service.ask_doi(actor=make_member(status="silenced"), doi="10.1000/abc")
