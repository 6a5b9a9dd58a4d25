import io
import re
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from kmnet.core.models import Activity
from resources import services
from resources.forms import ResourceForm
from resources.models import DoiRecord, LibrarySettings, Resource, ResourceFile
from resources.services.doi import ask_doi
from tests.factories.members import make_member
from tests.factories.resources import PDF, make_file, make_resource, make_term, make_upload

pytestmark = pytest.mark.django_db
ADD = "/library/add/?by=link"


@pytest.fixture
def member(client):
    member = make_member()
    client.force_login(member)
    return member


@pytest.fixture
def guide():
    return make_term("type", "guide")


def typed(guide, /, **changes):
    return {
        "title": "A plain guide",
        "description": "For people who **begin**.",
        "creators": "le May, Andrée\nHealth Research Authority",
        "year": "2019",
        "kind": guide.pk,
        "language": "en",
        "source": "Evidence & Policy",
        "url": "https://example.org/guide?utm_source=mail",
        "doi": "",
        "licence": "cc-by-4.0",
        "visibility": "public",
        "tags": "mindlines, primary care; Mindlines",
        "submit_key": "9d0b5a0e-0c4c-4a3c-8f0e-5a2e6cf3a111",
        **changes,
    }


def test_a_link_is_added_with_all_that_was_typed(client, member, guide):
    carers = make_term("audience", "carers")
    response = client.post(ADD, typed(guide, **{"facet-audience": [carers.pk]}))
    resource = Resource.objects.get()
    assert (response.status_code, response["Location"]) == (302, resource.get_absolute_url())
    assert resource.csl == {
        "type": "webpage",
        "title": "A plain guide",
        "author": [
            {"family": "May", "given": "Andrée", "non-dropping-particle": "le"},
            {"literal": "Health Research Authority"},
        ],
        "issued": {"date-parts": [[2019]]},
        "publisher": "Evidence & Policy",
        "URL": "https://example.org/guide?utm_source=mail",
    }
    assert resource.description_html == "<p>For people who <strong>begin</strong>.</p>\n"
    assert (resource.added_by, resource.licence, resource.year) == (member, "cc-by-4.0", 2019)
    assert {term.name for term in resource.terms.all()} == {"guide", "carers"}
    assert sorted(tag.name for tag in resource.tags.all()) == ["Mindlines", "primary care"]
    assert Activity.objects.get().verb == "resources.added"
    assert client.get(response["Location"]).status_code == 200


def test_a_day_has_room_for_so_many(client, member, guide, monkeypatch):
    monkeypatch.setattr(LibrarySettings, "load", lambda: LibrarySettings(resources_per_day=1))
    assert client.post(ADD, typed(guide)).status_code == 302
    other = typed(guide, title="Another thing", url="", doi="10.1000/x", submit_key="")
    response = client.post(ADD, other)
    assert (response.status_code, Resource.objects.count()) == (422, 1)
    assert "That is enough for one day." in response.context["form"].errors["__all__"][0]
    assert "Another thing" in response.content.decode()
    Resource.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert client.post(ADD, other).status_code == 302


def test_a_double_submit_makes_one_record(client, member, guide):
    for _time in range(2):
        response = client.post(ADD, typed(guide))
        assert response.status_code == 302
    assert Resource.objects.count() == 1
    assert Activity.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"title": "  \u200b "}, "title", "This field is required."),
        ({"year": "20199"}, "year", "A year has four digits"),
        ({"year": "soon"}, "year", "Enter a whole number."),
        ({"doi": "not a doi"}, "doi", "A DOI looks like"),
        ({"url": "javascript:alert(1)"}, "url", "A link starts with https://"),
        ({"url": "ftp://example.org/x"}, "url", "A link starts with https://"),
        ({"url": "https://"}, "url", "A link starts with https://"),
        ({"url": "https://ana:secret@example.org/x"}, "url", "leave out the name or password"),
        ({"kind": "999999"}, "kind", "Select a valid choice"),
        ({"licence": "mine"}, "licence", "Select a valid choice"),
        ({"tags": ", ".join(f"tag {n}" for n in range(13))}, "tags", "At most 12 tags."),
        ({"tags": "x" * 61}, "tags", "A tag is a word or two"),
        ({"url": ""}, "url", "Give at least one of these: a link, a DOI or a file."),
    ],
)
def test_a_mistake_is_named_at_its_field_and_nothing_typed_is_lost(
    client, member, guide, changes, field, words
):
    data = typed(guide, **changes)
    response = client.post(ADD, data)
    assert response.status_code == 422
    form = response.context["form"]
    assert words in " ".join(form.errors[field])
    assert list(form.errors) == [field]
    for name, value in data.items():
        assert str(form[name].value()) == str(value), name
    assert Resource.objects.count() == 0


def test_at_most_three_terms_of_a_facet(client, member, guide):
    terms = [make_term("audience", name).pk for name in ("carers", "public", "media", "payers")]
    response = client.post(ADD, typed(guide, **{"facet-audience": terms}))
    assert response.context["form"].errors == {"facet-audience": ["Choose up to three, those that fit best."]}
    assert client.post(ADD, typed(guide, **{"facet-audience": terms[:3]})).status_code == 302


def test_who_may_not_add_finds_no_form(client, guide):
    assert client.get("/library/add/")["Location"].startswith("/accounts/login/")
    for status, answer in (("silenced", 404), ("pending", 302)):  # who waits for approval is told so instead
        client.force_login(make_member(status=status))
        for response in (client.get("/library/add/"), client.post(ADD, typed(guide))):
            assert response.status_code == answer
        assert "/library/add/" not in client.get("/library/").content.decode()
    assert Resource.objects.count() == 0


def test_text_of_an_expired_login_comes_back(client, guide):
    client.post(ADD, typed(guide, title="Not lost"))
    client.force_login(make_member())
    page = client.get("/library/add/").content.decode()
    assert 'value="Not lost"' in page
    assert Resource.objects.count() == 0


def test_more_fields_than_asked_change_nothing_else(client, member, guide):
    other = make_member()
    extra = {
        "added_by": other.pk,
        "state": "hidden",
        "published_at": "2001-01-01",
        "import_key": "x",
        "id": 7,
    }
    client.post(ADD, typed(guide, **extra))
    resource = Resource.objects.get()
    assert (resource.added_by, resource.state, resource.import_key) == (member, "visible", None)
    assert resource.published_at > timezone.now() - timedelta(minutes=5)


# --- look-alikes -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("known", "changes", "reason"),
    [
        ({"doi": "10.1000/ABC"}, {"doi": "https://doi.org/10.1000/abc"}, "has the same DOI"),
        ({"url": "http://www.example.org/guide/#top"}, {}, "leads to the same address"),
        ({"title": "A Plain Guide!", "creators": ["May, A."], "year": 2020}, {}, "has nearly the same title"),
    ],
)
def test_look_alikes_are_shown_before_saving_and_never_block(client, member, guide, known, changes, reason):
    twin = make_resource(**{"title": "Something else", "creators": ["Other, O."], **known})
    response = client.post(ADD, typed(guide, **changes))
    assert response.status_code == 422
    assert [(one.resource, one.reason) for one in response.context["likenesses"]] == [(twin, reason)]
    page = response.content.decode()
    assert 'name="anyway"' in page
    assert "A plain guide" in page
    assert Resource.objects.count() == 1
    assert client.post(ADD, typed(guide, anyway="1", **changes)).status_code == 302
    assert Resource.objects.count() == 2


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("by=doi&doi=10.1000/ABC", "has the same DOI"),
        ("by=link&url=http://example.org/guide/", "leads to the same address"),
        ("by=doi&doi=10.1000/other", None),
        ("by=hand", None),
    ],
)
def test_what_is_here_already_is_told_before_anything_is_filled_in(client, member, guide, query, reason):
    twin = make_resource(title="Twin", doi="10.1000/abc", url="https://www.example.org/guide")
    make_resource(title="Hidden", url="https://example.org/guide", state="hidden")
    page = client.get(f"/library/add/?{query}")
    assert [(one.resource, one.reason) for one in page.context["here"]] == (
        [(twin, reason)] if reason else []
    )
    assert (b"Is it here already?" in page.content) == bool(reason)


@pytest.mark.parametrize(
    "known",
    [
        {"title": "A plain guide", "creators": ["May, A."], "year": 2015},
        {"title": "A plain guide", "creators": ["Other, O."], "year": 2019},
        {"title": "A plain guide", "creators": ["May, A."], "year": 2019, "doi": "10.1000/other"},
        {"title": "A quite different guide to brokering", "creators": ["May, A."], "year": 2019},
        {"title": "A plain guide", "creators": ["May, A."], "year": 2019, "state": "hidden"},
    ],
    ids=["years apart", "nobody in common", "other DOI", "other title", "hidden"],
)
def test_what_only_resembles_is_not_held_up(client, member, guide, known):
    make_resource(**known)
    assert client.post(ADD, typed(guide, doi="10.1000/mine")).status_code == 302


def test_a_second_record_of_a_doi_cites_it_without_holding_it(client, member, guide):
    first = make_resource(doi="10.1000/abc")
    client.post(ADD, typed(guide, doi="10.1000/ABC", anyway="1"))
    second = Resource.objects.exclude(pk=first.pk).get()
    assert (second.doi, second.cited_doi) == ("", "10.1000/ABC")


# --- files -----------------------------------------------------------------------------------------------------------
def test_a_file_is_added_and_can_be_fetched(client, member, guide):
    response = client.post(
        "/library/add/?by=file", typed(guide, url="", may_share="on", files=make_upload("My guide.pdf"))
    )
    assert response.status_code == 302
    file = Resource.objects.get().files.get()
    assert (file.name, file.content_type, file.size) == ("My guide.pdf", "application/pdf", len(PDF))
    assert re.fullmatch(r"library/[0-9a-f]{2}/[0-9a-f]{32}", file.file.name)
    answer = client.get(file.get_absolute_url())
    assert b"".join(answer.streaming_content) == PDF


def test_a_file_outlives_a_mistake_elsewhere(client, member, guide):
    data = typed(guide, url="", title="", may_share="on")
    response = client.post("/library/add/?by=file", {**data, "files": make_upload("guide.pdf")})
    assert response.status_code == 422
    page = response.content.decode()
    assert "Kept for you, no need to choose again" in page
    kept = re.search(r'name="kept" value="([^"]+)"', page)[1]
    response = client.post("/library/add/?by=file", {**data, "title": "Now it has one", "kept": kept})
    assert response.status_code == 302
    assert [file.name for file in Resource.objects.get().files.all()] == ["guide.pdf"]
    assert ResourceFile.objects.count() == 1


def test_a_kept_file_is_only_for_who_sent_it(client, member, guide):
    data = typed(guide, url="", title="", may_share="on")
    page = client.post("/library/add/?by=file", {**data, "files": make_upload()}).content.decode()
    kept = re.search(r'name="kept" value="([^"]+)"', page)[1]
    file = ResourceFile.objects.get()
    assert b"".join(client.get(file.get_absolute_url()).streaming_content) == PDF
    client.force_login(make_member())
    assert client.get(file.get_absolute_url()).status_code == 404
    response = client.post("/library/add/?by=file", {**data, "title": "Mine", "kept": kept})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["files"]  # what this way begins with
    assert client.post(ADD, typed(guide, kept="forged")).status_code == 302
    assert ResourceFile.objects.get().resource is None


def test_a_file_needs_leave_to_share(client, member, guide):
    response = client.post(ADD, typed(guide, files=make_upload()))
    assert list(response.context["form"].errors) == ["may_share"]
    assert Resource.objects.count() == 0


def test_a_refused_file_is_named_and_the_good_one_is_kept(client, member, guide):
    files = [make_upload("good.pdf"), make_upload("evil.pdf", b"<html><script>alert(1)</script></html>")]
    response = client.post(ADD, typed(guide, may_share="on", files=files))
    assert response.status_code == 422
    (words,) = response.context["form"].errors["files"]
    assert words.startswith("evil.pdf: The name says “.pdf”, but the content is something else.")
    assert [file.name for file in response.context["form"].kept_files] == ["good.pdf"]


def test_the_same_file_is_a_look_alike(client, member, guide):
    twin = make_resource(title="Twin", creators=["Other, O."], added_by=member)
    make_file(resource=twin)
    response = client.post(ADD, typed(guide, may_share="on", files=make_upload("other-name.pdf")))
    assert [(one.resource, one.reason) for one in response.context["likenesses"]] == [
        (twin, "holds the same file")
    ]


def png(size=(40, 30), **options):
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "PNG", **options)
    return out.getvalue()


def jpeg_with_place():
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "JPEG", exif=exif, comment=b"secret comment")
    return out.getvalue() + b"trailing <script>alert(1)</script>"


def zip_of(*names, content=b"x"):
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name in names:
            package.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<script>alert(1)</script>"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("picture.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        ("picture.jpg", png()),
        ("cut.png", png()[:60]),
        ("page.txt", b"  <!DOCTYPE html><script>alert(1)</script>"),
        ("page.csv", b"\x00\x01\x02"),
        ("guide.pdf", b"MZ\x90\x00 %PDF-1.7"),
        ("guide.pdf.exe", PDF),
        ("guide", PDF),
        ("letter.docx", zip_of("hello.txt")),
        ("letter.docx", zip_of("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
        ("slides.pptx", zip_of("[Content_Types].xml", "word/document.xml")),
        ("text.odt", zip_of("mimetype", content=b"application/zip")),
        ("many.docx", zip_of("[Content_Types].xml", "word/d.xml", *(f"word/{n}" for n in range(5001)))),
        ("empty.pdf", b""),
        ("archive.zip", zip_of("a")),
        ("shell.php", b"<?php system('id'); ?>"),
    ],
)
def test_hostile_files_get_a_field_error_and_leave_nothing(client, member, guide, name, content):
    response = client.post(ADD, typed(guide, may_share="on", files=make_upload(name, content, "image/png")))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["files"]
    assert ResourceFile.objects.count() == 0
    assert not storages["default"].exists("library")


def test_a_zip_bomb_is_refused_without_being_unpacked(client, member, guide):
    bomb = zip_of("[Content_Types].xml", "word/document.xml", content=b"\0" * (300 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    response = client.post(ADD, typed(guide, may_share="on", files=make_upload("bomb.docx", bomb)))
    assert "unpacks to too much" in response.context["form"].errors["files"][0]


def test_a_picture_of_too_many_pixels_is_refused(client, member, guide):
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    response = client.post(ADD, typed(guide, may_share="on", files=make_upload("huge.png", out.getvalue())))
    assert "too many pixels" in response.context["form"].errors["files"][0]


def test_a_file_over_the_limit_of_the_community_is_refused(client, member, guide):
    from kmnet.core.models import CommunitySettings

    CommunitySettings(max_upload_mb=1).save()
    big = make_upload("big.pdf", PDF + b"0" * 1024 * 1024)
    response = client.post(ADD, typed(guide, may_share="on", files=big))
    assert "the limit is 1.0" in response.context["form"].errors["files"][0]


def test_pictures_are_drawn_anew(client, member, guide):
    client.post(ADD, typed(guide, may_share="on", files=make_upload("photo.jpg", jpeg_with_place())))
    file = ResourceFile.objects.get()
    with file.file.open("rb") as stored:
        data = stored.read()
    assert Image.open(io.BytesIO(data)).size == (40, 30)
    for secret in (b"SecretCamera", b"secret comment", b"<script>", b"Exif"):
        assert secret not in data


def test_uploads_whose_form_was_never_finished_go_after_a_day(member):
    kept = services.keep_upload(actor=member, upload=make_upload())
    attached = make_file(resource=make_resource(added_by=member))
    assert services.sweep_abandoned_files() == 0
    ResourceFile.objects.update(created_at=timezone.now() - timedelta(hours=25))
    storage, name = kept.file.storage, kept.file.name
    assert services.sweep_abandoned_files() == 1
    assert list(ResourceFile.objects.all()) == [attached]
    assert storage.exists(attached.file.name)
    assert storage.exists(name)  # the bytes go once the transaction has committed


# --- editing ---------------------------------------------------------------------------------------------------------
def test_only_the_adder_edits_and_what_the_form_does_not_show_stays(client, member, guide):
    resource = make_resource(
        title="Before",
        creators=["May, Andrée"],
        added_by=member,
        csl={"volume": "22", "page": "1-9", "container-title": "BMJ", "issued": {"date-parts": [[2019, 5]]}},
        terms=[guide],
    )
    address = reverse("resources:edit", args=[resource.pk])
    form = client.get(address).context["form"]
    assert (form["source"].value(), form["kind"].value()) == ("BMJ", guide.pk)
    changed = typed(guide, title="After", creators="May, Andrée", source="BMJ", tags="one")
    response = client.post(address, changed)
    resource.refresh_from_db()
    assert response["Location"] == resource.get_absolute_url() == f"/library/{resource.pk}-after/"
    assert (resource.csl["volume"], resource.csl["page"]) == ("22", "1-9")
    assert resource.csl["issued"] == {"date-parts": [[2019, 5]]}
    assert client.get("/library/?q=After").context["resources"] == [resource]
    for stranger in (
        make_member(),
        make_member(is_moderator=True),
        make_member(is_superuser=True, is_staff=True),
    ):
        client.force_login(stranger)
        assert client.post(address, typed(guide, title="Vandalised")).status_code == 404
    client.force_login(member)
    services.hide_resource(target=resource, actor=make_member(is_moderator=True), reason="Why")
    assert client.post(address, changed).status_code == 404


def test_the_adder_takes_a_file_away(client, member, django_capture_on_commit_callbacks):
    file = make_file(resource=make_resource(added_by=member))
    storage, name = file.file.storage, file.file.name
    address = reverse("resources:remove_file", args=[file.pk])
    client.force_login(make_member())
    assert client.post(address).status_code == 404
    client.force_login(member)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(address).status_code == 302
    assert not ResourceFile.objects.exists()
    assert not storage.exists(name)


# --- the short way in ------------------------------------------------------------------------------------------------
LOOK_UP = "/library/add/look-up/"


def test_a_good_file_stays_whatever_is_wrong_beside_it(client, member):
    wrong = client.post(LOOK_UP, {"pasted": "no idea", "files": make_upload("good.pdf")})
    form = wrong.context["form"]
    assert (wrong.status_code, list(form.errors)) == (422, ["pasted"])
    assert [file.name for file in form.kept_files] == ["good.pdf"]
    assert "Kept for you, no need to choose again: <bdi>good.pdf</bdi>" in wrong.content.decode()
    started = client.post(LOOK_UP, {"pasted": "", "kept": form["kept"].value()})
    page = client.get(started["Location"])
    assert [file.name for file in page.context["form"].kept_files] == ["good.pdf"]
    assert "choose it again" not in page.content.decode()
    refused = client.post(LOOK_UP, {"files": make_upload("evil.pdf", b"<html>")}).content.decode()
    assert "please choose it again" in refused


def test_what_was_pasted_outlives_an_expired_login(client, member):
    client.logout()
    asked = client.post(LOOK_UP, {"pasted": "10.1000/abc"})
    assert asked["Location"] == "/accounts/login/?next=/library/add/look-up/"
    client.force_login(member)
    page = client.get(LOOK_UP)
    assert page.context["form"]["pasted"].value() == "10.1000/abc"
    assert "please choose it again" in page.content.decode()
    client.post(LOOK_UP, {"pasted": "10.1000/abc"})
    assert client.get(LOOK_UP).context["form"]["pasted"].value() is None


def test_all_that_is_missing_is_said_at_once_and_leads_to_its_field(client, member):
    page = client.post("/library/add/?by=hand", {})
    words = page.content.decode()
    assert list(page.context["form"].errors)[:3] == ["title", "description", "kind"]
    assert '<a href="#id_url">Give at least one of these: a link, a DOI or a file.</a>' in words
    assert words.count("Any one of these will do: a link, a DOI or a file.") == 1


# --- by DOI ----------------------------------------------------------------------------------------------------------
def test_a_doi_goes_on_at_once_whether_anybody_answers_or_not(client, member, guide):
    response = client.post("/library/add/look-up/", {"pasted": "https://doi.org/10.1177/1355819616653981"})
    assert (response.status_code, response["Location"]) == (
        302,
        "/library/add/?by=doi&doi=10.1177%2F1355819616653981",
    )
    page = client.get(response["Location"]).content.decode()
    assert "You need not wait" in page
    assert 'value="10.1177/1355819616653981"' in page
    done = client.post(response["Location"], typed(guide, url="", doi="10.1177/1355819616653981"))
    assert done.status_code == 302


def test_what_is_known_fills_what_is_empty_and_overwrites_nothing(client, member, guide):
    DoiRecord.objects.create(
        doi="10.1000/abc",
        state="found",
        answered_at=timezone.now(),
        raw={
            "type": "journal-article",
            "title": ["From the <i>registry</i> &amp; back"],
            "author": [{"family": "May", "given": "Andrée", "non-dropping-particle": "le"}, {"name": "NIHR"}],
            "issued": {"date-parts": [[2004, 10]]},
            "container-title": ["BMJ"],
            "volume": "329",
            "page": "1013",
            "DOI": "10.1000/ABC",
            "URL": "http://dx.doi.org/10.1000/abc",
            "abstract": "<jats:p>Not ours to show</jats:p>",
        },
    )
    address = "/library/add/?by=doi&doi=10.1000/abc"
    page = client.get(address)
    assert page.context["form"]["title"].value() == "From the registry & back"
    assert "Found by its DOI:" in page.content.decode()
    assert page.context["look"].is_used  # nothing is left to fill in
    data = typed(guide, doi="10.1000/abc", title="", creators="", url="", year="2005", description="My words")
    wrong = client.post(address, data)
    assert (wrong.status_code, wrong.context["look"].is_used, wrong.context["look"].state) == (
        422,
        False,
        "found",
    )
    filled = client.post(address, {**data, "fill": "1"})
    assert filled.context["look"].is_used
    form = filled.context["form"]
    assert filled.status_code == 200
    assert {name: form[name].value() for name in ("title", "creators", "year", "description")} == {
        "title": "From the registry & back",
        "creators": "le May, Andrée\nNIHR",
        "year": "2005",
        "description": "My words",
    }
    assert Resource.objects.count() == 0
    client.post(address, {**data, "title": form["title"].value(), "creators": form["creators"].value()})
    item = Resource.objects.get().csl
    assert (item["type"], item["volume"], item["page"]) == ("article-journal", "329", "1013")
    assert item["issued"] == {"date-parts": [[2005]]}
    assert "abstract" not in item


def test_the_status_partial_asks_on_for_a_while_only(client, member):
    record = ask_doi(actor=member, doi="10.1000/abc")
    address = "/library/add/look-up/status/?doi=10.1000/abc"
    assert "hx-get" in client.get(address).content.decode()
    DoiRecord.objects.filter(pk=record.pk).update(asked_at=timezone.now() - timedelta(seconds=13))
    assert "hx-get" not in client.get(address).content.decode()
    assert client.get("/library/add/look-up/status/?doi=10.1000/never").status_code == 404


def test_nothing_is_given_away_by_not_choosing_a_licence(member):
    form = ResourceForm(member=member)
    assert form["licence"].value() == "unknown"
    labels = dict(form.fields["licence"].choices)
    assert str(labels["cc-by-4.0"]) == "CC BY 4.0: Use it, change it, translate it; say where it came from."


def test_form_shows_every_facet_for_resources_only(member, guide):
    make_term("stage", "implement")
    assert ResourceForm(member=member).facet_names == ["facet-stage"]


def test_odd_things_that_were_kept_break_no_form(client, guide):
    client.post(ADD, {name: ["a", "b"] for name in (*typed(guide), "kept")})
    client.force_login(make_member())
    assert client.get("/library/add/").status_code == 200
