"""Adding by a file: what a PDF says of itself is offered, and its DOI is asked for."""

import pytest

from resources.models import DoiRecord, Resource, ResourceText
from resources.services.reading import read_file
from tests.factories.members import make_member
from tests.factories.resources import make_term, make_upload

from .hostile import pdf
from .network import sends
from .test_adding import typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    member = make_member()
    client.force_login(member)
    return member


def start(client, content, name="paper.pdf"):
    response = client.post("/library/add/look-up/", {"files": make_upload(name, content)})
    assert response.status_code == 302
    assert response["Location"].startswith("/library/add/?by=file&kept=")
    return response["Location"]


def test_from_a_pdf_to_a_record(client, member, network):
    make_term("type", "research paper")
    guide = make_term("type", "guide")
    address = start(client, pdf(("doi: 10.1000/abc",), info="/Title (How brokers work)"))
    page = client.get(address)
    assert [file.name for file in page.context["form"].kept_files] == ["paper.pdf"]
    assert (page.context["look"].state, page.context["look"].keep_asking) == ("asked", True)
    assert read_file(file_id=ResourceText.objects.get().file_id)
    status = client.get(f"/library/add/look-up/status/?{page.context['look'].query}").content.decode()
    assert "The file calls itself <bdi>How brokers work</bdi>." in status
    record = DoiRecord.objects.get(doi="10.1000/abc")  # asked for without another press
    answer = b'{"type": "article-journal", "title": "How brokers work", "DOI": "10.1000/abc", "volume": "7"}'
    from resources.services.doi import answer_doi

    with network.answering(sends(body=answer, content_type="application/json")):
        answer_doi(record_id=record.pk)
    kept = page.context["form"]["kept"].value()
    filled = client.post(address, {"fill": "1", "kept": kept, "language": "en", "licence": "unknown"})
    form = filled.context["form"]
    assert (form["title"].value(), form["doi"].value()) == ("How brokers work", "10.1000/abc")
    data = typed(guide, url="", title="How brokers work", doi="10.1000/abc", kept=kept, may_share="on")
    assert client.post(address, data).status_code == 302
    resource = Resource.objects.get()
    assert resource.csl["volume"] == "7"
    assert [file.name for file in resource.files.all()] == ["paper.pdf"]


def test_a_pdf_that_says_nothing_lets_one_go_on_by_hand(client, member):
    address = start(client, pdf(("",)))
    query = client.get(address).context["look"].query
    read_file(file_id=ResourceText.objects.get().file_id)
    page = client.get(address)
    look = page.context["look"]
    assert (look.known, look.state, look.keep_asking) == (None, "mute", False)
    status = client.get(f"/library/add/look-up/status/?{query}")  # whoever waits is told, too
    assert b"Go on by hand" in status.content
    assert b"hx-get" not in status.content


def test_nobody_learns_what_is_in_the_file_of_another(client, member):
    address = start(client, pdf(("doi: 10.1000/abc",), info="/Title (A secret plan)"))
    read_file(file_id=ResourceText.objects.get().file_id)
    query = client.get(address).context["look"].query
    client.force_login(make_member())
    assert client.get(f"/library/add/look-up/status/?{query}").status_code == 404
    assert "A secret plan" not in client.get(address).content.decode()


def test_files_that_cannot_be_taken_are_named_and_the_link_is_kept(client, member):
    response = client.post(
        "/library/add/look-up/", {"pasted": "https://example.org/x", "files": make_upload("a.exe", b"MZ")}
    )
    assert response.status_code == 422
    assert response.context["form"].errors["files"][0].startswith("a.exe: ")
    assert 'value="https://example.org/x"' in response.content.decode()


def test_what_was_good_of_several_files_goes_on(client, member):
    files = [make_upload("good.pdf", pdf(("words",))), make_upload("bad.pdf", b"<html></html>")]
    response = client.post("/library/add/look-up/", {"files": files})
    assert response.status_code == 302
    page = client.get(response["Location"], follow=True).content.decode()
    assert "good.pdf" in page
    assert "bad.pdf" in page  # and why it was not taken
