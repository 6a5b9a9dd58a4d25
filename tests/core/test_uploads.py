"""Files that people hand us."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from kmnet.core import uploads
from kmnet.core.uploads import UploadRefused, check_upload, clean_name, reencode_image

ALL = {"document", "text", "image", "audio", "video"}


def picture(how="PNG", size=(8, 8), **options) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, format=how, **options)
    return out.getvalue()


def package(*names, **contents) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, contents.get(name, "x"))
    return out.getvalue()


def check(name, content, kinds=ALL, max_bytes=10_000_000):
    return check_upload(SimpleUploadedFile(name, content), kinds=kinds, max_bytes=max_bytes)


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("a.pdf", b"%PDF-1.7\n...", "application/pdf"),
        ("a.PNG", picture(), "image/png"),
        ("a.jpg", picture("JPEG"), "image/jpeg"),
        ("a.webp", picture("WEBP"), "image/webp"),
        ("a.txt", "Zoë".encode(), "text/plain; charset=utf-8"),
        ("a.csv", b"a,b\n1,2\n", "text/csv; charset=utf-8"),
        (
            "a.docx",
            package("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
    ],
)
def test_check_upload_takes_what_is_what_it_says(name, content, content_type):
    checked = check(name, content)
    assert (checked.content_type, checked.size, len(checked.sha256)) == (content_type, len(content), 64)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", b"<html>", "disagrees"),
        ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n", "disagrees"),
        ("a.png", picture("JPEG"), "disagrees"),
        ("a.jpg", picture()[:40], "disagrees"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "kind"),
        ("a.html", b"<p>x", "kind"),
        ("a.pdf.exe", b"MZ", "kind"),
        ("noextension", b"x", "kind"),
        ("a.txt", b"<!doctype html><script>alert(1)</script>", "disagrees"),
        ("a.txt", b"a\x00b", "disagrees"),
        ("a.csv", b"\xff\xfe\xfa", "disagrees"),
        ("a.docx", package("[Content_Types].xml", "xl/workbook.xml"), "disagrees"),
        ("a.docx", package("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "macros"),
        ("a.docx", b"PK\x03\x04 broken", "disagrees"),
        ("a.pdf", b"", "empty"),
        ("a.pdf", b"%PDF-" + b"x" * 2000, "too_large"),
    ],
)
def test_check_upload_refuses_what_is_not(name, content, code):
    with pytest.raises(UploadRefused) as refused:
        check(name, content, max_bytes=1500 if code == "too_large" else 10_000_000)
    assert refused.value.code == code


def test_check_upload_refuses_a_picture_of_too_many_pixels(monkeypatch):
    monkeypatch.setattr("kmnet.core.uploads.MAX_PIXELS", 63)
    with pytest.raises(UploadRefused) as refused:
        check("a.png", picture())
    assert refused.value.code == "pixels"


def test_check_upload_refuses_a_package_that_unpacks_to_too_much(monkeypatch):
    content = package("[Content_Types].xml", "word/document.xml")
    assert check("a.docx", content).extension == "docx"
    monkeypatch.setattr("kmnet.core.uploads.MAX_UNPACKED", 1)
    with pytest.raises(UploadRefused) as refused:
        check("a.docx", content)
    assert refused.value.code == "bomb"


def test_check_upload_takes_only_the_kinds_asked_for():
    with pytest.raises(UploadRefused):
        check("a.pdf", b"%PDF-1.7", kinds={"image"})


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\zoe\\plan.pdf", "plan.pdf"),
        ('a"\r\nX-Evil: 1.pdf', "a- X-Evil- 1.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("", "file"),
        ("ä" * 300 + ".pdf", "ä" * 115 + ".pdf"),
        ("a." + "x" * 200, "a." + "x" * 118),
    ],
)
def test_clean_name_is_safe_to_show(name, clean):
    assert clean_name(name) == clean


def test_reencode_image_drops_what_the_camera_wrote():
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    clean = reencode_image(
        io.BytesIO(picture("JPEG", exif=exif.tobytes(), comment=b"secret word")), extension="jpg"
    )
    assert b"secret" not in clean.getvalue()
    assert Image.open(clean).size == (8, 8)


def test_a_large_picture_waits_for_its_turn_and_not_for_ever(monkeypatch):
    monkeypatch.setattr(uploads, "LARGE", 9)
    monkeypatch.setattr(uploads, "TURN_SECONDS", 0.01)
    with uploads._one_large_picture, pytest.raises(UploadRefused) as refused:
        reencode_image(io.BytesIO(picture()), extension="png")
    assert refused.value.code == "busy"
    assert Image.open(reencode_image(io.BytesIO(picture()), extension="png")).size == (8, 8)
