import pytest
from django.urls import reverse

from resources import services
from resources.models import ResourceFile
from resources.views.files import content_disposition
from tests.factories.members import make_member
from tests.factories.resources import PDF, make_file, make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def public_file():
    return make_file(resource=make_resource(added_by=make_member()))


@pytest.fixture
def members_file():
    return make_file(resource=make_resource(added_by=make_member(), visibility="members"))


def body(response):
    return b"".join(response.streaming_content)


def test_public_file_is_for_all_with_headers_that_let_nothing_run(client, public_file):
    response = client.get(public_file.get_absolute_url())
    assert body(response) == PDF
    expected = {
        "Content-Type": "application/pdf",
        "Content-Disposition": "attachment; filename=\"guide.pdf\"; filename*=UTF-8''guide.pdf",
        "Content-Length": str(len(PDF)),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Accept-Ranges": "bytes",
        "ETag": f'"{public_file.sha256}"',
        "Cache-Control": "private, no-cache",
    }
    assert {name: response.get(name) for name in expected} == expected


def test_members_file_is_for_members_while_they_are(client, members_file):
    address = members_file.get_absolute_url()
    assert client.get(address)["Location"] == f"/accounts/login/?next={address}"
    client.force_login(make_member(status="pending"))
    assert client.get(address).status_code == 404
    member = make_member()
    client.force_login(member)
    response = client.get(address)
    assert (response.status_code, response["Cache-Control"]) == (200, "private, no-store")
    assert body(response) == PDF
    type(member).objects.filter(pk=member.pk).update(status="pending")
    assert client.get(address).status_code == 404


def test_file_goes_with_its_record(client, public_file):
    address, adder = public_file.get_absolute_url(), public_file.resource.added_by
    moderator, member = make_member(is_moderator=True), make_member()
    etag = f'"{public_file.sha256}"'
    services.hide_resource(target=public_file.resource, actor=moderator, reason="A rights claim.")
    client.force_login(member)
    for headers in ({}, {"Range": "bytes=0-3"}, {"If-None-Match": etag}):
        assert client.get(address, headers=headers).status_code == 404
    assert client.head(address).status_code == 404
    for may in (adder, moderator):
        client.force_login(may)
        assert body(client.get(address)) == PDF
    client.logout()
    assert client.get(address).status_code == 302
    assert client.get(reverse("resources:file", args=[999_999, "x"])).status_code == 302


@pytest.mark.parametrize(
    ("asked", "status", "part", "content_range"),
    [
        ("bytes=0-3", 206, PDF[:4], f"bytes 0-3/{len(PDF)}"),
        ("bytes=5-", 206, PDF[5:], f"bytes 5-{len(PDF) - 1}/{len(PDF)}"),
        ("bytes=-5", 206, PDF[-5:], f"bytes {len(PDF) - 5}-{len(PDF) - 1}/{len(PDF)}"),
        ("bytes=-99999", 206, PDF, f"bytes 0-{len(PDF) - 1}/{len(PDF)}"),
        ("bytes=2-99999", 206, PDF[2:], f"bytes 2-{len(PDF) - 1}/{len(PDF)}"),
        ("bytes=3-1", 200, PDF, None),
        ("bytes=0-1,3-4", 200, PDF, None),
        ("items=0-1", 200, PDF, None),
        ("bytes=-", 200, PDF, None),
    ],
)
def test_ranges(client, public_file, asked, status, part, content_range):
    response = client.get(public_file.get_absolute_url(), headers={"Range": asked})
    assert (response.status_code, body(response)) == (status, part)
    assert response.get("Content-Range") == content_range
    assert response["Content-Length"] == str(len(part))


@pytest.mark.parametrize("asked", [f"bytes={len(PDF)}-", "bytes=-0"])
def test_a_range_outside_the_file_is_416(client, public_file, asked):
    response = client.get(public_file.get_absolute_url(), headers={"Range": asked})
    assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{len(PDF)}")


def test_what_the_reader_has_already_is_not_sent_again(client, public_file):
    address, etag = public_file.get_absolute_url(), f'"{public_file.sha256}"'
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
    stale = client.get(address, headers={"Range": "bytes=0-3", "If-Range": '"old"'})
    assert (stale.status_code, body(stale)) == (200, PDF)
    fresh = client.get(address, headers={"Range": "bytes=0-3", "If-Range": etag})
    assert (fresh.status_code, body(fresh)) == (206, PDF[:4])
    assert client.post(address).status_code == 405


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("a b.pdf", "a b.pdf", "a%20b.pdf"),
        ('x"; y="evil.html', "x__ y__evil.html", "x%22%3B%20y%3D%22evil.html"),
        ("x\r\nA: b.pdf", "x__A_ b.pdf", "x%0D%0AA%3A%20b.pdf"),
        ("übung é.pdf", "_bung _.pdf", "%C3%BCbung%20%C3%A9.pdf"),
        ("دليل", "____", "%D8%AF%D9%84%D9%8A%D9%84"),
    ],
)
def test_no_name_breaks_out_of_the_header(name, plain, encoded):
    assert content_disposition(name) == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.pdf",
        "..\\..\\boot.pdf",
        "a\r\nX: y.pdf",
        'q"uote;.pdf',
        "%2e%2e%2fx.pdf",
        "a\u202efdp.pdf",
    ],
)
def test_hostile_names_are_cleaned_and_served(client, name):
    file = make_file(resource=make_resource(added_by=make_member()), name=name)
    assert not set('\r\n"\\/;%\u202e') & set(file.name)
    response = client.get(file.get_absolute_url())
    assert body(response) == PDF
    assert "\n" not in response["Content-Disposition"]


def test_a_row_whose_bytes_are_gone_is_a_404(client, public_file):
    public_file.file.storage.delete(public_file.file.name)
    client.force_login(make_member())
    assert client.get(public_file.get_absolute_url()).status_code == 404
    assert ResourceFile.objects.count() == 1


def test_pdf_of_a_public_record_is_told_to_scholar_and_of_a_members_record_is_not(
    client, public_file, members_file
):
    page = client.get(public_file.resource.get_absolute_url()).content.decode()
    assert (
        f'<meta name="citation_pdf_url" content="http://testserver{public_file.get_absolute_url()}">' in page
    )
    client.force_login(make_member())
    assert "citation_" not in client.get(members_file.resource.get_absolute_url()).content.decode()
