"""Files that mean harm: each is a message at its field, or a note beside the file, and takes no more than it may."""

import io
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.urls import reverse
from PIL import Image

from kmnet.core import uploads
from kmnet.core.models import CommunitySettings
from kmnet.core.uploads import UploadRefused, check_upload
from resources import services
from resources.models import ResourceFile
from resources.reading import count_pages, look_into, looked, process
from resources.services.files import KINDS
from tests.factories.members import make_member
from tests.factories.resources import make_resource

from . import hostile

MEGABYTE = 1024 * 1024
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
WORD = {hostile.WORD: "<Types/>", "word/document.xml": "<w/>"}
MP3 = b"\xff\xfb\x90\x00" + bytes(400)


def refusal(name: str, content: bytes) -> str:
    """The code of the refusal; "" where it is taken."""
    try:
        check_upload(SimpleUploadedFile(name, content), kinds=KINDS, max_bytes=25 * MEGABYTE)
    except UploadRefused as refused:
        return refused.code if " ".join(refused.messages) else "no words"
    return ""


def locked_zip() -> bytes:
    """Python writes none, so the flag is set by hand, in both places."""
    data = bytearray(hostile.package(WORD))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def twice(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "x")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(name, "x")
    return out.getvalue()


def overlapping() -> bytes:
    """Two hundred parts that are all the same bytes, as in the bomb that unfolds without bounds."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in WORD.items():
            archive.writestr(name, content)
        archive.writestr("kernel", os.urandom(2000))
        first = archive.getinfo("kernel")
        for number in range(200):
            again = zipfile.ZipInfo(f"part-{number}")
            for field in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
                setattr(again, field, getattr(first, field))
            archive.filelist.append(again)
    return out.getvalue()


def picture(how: str, size=(40, 30), mode="RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "teal").save(out, how)
    return out.getvalue()


DISGUISED = [(f"a.{extension}", HTML, "disagrees") for extension in uploads.TYPES]
REFUSED = [
    *DISGUISED,
    ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "kind"),
    ("a.svg.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "disagrees"),
    ("a.html", HTML, "kind"),
    ("pdf", hostile.pdf(), "kind"),
    ("a.pdf\x00.html", hostile.pdf(), "kind"),
    ("a.txt", b"\xef\xbb\xbf\n <!-- a --> <!-- b -->\n" + HTML, "disagrees"),
    ("a.md", b"<?php system($_GET['x']); ?>", "disagrees"),
    ("a.csv", "\ufeff<html>".encode("utf-16-le"), "disagrees"),
    ("a.mp3", "\ufeff<html><script>".encode("utf-16-le"), "disagrees"),
    ("a.mp3", b"ID3\x04\x00\x00\x00\x00\x00\x00" + HTML, "disagrees"),
    ("a.mp4", b"\x00\x00\x00\x18ftyp" + b"\x00" * 4 + HTML, "disagrees"),
    ("a.mp4", b"\xff\xff\xff\xffftypisom" + HTML, "disagrees"),
    ("a.pdf", b"%!PS-Adobe-3.0\n%PDF-1.7", "disagrees"),
    ("a.pdf", HTML + hostile.pdf(), "disagrees"),
    ("a.pdf", hostile.package(WORD), "disagrees"),
    ("a.docx", hostile.pdf(), "disagrees"),
    ("a.docx", HTML + hostile.package(WORD), "disagrees"),  # readers of zip begin at the end
    ("a.docx", picture("PNG") + hostile.package(WORD), "disagrees"),
    ("a.docx", hostile.package(WORD)[:-30], "disagrees"),
    ("a.xlsx", hostile.package(WORD), "disagrees"),
    ("a.odt", hostile.package({"mimetype": "text/html"}), "disagrees"),
    ("a.docx", hostile.package({**WORD, "../../etc/cron.d/x": "x"}), "paths"),
    ("a.docx", hostile.package({**WORD, "/etc/passwd": "x"}), "paths"),
    ("a.docx", hostile.package({**WORD, "C:/Windows/x": "x"}), "paths"),
    ("a.docx", hostile.package({**WORD, "word/Document.XML": "x"}), "paths"),
    ("a.docx", hostile.package({**WORD, "word/vbaProject.bin": "x"}), "macros"),
    ("a.docx", hostile.package({**WORD, "word/embeddings/run.exe": "x"}), "macros"),
    (
        "a.docx",
        hostile.package({**WORD, hostile.WORD: "application/vnd.ms-word.document.macroEnabled"}),
        "macros",
    ),
    (
        "a.odt",
        hostile.package({"mimetype": "application/vnd.oasis.opendocument.text", "Basic/x.xml": "x"}),
        "macros",
    ),
    ("a.docx", locked_zip(), "password"),
    ("a.docx", overlapping(), "bomb"),
    ("a.docx", hostile.package({**WORD, **{f"x{n}": "" for n in range(uploads.MAX_ZIP_ENTRIES)}}), "bomb"),
    ("a.png", hostile.png_bomb(), "pixels"),
    ("a.png", hostile.png_bomb(20, 20)[:60], "disagrees"),
    ("a.jpg", picture("PNG"), "disagrees"),
    ("a.webp", picture("JPEG"), "disagrees"),
    ("a.pdf", b"", "empty"),
]


@pytest.mark.parametrize(
    ("name", "content", "code"), REFUSED, ids=[f"{n}-{c}-{i}" for i, (n, _x, c) in enumerate(REFUSED)]
)
def test_what_means_harm_is_refused_with_its_reason(name, content, code):
    assert refusal(name, content) == code


def test_a_name_twice_in_a_package_is_refused():
    assert refusal("a.docx", twice("word/document.xml")) == "paths"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", hostile.pdf()),
        ("a.docx", hostile.docx("yes")),
        (
            "a.odt",
            hostile.package({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}),
        ),
        ("a.mp3", MP3),
        ("a.mp3", b"ID3\x04\x00\x00\x00\x00\x00\x7f" + bytes(127) + MP3),
        ("a.mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(40)),
        ("a.md", b"# A title\n\nUse `<script>` never.\n"),
        ("a.csv", b"MZ,a\n1,2\n"),  # begins as a program does
        ("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n"),
        ("a.txt", "From: Zoë\n".encode()),
        ("a.webp", picture("WEBP")),
    ],
)
def test_what_means_none_is_taken(name, content):
    assert refusal(name, content) == ""


def test_two_hundred_megabytes_are_refused_before_a_byte_is_read():
    class Huge:
        name, size = "a.png", 200 * MEGABYTE

    with pytest.raises(UploadRefused) as refused:
        check_upload(Huge(), kinds=KINDS, max_bytes=25 * MEGABYTE)
    assert (refused.value.code, "200.0" in refused.value.messages[0]) == ("too_large", True)


def test_the_largest_picture_that_is_taken_costs_a_bounded_part_of_memory():
    """In a process of its own, so that what it took can be told; the same code runs in the web server."""
    program = """
import io
from kmnet.core.uploads import reencode_image
from tests.resources.hostile import png_bomb
content = png_bomb(8000, 5000)
out = reencode_image(io.BytesIO(content), extension="png", max_side=6000)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) // 1024)  # its own peak; getrusage begins with that of whoever started it
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    assert int(done.stdout) < 450


# --- at its field, wherever a file can be given -------------------------------------------------------------------------
def many_pages(count: int) -> bytes:
    return hostile.assemble(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [" + b"3 0 R " * count + b"] /Count %d >>" % count,
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        }
    )


LONG = "This PDF has 3,001 pages; the limit is 3,000. Share a part of it, or give a link to it."
AT_THE_FIELD = {
    "long.pdf": (lambda: many_pages(looked.MAX_PAGES + 1), LONG),
    "page.pdf": (
        lambda: HTML,
        "The name says “.pdf”, but the content is something else. Save it anew and try again.",
    ),
    "slip.docx": (
        lambda: hostile.package({**WORD, "../../etc/cron.d/x": "x"}),
        "This file is put together in a way that could do harm. Save it anew and try again.",
    ),
    "bomb.docx": (overlapping, "This file unpacks to too much."),
    "bomb.png": (hostile.png_bomb, "This picture has too many pixels; make it smaller first."),
    "huge.png": (
        lambda: picture("PNG") + bytes(MEGABYTE),
        "This file has 1.0\xa0MB; the limit is 1.0\xa0MB.",
    ),
    "drawn.svg": (
        lambda: HTML,
        f"Files of this kind cannot be taken. These can: {', '.join(sorted(uploads.TYPES))}.",
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["look_up", "add", "edit", "new_version", "derive"])
def test_what_means_harm_is_told_at_its_field_wherever_files_are_given(client, place):
    settings = CommunitySettings.load()
    settings.max_upload_mb = 1
    settings.save()
    resource = make_resource(added_by=make_member())
    client.force_login(resource.added_by)
    address = reverse(f"resources:{place}", args=[] if place in ("look_up", "add") else [resource.pk])
    files = [SimpleUploadedFile(name, make()) for name, (make, _words) in AT_THE_FIELD.items()]
    response = client.post(address, {"title": "Kept", "files": files})
    told = response.context["form"].errors["files"]
    assert (response.status_code, told) == (
        422,
        [f"{name}: {said}" for name, (_m, said) in AT_THE_FIELD.items()],
    )
    assert not ResourceFile.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("in_memory", [True, False])
def test_as_many_pages_as_are_allowed_are_taken_and_stored_whole(in_memory):
    content = many_pages(looked.MAX_PAGES)
    upload = TemporaryUploadedFile("a.pdf", "application/pdf", len(content), None)
    upload.write(content)
    upload.seek(0)
    given = SimpleUploadedFile("a.pdf", content) if in_memory else upload
    kept = services.keep_upload(actor=make_member(), upload=given)
    upload.close()
    with kept.file.open() as stored:
        assert stored.read() == content


@pytest.mark.parametrize(
    ("make", "pages"),
    [
        (lambda: many_pages(5000), 5000),
        (hostile.pdf_bomb_in_bomb, 1),  # what it unfolds to is not asked for
        (hostile.locked_pdf, None),
        (lambda: hostile.package(WORD), None),
        (lambda: b"%PDF-1.7 nothing", None),
    ],
)
def test_pages_are_counted_within_memory_or_not_at_all(peak, make, pages):
    assert count_pages(io.BytesIO(make())) == pages
    assert 0 < peak[0] < looked.COUNT_MEMORY


def test_who_counts_too_long_is_ended_and_the_file_is_nobodys_fault(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(looked, "COUNT_SECONDS", 0.1)
        patch.setattr(process, "START", "import time; time.sleep(60)")
        assert count_pages(io.BytesIO(many_pages(9))) is None
    assert count_pages(io.BytesIO(many_pages(9))) == 9  # the next one is not kept waiting


@pytest.mark.django_db
def test_large_pictures_of_a_form_are_drawn_as_long_as_somebody_waits(monkeypatch, client):
    member = make_member()
    client.force_login(member)
    monkeypatch.setattr(uploads, "LARGE", 99)
    monkeypatch.setattr(looked, "PICTURE_SECONDS", 1e-9)
    out = io.BytesIO()
    Image.new("RGB", (10, 10)).save(out, "PNG")
    files = [SimpleUploadedFile(f"{name}.png", out.getvalue()) for name in "ab"]
    page = client.post("/library/add/look-up/", {"files": files}, follow=True).content.decode()
    assert "b.png: This picture is very large" in page
    kept = ResourceFile.objects.filter(added_by=member)
    assert [file.name for file in kept] == ["a.png"]  # the first takes what there is of patience
    monkeypatch.setattr(looked, "PICTURE_SECONDS", 60)
    files = [SimpleUploadedFile(f"{name}.png", out.getvalue()) for name in "ab"]
    assert client.post("/library/add/look-up/", {"files": files}).status_code == 302
    assert kept.all().count() == 3


@pytest.mark.django_db
def test_for_all_files_of_a_form_one_waits_no_longer_than_for_one(monkeypatch, client):
    member = make_member()
    client.force_login(member)
    begun = []
    look = process._look
    monkeypatch.setattr(process, "_look", lambda *args, **how: begun.append(1) or look(*args, **how))
    monkeypatch.setattr(looked, "COUNT_SECONDS", 0.1)
    monkeypatch.setattr(process, "START", "import time; time.sleep(60)")
    files = [SimpleUploadedFile(f"{name}.pdf", many_pages(5000)) for name in "abc"]
    response = client.post("/library/add/look-up/", {"files": files})
    assert response.status_code == 302
    assert ResourceFile.objects.filter(added_by=member).count() == 3
    assert len(begun) == 1


# --- noted, when they are read ------------------------------------------------------------------------------------------
@pytest.fixture
def peak(monkeypatch):
    """The most memory that a reading process held, in bytes, as seen from outside."""
    most = [0]

    class Watched(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.look()  # once for certain, however busy the machine is
            threading.Thread(target=self.watch, daemon=True).start()

        def look(self):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    most[0] = max(most[0], int(line.split()[1]) * 1024)

        def watch(self):
            try:
                while True:
                    self.look()
                    time.sleep(0.01)
            except OSError:  # it has ended
                return

    monkeypatch.setattr(process.subprocess, "Popen", Watched)
    return most


LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
    + ']><w:d xmlns:w="w"><w:t>&a9;</w:t></w:d>'
)
READ = {
    "unfolds to three gigabytes": (hostile.pdf_bomb, "memory"),
    "unfolds twice": (hostile.pdf_bomb_in_bomb, "memory"),
    "draws for ever": (hostile.pdf_that_never_ends, "memory"),
    "10,000 pages": (lambda: hostile.pdf(["x"] * 10_000), "pages"),
    "wants a password": (hostile.locked_pdf, "password"),
    "ends too early": (lambda: hostile.pdf(["Hello"] * 50)[:3000], "damaged"),
    "is its own page": (
        lambda: hostile.assemble(
            {
                1: b"<< /Type /Catalog /Pages 2 0 R >>",
                2: b"<< /Type /Pages /Kids [2 0 R] /Count 2000000000 >>",
            }
        ),
        "damaged",
    ),
    "text that does not end": (
        lambda: hostile.package({"word/document.xml": '<w:d xmlns:w="w"><w:x>' + " " * 60 * MEGABYTE}),
        "too much",
    ),
    "a million laughs": (lambda: hostile.package({"word/document.xml": LAUGHS}), "damaged"),
    "asks for a file of ours": (
        lambda: hostile.package(
            {"content.xml": '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><p xmlns="t">&y;</p>'}
        ),
        "damaged",
    ),
    "deeper than anybody writes": (
        lambda: hostile.package({"word/document.xml": "<w>" * 300_000}),
        "damaged",
    ),
    "400 million pixels": (hostile.png_bomb, "too much"),
}


@pytest.mark.parametrize("name", READ)
def test_what_unfolds_is_noted_within_memory_and_time(peak, name):
    make, reason = READ[name]
    found = look_into(io.BytesIO(make()))
    assert found.reason == reason
    assert found.seconds < looked.MAX_SECONDS
    assert 0 < peak[0] < looked.MAX_MEMORY


def test_a_picture_of_900_million_pixels_on_a_page_is_drawn_row_by_row_or_not_at_all(peak):
    found = look_into(io.BytesIO(hostile.pdf_picture_bomb()))
    assert found.text.strip() == "words before it"
    assert peak[0] < looked.MAX_MEMORY


@pytest.mark.parametrize("box", ["0 0 1e9 1e-9", "0 0 14400 14400", "0 0 0 0", "5 5 1 1"])
def test_a_page_of_any_size_makes_a_small_picture(box):
    found = look_into(io.BytesIO(hostile.pdf(mediabox=box)))
    assert found.reason == ""
    if found.thumbnail:
        assert max(Image.open(io.BytesIO(found.thumbnail)).size) <= looked.SIDE
