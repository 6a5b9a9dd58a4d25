"""Files are looked into: by a process with walls around it, and once each, whatever they do to whoever looks."""

import io
import json
from datetime import timedelta

import pytest
from django.core.files.storage import InMemoryStorage
from django.utils import timezone
from PIL import Image

from kmnet.core import jobs
from kmnet.core.search import SearchText
from resources import services
from resources.models import ResourceFile, ResourceText
from resources.reading import Looked, look_into, looked, process
from resources.reading.dois import find_doi
from resources.services import reading
from tests.factories.members import make_member
from tests.factories.resources import make_file, make_resource, make_upload

from . import hostile


def look(content: bytes) -> Looked:
    return look_into(io.BytesIO(content))


# --- what is read -----------------------------------------------------------------------------------------------------
def test_a_pdf_tells_its_title_its_doi_its_words_and_its_first_page():
    content = hostile.pdf(
        ["A guide to briefs\nhttps://doi.org/10.1234/abc.5, 2021", "Second (page)", "doi: 10.9999/other"],
        info="/Title (A guide to briefs) /Author (X)",
    )
    found = look(content)
    assert (found.reason, found.title, found.doi, found.pages) == (
        "",
        "A guide to briefs",
        "10.1234/abc.5",
        3,
    )
    said = "A guide to briefs https://doi.org/10.1234/abc.5, 2021 Second (page) doi: 10.9999/other"
    assert " ".join(found.text.split()) == said
    assert "Second" in found.head
    assert "other" not in found.head
    picture = Image.open(io.BytesIO(found.thumbnail))
    assert (picture.format, picture.size) == ("WEBP", (480, 640))


@pytest.mark.parametrize("title", ["Microsoft Word - final_v3.docx", "untitled", "x", "report.indd", "12 3"])
def test_what_programs_write_for_a_title_is_none(title):
    assert look(hostile.pdf(info=f"/Title ({title})")).title == ""


ODT = (
    '<o xmlns:t="t" xmlns:of="of"><t:tracked-changes><t:p>deleted</t:p></t:tracked-changes>'
    "<t:p>One <t:span>two</t:span> three<of:annotation><t:p>for me alone</t:p></of:annotation></t:p><t:h>Four</t:h></o>"
)
PPTX = {f"ppt/slides/slide{n}.xml": f'<s xmlns:a="a"><a:p><a:t>Slide {n}</a:t></a:p></s>' for n in (10, 2, 1)}


@pytest.mark.parametrize(
    ("content", "text", "title", "pages"),
    [
        (hostile.docx("Zoë says", "yes"), "Zoë says yes", "", None),
        (
            hostile.docx(
                "Plan",
                **{
                    "docProps/core.xml": '<c xmlns:dc="d"><dc:title>My plan</dc:title></c>',
                    "docProps/app.xml": "<P><Pages>7</Pages></P>",
                },
            ),
            "Plan",
            "My plan",
            7,
        ),
        (hostile.package({"content.xml": ODT}), "One two three Four", "", None),
        (hostile.package(PPTX), "Slide 1 Slide 2 Slide 10", "", 3),
        ("# Für alle\n\nText".encode(), "# Für alle Text", "Für alle", None),
        (b"\xef\xbb\xbfa,b\n1,2\n", "a,b 1,2", "", None),
        (b"WEBVTT\n\n1\n00:01.000 --> 00:02.000\nHello there\n", "Hello there", "", None),
    ],
)
def test_other_files_tell_their_words_and_not_what_was_deleted_or_noted(content, text, title, pages):
    found = look(content)
    assert (found.reason, " ".join(found.text.split()), found.title, found.pages) == ("", text, title, pages)


def test_a_picture_is_there_in_small():
    out = io.BytesIO()
    Image.new("RGBA", (2000, 1000), (0, 128, 128, 0)).save(out, "PNG")
    found = look(out.getvalue())
    picture = Image.open(io.BytesIO(found.thumbnail))
    assert (found.text, picture.size, picture.getpixel((0, 0))) == ("", (640, 320), (255, 255, 255))


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("Journal 10.1111/first\nhttps://doi.org/10.2222/stated.", "10.2222/stated"),
        ("see 10.1186/\n s13012-015-0001 there", "10.1186/s13012-015-0001"),
        ("(doi:10.1016/S0140-6736(95)91.)", "10.1016/S0140-6736(95)91"),
        ("We say this.\nReferences\n1. Somebody, doi:10.3333/theirs", ""),
        ("version 10.4 of 2010/11", ""),
    ],
)
def test_the_doi_of_the_paper_and_not_of_what_it_cites(text, doi):
    assert find_doi(text) == doi


# --- nothing that it says is believed ------------------------------------------------------------------------------------
def test_what_the_process_says_is_judged():
    said = [
        b"no json",
        json.dumps([1]).encode(),
        json.dumps(
            {"title": 5, "pages": -1, "text": "a\x00b\ud800" + "c" * 200_000, "thumbnail": "PGh0bWw+"}
        ).encode(),
        json.dumps({"reason": "<b>", "done": True}).encode(),
    ]
    found = process._judge(b"\n".join(said), "", seconds=0)
    assert (found.title, found.pages, found.thumbnail, found.reason) == ("", None, b"", "")
    assert (found.text[:3], len(found.text) <= looked.MAX_TEXT) == ("abc", True)


@pytest.fixture
def another_process(monkeypatch):
    """In place of ours: a program of the test's, behind the same door."""

    def start(program: str):
        monkeypatch.setattr(process, "START", program)

    return start


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import time; time.sleep(60)", "time"),
        (
            "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])",
            "time",
        ),
        ("import sys\nwhile True: sys.stdout.write('x' * 65536)", "too much"),
        ("import os; os.kill(os.getpid(), 9)", "killed"),
        ("import os; os.abort()", "memory"),
        ("raise SystemExit(0)", "damaged"),
    ],
)
def test_a_process_that_hangs_babbles_or_dies_is_ended_and_noted(another_process, program, reason):
    another_process(program)
    found = look_into(io.BytesIO(b"x"), seconds=1.5)
    assert (found.reason, found.seconds < 10) == (reason, True)


def test_what_was_said_before_the_time_was_over_is_kept(another_process):
    another_process("""import time; print('{"text": "the words"}\\n{"thumb', flush=True); time.sleep(60)""")
    found = look_into(io.BytesIO(b"x"), seconds=1.5)
    assert (found.reason, found.text) == ("time", "the words")


def test_the_process_knows_no_secret_and_opens_nothing(another_process, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "very secret")
    another_process(
        """
import sys; sys.path.insert(0, sys.argv[1])
import json, os, socket
from resources.reading.confined import walls
walls.open_the_file()
walls.close_in(size=0, seconds=5, memory=512 << 20)
tried = []
for deed in (lambda: open("/etc/hostname"), socket.socket, lambda: os.pipe(), lambda: bytearray(1 << 30)):
    try:
        deed()
        tried.append("done")
    except (OSError, MemoryError) as error:
        tried.append(type(error).__name__)
print(json.dumps({"text": json.dumps([sorted(os.environ), tried, "django" in sys.modules]), "done": True}))
"""
    )
    environ, tried, django = json.loads(look(b"x").text)
    assert "SECRET_KEY" not in environ
    assert "DATABASE_URL" not in environ
    assert (tried, django) == (["OSError", "OSError", "OSError", "MemoryError"], False)


# --- rows ---------------------------------------------------------------------------------------------------------------
@pytest.fixture
def record(db):
    return make_resource(added_by=make_member())


def waiting(record, content=None, name="guide.pdf") -> ResourceFile:
    return make_file(resource=record, name=name, content=content or hostile.pdf(["mobilising gently"]))


def test_a_file_is_read_once_and_found_by_its_words(record):
    file = waiting(record)
    assert ResourceText.objects.get(file=file).state == "waiting"
    assert reading.read_due_files() == 1
    file.refresh_from_db()
    assert (file.text.state, file.pages, file.text.reason) == ("done", 1, "")
    with file.thumbnail.open("rb") as picture:
        assert picture.read(4) == b"RIFF"
    for asked, found in (("mobilise", 1), ("gentle", 1), ("harshly", 0)):
        assert ResourceText.objects.filter(search=SearchText(asked).query).count() == found, asked
    assert (reading.read_due_files(), reading.read_file(file_id=file.pk)) == (0, False)


def test_sound_is_not_read(record):
    waiting(record, b"\xff\xfb\x90\x00" + bytes(500), "talk.mp3")
    assert not ResourceText.objects.exists()


def test_what_waits_for_the_scanner_is_not_read(record):
    file = waiting(record)
    ResourceFile.objects.filter(pk=file.pk).update(state="pending", scan_due_at=timezone.now())
    assert (reading.read_due_files(), reading.read_file(file_id=file.pk)) == (0, False)
    ResourceFile.objects.filter(pk=file.pk).update(state="clean")
    assert reading.read_due_files() == 1


def test_a_bad_file_is_noted_and_holds_up_no_other(record):
    bad = [waiting(record, content) for content in (hostile.locked_pdf(), b"%PDF-1.7 nothing")]
    good = waiting(record)
    jobs.run("resources.reading")
    states = [(file.text.state, file.text.reason) for file in ResourceFile.objects.order_by("pk")]
    assert states == [("failed", "password"), ("failed", "damaged"), ("done", "")]
    assert {file.pk for file in bad} & {good.pk} == set()
    assert reading.read_due_files() == 0


def test_a_file_that_kills_its_reader_is_tried_three_times_and_then_left(record, monkeypatch):
    file, looks = waiting(record), []

    def die(_source):
        looks.append(ResourceText.objects.get().tries)  # written down before: a killed worker has tried
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "look_into", die)
    for _try in range(5):
        ResourceText.objects.update(due_at=timezone.now() - timedelta(minutes=1))
        try:
            reading.read_file(file_id=file.pk)
        except KeyboardInterrupt:
            assert reading.read_file(file_id=file.pk) is False  # not before the claim has run out
    assert looks == [1, 2, 3]
    assert list(ResourceText.objects.values_list("state", "reason")) == [("failed", "killed")]


def test_a_store_that_is_away_is_asked_again(record, monkeypatch):
    file = waiting(record)
    monkeypatch.setattr(
        type(file.file.storage), "open", lambda *args: (_ for _ in ()).throw(TimeoutError("away"))
    )
    assert reading.read_file(file_id=file.pk) is False
    assert list(ResourceText.objects.values_list("state", "tries")) == [("waiting", 1)]
    monkeypatch.undo()
    ResourceText.objects.update(due_at=timezone.now())
    assert reading.read_file(file_id=file.pk) is True


def test_nothing_is_written_of_a_file_that_went_meanwhile(record, monkeypatch):
    file = waiting(record)

    def look_while_it_is_removed(source):
        services.remove_file(actor=record.added_by, file=file)
        return Looked(text="words", thumbnail=b"RIFF....WEBP")

    monkeypatch.setattr(reading, "look_into", look_while_it_is_removed)
    assert reading.read_file(file_id=file.pk) is False
    assert not ResourceText.objects.exists()


def test_files_that_lie_elsewhere_are_read_too(record, settings, django_capture_on_commit_callbacks):
    """A storage without paths, as a store of objects is."""
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    }
    field, page = ResourceFile._meta.get_field("file"), ResourceFile._meta.get_field("thumbnail")
    before = field.storage, page.storage
    field.storage = page.storage = InMemoryStorage()
    try:
        file = waiting(record, hostile.docx("from afar"), "a.docx")
        assert reading.read_file(file_id=file.pk) is True
        assert ResourceText.objects.get().text.strip() == "from afar"
        with file.file.open("rb") as content:
            assert content.read(2) == b"PK"
    finally:
        field.storage, page.storage = before


def test_an_upload_is_read_before_its_form_is_finished(db):
    """So that the form can be filled from it."""
    kept = services.keep_upload(
        actor=make_member(),
        upload=make_upload(content=hostile.pdf(["doi:10.1234/x"], info="/Title (A thing)")),
    )
    assert reading.read_file(file_id=kept.pk) is True
    assert list(ResourceText.objects.values_list("title", "doi")) == [("A thing", "10.1234/x")]
