"""A deleted account leaves nothing of a person: not in the database, not in the files, not in Redis.

The whole database is written out as text and searched. That a column was forgotten shows in two ways: by its canary
(tests/canaries.py), and by the walk over all models, which fails for a column that nobody has spoken for.
"""

import io
import re
from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection, models
from django.utils import timezone

from discussions.models import Post, Thread
from kmnet.core import files
from kmnet.core.models import DevMail
from kmnet.core.personal_data import Fate, concrete_fields, fate_of, leads_to_member
from members import services
from members.models import Leaving
from tests.canaries import OTHERS, PERSON, WORDS, plant
from tests.factories import make_member

HOLD_TEXT = (
    *(models.CharField, models.TextField, models.JSONField, models.BinaryField),
    *(models.GenericIPAddressField, models.FileField),
)


def dump() -> str:
    """Every row of every table as text, generated columns and bytes among them."""
    out = []
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            text = io.StringIO()
            cursor.cursor.copy_expert(f'COPY (SELECT * FROM "{table}") TO STDOUT', text)
            out += [f"{table}\t{row}\n" for row in text.getvalue().splitlines()]
    out += [bytes(raw).decode("utf-8", "replace") for raw in DevMail.objects.values_list("raw", flat=True)]
    return "".join(out)


def cached() -> str:
    """All that Redis holds of this test run's cache, keys and values."""
    server = redis.from_url(django_settings.CACHES["default"]["LOCATION"])
    prefix = django_settings.CACHES["default"]["KEY_PREFIX"]
    return "".join(f"{key!r} {server.get(key)!r}\n" for key in server.scan_iter(match=f"{prefix}:*"))


def found(kind: str, text: str) -> list[str]:
    return sorted(
        {
            line.partition("\t")[0] + ": " + hit
            for line in text.splitlines()
            for hit in re.findall(rf"{kind}\w+", line, re.I)
        }
    )


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def moderator(db):
    return make_member(is_moderator=True, is_organiser=True)


def erase(member, capture, *, keep_words: bool) -> None:
    services.start_leaving(member=member, keep_words=keep_words)
    Leaving.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    with capture(execute=True):
        assert services.erase_due() == 1


@pytest.mark.parametrize("keep_words", [True, False])
def test_nothing_of_a_person_is_left(keep_words, media, moderator, django_capture_on_commit_callbacks):
    member, canaries = plant(moderator=moderator)
    services.ask_for_copy(member=member)
    services.build_waiting_copies()
    before = dump()
    assert found(PERSON, before)
    assert found(WORDS, before)
    assert [
        canary for canary in canaries.all if canary in cached()
    ] == []  # sessions are in the database alone
    others = found(OTHERS, before)
    assert len(list(media.rglob("*.webp"))) == 2
    assert len(list(media.rglob("*.zip"))) == 1

    erase(member, django_capture_on_commit_callbacks, keep_words=keep_words)

    after = dump()
    assert found(PERSON, after) == []
    assert [canary for canary in canaries.all if canary in cached()] == []
    assert found(OTHERS, after) == others
    assert bool(found(WORDS, after)) == keep_words, found(WORDS, after)
    assert (list(media.rglob("*.webp")), list(media.rglob("*.zip"))) == ([], [])
    kept = [path for path in media.rglob("*") if path.is_file()]
    assert len(kept) == (1 if keep_words else 0)  # the file of their record
    assert [path for path in kept if PERSON in path.name.lower()] == []


def test_others_threads_stay_whole_where_words_go(
    media, moderator, client, django_capture_on_commit_callbacks
):
    member, _canaries = plant(moderator=moderator)
    erase(member, django_capture_on_commit_callbacks, keep_words=False)
    thread = Thread.objects.get(title=f"{OTHERS}title")
    left = list(thread.posts.order_by("number").values_list("number", "source", "withdrawn_at"))
    assert [(number, source) for number, source, _at in left] == [
        (1, f"{OTHERS}question"),
        (2, ""),
        (3, f"{OTHERS}under"),
    ]
    assert [bool(withdrawn) for *_rest, withdrawn in left] == [False, True, False]
    assert thread.reply_count == 2
    assert thread.gone_numbers == [(4, 8)]  # nobody is told of posts that are no more
    page = client.get(thread.get_absolute_url()).content.decode()
    assert "took these words along" in page
    asked = Thread.objects.get(title="A question whose author has left")
    assert (asked.accepted_post.source, asked.excerpt) == (f"{OTHERS}reply", "")
    assert Thread.objects.filter(author=member).count() == 1  # the one that nobody answered is gone
    assert client.get(asked.get_absolute_url()).status_code == 200


def test_words_that_stay_are_unsigned(media, moderator, client, django_capture_on_commit_callbacks):
    member, _canaries = plant(moderator=moderator)
    posts = Post.objects.filter(author=member).count()
    erase(member, django_capture_on_commit_callbacks, keep_words=True)
    assert Post.objects.filter(author=member).count() == posts
    thread = Thread.objects.get(title=f"{OTHERS}title")
    page = client.get(thread.get_absolute_url()).content.decode()
    assert "Former member" in page
    assert found(PERSON, page) == []
    member.refresh_from_db()
    assert member.get_absolute_url() not in page  # it would lead nowhere


def test_a_second_person_is_untouched(media, moderator, django_capture_on_commit_callbacks):
    """Two people full of canaries: of the one who stays nothing is missing."""
    member, _own = plant(moderator=moderator)
    stays, canaries = plant(moderator=moderator)
    before = dump()
    erase(member, django_capture_on_commit_callbacks, keep_words=False)
    after = dump()
    for canary in canaries.all:
        if canary in before:
            assert after.count(canary) == before.count(canary), canary
    assert stays.name in after


def test_doomed_files_are_tried_again(media, monkeypatch, db, django_capture_on_commit_callbacks):
    name = default_storage.save("exports/x.zip", ContentFile(b"x"))
    with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
        patch.setattr(FileSystemStorage, "delete", lambda *a: (_ for _ in ()).throw(OSError("busy")))
        files.doom([name])
    assert default_storage.exists(name)
    assert files.delete_doomed() == 1
    assert not default_storage.exists(name)
    assert files.delete_doomed() == 0


# --- the walk --------------------------------------------------------------------------------------------------------
def test_every_link_to_a_member_has_a_fate():
    """A column that fails here: say CASCADE or SET_NULL, or declare its fate in the app's personal.py."""
    silent = [str(field) for field in concrete_fields() if leads_to_member(field) and fate_of(field) is None]
    assert silent == []


def test_every_column_that_may_name_a_person_has_a_fate():
    """Rows that go with their member need no word; of every other text column somebody must have said what becomes of
    it (declare, in the app's personal.py)."""
    go = {
        field.model for field in concrete_fields() if leads_to_member(field) and fate_of(field) == Fate.GOES
    }
    silent = [
        str(field)
        for field in concrete_fields()
        if isinstance(field, HOLD_TEXT)
        and field.model not in go
        and not (field.primary_key or field.choices or field.is_relation)
        and fate_of(field) is None
    ]
    assert silent == []
