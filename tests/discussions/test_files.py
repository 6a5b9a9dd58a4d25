"""Pictures and files in posts: what is taken, and who gets them."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from discussions import services
from discussions.models import DiscussionSettings, PostFile
from kmnet.core import retention
from kmnet.core.files import delete_doomed
from members import services as members
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.groups import make_group

pytestmark = pytest.mark.django_db
UPLOAD = "/discussions/files/"


def picture(how="PNG", **options) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, format=how, **options)
    return out.getvalue()


def upload(name="map.png", content=None):
    return SimpleUploadedFile(name, picture() if content is None else content)


def make_file(member, name="map.png", content=None) -> PostFile:
    return services.keep_file(actor=member, upload=upload(name, content))


def with_file(author, thread=None, **fields):
    kept = make_file(author)
    post = make_post(
        thread=thread, author=author, source=f"Here.\n\n{services.as_markdown(kept, 'A map')}", **fields
    )
    kept.refresh_from_db()
    return post, kept


def address(kept):
    return reverse("discussions:file", args=[kept.key, kept.name])


def status(client, kept, user=None):
    client.logout()
    if user:
        client.force_login(user)
    response = client.get(address(kept))
    if response.streaming:
        response.getvalue()  # to its end, which closes the file
    return response.status_code


def test_upload_by_script_gives_what_stands_in_the_text(client):
    member = make_member()
    client.force_login(member)
    answer = client.post(UPLOAD, {"file": upload(), "alt": "A map] of (all)"})
    kept = PostFile.objects.get()
    assert answer.json() == {"markdown": f"![A map of (all)]({address(kept)})", "name": "map.png"}
    thread = make_thread()
    client.post(f"{thread.get_absolute_url()}reply/", {"body": f"See {answer.json()['markdown']}"})
    kept.refresh_from_db()
    assert kept.post == thread.posts.get(number=2)
    html = client.get(thread.get_absolute_url()).content.decode()
    assert f'<img src="{address(kept)}" alt="A map of (all)" loading="lazy">' in html


def test_upload_without_scripts_goes_into_the_text(client):
    member, thread = make_member(), make_thread()
    client.force_login(member)
    reply = f"{thread.get_absolute_url()}reply/"
    html = client.post(
        reply, {"body": "Look:", "file": upload(), "alt": "A map", "view": "attach"}
    ).content.decode()
    kept = PostFile.objects.get()
    assert f"Look:\n\n![A map]({address(kept)})" in html
    assert thread.posts.count() == 1
    client.post(reply, {"body": "And sent at once:", "file": upload("notes.txt", b"One two."), "alt": ""})
    assert thread.posts.get(number=2).source.startswith(
        "And sent at once:\n\n[notes.txt](/discussions/files/"
    )
    assert thread.posts.get(number=2).files.count() == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<html><script>alert(1)</script>"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("map.png", b"<script>alert(1)</script>"),
        ("map.png", b""),
        ("a.exe", b"MZ"),
        ("film.mp4", b"0000ftyp"),
        ("notes.txt", b"<script>alert(1)</script>"),
        ("a.pdf", b"GIF89a"),
        ("map.png", picture()[:60]),
    ],
)
def test_what_is_not_taken_is_said_and_the_text_stays(client, name, content):
    thread = make_thread()
    client.force_login(make_member())
    assert client.post(UPLOAD, {"file": upload(name, content)}).status_code == 422
    response = client.post(
        f"{thread.get_absolute_url()}reply/", {"body": "My words stay.", "file": upload(name, content)}
    )
    html = response.content.decode()
    if content:
        assert response.status_code == 422
        assert 'id="id_file_error"' in html
        assert "My words stay.</textarea>" in html
        assert thread.posts.count() == 1
    assert PostFile.objects.count() == 0


def test_what_hides_in_a_picture_is_gone():
    polyglot = picture("JPEG", exif=b"Exif\x00\x00MM GPS 51.5") + b"<script>alert(1)</script>"
    kept = make_file(make_member(), "map.jpg", polyglot)
    with storages["default"].open(kept.file.name) as stored:
        data = stored.read()
    assert b"script" not in data
    assert b"GPS" not in data
    assert kept.size == len(data)


def test_too_large_and_too_much_are_refused(client, settings):
    member = make_member()
    row = DiscussionSettings.load()
    row.files_mb_per_member = 0
    row.save()
    client.force_login(member)
    answer = client.post(UPLOAD, {"file": upload()})
    assert answer.status_code == 422
    assert "no room" in answer.json()["words"]
    row.files_mb_per_member = 1
    row.save()
    assert client.post(UPLOAD, {"file": upload()}).status_code == 200
    large = upload("notes.txt", b"x" * (1024 * 1024))
    assert client.post(UPLOAD, {"file": large}).status_code == 422


def test_silenced_member_uploads_nothing(client):
    client.force_login(make_member(status="silenced"))
    assert client.post(UPLOAD, {"file": upload()}).status_code == 403


def test_file_is_given_out_with_safe_headers(client):
    author = make_member()
    post, kept = with_file(author)
    client.force_login(make_member())
    response = client.get(address(kept))
    assert response.getvalue()[:4] == b"\x89PNG"
    assert response["Content-Type"] == "image/png"
    assert response["Content-Disposition"] == "inline"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cache-Control"] == "private, no-cache"
    assert client.get(address(kept), headers={"if-none-match": response["ETag"]}).status_code == 304
    notes = make_file(author, "notes.txt", b"One two.")
    make_post(thread=post.thread, author=author, source=services.as_markdown(notes))
    response = client.get(address(notes))
    assert response["Content-Disposition"].startswith('attachment; filename="notes.txt"')
    assert response.getvalue() == b"One two."


def test_file_without_a_post_is_its_uploaders_alone(client):
    member = make_member()
    kept = make_file(member)
    assert status(client, kept, member) == 200
    for other in (
        make_member(),
        make_member(is_moderator=True),
        make_member(is_superuser=True, is_staff=True),
    ):
        assert status(client, kept, other) == 404
    assert status(client, kept) == 302


def test_file_follows_who_may_read_the_post(client):
    author, reader, moderator = make_member(), make_member(), make_member(is_moderator=True)
    _post, kept = with_file(author, make_thread(space=make_space(readable_by="public")))
    assert [status(client, kept, one) for one in (None, reader, author)] == [200, 200, 200]
    _post, kept = with_file(author, make_thread(space=make_space(readable_by="members")))
    pending = make_member(status="pending")
    assert [status(client, kept, one) for one in (None, pending, reader, author)] == [302, 404, 200, 200]
    group = make_group(author)
    inside = make_space(readable_by="group", group=group)
    _post, kept = with_file(author, make_thread(space=inside, author=author))
    assert [status(client, kept, one) for one in (None, reader, moderator, author)] == [302, 404, 404, 200]


@pytest.mark.parametrize("what", ["hidden", "taken back", "held"])
def test_file_of_a_post_that_is_not_shown_is_not_given_out(client, what):
    author, reader, moderator = make_member(), make_member(), make_member(is_moderator=True)
    post, kept = with_file(author, hold=what == "held")
    if what == "hidden":
        services.hide_post(post=post, actor=moderator, reason="x")
    elif what == "taken back":
        services.delete_post(actor=author, post=post)
    assert [status(client, kept, one) for one in (None, reader, author, moderator)] == [302, 404, 200, 200]


def test_naming_somebody_elses_upload_takes_nothing(client):
    other, thief = make_member(), make_member()
    kept = make_file(other)
    make_post(author=thief, source=services.as_markdown(kept))
    kept.refresh_from_db()
    assert kept.post is None
    assert status(client, kept, thief) == 404


def test_file_goes_with_the_words_that_named_it():
    post, kept = with_file(make_member())
    storage, name = storages["default"], kept.file.name
    services.edit_post(editor=post.author, post=post, source=post.source + " More.")
    assert storage.exists(name)
    services.edit_post(editor=post.author, post=post, source="No picture any more.")
    delete_doomed()
    assert not PostFile.objects.exists()
    assert not storage.exists(name)
    post, kept = with_file(make_member())
    services.delete_post(actor=post.author, post=post)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        services.wipe_taken_back()
        delete_doomed()
    assert not storage.exists(kept.file.name)


def test_unused_uploads_are_forgotten_after_a_week():
    unused = make_file(make_member())
    _post, used = with_file(make_member())
    PostFile.objects.update(created_at=timezone.now() - timedelta(days=6))
    retention.run()
    assert PostFile.objects.count() == 2
    PostFile.objects.update(created_at=timezone.now() - timedelta(days=8))
    retention.run()
    delete_doomed()
    assert list(PostFile.objects.all()) == [used]
    assert not storages["default"].exists(unused.file.name)


@pytest.mark.parametrize("keep_words", [True, False])
def test_files_of_somebody_who_leaves_go_with_their_words(keep_words):
    member, thread = make_member(), make_thread()
    _post, kept = with_file(member, thread)
    unused = make_file(member)
    members.erase_member(member=member, keep_words=keep_words)
    delete_doomed()
    assert not storages["default"].exists(unused.file.name)
    assert storages["default"].exists(kept.file.name) is keep_words
