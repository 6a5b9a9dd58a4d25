"""Adding to the library by each way: a DOI, a link, a PDF and a list of references; by hand is in test_library."""

import json
import re

import pytest
from playwright.sync_api import expect

from resources.models import DoiRecord, ImportBatch, LinkRecord, Resource, ResourceText
from resources.services import batches, bulk
from resources.services.batches import carry_out_batch, read_batch
from resources.services.doi import answer_doi
from resources.services.links import answer_link
from resources.services.reading import read_file
from tests.factories import make_member
from tests.factories.resources import make_resource
from tests.resources.hostile import pdf
from tests.resources.network import Network, network, sends

from .people import Person, without_scripts
from .test_keeping_order import at_home

__all__ = ["network"]
pytestmark = pytest.mark.browser
both_ways = pytest.mark.parametrize("scripts", [True, without_scripts()], ids=["scripts", "no-scripts"])
DOI, TITLE = "10.1177/1355819616653981", "The dark side of knowledge brokering"
REGISTERED = {
    "type": "journal-article",
    "title": TITLE,
    "DOI": DOI,
    "author": [{"family": "Kislov", "given": "Roman"}],
    "issued": {"date-parts": [[2017, 4]]},
    "volume": "22",
}
PAGE = """<html lang="en"><head><title>A plain guide</title><meta property="og:site_name" content="Our Hospital"></head>"""
LIST = """
@article{one, title = {The rise of the knowledge broker}, author = {Meyer, Morgan}, year = 2010, doi = {10.1000/here}}
@misc{two, title = {A guide to brokering with care homes}, author = {May, Andree}, year = {soon}}
@misc{three, author = {Nobody, N.}}
"""
OTHER_LISTS = {
    "refs.ris": "TY  - JOUR\nTI  - Out of RIS\nER  - \n",
    "refs.json": '[{"id": "a", "type": "book", "title": "Out of CSL-JSON"}]',
    "refs.csv": "title,author,year\nOut of CSV,Ana Silva,2020\n",
}


@pytest.fixture
def ana(site, scripts) -> Person:
    return at_home(site, make_member(name="Ana Silva", is_host=True), scripts=scripts)


def bring(who: Person, pasted: str = "", *, file=None) -> None:
    who.go("/library/add/")
    who.fill("A DOI or a link", pasted)
    if file:
        who.page.locator("input[type=file]").set_input_files(file)
    who.press("Go on")


def told(who: Person, words: str) -> None:
    """With scripts the page finds out by itself; without, by a press."""
    if not who.scripts:
        who.press("Look again")
    expect(who.page.locator("#look-up")).to_contain_text(words)


def put_in(who: Person, **typed: str) -> None:
    for label, words in typed.items():
        who.fill(label.replace("_", " "), words)
    kind = who.page.get_by_label("What is it?")
    if not kind.input_value():
        kind.select_option(label="Guide")
    who.press("Put it into the library")


def answer_the_doi(network: Network) -> None:
    with network.answering(sends(body=json.dumps(REGISTERED), content_type="application/json")):
        answer_doi(record_id=DoiRecord.objects.get(doi=DOI.lower()).pk)


def nothing_to_fault(who: Person) -> None:
    assert {where: faults for where, faults in who.site.looked_at.items() if faults} == {}


@both_ways
def test_by_doi_and_by_hand_while_the_network_is_away(site, network, ana):
    bring(ana)
    ana.sees("Paste a DOI or a link, or choose a file.")
    ana.look("sharing something, with a fault")
    bring(ana, f"https://doi.org/{DOI}")
    ana.sees("It is being looked up.")
    answer_doi(record_id=DoiRecord.objects.get().pk)  # nobody is there
    assert DoiRecord.objects.get().state == "failed"
    told(ana, "There was no answer that we could read. Nothing is lost: go on by hand.")
    ana.fill("In your own words", "Sharp.")
    ana.press("Look again")
    ana.look("a DOI of which nobody tells")
    DoiRecord.objects.all().delete()
    put_in(ana, Title="Mine, by hand")
    ana.has_title("Mine, by hand")
    assert Resource.objects.get().doi == DOI
    Resource.objects.all().delete()

    bring(ana, DOI)
    ana.fill("In your own words", "It names what hurts.")
    answer_the_doi(network)
    told(ana, f"Found by its DOI: {TITLE}")
    if ana.scripts:
        ana.press("Fill in what is still empty")
    ana.sees("It is filled in below.")
    expect(ana.page.get_by_label("In your own words")).to_have_value("It names what hurts.")
    expect(ana.page.get_by_label("By whom")).to_have_value("Kislov, Roman")
    ana.look("a record filled in by its DOI")
    put_in(ana)
    ana.has_title(TITLE)

    bring(ana, DOI)  # the same once more: told, and not refused
    put_in(ana, In_your_own_words="Again.")
    ana.sees("Is it one of these? Nothing has been saved yet.")
    ana.sees("has the same DOI")
    ana.look("something that is here already")
    ana.press("No, add it anyway")
    ana.sees("It is in the library.")
    assert [(one.csl["volume"], one.description) for one in Resource.objects.order_by("pk")] == [
        ("22", "It names what hurts."),
        ("22", "Again."),
    ]
    nothing_to_fault(ana)


@both_ways
def test_by_a_link_that_is_asked_for_or_not(site, network, ana):
    bring(ana, "http://127.0.0.1/inside")
    with network.answering(sends(body=PAGE)):
        answer_link(record_id=LinkRecord.objects.get().pk)
        assert network.dialled == []  # nobody asks inside
        told(ana, "There was no answer that we could read.")
        bring(ana, "guides.example/plain")
        answer_link(record_id=LinkRecord.objects.get(url__contains="guides").pk)
    told(ana, "The page calls itself A plain guide.")
    if ana.scripts:
        ana.press("Fill in what is still empty")
    expect(ana.page.get_by_label("Title")).to_have_value("A plain guide")
    put_in(ana, In_your_own_words="Two pages.")
    ana.has_title("A plain guide")
    assert Resource.objects.get().url == "https://guides.example/plain"
    nothing_to_fault(ana)


@both_ways
def test_by_a_pdf_that_says_what_it_is(site, network, ana, tmp_path):
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(pdf((f"doi: {DOI}",), info=f"/Title ({TITLE})"))
    bring(ana, "no idea", file=paper)
    ana.sees("Kept for you, no need to choose again: paper.pdf")  # what is wrong is the link
    ana.fill("A DOI or a link", "")
    ana.press("Go on")
    ana.sees("It is being looked up.")
    assert read_file(file_id=ResourceText.objects.get().file_id)
    answer_the_doi(network)
    told(ana, f"Found by its DOI: {TITLE}")
    if ana.scripts:
        ana.press("Fill in what is still empty")
    expect(ana.page.get_by_role("textbox", name="DOI")).to_have_value(DOI)
    put_in(ana, In_your_own_words="The paper itself.")
    ana.sees("Tick this if it is so")
    ana.sees("Kept for you, no need to choose again: paper.pdf")
    ana.look("a file without leave")
    ana.page.get_by_label("I made this, or I have leave to share the file here").check()
    ana.press("Put it into the library")
    ana.has_title(TITLE)
    resource = Resource.objects.get()
    assert (resource.doi, [file.name for file in resource.files.all()]) == (DOI, ["paper.pdf"])
    nothing_to_fault(ana)


@both_ways
def test_by_a_list_that_is_looked_through_first(site, ana, monkeypatch):
    def read(name: str, text: str) -> None:
        ana.go("/library/import/")
        upload = {"name": name, "mimeType": "text/plain", "buffer": text.encode()}
        ana.page.locator("input[type=file]").set_input_files(upload)
        ana.press("Read the file")
        ana.sees("The file is being read")
        read_batch(batch_id=ImportBatch.objects.latest("pk").pk)
        ana.page.reload()

    make_resource(title="Known by another name", doi="10.1000/here")
    read("refs.bib", LIST)
    ana.has_title("Look through your list")
    rows = ana.page.locator(".picks > li")
    expect(rows.nth(0)).to_contain_text(re.compile("Known by another name.*has the same DOI", re.DOTALL))
    expect(rows.nth(1)).to_contain_text("year “soon” is not a year: left out")
    expect(rows.nth(2)).to_contain_text(re.compile("Cannot be taken.*has no title", re.DOTALL))
    assert [box.is_checked() for box in rows.get_by_role("checkbox").all()] == [False, True]
    ana.page.get_by_label("The rise of the knowledge broker").check()
    ana.fill("Tags for all of them", "brokers")
    ana.press("Put what is ticked into the library")
    ana.sees("all of what you chose, or nothing")
    batch = ImportBatch.objects.get()
    with monkeypatch.context() as broken:
        broken.setattr(bulk, "write_vectors", lambda rows: 1 / 0)
        broken.setattr(batches, "SAVING_TRIES", 1)
        carry_out_batch(batch_id=batch.pk)
    ana.page.reload()
    ana.has_title("Your list was not saved")
    ana.sees("Your ticks and what you wrote are as you left them")
    ana.look("a list that was not saved")
    assert Resource.objects.count() == 1
    ana.press("Try again")
    carry_out_batch(batch_id=batch.pk)
    ana.page.reload()
    ana.sees("2 references are in the library.")
    ana.follow("To the newest in the library")
    ana.sees("A guide to brokering with care homes")
    assert [tag.name for tag in Resource.objects.latest("pk").tags.all()] == ["brokers"]
    for name, text in OTHER_LISTS.items():
        read(name, text)
        expect(ana.page.get_by_label(re.compile("^Out of "))).to_be_checked()
    nothing_to_fault(ana)
