"""Keeping files: room for them, what becomes of them when something fails, and the pictures of their first pages."""

import io
from functools import partial

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from kmnet.core.files import delete_doomed
from kmnet.core.models import DoomedFile
from kmnet.core.uploads import UploadRefused
from resources import services
from resources.models import LibrarySettings, Resource, ResourceFile, ResourceText
from resources.models.care import CACHE_KEY
from resources.reading import Looked
from resources.scanning import Verdict
from resources.services import files, reading, scanning
from tests.factories.members import make_member
from tests.factories.resources import PDF, make_file, make_resource, make_upload
from tests.together import at_once, meet_after, meet_before

from . import hostile

MEGABYTE = 1024 * 1024
BIG = PDF + b" " * (600 * 1024)


@pytest.fixture
def small(db):
    """A megabyte for each member."""
    LibrarySettings(files_mb_per_member=1, files_gb_in_all=1).save()
    yield
    cache.delete(CACHE_KEY)


def keep(actor, content=BIG, name="guide.pdf"):
    return services.keep_upload(actor=actor, upload=make_upload(name, content))


def refusal(*args) -> UploadRefused:
    with pytest.raises(UploadRefused) as refused:
        keep(*args)
    return refused.value


# --- room --------------------------------------------------------------------------------------------------------------
def test_a_member_has_so_much_room_and_no_more(small):
    member = make_member()
    kept = keep(member)
    refused = refusal(member)
    words = refused.messages[0].replace("\xa0", " ")
    assert (refused.code, "may have 1.0 MB in all; 423.9 KB of it are left" in words) == ("quota", True)
    assert list(ResourceFile.objects.all()) == [kept]
    keep(make_member())  # each has their own
    services.remove_file(actor=member, file=kept)
    keep(member)


def test_all_members_together_have_so_much_room(small, monkeypatch):
    keep(make_member())
    monkeypatch.setattr(files, "GIGABYTE", MEGABYTE)
    assert refusal(make_member()).code == "full"
    assert ResourceFile.objects.count() == 1


def test_what_is_refused_is_said_at_the_field_and_what_was_typed_stays(small, client):
    member = make_member()
    client.force_login(member)
    keep(member)
    data = {"title": "A typed title", "may_share": "on", "files": make_upload("more.pdf", BIG)}
    response = client.post("/library/add/?by=file", data)
    assert response.status_code == 422
    (words,) = response.context["form"].errors["files"]
    assert words.startswith("more.pdf: Your files in the library may have")
    assert "A typed title" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_do_not_share_the_last_megabyte(small, monkeypatch):
    member = make_member()
    meet_after(monkeypatch, files, "room_taken")  # without the lock both would see the same room
    kept = at_once(*[partial(keep, member)] * 2, errors=lambda error: type(error).__name__)
    assert sorted(one if isinstance(one, str) else "kept" for one in kept) == ["NoRoom", "kept"]
    assert ResourceFile.objects.count() == 1


# --- what fails ---------------------------------------------------------------------------------------------------------
def test_a_store_that_fails_leaves_no_row_and_says_so(db, monkeypatch):
    member = make_member()
    store = ResourceFile._meta.get_field("file").storage
    monkeypatch.setattr(
        type(store), "save", lambda *args, **named: (_ for _ in ()).throw(OSError("disk full"))
    )
    assert refusal(member).code == "storage"
    assert not ResourceFile.objects.exists()
    assert not ResourceText.objects.exists()


def test_a_process_that_dies_in_between_leaves_a_row_that_is_swept_with_its_bytes(db, monkeypatch):
    monkeypatch.setattr(files, "_begin", lambda *args, **named: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        keep(make_member())
    row = ResourceFile.objects.get()
    assert row.file.storage.exists(row.file.name)
    ResourceFile.objects.update(created_at=timezone.now() - files.WAITS_FOR)
    assert services.sweep_abandoned_files() == 1
    assert delete_doomed() == 1
    assert not row.file.storage.exists(row.file.name)


def test_a_picture_cannot_take_the_address_of_a_first_page(db):
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "WEBP")
    names = [keep(make_member(), out.getvalue(), name).name for name in ("page.webp", "my page.webp")]
    assert names == ["page-1.webp", "my page.webp"]


# --- given to a record --------------------------------------------------------------------------------------------------
def test_files_are_given_with_what_they_are_and_only_once(db):
    member, other = make_member(), make_member()
    record, second = make_resource(added_by=member), make_resource(added_by=member)
    mine, theirs = keep(member), keep(other)
    given = partial(services.attach_files, actor=member, files=[mine, theirs])
    assert given(resource=record, label=" The poster\n", language="fr") == 1
    mine.refresh_from_db()
    assert (mine.resource, mine.version, mine.label, mine.language) == (record, 1, "The poster", "fr")
    assert given(resource=second) == 0
    Resource.objects.filter(pk=record.pk).update(version=3)
    assert services.attach_files(actor=member, resource=record, files=[keep(member)]) == 1
    assert sorted(record.files.values_list("version", flat=True)) == [1, 3]
    services.describe_file(actor=member, file=mine, label="", language="en")
    mine.refresh_from_db()
    assert (mine.label, mine.language) == ("", "en")
    with pytest.raises(PermissionDenied):
        services.describe_file(actor=other, file=mine, label="x", language="en")


def test_each_version_has_room_for_ten_files(db, monkeypatch):
    monkeypatch.setattr(files, "MAX_FILES", 1)
    member = make_member()
    record = make_resource(added_by=member)
    give = partial(services.attach_files, actor=member, resource=record)
    give(files=[keep(member)])
    with pytest.raises(files.TooManyFiles):
        give(files=[keep(member)])
    Resource.objects.filter(pk=record.pk).update(version=2)
    assert give(files=[keep(member)]) == 1


def test_files_go_with_their_bytes_their_words_and_their_pictures(db):
    file = make_file(resource=make_resource(added_by=make_member()), content=hostile.pdf())
    reading.read_file(file_id=file.pk)
    file.refresh_from_db()
    names = {file.file.name, file.thumbnail.name}
    services.remove_file(actor=file.added_by, file=file)
    assert set(DoomedFile.objects.values_list("name", flat=True)) == names
    assert not ResourceText.objects.exists()


# --- the picture of the first page ---------------------------------------------------------------------------------------
@pytest.fixture
def read(db):
    def make(**fields):
        file = make_file(resource=make_resource(added_by=make_member(), **fields), content=hostile.pdf())
        reading.read_file(file_id=file.pk)
        file.refresh_from_db()
        return file

    return make


def test_the_picture_has_headers_of_its_own(client, read):
    file = read()
    response = client.get(file.page_url)
    expected = {
        "Content-Type": "image/webp",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
    }
    assert {name: response.get(name) for name in expected} == expected
    assert (response.content[:4], response.get("Accept-Ranges")) == (b"RIFF", None)
    again = client.get(file.page_url, headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("fields", [{"visibility": "members"}, {"files_for": "members"}, {"state": "hidden"}])
def test_the_picture_is_for_whoever_may_open_the_file(client, read, fields):
    file = read(**fields)
    assert client.get(file.page_url).status_code == 404
    known = {"If-None-Match": "*"}
    assert client.get(file.page_url, headers=known).status_code == 404
    for person in (make_member(), make_member(is_moderator=True)):
        client.force_login(person)
        seen = client.get(file.page_url)
        assert seen.status_code == (200 if "state" not in fields or person.is_moderator else 404)
        assert "no-store" in seen["Cache-Control"]


def test_the_page_of_a_record_shows_it_to_whoever_may_open_the_file(client, read):
    open_to_all, narrower = read(), read(files_for="members")
    shown = [
        file.page_url in client.get(file.resource.get_absolute_url()).content.decode()
        for file in (open_to_all, narrower)
    ]
    assert shown == [True, False]
    client.force_login(make_member())
    assert narrower.page_url in client.get(narrower.resource.get_absolute_url()).content.decode()


def test_no_picture_of_what_has_none_or_what_waits(client, read):
    file = read()
    ResourceFile.objects.filter(pk=file.pk).update(state="pending", scan_due_at=timezone.now())
    assert client.get(file.page_url).status_code == 404
    ResourceFile.objects.filter(pk=file.pk).update(state="clean", thumbnail="")
    assert client.get(file.page_url).status_code == 404
    ResourceFile.objects.filter(pk=file.pk).update(thumbnail="library/pages/gone")
    assert client.get(file.page_url).status_code == 404
    assert client.get(reverse("resources:file_page", args=[2**80])).status_code == 404


# --- whoever looks after the record -----
def test_the_form_says_what_is_wrong_with_a_file_and_what_still_waits(db, client):
    member = make_member()
    record = make_resource(added_by=member)
    for name, content in (
        ("locked.pdf", hostile.locked_pdf()),
        ("fine.pdf", hostile.pdf()),
        ("new.pdf", PDF),
    ):
        make_file(resource=record, name=name, content=content)
    reading.read_due_files()
    new = ResourceFile.objects.filter(name="new.pdf")
    new.update(state="pending", scan_due_at=timezone.now())
    client.force_login(member)
    page = client.get(reverse("resources:edit", args=[record.pk])).content.decode()
    assert page.count("It wants a password, so readers cannot open it.") == 1
    assert page.count("being checked") == 1
    assert new.get().get_absolute_url() not in page
    new.update(added_by=make_member())  # somebody else sent it, and the scanner has not passed it
    assert "new.pdf" not in client.get(reverse("resources:edit", args=[record.pk])).content.decode()


# --- two workers at once ---------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_two_workers_read_a_file_once(monkeypatch):
    file, looks = make_file(resource=make_resource(added_by=make_member())), []
    monkeypatch.setattr(reading, "look_into", lambda source: looks.append(1) or Looked(text="words"))
    meet_before(monkeypatch, ResourceText, "save")  # without the lock both would have claimed it
    assert sorted(at_once(*[partial(reading.read_file, file_id=file.pk)] * 2)) == [False, True]
    assert looks == [1]


@pytest.mark.django_db(transaction=True)
def test_two_workers_have_a_file_scanned_once(settings, monkeypatch):
    settings.CLAMD_ADDRESS = "127.0.0.1:1"
    file, asked = keep(make_member()), []
    monkeypatch.setattr(scanning, "_ask", lambda file: asked.append(1) or Verdict())
    meet_before(monkeypatch, ResourceFile, "save")
    assert sorted(at_once(*[partial(scanning.scan_file, file_id=file.pk)] * 2)) == [False, True]
    assert asked == [1]
