"""OAI-PMH, as harvesters ask: every answer has the shape that the protocol gives it."""

import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from lxml import etree

from resources import oai, services
from resources.models import HarvestRecord, Resource
from resources.services import merging
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term

pytestmark = pytest.mark.django_db
GRAMMAR = etree.RelaxNG(etree.parse(Path(__file__).parent / "data" / "oai.rng"))
NAMES = {"o": oai.OAI, "dc": oai.DC, "oai_dc": oai.OAI_DC}
BASE = "/library/oai/"


@pytest.fixture
def ask(client):
    def asked(method="get", **params):
        response = getattr(client, method)(BASE, {name.rstrip("_"): value for name, value in params.items()})
        assert (response.status_code, response["Content-Type"]) == (200, "text/xml; charset=UTF-8")
        root = etree.fromstring(response.content)
        GRAMMAR.assertValid(root)
        return root

    return asked


def texts(root, path: str) -> list[str]:
    return [getattr(one, "text", one) for one in root.xpath(path, namespaces=NAMES)]


def identifiers(root) -> list[str]:
    return texts(root, "//o:header/o:identifier")


def code(root) -> str:
    (found,) = root.xpath("//o:error/@code", namespaces=NAMES)
    return found


def named(*resources) -> list[str]:
    return [f"oai:testserver:{resource.pk}" for resource in resources]


def stamp(resource, moment: str) -> None:
    Resource.objects.filter(pk=resource.pk).update(updated_at=moment, published_at=moment)


# --- one after the other ---------------------------------------------------------------------------------------------
def test_the_library_says_what_it_is(ask):
    make_resource()
    root = ask(verb="Identify")
    assert texts(root, "//o:baseURL") == ["http://testserver/library/oai/"]
    assert texts(root, "//o:deletedRecord | //o:granularity") == ["persistent", "YYYY-MM-DDThh:mm:ssZ"]
    assert texts(root, "//o:adminEmail") == ["hello@kmnet.example"]
    assert texts(ask(verb="ListMetadataFormats"), "//o:metadataPrefix") == ["oai_dc"]
    make_term("type", "guide")
    assert "type:guide" in texts(ask(verb="ListSets"), "//o:setSpec")


def test_a_record_is_given_as_dublin_core(ask):
    resource = make_resource(
        title="A & B \x08<c>",
        creators=["le May, Andrée", "NHS England"],
        doi="10.1000/x",
        url="https://example.org/a",
        tags=["care"],
        terms=[make_term("type", "guide"), make_term("audience", "carers")],
        licence="cc-by-4.0",
        description="In *our* words.",
        language="fr",
        csl={"container-title": "BMJ", "publisher": "BMA", "issued": {"date-parts": [[2017, 3]]}},
    )
    (name,) = named(resource)
    root = ask(verb="GetRecord", identifier=name, metadataPrefix="oai_dc")
    assert identifiers(root) == [name]
    assert texts(root, "//o:setSpec") == ["type:guide"]
    told = [(etree.QName(one).localname, one.text) for one in root.xpath("//oai_dc:dc/*", namespaces=NAMES)]
    assert told == [
        ("title", "A & B <c>"),
        ("creator", "le May, Andrée"),
        ("creator", "NHS England"),
        ("subject", "care"),
        ("subject", "carers"),
        ("description", "In our words."),
        ("publisher", "BMA"),
        ("date", "2017-03"),
        ("type", "guide"),
        ("identifier", f"http://testserver{resource.get_absolute_url()}"),
        ("identifier", "https://doi.org/10.1000/x"),
        ("identifier", "https://example.org/a"),
        ("source", "BMJ"),
        ("language", "fr"),
        ("rights", "https://creativecommons.org/licenses/by/4.0/"),
    ]
    again = ask("post", verb="GetRecord", identifier=name, metadataPrefix="oai_dc")
    assert identifiers(again) == [name]


# --- lists -----------------------------------------------------------------------------------------------------------
def test_a_harvest_gets_every_record_once_in_several_parts(ask, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(oai, "AT_ONCE", 2)
    rows = [make_resource() for _number in range(5)]
    for place, resource in enumerate(rows):  # two at the very same moment
        stamp(resource, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=place // 2))
    found, root, parts = [], ask(verb="ListRecords", metadataPrefix="oai_dc"), []
    while True:
        found += identifiers(root)
        tokens = root.xpath("//o:resumptionToken", namespaces=NAMES)
        parts.append((tokens[0].get("cursor"), tokens[0].get("completeListSize"), bool(tokens[0].text)))
        if not tokens[0].text:
            break
        with django_assert_max_num_queries(8):
            root = ask(verb="ListRecords", resumptionToken=tokens[0].text)
    assert found == named(*rows)
    assert parts == [("0", "5", True), ("2", "5", True), ("4", "5", False)]


def test_a_list_that_fits_has_no_token_and_a_record_added_meanwhile_comes_last(ask, monkeypatch):
    rows = [make_resource() for _number in range(2)]
    root = ask(verb="ListIdentifiers", metadataPrefix="oai_dc")
    assert identifiers(root) == named(*rows)
    assert texts(root, "//o:resumptionToken") == []
    monkeypatch.setattr(oai, "AT_ONCE", 1)
    root = ask(verb="ListIdentifiers", metadataPrefix="oai_dc")
    third = make_resource()
    root = ask(verb="ListIdentifiers", resumptionToken=texts(root, "//o:resumptionToken")[0])
    root = ask(verb="ListIdentifiers", resumptionToken=texts(root, "//o:resumptionToken")[0])
    assert identifiers(root) == named(third)


@pytest.mark.parametrize(
    ("bounds", "places"),
    [
        ({}, [0, 1, 2]),
        ({"from_": "2026-01-02"}, [1, 2]),
        ({"until": "2026-01-02"}, [0, 1]),
        ({"from_": "2026-01-02T10:00:00Z", "until": "2026-01-02T10:00:00Z"}, [1]),
        ({"from_": "2026-01-02T10:00:01Z"}, [2]),
        ({"set": "type:guide"}, [2]),
    ],
)
def test_records_of_a_time_or_a_set(ask, bounds, places):
    rows = [make_resource(), make_resource(), make_resource(terms=[make_term("type", "guide")])]
    moments = ("2026-01-01T10:00Z", "2026-01-02T10:00:00.999999Z", "2026-01-03T10:00Z")
    for resource, moment in zip(rows, moments, strict=True):
        stamp(resource, moment)
    root = ask(verb="ListIdentifiers", metadataPrefix="oai_dc", **bounds)
    assert identifiers(root) == named(*[rows[place] for place in places])


def test_what_was_never_public_is_not_told_of_and_what_is_not_any_more_is_told_as_deleted(client, ask):
    moderator, keeper = make_member(is_moderator=True), make_member()
    there, hers, hidden, gone, narrowed = (
        make_resource(added_by=keeper),
        make_resource(visibility="members"),
        make_resource(),
        make_resource(title="A secret", terms=[make_term("type", "guide")]),
        make_resource(added_by=keeper),
    )
    never, held = make_resource(visibility="members"), make_resource(visibility="members")
    Resource.objects.filter(pk=held.pk).update(state="held", visibility="public")
    services.hide_resource(target=hidden, actor=moderator, reason="x")
    for resource in (gone, never, held):
        services.take_down(resource=resource, actor=moderator, reason="copyright", why="asked")
    merged, deleted = make_resource(added_by=keeper), make_resource()
    merging.merge_resources(actor=keeper, kept=there, gone=merged)
    services.edit_resource(
        actor=keeper, resource=narrowed, details=services.Details(csl=narrowed.csl, visibility="members")
    )
    Resource.objects.filter(pk=deleted.pk).delete()  # with an account
    client.force_login(moderator)  # whoever asks is a guest here
    root = ask(verb="ListRecords", metadataPrefix="oai_dc")
    away = named(hidden, gone, narrowed, merged, deleted)
    told = texts(root, "//o:header[@status='deleted']/o:identifier")
    assert sorted(told) == sorted(away)
    assert sorted(identifiers(root)) == sorted(named(there) + away)
    assert len(root.xpath("//o:metadata", namespaces=NAMES)) == 1
    assert b"secret" not in etree.tostring(root)
    assert texts(root, "//o:setSpec") == []
    for resource in (hers, never, held):
        (name,) = named(resource)
        assert code(ask(verb="GetRecord", identifier=name, metadataPrefix="oai_dc")) == "idDoesNotExist"
    root = ask(verb="GetRecord", identifier=named(narrowed)[0], metadataPrefix="oai_dc")
    assert texts(root, "//o:record/*/@status") == ["deleted"]
    # Whoever harvests one set hears of it, too; which one it was in is not kept.
    root = ask(verb="ListIdentifiers", metadataPrefix="oai_dc", set="type:guide")
    assert sorted(identifiers(root)) == sorted(away)


def test_its_going_and_its_coming_back_are_its_last_changes(ask):
    moderator, resource = make_member(is_moderator=True), make_resource()
    stamp(resource, "2026-01-01T10:00Z")
    since = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert code(ask(verb="ListIdentifiers", metadataPrefix="oai_dc", from_=since)) == "noRecordsMatch"
    services.hide_resource(target=resource, actor=moderator, reason="x")
    stamp(resource, "2026-01-01T10:00Z")  # nothing that is done with it later changes when it went
    root = ask(verb="ListIdentifiers", metadataPrefix="oai_dc", from_=since)
    assert texts(root, "//o:header/@status") == ["deleted"]
    services.restore_resource(target=resource, actor=moderator, reason="x")
    root = ask(verb="ListIdentifiers", metadataPrefix="oai_dc", from_=since)
    assert (identifiers(root), texts(root, "//o:header/@status")) == (named(resource), [])


def test_what_was_there_before_is_told_as_far_as_it_is_known():
    moderator, keeper = make_member(is_moderator=True), make_member()
    there, hidden, narrowed = make_resource(), make_resource(), make_resource(added_by=keeper)
    make_resource(visibility="members")
    services.hide_resource(target=hidden, actor=moderator, reason="x")
    narrowed.edits.create(before={"visibility": "public"}, editor=keeper)
    Resource.objects.filter(pk=narrowed.pk).update(visibility="members")
    HarvestRecord.objects.all().delete()
    migration = importlib.import_module("resources.migrations.0016_what_harvesters_knew")
    with connection.cursor() as cursor:
        cursor.execute(migration.FILL)
    assert dict(HarvestRecord.objects.values_list("number", "is_gone")) == {
        there.pk: False,
        hidden.pk: True,
        narrowed.pk: True,
    }


def test_what_comes_to_the_public_late_is_new_on_that_day(ask):
    resource = make_resource()
    Resource.objects.filter(pk=resource.pk).update(
        updated_at="2026-01-01T00:00Z", published_at="2026-02-01T12:00Z"
    )
    root = ask(verb="ListIdentifiers", metadataPrefix="oai_dc", from_="2026-02-01")
    assert texts(root, "//o:datestamp") == ["2026-02-01T12:00:00Z"]


# --- errors of the protocol ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ("", "badVerb"),
        ("verb=Nonsense", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&set=x", "badArgument"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat"),
        ("verb=ListRecords&metadataPrefix=a%20b", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=a:", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=yesterday", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-31", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-01&until=2026-01-01", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-01&until=2026-03-01T00:00:00Z", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&until=9999-12-31", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&until=2000-01-01", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=type:nothing", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=nonsense", "noRecordsMatch"),
        ("verb=ListRecords&resumptionToken=x", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=x&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListSets&resumptionToken=x", "badResumptionToken"),
        ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
        (
            "verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:testserver:999999999999999999",
            "idDoesNotExist",
        ),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:elsewhere:1", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=%00", "idDoesNotExist"),
        ("verb=ListMetadataFormats&identifier=x", "idDoesNotExist"),
    ],
)
def test_what_is_asked_wrongly_is_answered_by_the_protocol(client, asked, wrong):
    make_resource()
    response = client.get(f"{BASE}?{asked}")
    assert response.status_code == 200
    root = etree.fromstring(response.content)
    GRAMMAR.assertValid(root)
    assert code(root) == wrong
    request = root.find(f"{{{oai.OAI}}}request")
    assert bool(request.attrib) == (wrong not in ("badVerb", "badArgument"))


def test_a_token_ends_with_its_day(ask, monkeypatch):
    monkeypatch.setattr(oai, "AT_ONCE", 1)
    make_resource(), make_resource()
    token = texts(ask(verb="ListRecords", metadataPrefix="oai_dc"), "//o:resumptionToken")[0]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=23)):
        assert len(identifiers(ask(verb="ListRecords", resumptionToken=token))) == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        assert code(ask(verb="ListRecords", resumptionToken=token)) == "badResumptionToken"
