"""Files wait for the scanner, and nothing but its clear word opens one."""

import io
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from kmnet.core import activity, jobs
from kmnet.core.models import Activity, DoomedFile, JobState, Notification
from resources import scanning, services
from resources.models import ResourceFile, ResourceText
from resources.scanning import NoAnswer, Unreachable, Verdict
from resources.services import scanning as scans
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_upload

from . import hostile, scanner

pytestmark = pytest.mark.django_db


@pytest.fixture
def clamd(settings):
    with scanner.running() as (server, address):
        settings.CLAMD_ADDRESS = address
        cache.delete(f"clamd-works:{address}")
        yield server


@pytest.fixture
def nobody_there(settings):
    settings.CLAMD_ADDRESS = "127.0.0.1:1"
    cache.delete("clamd-works:127.0.0.1:1")


def sent(content=None, *, actor=None, name="guide.pdf") -> ResourceFile:
    """In a record of its sender."""
    record = make_resource(added_by=actor or make_member())
    upload = make_upload(name, content or hostile.pdf(["mobilising gently"]))
    file = services.keep_upload(actor=record.added_by, upload=upload)
    services.attach_files(actor=record.added_by, resource=record, files=[file])
    file.refresh_from_db()
    return file


def state(file) -> str:
    return ResourceFile.objects.get(pk=file.pk).state


def bad() -> bytes:
    return hostile.pdf([scanner.BAD.decode()])


# --- the protocol ----------------------------------------------------------------------------------------------------
def test_the_scanner_is_given_the_whole_file_and_believed(clamd):
    content = b"%PDF" + bytes(300_000)
    assert scanning.scan(io.BytesIO(content)) == Verdict()
    assert clamd.seen == [content]
    assert scanning.scan(io.BytesIO(b"x" + scanner.BAD)) == Verdict("Win.Wicked-1")


def test_it_may_be_behind_a_unix_socket(settings, tmp_path):
    with scanner.running(str(tmp_path / "s")) as (_server, path):
        settings.CLAMD_ADDRESS = path
        assert scanning.scan(io.BytesIO(b"x")) == Verdict()


@pytest.mark.parametrize(
    "mood",
    [
        "says nothing",
        "half a word",
        "no end",
        "another file",
        "both",
        "too large",
        "web page",
        "babbles",
        "dies",
        "early OK",
    ],
)
def test_anything_but_its_clear_word_is_no_answer(clamd, mood):
    clamd.mood = mood
    with pytest.raises(NoAnswer):
        scanning.scan(io.BytesIO(b"%PDF" + bytes(3_000_000)))


@pytest.mark.parametrize("mood", ["hangs", "drips"])
def test_one_that_hangs_or_drips_is_left_in_time(clamd, mood):
    clamd.mood = mood
    began = timezone.now()
    with pytest.raises(NoAnswer):
        scanning.scan(io.BytesIO(b"x"), seconds=0.5)
    assert timezone.now() - began < timedelta(seconds=3)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd.ctl", "no port", "x:99999999"])
def test_one_that_is_not_there_is_unreachable(settings, address):
    settings.CLAMD_ADDRESS = address
    with pytest.raises(Unreachable):
        scanning.scan(io.BytesIO(b"x"))


# --- files ------------------------------------------------------------------------------------------------------------
def test_without_a_scanner_files_are_open_and_say_so(settings):
    file = sent()
    assert (file.state, file.is_open) == ("unscanned", True)
    assert jobs.run("resources.scanning").failed == []


def test_a_file_is_open_once_the_scanner_has_passed_it(clamd, client):
    file = sent()
    moderator = make_member(is_moderator=True)
    assert file.state == "pending"
    for person in (None, file.added_by, moderator):
        client.logout() if person is None else client.force_login(person)
        answer = client.get(file.get_absolute_url()).status_code
        assert answer == (302 if person is None else 404)
        assert client.get(file.get_absolute_url(), headers={"Range": "bytes=0-3"}).status_code == answer
    assert scans.scan_due_files() == 1
    file.refresh_from_db()
    assert (file.state, file.scan_due_at, file.scan_tries) == ("clean", None, 1)
    client.logout()
    assert b"".join(client.get(file.get_absolute_url()).streaming_content).startswith(b"%PDF-")
    assert (scans.scan_due_files(), scans.scan_file(file_id=file.pk)) == (0, False)
    assert jobs.run("resources.reading").served == 1  # and not before


def test_what_is_found_is_deleted_and_its_sender_told(clamd, client):
    file = sent(bad())
    before = file.file.name
    assert scans.scan_file(file_id=file.pk) is True
    file.refresh_from_db()
    assert (file.state, file.finding, file.file.name) == ("infected", "Win.Wicked-1", "")
    assert list(DoomedFile.objects.values_list("name", flat=True)) == [before]
    assert not ResourceText.objects.exists()
    client.force_login(file.added_by)
    assert client.get(file.get_absolute_url()).status_code == 404
    for deed in Activity.objects.waiting():
        activity.fan_out(activity_id=deed.pk)
    assert list(Notification.objects.values_list("recipient_id", flat=True)) == [file.added_by_id]
    page = client.get(reverse("hub:notifications")).content.decode()
    assert "Your file “guide.pdf” was refused by the virus scanner" in page
    assert services.files.room_taken(ResourceFile.objects.all()) == 0


def test_what_is_refused_while_its_form_is_open_never_reaches_the_record(clamd):
    member = make_member()
    file = services.keep_upload(actor=member, upload=make_upload(content=bad()))
    scans.scan_file(file_id=file.pk)
    record = make_resource(added_by=member)
    assert services.attach_files(actor=member, resource=record, files=[file]) == 0
    assert list(record.files.all()) == []


@pytest.mark.parametrize("mood", ["says nothing", "dies", "too large", "both"])
def test_a_scanner_that_fails_opens_nothing_and_is_asked_again(clamd, mood):
    clamd.mood = mood
    file = sent()
    assert jobs.run("resources.scanning").failed == [f"scanning file {file.pk} (NoAnswer)"]
    file.refresh_from_db()
    assert (file.state, file.scan_tries) == ("pending", 1)
    wait = file.scan_due_at - timezone.now()
    assert timedelta(seconds=50) < wait <= timedelta(minutes=1)
    clamd.mood = "well"
    assert scans.scan_due_files() == 0  # not yet
    ResourceFile.objects.update(scan_due_at=timezone.now())
    assert scans.scan_due_files() == 1
    assert state(file) == "clean"


def test_a_scanner_that_is_away_is_not_asked_for_each_file(nobody_there):
    files = [sent(), sent()]
    tally = jobs.run("resources.scanning")
    assert tally.failed == ["resources.scanning (Unreachable)"]
    assert [state(file) for file in files] == ["pending", "pending"]
    assert JobState.objects.get(name="resources.scanning").failures == 1


def test_a_scanner_that_does_not_know_the_sample_is_not_believed(clamd):
    clamd.mood = "blind"
    file = sent(bad())
    assert jobs.run("resources.scanning").failed == ["resources.scanning (Unreachable)"]
    with pytest.raises(Unreachable):
        scans.scan_file(file_id=file.pk)
    assert state(file) == "pending"
    assert JobState.objects.get(name="resources.scanning").failure.startswith("1: ")


def test_a_scan_whose_worker_was_killed_is_done_by_another(clamd, monkeypatch):
    file = sent()
    monkeypatch.setattr(scans, "scan", lambda content: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        scans.scan_file(file_id=file.pk)
    monkeypatch.undo()
    assert scans.scan_file(file_id=file.pk) is False  # the claim holds for a while
    assert state(file) == "pending"
    ResourceFile.objects.update(scan_due_at=timezone.now() - timedelta(seconds=1))  # and has run out
    assert scans.scan_file(file_id=file.pk) is True
    assert state(file) == "clean"


def test_one_file_that_cannot_be_fetched_holds_up_no_other(clamd):
    lost, fine = sent(), sent()
    lost.file.storage.delete(lost.file.name)
    assert scans.scan_due_files() == 1
    assert (state(lost), state(fine)) == ("pending", "clean")


def test_files_from_before_the_scanner_are_scanned_while_they_are_open(settings):
    old, bad_one = sent(), sent(bad())
    with scanner.running() as (_server, settings.CLAMD_ADDRESS):
        cache.delete(f"clamd-works:{settings.CLAMD_ADDRESS}")
        assert old.is_open
        assert scans.scan_due_files() == 2
    assert (state(old), state(bad_one)) == ("clean", "infected")


def test_a_scanner_that_is_given_up_opens_what_waits_only_when_the_operator_says_so(nobody_there, settings):
    file = sent()
    with pytest.raises(CommandError):
        call_command("open_unscanned_files")
    settings.CLAMD_ADDRESS = ""
    assert jobs.run("resources.scanning").failed == []
    assert state(file) == "pending"
    call_command("open_unscanned_files")
    assert state(file) == "unscanned"
